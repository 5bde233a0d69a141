"""Mutants of Seldon's Kafka server that lose what nodes add to `meta`, or mix up what two requests say there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.mutants.stream_kinds import handing
from embedded.streaming import messages
from embedded.streaming.metadata import puid_of
from embedded.streaming.policies import Predict, StreamPolicies
from embedded.streaming.requests import NotARequestError

_Key = tuple[int | None, bytes]


def _object(content: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _without_tags(content: bytes) -> bytes:
    if not content.startswith(b"{"):
        message = messages.parsed(messages.SELDON_MESSAGE, content)
        message.meta.ClearField("tags")
        return bytes(message.SerializeToString())
    value = _object(content)
    if not value.get("meta", {}).get("tags"):
        return content
    return orjson.dumps(value | {"meta": value["meta"] | {"tags": {}}})


def _without(handed: Callable[[bytes, bytes], bytes], member: str) -> Callable[[bytes, bytes], bytes]:
    """Return what a node gets of the answer of the node before it: without a member of `meta`."""

    def of_message(answer: Any, _asked: Any) -> None:
        if answer.HasField("meta"):
            answer.meta.ClearField(member)

    return handing(handed, lambda answer, _asked: answer.get("meta", {}).pop(member, None), of_message)


@mutant(STREAMS, wraps="handed")
def tags_replaced(honest: StreamPolicies) -> StreamPolicies:
    """Give each node the tags of the request in place of those of the answer before (seldon-core issue 1474)."""

    def of_object(answer: dict[str, Any], asked: dict[str, Any]) -> None:
        if "tags" in answer.get("meta", {}):
            answer["meta"] |= {"tags": asked.get("meta", {}).get("tags", {})}

    def of_message(answer: Any, asked: Any) -> None:
        if answer.meta.tags:
            answer.meta.ClearField("tags")
            answer.meta.tags.MergeFrom(asked.meta.tags)

    return replace(honest, handed=handing(honest.handed, of_object, of_message))


@mutant(STREAMS, wraps="handed")
def request_path_lost(honest: StreamPolicies) -> StreamPolicies:
    """Give each node a `meta` without `requestPath`: only the last one is named (seldon-core issue 1927)."""
    return replace(honest, handed=_without(honest.handed, "requestPath"))


@mutant(STREAMS, wraps="handed")
def graph_metrics_lost(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first a `meta` without metrics: an answer has those of its last node alone."""
    return replace(honest, handed=_without(honest.handed, "metrics"))


@mutant(STREAMS, wraps="handed")
def graph_puid_lost(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first a `meta` without the puid of the request (seldon-core PRs 424, 766)."""
    return replace(honest, handed=_without(honest.handed, "puid"))


@mutant(STREAMS, wraps="combined")
def combiner_gets_one_meta(honest: StreamPolicies) -> StreamPolicies:
    """Give a combiner the tags of its first child alone (seldon-core issue 1823)."""

    def combined(answers: Sequence[bytes]) -> Sequence[bytes]:
        first, *others = honest.combined(answers)
        return [first, *map(_without_tags, others)]

    return replace(honest, combined=combined)


@mutant(STREAMS, wraps="ask")
def stream_puid_deduplicates(honest: StreamPolicies) -> StreamPolicies:
    """Drop a request while one of the same puid is in work (seldon-core PR 5275: a table of callers, by their ids)."""
    in_work: set[str] = set()

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        puid = puid_of(record)
        if puid in in_work:
            raise NotARequestError(f"{puid} is in work")
        in_work.add(puid)
        try:
            return await honest.ask(record, request, predict)
        finally:
            in_work.discard(puid)

    return replace(honest, ask=ask)


@mutant(STREAMS, wraps="ask")
def stream_meta_left_behind(honest: StreamPolicies) -> StreamPolicies:
    """Give a request without `meta` that of the one before under its key (seldon-core issue 4056)."""
    before: dict[_Key, Any] = {}

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        value = _object(request)
        if record.key is not None and value:
            key = (record.partition, record.key)
            if "meta" in value:
                before[key] = value["meta"]
            elif key in before:
                request = orjson.dumps(value | {"meta": before[key]})
        return await honest.ask(record, request, predict)

    return replace(honest, ask=ask)


@mutant(STREAMS, wraps="ask")
def stream_rows_left_behind(honest: StreamPolicies) -> StreamPolicies:
    """Answer fewer rows than before under a key with the rest of the answer before (seldon-core issue 4056)."""
    before: dict[_Key, list[Any]] = {}

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        content = await honest.ask(record, request, predict)
        value = _object(content)
        rows = (value.get("data") or {}).get("ndarray")
        if record.key is None or not isinstance(rows, list):
            return content
        key = (record.partition, record.key)
        left = before.setdefault(key, [])[len(rows) :]
        before[key] = [*rows, *left]
        return orjson.dumps(value | {"data": value["data"] | {"ndarray": before[key]}}) if left else content

    return replace(honest, ask=ask)
