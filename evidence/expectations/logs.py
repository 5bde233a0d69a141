"""What the logger of an inference service must have posted of a call.

`on` is the topic where the events end up. A call is known by its header `ce-id`, and its events by that id, or by their
data where that is the call's own; so bodies must differ from call to call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evidence.arguments import Exchange, Expectation, Topic, expectation, ref_of, topic_of
from evidence.refs import ExchangeRef, RefError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OK = 200
KINDS = ("request", "response")
ASPECTS = ("pair", "media_type", "apart", "id", "time")


def logged(
    exchange: Exchange,
    on: Topic,
    *kinds: str,
    aspect: str | None = None,
    attributes: Mapping[str, str] | None = None,
    status: int = OK,
    metadata: Sequence[str] = (),
) -> Expectation:
    """Expect that a call was answered with a status, and an event of each kind (`request`, `response`) of it.

    Args:
        exchange: The call.
        on: The topic.
        kinds: The kinds of events; at least one.
        aspect: What must be right: `pair` (valid events under the call's id, with the payloads byte for byte),
            `media_type` (that of the payload), `apart` (no two events have one id and one source), `id` (all have
            one id, which no other call's have; for calls without `ce-id`), or `time` (each states one, within a minute
            of its record's); None: nothing.
        attributes: The values of attributes; a value that is empty stands for any that is not.
        status: The status.
        metadata: The names of the request headers that each event tells in its attribute `metadata`.
    """
    _known("kind", KINDS, *kinds)
    if aspect is not None:
        _known("aspect", ASPECTS, aspect)
    if not kinds:
        raise RefError(f"expected kinds of events, of {', '.join(KINDS)}, got none")
    args: dict[str, Any] = {"kinds": list(kinds), "aspect": aspect, "attributes": dict(attributes or {})}
    args |= {} if status == OK else {"status": status}
    args |= {"metadata": list(metadata)} if metadata else {}
    return expectation("logged", exchange=ref_of(exchange, ExchangeRef), on=topic_of(on), **args)


def not_logged(exchange: Exchange, on: Topic, kind: str, *, control: Exchange) -> Expectation:
    """Expect no event of this kind of a call, where an event of a later call, `control`, is in the topic."""
    _known("kind", KINDS, kind)
    refs = {"exchange": ref_of(exchange, ExchangeRef), "control": ref_of(control, ExchangeRef)}
    return expectation("not_logged", on=topic_of(on), kind=kind, **refs)


def logged_once(exchange: Exchange, on: Topic, kind: str, *, control: Exchange) -> Expectation:
    """Expect one event of this kind of a call, where an event of a later call, `control`, is in the topic."""
    return replace(not_logged(exchange, on, kind, control=control), check="logged_once")


def _known(what: str, known: tuple[str, ...], *given: str) -> None:
    for name in given:
        if name not in known:
            raise RefError(f"unknown {what} {name!r}; known: {', '.join(known)}")
