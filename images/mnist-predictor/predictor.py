"""The predictor of the async-mnist pipeline on KServe's SDK: V1 `instances` of 64 pixels, `predictions` of digits.

    python -m predictor [--model_name mnist] [--http_port 8080] ...

It answers under the name of the trained model, `mnist`, whatever the InferenceService is called, as a model store does
and as the calling transformer expects.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classifier import Classifier, NotAnInstanceError
from kserve import Model, ModelServer, model_server
from kserve.errors import InvalidInput
from typing_extensions import override

MODEL = Path(__file__).with_name("model.json")


class Predictor(Model):
    """A server of one classifier."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._classifier = Classifier(MODEL)
        self.ready = True

    @override
    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> dict[str, list[int]]:
        """Answer one V1 request.

        Raises:
            InvalidInput: The request has no `instances`, or one that is not 64 numbers (HTTP 400).
        """
        if not isinstance(payload, dict) or not isinstance(payload.get("instances"), list):
            raise InvalidInput('Expected a JSON object with "instances", a list')
        try:
            return {"predictions": self._classifier.predict(payload["instances"])}
        except NotAnInstanceError as error:
            raise InvalidInput(str(error)) from error


def serve(predictor: Callable[[str], Predictor]) -> None:
    """Serve a predictor, which is made by its name, until SIGTERM."""
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.set_defaults(model_name="mnist")
    arguments, _ = parser.parse_known_args()
    ModelServer().start([predictor(arguments.model_name)])


if __name__ == "__main__":
    serve(Predictor)
