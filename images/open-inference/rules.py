"""What the conforming server answers, over REST and gRPC alike. Each mutant changes one of these methods."""

import json
import math
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from tensors import DATATYPES, RefusedError, Tensor, checked, flattened, packed, unpacked


class NotReadyError(Exception):
    """A request that cannot be answered yet."""


class UnknownVersionError(Exception):
    """A request for a version that the model does not have."""


class Rules:
    """The rules of the protocol, for a model whose outputs are its inputs.

    Attributes:
        versions: The versions of the model, the one that is used where a request names none first.
    """

    content_type = "application/json"
    versions: Sequence[str] = ("1",)

    def version(self, asked: str) -> str:
        """Return the version that answers; `asked`: empty, where the request names none.

        Raises:
            UnknownVersionError: The model does not have it.
        """
        if asked and asked not in self.versions:
            raise UnknownVersionError
        return asked or self.versions[0]

    def told_version(self, version: str) -> Any:
        """Return the version as an answer names it."""
        return version

    def request(self, body: Any) -> dict[str, Any]:
        """Return a REST request whose members are of the kinds that the protocol has.

        Raises:
            RefusedError: They are not.
        """
        if not isinstance(body, dict) or not isinstance(body.get("inputs"), list) or not body["inputs"]:
            raise RefusedError("a request is an object with inputs, a list that is not empty")
        if not isinstance(body.get("id") or "", str):
            raise RefusedError("an id is a string")
        outputs = body.get("outputs") or []
        if not isinstance(outputs, list) or not all(
            isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in outputs
        ):
            raise RefusedError("outputs are a list of objects with a name")
        return {**body, "id": body.get("id") or "", "outputs": outputs}

    def parameters(self, given: Any) -> dict[str, Any]:
        """Return the parameters of a request or a tensor as the model sees them, and answers them.

        Raises:
            RefusedError: They are none.
        """
        if not isinstance(given, dict) or not all(isinstance(value, str | int | float) for value in given.values()):
            raise RefusedError("parameters are an object of strings, numbers and booleans")
        return given

    def answer_id(self, asked: str) -> str:
        """Return the id of an answer; `asked` is that of the request, empty where it has none."""
        return asked or str(uuid.uuid4())

    def checked(self, tensor: Tensor) -> Tensor:
        """Return an input that its shape fits."""
        return checked(tensor)

    def output(self, tensor: Tensor) -> Tensor:
        """Return the output for an input."""
        return tensor

    def packed(self, datatype: str, values: Sequence[Any]) -> bytes:
        """Return the raw content of values from JSON."""
        return packed(datatype, values)

    def typed(self, datatype: str, values: Sequence[Any]) -> bytes:
        """Return the raw content of typed contents of a gRPC request."""
        return packed(datatype, values)

    def raw(self, inputs: int, contents: Sequence[bytes]) -> Sequence[bytes]:
        """Return the raw contents of the inputs of a gRPC request, of which there are so many.

        Raises:
            RefusedError: There are more or fewer.
        """
        if contents and len(contents) != inputs:
            raise RefusedError(f"{inputs} inputs and {len(contents)} raw_input_contents")
        return contents

    def json_values(self, tensor: Tensor) -> list[Any]:
        """Return the values of an output for JSON.

        Raises:
            RefusedError: JSON cannot say one of them.
        """
        values = unpacked(tensor.datatype, tensor.raw)
        if tensor.datatype == "BYTES":
            try:
                return [value.decode() for value in values]
            except UnicodeDecodeError as error:
                raise RefusedError(f"output {tensor.name}: bytes that are not UTF-8 have no form in JSON") from error
        if not all(math.isfinite(value) for value in values):
            raise RefusedError(f"output {tensor.name}: JSON has no NaN and no infinities")
        return values

    def requested(self, outputs: Sequence[Tensor], names: Sequence[str]) -> list[Tensor]:
        """Return the outputs of these names, or all where none is named.

        Raises:
            RefusedError: There is no such output.
        """
        by_name = {output.name: output for output in outputs}
        if unknown := [name for name in names if name not in by_name]:
            raise RefusedError(f"the model has no output {unknown[0]}")
        return [by_name[name] for name in names] if names else list(outputs)

    def refuses_both(self, *, raw: bool, contents: bool) -> bool:
        """Tell whether a gRPC request with these forms of data is refused."""
        return raw and contents

    def refused_status(self, status: int) -> int:
        """Return the HTTP status of a refusal."""
        return status

    def refused_body(self, message: str) -> bytes:
        """Return the body of a refusal."""
        return orjson.dumps({"error": message})

    def refuses_over_grpc(self, error: Exception) -> bool:
        """Tell whether a gRPC call that failed so is told that it did."""
        del error
        return True

    def body_of(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the JSON of a request; its media type may be written in any way.

        Raises:
            RefusedError: It speaks the extension for binary data, which this server does not claim.
        """
        if "inference-header-content-length" in headers:
            raise RefusedError("this server does not have the extension binary_tensor_data")
        return body

    def written(self, asked: Mapping[str, str], answer: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Return the body of an answer, and further headers for it; `asked`: the headers of the request."""
        del asked
        return orjson.dumps(answer), {}

    def told_unknown(self, model: str) -> dict[str, Any] | None:
        """Return what V1 says of the status of a model that is not there; None: that it is not."""
        del model
        return None

    def told(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return what is said of the server or of a model: of its health, its metadata, or the list of models."""
        return answer

    def instances(self, body: Any) -> list[Any]:
        """Return the instances of a V1 request.

        Raises:
            RefusedError: There are none.
        """
        if not isinstance(body, dict) or not isinstance(body.get("instances"), list):
            raise RefusedError('Expected a JSON object with "instances", a list')
        found: list[Any] = body["instances"]
        return found

    def explained_headers(self, asked: Mapping[str, str]) -> dict[str, str]:
        """Return headers for the answer to a request for an explanation."""
        del asked
        return {}

    async def before(self, request: str) -> str:
        """Return the id by which the answer to a request is made, after whatever happens before."""
        return request

    def loaded(self, body: bytes) -> Any:
        """Return the value of a JSON text.

        Raises:
            RefusedError: It is none.
        """
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RefusedError(f"the body is no JSON: {error}") from error

    def tensor(self, entry: Any) -> Tensor:
        """Return an input of a REST request.

        Raises:
            RefusedError: It is none.
        """
        fields: Collection[tuple[str, type]] = (("name", str), ("datatype", str), ("shape", list), ("data", list))
        if not isinstance(entry, dict) or not all(isinstance(entry.get(name), kind) for name, kind in fields):
            raise RefusedError("an input is an object with name, datatype, shape and data")
        shape = entry["shape"]
        if not all(isinstance(size, int) and not isinstance(size, bool) for size in shape):
            raise RefusedError(f"input {entry['name']}: a shape is a list of integers")
        if entry["datatype"] not in DATATYPES:
            raise RefusedError(f"input {entry['name']}: unknown datatype {json.dumps(entry['datatype'])}")
        raw = self.packed(entry["datatype"], flattened(entry["data"], shape))
        return self.checked(Tensor(entry["name"], entry["datatype"], tuple(shape), raw))
