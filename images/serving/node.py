"""A node of an inference graph that says what it got: in Seldon's, TensorFlow's and the Open Inference protocol.

python -m node --name=echo --port=8500 --rest_port=8501 --append=/echo

A model echoes its request, and adds a suffix to a text. What else it does, a request says: in Seldon's protocol as tags
in `meta`, in the Open Inference Protocol as parameters (README.md).
"""

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from aiohttp import web
from company import Company
from google.protobuf import json_format
from listening import MOST_BYTES, run, serve
from messages import PredictRequest, PredictResponse
from node_messages import ModelInferRequest, ModelInferResponse, RouteMessage, SeldonMessage, SeldonMessageList
from wishes import IMAGE, Wishes, routed, shown, signed, wishes

GRACE_SECONDS = 1.0
SHOWN = "headers"


class Rest:
    """The resources of a node: Seldon's methods, and the Open Inference Protocol's."""

    def __init__(self, name: str, suffix: str) -> None:
        self._name, self._suffix = name, suffix
        self._company = Company()

    def application(self) -> web.Application:
        """Return the application that serves these resources."""
        application = web.Application(client_max_size=MOST_BYTES)
        for method in ("predict", "transform-input", "transform-output"):
            application.router.add_post(f"/{method}", self.predict)
        application.router.add_post("/route", self.route)
        application.router.add_post("/aggregate", self.aggregate)
        application.router.add_get("/health", self.health)
        application.router.add_post(f"/v2/models/{self._name}/infer", self.infer)
        return application

    async def health(self, _request: web.Request) -> web.Response:
        """Answer that the node is there."""
        return web.Response(text=self._name)

    async def predict(self, request: web.Request) -> web.Response:
        """Echo a SeldonMessage, with the suffix behind its text."""
        body = await _object(request)
        wish = await _do(wishes(_tags(body), self._name))
        if wish.show and not wish.sign:
            return web.json_response({"strData": shown(request.headers.items(), wish.show)})
        if wish.most:
            return web.json_response({"strData": await self._company.kept(wish.least, wish.most)})
        if wish.size:
            return web.json_response({"strData": "x" * wish.size})
        if wish.sign:
            body["meta"] = signed([body["meta"]], self._name, _told(request, wish), measure=wish.measure)
        if "strData" in body:
            body["strData"] += f"{self._suffix}:{_method(request)}" if wish.named else self._suffix
        if wish.sign or "strData" in body:
            return web.json_response(body)
        return web.Response(body=await request.read(), content_type="application/json")

    async def route(self, request: web.Request) -> web.Response:
        """Answer the route that the request wishes."""
        return web.json_response(routed(await _do(wishes(_tags(await _object(request)), self._name))))

    async def aggregate(self, request: web.Request) -> web.Response:
        """Join the texts of several SeldonMessages; where not all have one, tell the messages, but for their `meta`."""
        messages = await _json(request)
        if not isinstance(messages, list):
            raise web.HTTPBadRequest(text="expected a list of messages")
        tags = _tags(messages[0]) if messages else {}
        if tags.get("at") == self._name:
            await _do(wishes(tags, self._name))
        answer: dict[str, Any] = {"strData": "+".join(str(message.get("strData")) for message in messages)}
        if not all("strData" in message for message in messages):
            kept = [{name: part for name, part in message.items() if name != "meta"} for message in messages]
            answer = {"jsonData": kept}
        if (wish := wishes(tags, self._name)).sign:
            metas = [message.get("meta") or {} for message in messages]
            answer["meta"] = signed(metas, self._name, _told(request, wish), measure=wish.measure)
        return web.json_response(answer)

    async def infer(self, request: web.Request) -> web.Response:
        """Echo the inputs of an inference request as its outputs."""
        body = await _object(request)
        if "inputs" not in body:
            raise web.HTTPBadRequest(text="expected inputs")
        wish = await _do(wishes(body.get("parameters") or {}, self._name))
        outputs = body["inputs"]
        if wish.show:
            outputs = [
                {"name": SHOWN, "datatype": "BYTES", "shape": [1], "data": [shown(request.headers.items(), wish.show)]}
            ]
        named = {"model_name": self._name, **({"id": body["id"]} if "id" in body else {})}
        return web.json_response({**named, "outputs": outputs})


def _method(request: web.Request) -> str:
    """Return the method by which a node is called in Seldon's protocol."""
    return request.path.removeprefix("/")


def _told(request: web.Request, wish: Wishes) -> str:
    """Return what a node that signs says of itself: the headers that it is to show, else the method of its call."""
    return shown(request.headers.items(), wish.show) if wish.show else _method(request)


def _tags(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tags in the `meta` of a SeldonMessage."""
    tags: Mapping[str, Any] = (message.get("meta") or {}).get("tags") or {}
    return tags


async def _do(wish: Wishes) -> Wishes:
    await asyncio.sleep(wish.delay)
    if wish.exit:
        os._exit(os.EX_SOFTWARE)  # as a crash: nothing is finished
    if wish.status != 200:
        raise _answer(wish.status)
    return wish


def _answer(status: int) -> web.HTTPException:
    error = web.HTTPBadRequest(text=json.dumps({"error": "as the request wished"}), content_type="application/json")
    error.set_status(status)
    return error


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text=f"no JSON: {error}") from error


async def _object(request: web.Request) -> dict[str, Any]:
    body = await _json(request)
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="expected a JSON object")
    return body


class Rpc:
    """The calls of a node: those of a model in the three protocols, and those of the others in Seldon's."""

    def __init__(self, name: str, suffix: str) -> None:
        self._name, self._suffix = name, suffix

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """Return the handlers of the services."""
        echoed = (SeldonMessage, SeldonMessage)
        calls = (
            ("tensorflow.serving.PredictionService", "Predict", self.predict, PredictRequest, PredictResponse),
            ("seldon.protos.Model", "Predict", self.echo("predict"), *echoed),
            ("seldon.protos.Transformer", "TransformInput", self.echo("transform-input"), *echoed),
            ("seldon.protos.OutputTransformer", "TransformOutput", self.echo("transform-output"), *echoed),
            ("seldon.protos.Router", "Route", self.route, SeldonMessage, RouteMessage),
            ("seldon.protos.Combiner", "Aggregate", self.aggregate, SeldonMessageList, SeldonMessage),
            ("inference.GRPCInferenceService", "ModelInfer", self.infer, ModelInferRequest, ModelInferResponse),
        )
        return [
            grpc.method_handlers_generic_handler(
                service,
                {
                    method: grpc.unary_unary_rpc_method_handler(
                        call, request_deserializer=asked.FromString, response_serializer=told.SerializeToString
                    )
                },
            )
            for service, method, call, asked, told in calls
        ]

    async def predict(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Answer a PredictRequest with its own tensors, byte for byte."""
        if not request.inputs:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected inputs")
        response = PredictResponse()
        response.model_spec.CopyFrom(request.model_spec)
        for name, tensor in request.inputs.items():
            response.outputs[name].CopyFrom(tensor)
        return response

    def echo(self, method: str) -> Callable[[Any, grpc.aio.ServicerContext], Awaitable[Any]]:
        """Return the call that answers a SeldonMessage with itself, with the suffix behind its text."""

        async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
            wish = await self._do(wishes(_tags_of(request), self._name), context)
            if wish.show and not wish.sign:
                return SeldonMessage(strData=shown(_texts(context), wish.show))
            self._sign(request.meta, method, wish, context)
            if self._suffix and request.strData:
                request.strData += f"{self._suffix}:{method}" if wish.named else self._suffix
            return request

        return answer

    async def route(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Answer the route that the request wishes."""
        wish = await self._do(wishes(_tags_of(request), self._name), context)
        return json_format.ParseDict(routed(wish), RouteMessage())

    async def aggregate(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Join the texts of several SeldonMessages; where not all have one, answer the one of the wished child."""
        asked = request.seldonMessages
        tags = _tags_of(asked[0]) if asked else {}
        wish = wishes(tags, self._name)
        if tags.get("at") == self._name:
            await self._do(wish, context)
        answer = SeldonMessage()
        if all(message.HasField("strData") for message in asked):
            answer.strData = "+".join(message.strData for message in asked)
        else:
            answer.CopyFrom(asked[wish.child])
            answer.ClearField("meta")
        if wish.sign:
            # As over REST: what the messages say together, and the puid of the first.
            for message in asked:
                answer.meta.MergeFrom(message.meta)
            answer.meta.puid = asked[0].meta.puid
            self._sign(answer.meta, "aggregate", wish, context)
        return answer

    def _sign(self, meta: Any, method: str, wish: Wishes, context: grpc.aio.ServicerContext) -> None:
        if wish.sign:
            meta.tags[self._name].string_value = shown(_texts(context), wish.show) if wish.show else method
            meta.requestPath[self._name] = IMAGE
        if wish.sign and wish.measure:
            meta.metrics.add(key=self._name, value=1)

    async def infer(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Answer an inference request with its inputs as outputs, in typed fields or raw as they came."""
        if not request.inputs:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected inputs")
        parameters = {name: value.string_param or value.int64_param for name, value in request.parameters.items()}
        await self._do(wishes(parameters, self._name), context)
        response = ModelInferResponse(model_name=self._name, id=request.id, raw_contents=request.raw_contents)
        for tensor in request.inputs:
            response.outputs.add().CopyFrom(tensor)
        return response

    async def _do(self, wish: Wishes, context: grpc.aio.ServicerContext) -> Wishes:
        await asyncio.sleep(wish.delay)
        if wish.status != 200:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "as the request wished")
        return wish


def _tags_of(message: Any) -> dict[str, Any]:
    """Return the tags in the `meta` of a SeldonMessage over gRPC."""
    kinds = {name: value.WhichOneof("kind") for name, value in message.meta.tags.items()}
    return {
        name: None if kind in {None, "null_value"} else getattr(message.meta.tags[name], kind)
        for name, kind in kinds.items()
    }


def _texts(context: grpc.aio.ServicerContext) -> list[tuple[str, str]]:
    return [(name, value) for name, value in context.invocation_metadata() or () if isinstance(value, str)]


def main() -> None:
    """Read the flags and serve."""
    parser = argparse.ArgumentParser(prog="node", description=__doc__, allow_abbrev=False)
    parser.add_argument("--name", required=True, help="the name of the node in its graph")
    parser.add_argument("--port", type=int, default=0, help="the port of gRPC; 0: none")
    parser.add_argument("--rest_port", type=int, default=0, help="the port of REST; 0: none")
    parser.add_argument("--append", default="", help="what a model adds to a text")
    arguments = parser.parse_args()
    run(
        "node",
        serve(
            arguments.name,
            rpc_port=arguments.port,
            handlers=Rpc(arguments.name, arguments.append).handlers(),
            rest_port=arguments.rest_port,
            application=Rest(arguments.name, arguments.append).application(),
            grace=GRACE_SECONDS,
        ),
    )


if __name__ == "__main__":
    main()
