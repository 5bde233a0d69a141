"""Backoff, durations, trace context, offsets and lanes: the small rules that deliveries are made of."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.dataplane import tracing
from embedded.dataplane.backoff import DeliveryPlan, is_retryable, retry_after, seconds, waits
from embedded.dataplane.cloudevents import Record
from embedded.dataplane.lanes import Lanes
from embedded.dataplane.progress import Progress


@pytest.mark.parametrize(
    ("text", "value"),
    [("PT0.2S", 0.2), ("PT1M30S", 90), ("P1DT2H", 93_600), ("P2W", 1_209_600), ("PT0,5S", 0.5), ("PT0S", 0)],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("0", 0),
        ("99999999999999999999", 86_400),
        ("9" * 5000, 0),
        ("Sat, 28 Nov 2026 00:00:07 GMT", 7),
        ("Saturday, 28-Nov-26 00:00:07 GMT", 7),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 86_400),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("-1", 0),
        ("2.5", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_what_a_retry_after_asks_for(text: str, value: float) -> None:
    assert retry_after(text, datetime(2026, 11, 28, tzinfo=UTC)) == value


@pytest.mark.parametrize("text", ["", "P", "PT", "1S", "PT1", "PT-1S", "PT1S ", "P1S", "PTS"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        seconds(text)


@pytest.mark.parametrize(
    ("delivery", "wanted"),
    [
        ({}, []),
        ({"backoffDelay": "PT1S"}, []),
        ({"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT1S"}, [1, 1, 1]),
        ({"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT1S"}, [2, 4, 8]),
        ({"retry": 2}, [0.4, 0.8]),
        ({"retry": 2, "backoffDelay": "PT0S"}, [0, 0]),
        ({"retry": 1, "backoffPolicy": "linear", "backoffDelay": "P9W"}, [86_400]),
    ],
    ids=str,
)
def test_waits(delivery: dict[str, Any], wanted: list[float]) -> None:
    assert list(waits(DeliveryPlan.of(delivery))) == pytest.approx(wanted)


@pytest.mark.parametrize(
    "delivery",
    [
        {"retry": -1},
        {"retry": "3"},
        {"retry": True},
        {"backoffPolicy": "random"},
        {"backoffDelay": "1s"},
        {"timeout": "x"},
    ],
    ids=str,
)
def test_what_a_delivery_may_not_say(delivery: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"retry|backoffPolicy|ISO 8601"):
        DeliveryPlan.of(delivery)


def test_which_answers_are_tried_again() -> None:
    again = {status for status in range(300, 600) if is_retryable(status)}
    assert again == {404, 408, 409, 429, *range(500, 600)}
    assert is_retryable(None)


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("parent", "valid"),
    [
        (PARENT, True),
        ("cc" + PARENT[2:] + "-what-the-future-brings", True),
        (PARENT + "-x", False),
        ("ff" + PARENT[2:], False),
        (PARENT.upper(), False),
        (PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), False),
        (PARENT.replace("b7ad6b7169203331", "0" * 16), False),
        (PARENT[:-1], False),
        ("", False),
    ],
)
def test_trace_parents(parent: str, *, valid: bool) -> None:
    trace = tracing.extract([("TraceParent", parent.encode()), ("tracestate", b"a=1"), ("tracestate", b"b=2")])
    assert (trace is not None) is valid
    if trace is not None:
        child = dict(trace.child().headers())
        assert child["traceparent"].split("-")[1] == PARENT.split("-")[1]
        assert child["traceparent"] != PARENT
        assert child["tracestate"] == "a=1,b=2"


def test_two_trace_parents_are_none_and_a_hostile_state_is_left_behind() -> None:
    fields = [("traceparent", PARENT.encode())]
    assert tracing.extract([*fields, *fields]) is None
    assert tracing.carry(None) is None
    trace = tracing.extract([*fields, ("tracestate", b"a=1\r\nX: y")])
    assert trace is not None
    assert trace.state == ""


@given(st.permutations(range(10)))
def test_offsets_are_committed_in_order_only(order: list[int]) -> None:
    progress, done, committed = Progress(), set(), 100
    for offset in range(10):
        progress.begin(0, 100 + offset)
    for offset in order:
        progress.end(0, 100 + offset)
        done.add(offset)
        committed = progress.take().get(0, committed)
        assert committed == 100 + next((n for n in range(10) if n not in done), 10)


def test_an_offset_that_was_not_committed_is_given_again() -> None:
    progress = Progress()
    progress.begin(0, 5)
    assert progress.take() == {}
    progress.end(0, 5)
    assert progress.take() == {0: 6}
    assert progress.take() == {}
    progress.untake(0)
    assert progress.take() == {0: 6}


def test_lanes_bound_what_runs_and_keep_the_order() -> None:
    async def scenario() -> None:
        running, most, order = 0, 0, []

        async def handle(record: Record) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            order.append(record.offset)
            await asyncio.sleep(0)
            running -= 1
            if record.offset == 3:
                raise RuntimeError("one record's fault")

        for width in (1, 4):
            most = 0
            order.clear()
            lanes = Lanes(width, handle)
            for offset in range(12):
                lanes.put("a", Record(None, (), None, 0, offset))
            await lanes.drain(1)
            assert (most, order) == (width, list(range(12)))
            await lanes.stop()

    asyncio.run(scenario())
