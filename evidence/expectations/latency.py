"""What a load's latency must be."""

from __future__ import annotations

from typing import Any

from evidence.arguments import (
    TRACE_KEY,
    Expectation,
    Load,
    Object,
    Place,
    Topic,
    expectation,
    places_of,
    ref_of,
    topic_of,
)
from evidence.refs import LoadRef, ObjectRef, RefError

STAGES = ("ack", "topic", "dispatch", "answer", "result")


def within(
    load: Load,
    stage: str,
    percentile: float,
    budget: float,
    *,
    confidence: float = 0.95,
    to: Place | None = None,
    on: Topic | None = None,
    key: str = TRACE_KEY,
    max_lag: float | None = None,
) -> Expectation:
    """Expect that a percentile of one stage's latency, from the intended send times, keeps its budget.

    Args:
        load: The load.
        stage: `ack` (to the ingress' answer), `topic` (to the event's record in `on`, the Broker's topic), `dispatch`
            (to the first request at `to`), `answer` (to the answer of the service that the load asks), `result` (to the
            record in `on` whose JSON value has the event's id under `key`).
        percentile: Between 0 and 100.
        budget: Seconds.
        confidence: The confidence of each decision, one-sided, by the order statistics' binomial bounds.
        to: Subscriber, for `dispatch`.
        on: Topic, for `topic` and `result`.
        key: Member of the result that carries the trace id.
        max_lag: Seconds that the generator may lag behind its intended times (99th percentile) before a pass is void,
            and a failure that the lag may have made; default a fifth of the budget.
    """
    return expectation(
        "within",
        percentile=percentile,
        confidence=confidence,
        max_lag=budget / 5 if max_lag is None else max_lag,
        **_stage(load, stage, budget, to=to, on=on, key=key),
    )


def first_within(
    load: Load, stage: str, budget: float, *, to: Place | None = None, on: Topic | None = None, key: str = TRACE_KEY
) -> Expectation:
    """Expect that the first request of a load keeps a budget at one stage; arguments as for `within`."""
    return expectation("first_within", **_stage(load, stage, budget, to=to, on=on, key=key))


def ready_within(obj: Object, budget: float) -> Expectation:
    """Expect that an object, which this test has made, is Ready so many seconds after its creation."""
    return expectation("ready_within", obj=ref_of(obj, ObjectRef), budget=budget)


def _stage(load: Load, stage: str, budget: float, *, to: Place | None, on: Topic | None, key: str) -> dict[str, Any]:
    """Return the arguments that say what is measured."""
    if stage not in STAGES:
        raise RefError(f"unknown stage {stage!r}; known: {', '.join(STAGES)}")
    if (stage == "dispatch") != (to is not None) or (stage in {"topic", "result"}) != (on is not None):
        raise RefError("dispatch takes `to`, topic and result take `on`, ack and answer take neither")
    return {
        "load": ref_of(load, LoadRef),
        "stage": stage,
        "budget": budget,
        "to": places_of(to) if to else [],
        "on": topic_of(on) if on else None,
        "key": key,
    }
