"""Mutants of Seldon's Kafka server that lose a part of a request which few requests have."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.mutants.stream_losses import losing
from embedded.mutants.stream_tensors import rewriting
from embedded.streaming import messages
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import UndecodableError

_DOUBLE = 2**53
_DEEP = b"[" * 10_000


def _printed_anew(
    read: Callable[[Record], bytes], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[Record], bytes]:
    """Return a reader that prints a request anew where a change of it matters."""

    def reading(record: Record) -> bytes:
        request = read(record)
        value = orjson.loads(request)
        changed = orjson.dumps(change(value))  # texts are compared: to Python 9 and 9.0 are the same
        return request if changed == orjson.dumps(value) else changed

    return reading


@mutant(STREAMS, wraps="read_grpc")
def seldon_rare_kinds_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose `tftensor` and `customData` of a SeldonMessage (a message of an older version)."""

    def change(message: Any) -> None:
        message.ClearField("customData")
        if message.data.HasField("tftensor"):
            message.data.ClearField("tftensor")

    return replace(honest, read_grpc=rewriting(honest.read_grpc, change, messages.SELDON_MESSAGE))


@mutant(STREAMS, wraps="read_grpc")
def seldon_empty_payload_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose a text or bytes that are empty (the part of a oneof that is read as a plain field)."""

    def change(message: Any) -> None:
        if message.WhichOneof("one") in {"binData", "strData"} and not (message.binData or message.strData):
            message.ClearField(message.WhichOneof("one"))

    return replace(honest, read_grpc=rewriting(honest.read_grpc, change, messages.SELDON_MESSAGE))


@mutant(STREAMS, wraps="read_rest")
def seldon_integers_through_double(honest: StreamPolicies) -> StreamPolicies:
    """Print the integers of a SeldonMessage anew, through 64 bit floats (Go's `interface{}`; seen in chains)."""

    def rounded(value: Any) -> Any:
        if isinstance(value, list):
            return [rounded(item) for item in value]
        if isinstance(value, dict):
            return {name: rounded(item) for name, item in value.items()}
        return int(float(value)) if isinstance(value, int) and abs(value) > _DOUBLE else value

    def change(value: dict[str, Any]) -> dict[str, Any]:
        return {name: rounded(item) if name in {"data", "jsonData"} else item for name, item in value.items()}

    return replace(honest, read_rest=_printed_anew(honest.read_rest, change))


def _respelled(
    number: Callable[[int | float], int | float], *members: str
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a change of the numbers in some members of a message."""

    def spelled(value: Any) -> Any:
        if isinstance(value, list):
            return [spelled(item) for item in value]
        if isinstance(value, dict):
            return {name: spelled(item) for name, item in value.items()}
        return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    return lambda value: {name: spelled(item) if name in members else item for name, item in value.items()}


def _whole(number: float) -> int | float:
    """Return a number, as an integer where it has no fraction."""
    return int(number) if number == int(number) else number


@mutant(STREAMS, wraps="read_rest")
def seldon_integers_as_fractions(honest: StreamPolicies) -> StreamPolicies:
    """Print the integers of `jsonData` with a fraction, 9 as 9.0 (seldon-core issues 703, 739: protobuf's Value)."""
    change = _respelled(lambda number: number if abs(number) > _DOUBLE else float(number), "jsonData")
    return replace(honest, read_rest=_printed_anew(honest.read_rest, change))


@mutant(STREAMS, wraps="read_rest")
def seldon_fractions_as_integers(honest: StreamPolicies) -> StreamPolicies:
    """Print whole numbers of `jsonData` without their fraction, 7668.0 as 7668 (seldon-core issue 3681)."""
    return replace(honest, read_rest=_printed_anew(honest.read_rest, _respelled(_whole, "jsonData")))


@mutant(STREAMS, wraps="read_rest")
def seldon_data_fractions_lost(honest: StreamPolicies) -> StreamPolicies:
    """Print whole numbers of `ndarray` and `tensor` without their fraction, 7668.0 as 7668 (seldon-core issue 1569)."""
    return replace(honest, read_rest=_printed_anew(honest.read_rest, _respelled(_whole, "data")))


def _answering(
    answer: Callable[[bytes], Awaitable[bytes]], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[bytes], Awaitable[bytes]]:
    """Return what is written of a model's answer: another object where it is one in JSON."""

    async def changed(content: bytes) -> bytes:
        content = await answer(content)
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError:
            return content  # a message
        return orjson.dumps(change(value)) if isinstance(value, dict) else content

    return changed


@mutant(STREAMS, wraps="answer")
def stream_floats_in_six_digits(honest: StreamPolicies) -> StreamPolicies:
    """Print the fractions of an answer with six digits, but those of `predictions` (tensorflow/serving issue 1332)."""
    change = _respelled(
        lambda number: float(f"{number:.6g}") if isinstance(number, float) else number, "data", "jsonData", "outputs"
    )
    return replace(honest, answer=_answering(honest.answer, change))


@mutant(STREAMS, wraps="answer")
def infer_outputs_reordered(honest: StreamPolicies) -> StreamPolicies:
    """Write the outputs of an answer in JSON from the last to the first (a reader that keeps them by their names)."""

    def change(value: dict[str, Any]) -> dict[str, Any]:
        outputs = value.get("outputs")
        return value | {"outputs": outputs[::-1]} if isinstance(outputs, list) else value

    return replace(honest, answer=_answering(honest.answer, change))


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def tensor_parameters_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose the parameters of the tensors of an inference request (MLServer reads their content type there)."""

    def without(tensor: Any) -> Any:
        return (
            {name: item for name, item in tensor.items() if name != "parameters"}
            if isinstance(tensor, dict)
            else tensor
        )

    def change(value: dict[str, Any]) -> dict[str, Any]:
        inputs = value.get("inputs")
        return {**value, "inputs": [without(tensor) for tensor in inputs]} if isinstance(inputs, list) else value

    def clear(message: Any) -> None:
        for tensor in message.inputs:
            tensor.ClearField("parameters")

    return replace(
        honest,
        read_rest=_printed_anew(honest.read_rest, change),
        read_grpc=rewriting(honest.read_grpc, clear, messages.INFER_REQUEST),
    )


@mutant(STREAMS, wraps="read_grpc")
def first_input_only(honest: StreamPolicies) -> StreamPolicies:
    """Hand one of several inputs of a PredictRequest on (kserve PR 3685: "gets only the 1st element of the input")."""

    def change(message: Any) -> None:
        for name in sorted(message.inputs)[1:]:
            del message.inputs[name]

    return replace(honest, read_grpc=rewriting(honest.read_grpc, change))


@mutant(STREAMS, wraps="value")
def stream_empty_answer_null(honest: StreamPolicies) -> StreamPolicies:
    """Write an answer without bytes as a null value, a tombstone (librdkafka issue 1357)."""
    return replace(honest, value=lambda content: honest.value(content) or None)


class _TooDeepError(UndecodableError):
    """JSON that is nested deeply."""


@mutant(STREAMS, wraps="read_rest")
def stream_dies_on_depth(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next requests, as in a restart, behind JSON that is nested deeply (tensorflow-serving CVE-2025-0649)."""

    def read_rest(record: Record) -> bytes:
        if _DEEP in (record.value or b""):
            raise _TooDeepError("nested too deeply")
        return honest.read_rest(record)

    return replace(honest, read_rest=losing(read_rest, _TooDeepError))
