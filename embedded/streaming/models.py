"""The model behind a stream: TensorFlow Serving's predict call, by REST or gRPC."""

from typing import Protocol

import grpc
import grpc.aio

from embedded.dataplane.outbound import Outbound
from embedded.streaming.specs import StreamSpec
from embedded.types import Endpoint

_TIMEOUT = 60.0
_MAX_MESSAGE = 64 * 1024 * 1024
_PREDICT = "/tensorflow.serving.PredictionService/Predict"


class ModelError(Exception):
    """A model that did not answer, or not with a prediction."""


class Model(Protocol):
    """A client of a model."""

    async def predict(self, request: bytes) -> bytes:
        """Return the bytes of the model's answer.

        Raises:
            ModelError: The model did not answer with a prediction.
        """

    async def close(self) -> None:
        """Close all connections."""


class RestModel:
    """A client of `POST /v1/models/<name>:predict`; only 200 is an answer."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._http = Outbound(lambda _host, _port: endpoint)
        self._url = f"http://model/v1/models/{name}:predict"

    async def predict(self, request: bytes) -> bytes:
        """Return the answer's body; see `Model`."""
        attempt = await self._http.post(self._url, [("Content-Type", "application/json")], request, _TIMEOUT)
        if attempt.status != 200 or attempt.error:
            raise ModelError(attempt.error or f"answer {attempt.status}: {attempt.body[:200]!r}")
        return attempt.body

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


class GrpcModel:
    """A client of `PredictionService/Predict` on bytes: the message was checked when it was read."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._channel = grpc.aio.insecure_channel(
            f"{endpoint.host}:{endpoint.port}",
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE),
                ("grpc.max_send_message_length", _MAX_MESSAGE),
                # On loopback, a proxy of the environment must not be used.
                ("grpc.enable_http_proxy", 0),
            ],
        )
        self._predict = self._channel.unary_unary(_PREDICT)

    async def predict(self, request: bytes) -> bytes:
        """Return the answer's message; see `Model`."""
        try:
            answer: bytes = await self._predict(request, timeout=_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            raise ModelError(f"{error.code().name}: {error.details()}") from error
        return answer

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


def connect(spec: StreamSpec) -> Model:
    """Return the client for a predictor.

    Raises:
        ValueError: The protocol or transport is not served here.
    """
    if spec.protocol != "tensorflow":
        raise ValueError(f"protocol {spec.protocol!r} is not served from Kafka here; tensorflow is")
    if spec.transport == "rest":
        return RestModel(spec.endpoint, spec.model)
    if spec.transport == "grpc":
        return GrpcModel(spec.endpoint)
    raise ValueError(f"transport {spec.transport!r} is neither rest nor grpc")
