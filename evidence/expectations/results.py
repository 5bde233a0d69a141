"""What the result topic of an asynchronous inference must hold.

`of` is what caused the result: with `by`, the Trigger that delivered it (or a direct call, which needs none),
absence can be proven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.arguments import (
    TRACE_KEY,
    Event,
    Exchange,
    Expectation,
    Topic,
    Trigger,
    cause_of,
    expectation,
    topic_of,
    trigger_of,
)
from evidence.refs import RefError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def result_for(
    trace_id: str,
    on: Topic,
    predictions: Sequence[Any],
    *,
    key: str = TRACE_KEY,
    of: Event | Exchange | None = None,
    by: Trigger | None = None,
) -> Expectation:
    """Expect that the topic has a result under the trace id, and every such result has these predictions."""
    args = {"on": topic_of(on), "key": key, "of": {trace_id: cause_of(of)} if of else {}, "by": trigger_of(by)}
    return expectation("result_for", results={trace_id: list(predictions)}, **args)


def results_paired(
    results: Mapping[str, Sequence[Any]],
    on: Topic,
    *,
    key: str = TRACE_KEY,
    of: Mapping[str, Event | Exchange] | None = None,
    by: Trigger | None = None,
) -> Expectation:
    """Like `result_for` for many trace ids at once."""
    causes = {trace_id: cause_of(cause) for trace_id, cause in (of or {}).items()}
    wanted = {trace_id: list(predictions) for trace_id, predictions in results.items()}
    return expectation("results_paired", results=wanted, on=topic_of(on), key=key, of=causes, by=trigger_of(by))


def exactly_one_result(
    trace_id: str, on: Topic, *, of: Event | Exchange, by: Trigger | None = None, key: str = TRACE_KEY
) -> Expectation:
    """Expect that the topic has one result under the trace id when the event's handling is over."""
    return expectation(
        "exactly_one_result",
        trace_id=trace_id,
        on=topic_of(on),
        key=key,
        of={trace_id: cause_of(of)},
        by=trigger_of(by),
    )


def envelope(
    trace_id: str,
    on: Topic,
    fields: Mapping[str, Any],
    *,
    key: str = TRACE_KEY,
    of: Event | Exchange | None = None,
    by: Trigger | None = None,
) -> Expectation:
    """Expect that the result's JSON object has these members: a value to equal, or None for any non-empty one."""
    args = {"on": topic_of(on), "key": key, "of": {trace_id: cause_of(of)} if of else {}, "by": trigger_of(by)}
    return expectation("envelope", trace_id=trace_id, fields=dict(fields), **args)


def results_counted(
    of: Mapping[str, Event | Exchange], on: Topic, *, by: Trigger, key: str = TRACE_KEY, repeats: bool = False
) -> Expectation:
    """Expect that each trace id has exactly one result when its cause is done with.

    `repeats`: a result may be there several times, if all of them have the same event id.
    """
    return expectation("results_counted", **_of_many(of, on, by, key), repeats=repeats)


def result_ids_differ(
    of: Mapping[str, Event | Exchange], on: Topic, *, by: Trigger, key: str = TRACE_KEY
) -> Expectation:
    """Expect that the results of any two trace ids have different event ids."""
    return expectation("result_ids_differ", **_of_many(of, on, by, key))


def _of_many(of: Mapping[str, Event | Exchange], on: Topic, by: Trigger, key: str) -> dict[str, Any]:
    causes = {trace_id: cause_of(cause) for trace_id, cause in of.items()}
    return {"trace_ids": list(causes), "on": topic_of(on), "key": key, "of": causes, "by": trigger_of(by)}


def result_record(
    trace_id: str, on: Topic, aspect: str, *, of: Event | Exchange, by: Trigger, key: str = TRACE_KEY
) -> Expectation:
    """Expect one side of a result's record to be right, as a CloudEvent in Kafka.

    `aspect`: `mode` (the content mode, structured), `names` (of attributes), `values` (of attributes), `key` (the trace
    id), or `time` (a timestamp near the record's own).
    """
    if aspect not in {"mode", "names", "values", "key", "time"}:
        raise RefError(f"unknown aspect {aspect!r}; known: mode, names, values, key, time")
    args = {"on": topic_of(on), "key": key, "of": {trace_id: cause_of(of)}, "by": trigger_of(by)}
    return expectation("result_record", trace_id=trace_id, aspect=aspect, **args)


def results_traced(
    traces: Mapping[str, str],
    on: Topic,
    *,
    of: Mapping[str, Event | Exchange],
    by: Trigger,
    at: str,
    key: str = TRACE_KEY,
    members: Sequence[str] = (),
) -> Expectation:
    """Expect that each trace id has a result, and that every result goes on in the W3C trace that its event came with.

    `traces`: the traceparent that was sent, by trace id. `at`: `predictor` (the headers it shows beside its
    predictions) or `record` (those of the result's record). `members`: judge the end of tracestate instead.
    """
    if at not in {"predictor", "record"}:
        raise RefError(f"unknown hop {at!r}; known: predictor, record")
    more = {"traces": dict(traces), "at": at, "members": list(members)}
    return expectation("results_traced", **_of_many(of, on, by, key), **more)


def caused(
    of: Event, count: int, on: Topic, *, by: Trigger, attributes: Mapping[str, str], json: Any = None
) -> Expectation:
    """Expect so many events with these attributes and this data in a Broker's topic when `by` is done with `of`."""
    return expectation(
        "caused",
        count=count,
        on=topic_of(on),
        key="",
        of={"cause": cause_of(of)},
        by=trigger_of(by),
        attributes=dict(attributes),
        json=json,
    )
