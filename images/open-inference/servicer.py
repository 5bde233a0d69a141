"""The gRPC service of the SDK, whose inference goes by the rules."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from grpc_interceptor.exceptions import GrpcException
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.infer_type import to_grpc_parameters, to_http_parameters
from repository import Repository, UnknownModelError
from rules import NotReadyError, Rules, UnknownVersionError
from tensors import CONTENTS, DATATYPES, RefusedError, Tensor, delay_of, unpacked

Answer = TypeVar("Answer")
Method = Callable[[Any, Any], Awaitable[Any]]
REFUSALS = (InvalidInput, ModelNotFound, ModelNotReady, GrpcException)


def servicer_of(rules: Rules, repository: Repository) -> type[InferenceServicer]:
    """Return the class of a service that answers for the models of a repository by these rules."""

    class Servicer(InferenceServicer):  # type: ignore[misc]  # the SDK has no types
        async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802 - a method of the service
            return _told(rules, "live", await super().ServerLive(request, context))

        async def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            return _told(rules, "ready", await super().ServerReady(request, context))

        async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            asked = self._of_version(super().ModelReady)
            answer = _unless(rules, asked, request, context, messages.ModelReadyResponse)
            return _told(rules, "ready", await answer)

        async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            return _told(rules, "name", await super().ServerMetadata(request, context))

        async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            asked = self._of_version(super().ModelMetadata)
            answer = await _unless(rules, asked, request, context, messages.ModelMetadataResponse)
            answer.versions.extend(rules.versions)
            return _told(rules, "name", answer)

        async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            asked = _of_repository(repository.load, messages.RepositoryModelLoadResponse, "isLoaded")
            return await _unless(rules, asked, request, context, messages.RepositoryModelLoadResponse)

        async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            asked = _of_repository(repository.unload, messages.RepositoryModelUnloadResponse, "isUnloaded")
            return await _unless(rules, asked, request, context, messages.RepositoryModelUnloadResponse)

        async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
            return await _unless(rules, self._inferred, request, context, messages.ModelInferResponse)

        async def _inferred(self, request: Any, context: Any) -> Any:
            del context
            if not repository.has(request.model_name):
                raise ModelNotFound(request.model_name)
            try:
                return await _infer(rules, request)
            except RefusedError as error:
                raise InvalidInput(str(error)) from error
            except UnknownVersionError as error:
                raise ModelNotFound(request.model_name) from error
            except NotReadyError as error:
                raise ModelNotReady(request.model_name) from error

        def _of_version(self, method: Method) -> Method:
            async def asked(request: Any, context: Any) -> Any:
                if not repository.has(request.name):
                    raise ModelNotFound(request.name)
                try:
                    rules.version(request.version)
                except UnknownVersionError as error:
                    raise ModelNotFound(request.name) from error
                return await method(request, context)

            return asked

    return Servicer


def _of_repository(change: Callable[[str], None], kind: type[Any], field: str) -> Method:
    """Return the method that changes a model, and says so in a field of a message of this kind."""

    async def asked(request: Any, context: Any) -> Any:
        del context
        try:
            change(request.model_name)
        except UnknownModelError as error:
            raise ModelNotFound(request.model_name) from error
        return kind(model_name=request.model_name, **{field: True})

    return asked


async def _unless(rules: Rules, method: Method, request: Any, context: Any, empty: type[Answer]) -> Answer:
    """Return what a method answers; an empty message where it refuses, and the rules do not tell."""
    try:
        answer: Answer = await method(request, context)
    except REFUSALS as error:
        if rules.refuses_over_grpc(error):
            raise
        return empty()
    return answer


def _told(rules: Rules, field: str, answer: Any) -> Any:
    """Return a message, with what the rules say in the place of one of its fields."""
    setattr(answer, field, rules.told({field: getattr(answer, field)})[field])
    return answer


async def _infer(rules: Rules, request: Any) -> Any:
    raw: Sequence[bytes] = list(request.raw_input_contents)
    contents = any(tensor.HasField("contents") for tensor in request.inputs)
    if not request.inputs or rules.refuses_both(raw=bool(raw), contents=contents):
        raise RefusedError("a request has inputs, with their data in contents or in raw_input_contents")
    raw = rules.raw(len(request.inputs), raw)
    tensors = [_tensor(rules, tensor, raw[place] if raw else None) for place, tensor in enumerate(request.inputs)]
    outputs = rules.requested([rules.output(tensor) for tensor in tensors], [output.name for output in request.outputs])
    version = rules.version(request.model_version)
    parameters = rules.parameters(to_http_parameters(request.parameters))
    given = {tensor.name: rules.parameters(to_http_parameters(tensor.parameters)) for tensor in request.inputs}
    asked = await rules.before(request.id)
    await asyncio.sleep(delay_of(parameters))
    told = {"model_version": str(rules.told_version(version) or ""), "parameters": to_grpc_parameters(parameters)}
    answer = messages.ModelInferResponse(model_name=request.model_name, id=rules.answer_id(asked), **told)
    # FP16 has no field of its own: one such output, and all of them are raw.
    all_raw = bool(raw) or any(output.datatype not in CONTENTS for output in outputs)
    for output in outputs:
        described = {"name": output.name, "datatype": output.datatype, "shape": output.shape}
        tensor = answer.outputs.add(**described, parameters=to_grpc_parameters(given[output.name]))
        if all_raw:
            answer.raw_output_contents.append(output.raw)
        else:
            getattr(tensor.contents, CONTENTS[output.datatype]).extend(unpacked(output.datatype, output.raw))
    return answer


def _tensor(rules: Rules, given: Any, raw: bytes | None) -> Tensor:
    if given.datatype not in DATATYPES:
        raise RefusedError(f"input {given.name}: unknown datatype")
    if raw is None:
        field = CONTENTS.get(given.datatype)
        if any(other.name != field for other, _ in given.contents.ListFields()):
            raise RefusedError(f"input {given.name}: contents of another datatype than {given.datatype}")
        raw = rules.typed(given.datatype, list(getattr(given.contents, field)) if field else [])
    return rules.checked(Tensor(given.name, given.datatype, tuple(given.shape), raw))
