"""The nodes of a graph as a stream calls them: by REST or gRPC, in the protocol of the deployment."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import grpc
import grpc.aio

from embedded.dataplane.outbound import Outbound
from embedded.streaming import messages
from embedded.streaming.nodes import AGGREGATE, PREDICT, ROUTE, TRANSFORM_INPUT, TRANSFORM_OUTPUT, Node, nodes_of
from embedded.streaming.specs import StreamSpec
from embedded.types import Endpoint

_TIMEOUT = 60.0
_MAX_MESSAGE = 64 * 1024 * 1024

REQUEST_TYPES = {
    "tensorflow": messages.PREDICT_REQUEST,
    "seldon": messages.SELDON_MESSAGE,
    "v2": messages.INFER_REQUEST,
    "kfserving": messages.INFER_REQUEST,
}
"""The type of a request over gRPC, by protocol."""
RESPONSE_TYPES = {
    "tensorflow": messages.PREDICT_RESPONSE,
    "seldon": messages.SELDON_MESSAGE,
    "v2": messages.INFER_RESPONSE,
}
"""The type of an answer over gRPC, by protocol."""
_SERVICES = {
    "tensorflow": "/tensorflow.serving.PredictionService/Predict",
    "v2": "/inference.GRPCInferenceService/ModelInfer",
}
_OF_SELDON = {
    PREDICT: "/seldon.protos.Model/Predict",
    TRANSFORM_INPUT: "/seldon.protos.Transformer/TransformInput",
    TRANSFORM_OUTPUT: "/seldon.protos.OutputTransformer/TransformOutput",
    ROUTE: "/seldon.protos.Router/Route",
    AGGREGATE: "/seldon.protos.Combiner/Aggregate",
}


class ModelError(Exception):
    """A node that did not answer, or not with what was asked of it."""


class UnreachableError(ModelError):
    """A node that is not there, or went away without an answer."""


class Model(Protocol):
    """A client of the nodes of a graph."""

    async def call(self, node: Node, method: str, request: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
        """Return the bytes of a node's answer.

        Raises:
            ModelError: The node did not answer as it should.
        """

    async def close(self) -> None:
        """Close all connections."""


class RestModel:
    """A client of nodes by HTTP; only 200 is an answer."""

    def __init__(self, protocol: str, nodes: Mapping[str, Endpoint]) -> None:
        self._http = Outbound(lambda name, _port: nodes[name])
        self._protocol = protocol

    async def call(self, node: Node, method: str, request: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
        """Return the answer's body; see `Model`."""
        url = f"http://{node.name}{self._path(node.name, method)}"
        attempt = await self._http.post(url, headers, request, _TIMEOUT)
        if attempt.status is None:
            raise UnreachableError(f"{node.name}: {attempt.error}")
        if attempt.status != 200 or attempt.error:
            raise ModelError(f"{node.name}: {attempt.error or f'answer {attempt.status}: {attempt.body[:200]!r}'}")
        return attempt.body

    def _path(self, name: str, method: str) -> str:
        if self._protocol == "seldon":
            return f"/{method}"
        return f"/v1/models/{name}:predict" if self._protocol == "tensorflow" else f"/v2/models/{name}/infer"

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


class GrpcModel:
    """A client of nodes by gRPC, on bytes: the message was checked when it was read."""

    def __init__(self, protocol: str, nodes: Mapping[str, Endpoint]) -> None:
        self._protocol = protocol
        self._channels = {name: _channel(endpoint) for name, endpoint in nodes.items()}

    async def call(self, node: Node, method: str, request: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
        """Return the answer's message; see `Model`."""
        service = _OF_SELDON[method] if self._protocol == "seldon" else _SERVICES[self._protocol]
        try:
            answer: bytes = await self._channels[node.name].unary_unary(service)(
                request, timeout=_TIMEOUT, metadata=tuple(headers)
            )
        except grpc.aio.AioRpcError as error:
            failure = UnreachableError if error.code() is grpc.StatusCode.UNAVAILABLE else ModelError
            raise failure(f"{node.name}: {error.code().name}: {error.details()}") from error
        return answer

    async def close(self) -> None:
        """Close all channels."""
        for channel in self._channels.values():
            await channel.close()


def _channel(endpoint: Endpoint) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(
        f"{endpoint.host}:{endpoint.port}",
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE),
            ("grpc.max_send_message_length", _MAX_MESSAGE),
            # On loopback, a proxy of the environment must not be used.
            ("grpc.enable_http_proxy", 0),
        ],
    )


def connect(spec: StreamSpec) -> Model:
    """Return the client for the nodes of a predictor.

    Raises:
        ValueError: The protocol, the transport or the graph is not served here.
    """
    if spec.protocol not in REQUEST_TYPES:
        raise ValueError(f"protocol {spec.protocol!r} is not served from Kafka here; {', '.join(REQUEST_TYPES)} are")
    if spec.transport not in {"rest", "grpc"}:
        raise ValueError(f"transport {spec.transport!r} is neither rest nor grpc")
    if why := why_not_walked(spec.protocol, spec.transport, sum(1 for _ in nodes_of(spec.graph))):
        raise ValueError(why)
    client = RestModel if spec.transport == "rest" else GrpcModel
    return client(spec.protocol, {node.name: node.endpoint for node in nodes_of(spec.graph)})


def why_not_walked(protocol: str, transport: str, nodes: int) -> str | None:
    """Return why a graph is not served in a protocol over a transport; None: it is.

    Args:
        protocol: The protocol.
        transport: The transport.
        nodes: The number of its nodes.
    """
    if nodes <= 1 or protocol == "seldon":
        return None
    return f"graphs of several nodes are served here in protocol seldon, not in {protocol} over {transport}"
