"""A server of the function in `network.py` that behaves like TensorFlow Serving: REST on one port, gRPC on another.

python -m server --port=8500 --rest_api_port=8501 --model_name=resnet32 --model_base_path=... --enable_batching
"""

import argparse
import json
from typing import Any

import grpc
from aiohttp import web
from listening import MOST_BYTES, run, serve
from messages import DT_FLOAT, PredictRequest, PredictResponse
from network import probabilities
from tensors import OUTPUT, SIGNATURE, InvalidArgumentError, from_columns, from_rows, from_tensor

VERSION = 1
GRACE_SECONDS = 5.0


class Rest:
    """The predict and status resources of one model."""

    def __init__(self, model: str) -> None:
        self._model = model

    def application(self) -> web.Application:
        """Return the application that serves these resources."""
        application = web.Application(client_max_size=MOST_BYTES)
        for version in ("", f"/versions/{VERSION}"):
            application.router.add_get(f"/v1/models/{{model:[^/:]+}}{version}", self.status)
            application.router.add_post(f"/v1/models/{{model:[^/:]+}}{version}:predict", self.predict)
        application.middlewares.append(errors_as_json)
        return application

    async def status(self, request: web.Request) -> web.Response:
        """Answer that the model is available."""
        self._known(request)
        status = {"error_code": "OK", "error_message": ""}
        return web.json_response(
            {"model_version_status": [{"version": str(VERSION), "state": "AVAILABLE", "status": status}]}
        )

    async def predict(self, request: web.Request) -> web.Response:
        """Answer one request in the format, row or column, in which it came."""
        self._known(request)
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            raise InvalidArgumentError(f"JSON Parse error: {error}") from error
        if not isinstance(body, dict):
            raise InvalidArgumentError("JSON Value: the request must be an object")
        signature = body.get("signature_name", SIGNATURE)
        if signature != SIGNATURE:
            raise InvalidArgumentError(f'Serving signature name: "{signature}" not found in signature def')
        match ("instances" in body, "inputs" in body):
            case (True, False):
                return web.json_response({"predictions": probabilities(from_rows(body["instances"])).tolist()})
            case (False, True):
                return web.json_response({"outputs": probabilities(from_columns(body["inputs"])).tolist()})
            case (True, True):
                raise InvalidArgumentError("Not formatted correctly: found both 'inputs' and 'instances'")
            case _:
                raise InvalidArgumentError("Missing 'inputs' or 'instances' key")

    def _known(self, request: web.Request) -> None:
        model = request.match_info["model"]
        if model != self._model:
            raise web.HTTPNotFound(text=f"Servable not found for request: Latest({model})")


@web.middleware
async def errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    """Give errors the shape that TensorFlow Serving gives them."""
    try:
        response: web.StreamResponse = await handler(request)
    except InvalidArgumentError as error:
        return web.json_response({"error": str(error)}, status=400)
    except web.HTTPException as error:
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    return response


class Predict:
    """The `PredictionService/Predict` call of one model."""

    def __init__(self, model: str) -> None:
        self._model = model

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the handler of the gRPC service."""
        method = grpc.unary_unary_rpc_method_handler(
            self.predict,
            request_deserializer=PredictRequest.FromString,
            response_serializer=PredictResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", {"Predict": method})

    async def predict(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Answer one request, or abort with NOT_FOUND or INVALID_ARGUMENT."""
        spec = request.model_spec
        if spec.name != self._model or (spec.HasField("version") and spec.version.value != VERSION):
            version = f"Specific({spec.name}, {spec.version.value})" if spec.HasField("version") else spec.name
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {version}")
        if spec.signature_name not in {"", SIGNATURE}:
            reason = f'Serving signature name: "{spec.signature_name}" not found in signature def'
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, reason)
        if any(name != OUTPUT for name in request.output_filter):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"output_filter: '{OUTPUT}' is the only output")
        try:
            shares = probabilities(from_tensor(request.inputs))
        except InvalidArgumentError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = PredictResponse()
        response.model_spec.name = self._model
        response.model_spec.version.value = VERSION
        response.model_spec.signature_name = SIGNATURE
        tensor = response.outputs[OUTPUT]
        tensor.dtype = DT_FLOAT
        for size in shares.shape:
            tensor.tensor_shape.dim.add(size=size)
        tensor.float_val.extend(shares.ravel().tolist())
        return response


def main() -> None:
    """Read TensorFlow Serving's flags and serve."""
    parser = argparse.ArgumentParser(prog="server", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument("--rest_api_port", type=int, default=8501)
    parser.add_argument("--model_name", default="default")
    parser.add_argument("--model_base_path", default="")
    parser.add_argument("--enable_batching", nargs="?", const="true", default="false")
    arguments, ignored = parser.parse_known_args()
    if ignored:
        print(f"flags without effect here: {' '.join(ignored)}", flush=True)
    run(
        "server",
        serve(
            arguments.model_name,
            rpc_port=arguments.port,
            handlers=[Predict(arguments.model_name).handler()],
            rest_port=arguments.rest_api_port,
            application=Rest(arguments.model_name).application(),
            grace=GRACE_SECONDS,
        ),
    )


if __name__ == "__main__":
    main()
