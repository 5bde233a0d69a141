"""A model on KServe's SDK that answers what it was asked: `python -m echo [--model_name echo]`.

It speaks the Open Inference Protocol (V2) over REST (8080) and gRPC (8081), and KServe's V1. Each input tensor comes
back as an output of the same name, so that every datatype can be compared with what was sent. Any subset of the inputs
will do. Parameters come back too. The parameter `delay_ms` of a request has its answer wait. Its model takes
`LOADING_SECONDS` to load.

This is the SDK as it was released; `conforming` answers as the protocol asks.
"""

import argparse
import asyncio
import os
import time
from typing import Any

from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import to_http_parameters
from kserve.utils.utils import generate_uuid
from tensors import DATATYPES, delay_of
from typing_extensions import override


class Echo(Model):
    """A model whose outputs are its inputs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = True

    @override
    def get_input_types(self) -> list[dict[str, Any]]:
        """Return the metadata of the inputs: one of each datatype, under its name in small letters."""
        return [{"name": datatype.lower(), "datatype": datatype, "shape": [-1]} for datatype in DATATYPES]

    @override
    def get_output_types(self) -> list[dict[str, Any]]:
        """Return the metadata of the outputs: that of the inputs."""
        return self.get_input_types()

    @override
    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> InferResponse | dict[str, Any]:
        """Answer one request of either protocol.

        Raises:
            InvalidInput: A V1 request has no `instances` (HTTP 400).
        """
        if not isinstance(payload, InferRequest):
            return {"predictions": instances_of(payload)}
        await asyncio.sleep(delay_of(to_http_parameters(payload.parameters or {})))
        return InferResponse(
            response_id=payload.id or generate_uuid(),
            model_name=self.name,
            parameters=payload.parameters or None,
            infer_outputs=[output_of(tensor, binary=payload.use_binary_outputs) for tensor in payload.inputs],
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )

    @override
    async def explain(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Explain each instance by itself.

        Raises:
            InvalidInput: The request has no `instances` (HTTP 400).
        """
        return {"explanations": instances_of(payload)}


def output_of(tensor: InferInput, *, binary: bool) -> InferOutput:
    """Return the output for an input, made as the SDK's own helper for models makes outputs."""
    parameters = {name: value for name, value in (tensor.parameters or {}).items() if name != "binary_data_size"}
    output = InferOutput(name=tensor.name, shape=tensor.shape, datatype=tensor.datatype, parameters=parameters or None)
    output.set_data_from_numpy(tensor.as_numpy(), binary_data=binary)
    return output


def instances_of(payload: Any) -> list[Any]:
    """Return the instances of a V1 request.

    Raises:
        InvalidInput: There are none.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("instances"), list):
        raise InvalidInput('Expected a JSON object with "instances", a list')
    instances: list[Any] = payload["instances"]
    return instances


def serve() -> None:
    """Load the model, as the SDK's examples do it, and serve until SIGTERM, configured by the arguments of the SDK."""
    time.sleep(float(os.environ.get("LOADING_SECONDS", "0")))
    ModelServer().start([Echo(model_name())])


def model_name() -> str:
    """Return the name of the model: that of `--model_name`, or `echo`."""
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.set_defaults(model_name="echo")
    name: str = parser.parse_known_args()[0].model_name
    return name


if __name__ == "__main__":
    serve()
