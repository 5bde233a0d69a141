"""A classifier of digits: ten probabilities from 64 pixels, by the regression in `model.json`. It needs only NumPy."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEATURES = 64


class NotAnInstanceError(ValueError):
    """An instance that is not 64 finite numbers."""


class Classifier:
    """A multinomial regression: standardised pixels times coefficients plus intercepts, through softmax."""

    def __init__(self, path: Path) -> None:
        model = json.loads(path.read_text())
        self.classes = [int(label) for label in model["classes"]]
        self._mean = np.array(model["mean"])
        self._scale = np.array(model["scale"])
        self._coefficients = np.array(model["coefficients"])
        self._intercepts = np.array(model["intercepts"])

    def probabilities(self, instances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one row of ten probabilities for each row of 64 pixels (0 black to 16 white)."""
        scores = ((instances - self._mean) / self._scale) @ self._coefficients.T + self._intercepts
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def predict(self, instances: list[Any]) -> list[int]:
        """Return the digit that each instance shows.

        Raises:
            NotAnInstanceError: An instance is not 64 finite numbers.
        """
        if not instances:
            return []
        try:
            rows = np.array(instances, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise NotAnInstanceError(f"every instance is a list of {FEATURES} numbers: {error}") from error
        if rows.shape != (len(instances), FEATURES) or not np.isfinite(rows).all():
            raise NotAnInstanceError(
                f"every instance is a list of {FEATURES} finite numbers, not shape {rows.shape[1:]}"
            )
        return [self.classes[index] for index in self.probabilities(rows).argmax(axis=1)]
