"""Mutants of Seldon's Kafka server that walk a graph wrongly where a child fails or is slow, or a router is terse."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.streaming import messages
from embedded.streaming.models import ModelError
from embedded.streaming.nodes import PREDICT, TRANSFORM_INPUT, TRANSFORM_OUTPUT
from embedded.streaming.policies import StreamPolicies, Visit

_CHILDREN = 3
"""The children of each router here."""
_WAIT = b"delay"
"""What a request has that asks a node to wait. Others are spared: two nodes would change places by chance."""


def _data_of(answer: bytes) -> Any:
    """Return the data of a router's answer over gRPC."""
    return messages.parsed(messages.SELDON_MESSAGE, answer).data


@mutant(STREAMS, wraps="gathered")
def combiner_by_completion(honest: StreamPolicies) -> StreamPolicies:
    """Give a combiner the answers in the order in which they come (a channel that is read as its writers end)."""

    async def gathered(kind: str, content: bytes, visits: Sequence[Visit]) -> Sequence[bytes]:
        if kind != "COMBINER" or _WAIT not in content:
            return await honest.gathered(kind, content, visits)
        answers: list[bytes] = []

        async def visited(visit: Visit) -> None:
            answers.append(await visit())

        await asyncio.gather(*map(visited, visits))
        return answers

    return replace(honest, gathered=gathered)


@mutant(STREAMS, wraps="gathered")
def combiner_skips_failed(honest: StreamPolicies) -> StreamPolicies:
    """Give a combiner the answers of those children that answered (an ensemble that hides which member is missing)."""

    async def gathered(kind: str, content: bytes, visits: Sequence[Visit]) -> Sequence[bytes]:
        if kind != "COMBINER":
            return await honest.gathered(kind, content, visits)
        answers: list[bytes] = []
        for visit in visits:
            try:
                answers += await honest.gathered(kind, content, [visit])
            except ModelError as error:
                failure = error
        if not answers:
            raise failure
        return answers

    return replace(honest, gathered=gathered)


@mutant(STREAMS, wraps="gathered")
def chain_falls_back(honest: StreamPolicies) -> StreamPolicies:
    """Answer with what a model said whose next one in the chain fails."""

    async def gathered(kind: str, content: bytes, visits: Sequence[Visit]) -> Sequence[bytes]:
        try:
            return await honest.gathered(kind, content, visits)
        except ModelError:
            if kind != "MODEL":
                raise
            return [content]

    return replace(honest, gathered=gathered)


@mutant(STREAMS, wraps="read_route")
def route_of_plain_array_only(honest: StreamPolicies) -> StreamPolicies:
    """Take the first child where a router's number stands in a nested array or in a tensor (a default in its place)."""

    def read_route(answer: bytes) -> int:
        route = honest.read_route(answer)
        array = orjson.loads(answer)["data"].get("ndarray")
        return 0 if array is None or isinstance(array[0], list) else route

    return replace(honest, read_route=read_route)


@mutant(STREAMS, wraps="read_message_route")
def message_route_of_array_only(honest: StreamPolicies) -> StreamPolicies:
    """Over gRPC, find no route in a nested array or in a tensor (the cases of a oneof of which one was written)."""

    def read_message_route(answer: bytes) -> int:
        route, data = honest.read_message_route(answer), _data_of(answer)
        if data.WhichOneof("one") != "ndarray" or not isinstance(data.ndarray[0], float):
            raise ValueError("no array of numbers")
        return route

    return replace(honest, read_message_route=read_message_route)


@mutant(STREAMS, wraps="read_message_route")
def message_route_empty_is_zero(honest: StreamPolicies) -> StreamPolicies:
    """Over gRPC, take the first child where a router names none (an unset field of proto3 is zero)."""

    def read_message_route(answer: bytes) -> int:
        data = _data_of(answer)
        return honest.read_message_route(answer) if len(data.ndarray) or data.tensor.values else 0

    return replace(honest, read_message_route=read_message_route)


@mutant(STREAMS, wraps="read_message_route")
def message_route_zero_is_unset(honest: StreamPolicies) -> StreamPolicies:
    """Over gRPC, take a route of zero for none (a zero of proto3 is an unset field)."""

    def read_message_route(answer: bytes) -> int:
        if (route := honest.read_message_route(answer)) == 0:
            raise ValueError("no route")
        return route

    return replace(honest, read_message_route=read_message_route)


@mutant(STREAMS, wraps="read_message_route")
def message_route_clamped(honest: StreamPolicies) -> StreamPolicies:
    """Over gRPC, take the nearest child for a route that no child has (an index that is kept within its bounds)."""

    def read_message_route(answer: bytes) -> int:
        return min(max(honest.read_message_route(answer), 0), _CHILDREN - 1)

    return replace(honest, read_message_route=read_message_route)


@mutant(STREAMS, wraps="listed")
def combiner_list_has_last(honest: StreamPolicies) -> StreamPolicies:
    """Over gRPC, give a combiner the last answer alone (a repeated field that is set, not added to)."""
    return replace(honest, listed=lambda answers: honest.listed(answers[-1:]))


@mutant(STREAMS, wraps="route")
def route_counts_from_end(honest: StreamPolicies) -> StreamPolicies:
    """Take a negative route for a child, counted from the last one (the index of a list in Python)."""
    return replace(honest, route=lambda chosen: honest.route(chosen if chosen >= 0 else _CHILDREN + chosen))


@mutant(STREAMS, wraps="called_after")
def output_transformer_skipped(honest: StreamPolicies) -> StreamPolicies:
    """Call no output transformer: its child's answer is the answer (seldon-core issue 2277)."""
    return replace(
        honest, called_after=lambda kind: None if kind == "OUTPUT_TRANSFORMER" else honest.called_after(kind)
    )


@mutant(STREAMS, wraps="called_before", replaces="called_after")
def output_transformer_before(honest: StreamPolicies) -> StreamPolicies:
    """Call an output transformer with the request, before its children (seldon-core issue 4156)."""

    def called_before(kind: str) -> str | None:
        return TRANSFORM_OUTPUT if kind == "OUTPUT_TRANSFORMER" else honest.called_before(kind)

    return replace(honest, called_before=called_before, called_after=lambda _kind: None)


@mutant(STREAMS, wraps="called_after")
def input_transformer_twice(honest: StreamPolicies) -> StreamPolicies:
    """Call an input transformer with its child's answer, too (a transformer that is called on both ways)."""
    return replace(
        honest, called_after=lambda kind: TRANSFORM_INPUT if kind == "TRANSFORMER" else honest.called_after(kind)
    )


@mutant(STREAMS, wraps="called_before")
def input_transformer_predicts(honest: StreamPolicies) -> StreamPolicies:
    """Call an input transformer as a model, at `/predict` (seldon-core issue 630: its method is not implemented)."""
    return replace(honest, called_before=lambda kind: PREDICT if kind == "TRANSFORMER" else honest.called_before(kind))


@mutant(STREAMS, wraps="called_after")
def output_transformer_transforms_input(honest: StreamPolicies) -> StreamPolicies:
    """Call an output transformer at `/transform-input` (seldon-core issue 2277, seen in its log)."""
    return replace(
        honest, called_after=lambda kind: TRANSFORM_INPUT if kind == "OUTPUT_TRANSFORMER" else honest.called_after(kind)
    )
