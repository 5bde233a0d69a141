"""Mutants of Seldon's Kafka server that spoil what a node answers on its way to the next one: its payload, by its kind.

The first node gets the request as it is, so that a graph of one node shows nothing of them.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson
from google.protobuf import json_format

from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.streaming import messages
from embedded.streaming.policies import StreamPolicies

_Change = Callable[[Any, Any], None]
_Handed = Callable[[bytes, bytes], bytes]


def handing(handed: _Handed, of_object: _Change, of_message: _Change) -> _Handed:
    """Return what a node gets of the answer of the node before it: another one.

    Args:
        handed: What it got before the change.
        of_object: The change of an answer in JSON; it is given the request, too.
        of_message: The change of a SeldonMessage; it is given the request, too.
    """

    def changed(request: bytes, content: bytes) -> bytes:
        content = handed(request, content)
        if content == request:
            return content
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            message, asked = _message(content), _message(request)
            of_message(message, asked)
            return bytes(message.SerializeToString())
        before = orjson.dumps(answer)
        if isinstance(answer, dict):
            of_object(answer, orjson.loads(request))
        after = orjson.dumps(answer)
        return content if after == before else after

    return changed


def _message(content: bytes) -> Any:
    return messages.parsed(messages.SELDON_MESSAGE, content)


@mutant(STREAMS, wraps="handed")
def graph_names_lost(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first an array or a tensor without its names (a wrapper that knows the values alone)."""

    def of_object(answer: dict[str, Any], _asked: Any) -> None:
        answer.get("data", {}).pop("names", None)

    def of_message(answer: Any, _asked: Any) -> None:
        if answer.HasField("data"):
            answer.data.ClearField("names")

    return replace(honest, handed=handing(honest.handed, of_object, of_message))


@mutant(STREAMS, wraps="handed")
def graph_arrays_flattened(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first the values of an array in one list, without its rows."""

    def flat(values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            yield from flat(value) if isinstance(value, list) else [value]

    def of_object(answer: dict[str, Any], _asked: Any) -> None:
        if "ndarray" in answer.get("data", {}):
            answer["data"]["ndarray"] = list(flat(answer["data"]["ndarray"]))

    def of_message(answer: Any, _asked: Any) -> None:
        if answer.data.HasField("ndarray"):
            rows = json_format.MessageToDict(answer.data.ndarray)
            answer.data.ndarray.Clear()
            json_format.Parse(orjson.dumps(list(flat(rows))), answer.data.ndarray)

    return replace(honest, handed=handing(honest.handed, of_object, of_message))


@mutant(STREAMS, wraps="handed")
def graph_tensor_shape_lost(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first a tensor with its values in one dimension, whatever shape it had."""

    def of_object(answer: dict[str, Any], _asked: Any) -> None:
        if "tensor" in answer.get("data", {}):
            answer["data"]["tensor"]["shape"] = [len(answer["data"]["tensor"]["values"])]

    def of_message(answer: Any, _asked: Any) -> None:
        if answer.data.HasField("tensor"):
            answer.data.tensor.shape[:] = [len(answer.data.tensor.values)]

    return replace(honest, handed=handing(honest.handed, of_object, of_message))


@mutant(STREAMS, wraps="handed")
def graph_bytes_encoded_again(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first `binData` in Base64 once more (seldon-core PR 993: a model got its Base64)."""

    def of_object(answer: dict[str, Any], _asked: Any) -> None:
        if "binData" in answer:
            answer["binData"] = base64.b64encode(answer["binData"].encode()).decode()

    def of_message(answer: Any, _asked: Any) -> None:
        if answer.HasField("binData"):
            answer.binData = base64.b64encode(answer.binData)

    return replace(honest, handed=handing(honest.handed, of_object, of_message))


@mutant(STREAMS, wraps="handed")
def graph_json_as_text(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first the text of `jsonData` in place of its value (printed twice on the way)."""

    def of_object(answer: dict[str, Any], _asked: Any) -> None:
        if "jsonData" in answer:
            answer["jsonData"] = orjson.dumps(answer["jsonData"]).decode()

    def of_message(answer: Any, _asked: Any) -> None:
        if answer.HasField("jsonData"):
            answer.jsonData.string_value = json_format.MessageToJson(answer.jsonData)

    return replace(honest, handed=handing(honest.handed, of_object, of_message))
