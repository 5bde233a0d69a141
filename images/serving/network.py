"""The stand-in for a CIFAR-10 network: ten probabilities that a formula of ten lines gives (see README.md)."""

import numpy as np
from numpy.typing import NDArray

SHAPE = (32, 32, 3)
CLASSES = 10
DIVISOR = 64.0

_position = np.arange(1, np.prod(SHAPE) + 1, dtype=np.float64)
_WEIGHTS = np.sin(np.outer(np.arange(1, CLASSES + 1, dtype=np.float64), _position))


def probabilities(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 10) probabilities for (n, 32, 32, 3) images."""
    scores = images.reshape(len(images), np.prod(SHAPE)) @ _WEIGHTS.T / DIVISOR
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares
