"""Seldon's Kafka server at work, its requests, and a model that is a little function of its input."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import grpc
import grpc.aio
from aiohttp import web
from google.protobuf import json_format

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import composition
from embedded.streaming import StreamServer, messages
from embedded.streaming.nodes import Node
from embedded.streaming.specs import StreamSpec
from embedded.types import Endpoint
from selftest.embedded_dataplane.world import World, until_true

PREDICT = "tensorflow.serving.PredictRequest"
NAMED = [("proto-name", PREDICT.encode())]


class Model:
    """Doubles every number; refuses what has none."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.asked = 0
        self.status = 200
        self._http = web.ServerRunner(web.Server(self._rest, access_log=None), shutdown_timeout=0.1)
        self._grpc = grpc.aio.server()
        self.endpoints: dict[str, Endpoint] = {}

    async def start(self) -> None:
        """Listen on loopback, for both transports."""
        await self._http.setup()
        await web.TCPSite(self._http, "127.0.0.1", 0).start()
        handler = grpc.unary_unary_rpc_method_handler(self._predict)
        service = "tensorflow.serving.PredictionService"
        self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Predict": handler}),))
        for service, method, answer in (
            ("seldon.protos.Model", "Predict", self._echo),
            ("inference.GRPCInferenceService", "ModelInfer", self._echo),
            ("seldon.protos.Router", "Route", self._route),
            ("seldon.protos.Combiner", "Aggregate", self._aggregate),
        ):
            handler = grpc.unary_unary_rpc_method_handler(answer)
            self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        port = self._grpc.add_insecure_port("127.0.0.1:0")
        await self._grpc.start()
        self.endpoints["rest"] = Endpoint("127.0.0.1", self._http.addresses[0][1], "model.ns.svc.cluster.local")
        self.endpoints["grpc"] = Endpoint("127.0.0.1", port, "model.ns.svc.cluster.local")

    async def stop(self) -> None:
        """Stop listening."""
        await self._http.cleanup()
        await self._grpc.stop(0.1)

    async def _rest(self, request: web.BaseRequest) -> web.Response:
        if not request.path.startswith("/v1/"):
            return await self._node(request)
        assert (request.method, request.path) == ("POST", "/v1/models/double:predict")
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Host"] == "model.ns.svc.cluster.local"
        body = json.loads(await request.read())
        instances = body.get("instances", body.get("inputs"))
        self.asked += 1
        await asyncio.sleep(self.delay)
        if instances is None:
            return web.Response(status=400, text='{"error": "no instances"}')
        answer = json.dumps({"predictions": [2 * number for number in instances]})
        return web.Response(status=self.status, text=None if self.status == 204 else answer)

    async def _node(self, request: web.BaseRequest) -> web.Response:
        """Answer as a node of a graph in Seldon's protocol, or echo in the Open Inference Protocol."""
        body, name = json.loads(await request.read()), str(request.headers["Host"])
        if isinstance(body, dict) and body.get("fails") == name:
            return web.Response(status=500)
        if request.path == "/aggregate":
            return web.json_response({"predictions": ["+".join(each["predictions"][0] for each in body)]})
        if request.path == "/route":
            return web.json_response({"data": {"ndarray": body["route"]}})
        if body.get("size"):
            return web.json_response({"predictions": ["x" * body["size"]]})
        if "show" in body:
            shown = [[key, value] for key, value in request.headers.items() if key.startswith(tuple(body["show"]))]
            return web.json_response({"predictions": shown})
        await asyncio.sleep(body.get("delay", 0.0) if body.get("at", name) == name else 0.0)
        if "predictions" in body:
            # What a model does is not told; the rest is.
            told = f"{body['predictions'][0]}/{name}{request.path}".removesuffix("/predict")
            return web.json_response(body | {"predictions": [told]})
        return web.json_response({"predictions": [body]})

    async def _echo(self, request: bytes, _context: Any) -> bytes:
        return request

    async def _route(self, request: bytes, _context: Any) -> bytes:
        """Answer the data of the request: in these graphs the route is asked for as a router would answer it."""
        return request

    async def _aggregate(self, request: bytes, _context: Any) -> bytes:
        """Answer how many messages there are to combine, as a text."""
        message: Any = messages.new(messages.SELDON_LIST)
        message.ParseFromString(request)
        return seldon(strData=str(len(message.seldonMessages)))

    async def _predict(self, request: bytes, context: Any) -> bytes:
        asked, answer = messages.TYPES[PREDICT](), messages.TYPES[PREDICT.replace("Request", "Response")]()
        asked.ParseFromString(request)
        if "x" not in asked.inputs or asked.model_spec.name != "double":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no x")
        answer.outputs["y"].dtype = 1
        x = asked.inputs["x"]
        content = [number for (number,) in struct.iter_unpack("<f", x.tensor_content)]
        answer.outputs["y"].float_val.extend(2 * number for number in [*x.float_val, *content])
        message: bytes = answer.SerializeToString()
        return message


@dataclass
class Stream:
    """A stream server at work, and its topics."""

    world: World
    server: StreamServer
    model: Model

    async def ask(self, *records: Record) -> None:
        """Produce requests, to one partition."""
        await asyncio.gather(
            *(self.world.producer.send(self.server.spec.input_topic, replace(each, partition=0)) for each in records)
        )

    async def answers(self, asked: int) -> dict[bytes | None, list[Any]]:
        """Return the answers by key, once so many requests are committed."""

        async def is_done() -> bool:
            return await self.world.committed(self.server.spec.input_topic, self.server.group) == asked

        await until_true(is_done)
        found: dict[bytes | None, list[Any]] = {}
        for record in await self.world.records(self.server.spec.output_topic, await self._count()):
            found.setdefault(record.key, []).append(_decoded(record.value or b""))
        return found

    async def _count(self) -> int:
        return await self.world.count(self.server.spec.output_topic, 2)


def _decoded(content: bytes) -> Any:
    if content.startswith(b"{"):
        return json.loads(content)["predictions"]
    answer = messages.TYPES["tensorflow.serving.PredictResponse"]()
    answer.ParseFromString(content)
    return list(answer.outputs["y"].float_val)


def rest(key: str, *numbers: float, value: bytes | None = None) -> Record:
    return Record(key.encode(), [], json.dumps({"instances": numbers}).encode() if value is None else value)


def protobuf(key: str, *numbers: float, headers: Any = NAMED, value: bytes | None = None) -> Record:
    message = messages.TYPES[PREDICT]()
    message.model_spec.name = "double"
    message.inputs["x"].dtype = 1
    message.inputs["x"].float_val.extend(numbers)
    return Record(key.encode(), headers, message.SerializeToString() if value is None else value)


def changed(change: Callable[[Any], None], kind: str = "Request") -> bytes:
    """Return a message for the model whose one tensor `x` was changed."""
    message = messages.TYPES[f"tensorflow.serving.Predict{kind}"]()
    message.model_spec.name = "double"
    tensor = (message.inputs if kind == "Request" else message.outputs)["x"]
    tensor.dtype = 1
    change(tensor)
    content: bytes = message.SerializeToString()
    return content


def with_one(tensor: Any) -> None:
    tensor.float_val.append(1)


def seldon(**fields: Any) -> bytes:
    """Return a SeldonMessage with these fields, as they are in JSON."""
    content: bytes = json_format.ParseDict(fields, messages.new(messages.SELDON_MESSAGE)).SerializeToString()
    return content


def graph_of(model: Model, transport: str = "rest") -> Node:
    """Return a router before a chain, a combiner and transformers; each node has its name as its authority."""

    def node(name: str, kind: str = "MODEL", *children: Node) -> Node:
        return Node(name, kind, replace(model.endpoints[transport], authority=name), children)

    chain = node("first", "MODEL", node("second"))
    join = node("join", "COMBINER", node("left"), node("right"))
    return node(
        "switch", "ROUTER", chain, join, node("out", "OUTPUT_TRANSFORMER", node("in", "TRANSFORMER", node("m")))
    )


@asynccontextmanager
async def stream(
    world: World, model: Model, transport: str = "rest", mutant: str | None = None, **terms: Any
) -> AsyncIterator[Stream]:
    name = world.unique("stream")
    spec = StreamSpec(
        namespace="ns",
        deployment=name,
        predictor="p",
        input_topic=f"{name}-in",
        output_topic=f"{name}-out",
        protocol="tensorflow",
        transport=transport,
        graph=Node("double", "MODEL", model.endpoints[transport]),
        policies=composition(STREAMS, filter(None, [mutant])),
    )
    for topic in (spec.input_topic, spec.output_topic):
        await world.kafka.create_topic(topic, 2)
    server = StreamServer(replace(spec, **terms), world.plane.cluster)
    await server.start()
    try:
        yield Stream(world, server, model)
    finally:
        await server.stop()
