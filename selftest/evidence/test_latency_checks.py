"""Hand-written histories of loads: what is late, what cannot be told, and what excuses whom."""

import itertools
import json
import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from evidence.expectations import Expectation, first_within, ready_within, within
from evidence.ranks import below, fewest, needed, ranks
from evidence.refs import LoadRef, ObjectRef, RefError, TopicRef
from evidence.verdict import Verdict
from selftest.evidence.story import RESULTS, SINK, TOPIC, Story, judged


def samples(latencies: Sequence[float | None], *, lag: float = 0.0, status: int | None = 202) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for number, latency in enumerate(latencies):
        intended = 100 + number / 20
        done = None if latency is None else intended + latency
        rows.append([intended, intended + lag, done, None if latency is None else status, f"e{number}"])
    return rows


FAST, SLOW = [0.005] * 300, [0.005] * 280 + [0.5] * 20


@pytest.mark.parametrize(
    ("rows", "verdict", "said"),
    [
        (samples(FAST), Verdict.PASS, ""),
        (samples(SLOW), Verdict.FAIL, "between 500.0 ms"),
        (samples([0.005] * 100), Verdict.UNKNOWN, "no bound (100 samples"),
        (samples([0.005] * 297 + [0.5] * 3), Verdict.UNKNOWN, "between 5.0 ms"),
        (samples(FAST, lag=0.05), Verdict.UNKNOWN, "the rate was not the one claimed"),
        (samples(SLOW, lag=0.05), Verdict.FAIL, "between 500.0 ms"),
        (samples(SLOW, lag=0.45), Verdict.UNKNOWN, "lagged 450.0 ms"),
        (samples([0.005] * 280 + [None] * 20), Verdict.FAIL, "no bound"),
        (samples(FAST, status=503), Verdict.FAIL, "between no bound"),
    ],
    ids=map(str, itertools.count()),
)
def test_acknowledgement(rows: list[list[Any]], verdict: Verdict, said: str) -> None:
    story = Story()
    load = story.load(rows)
    judgement = judged(story, within(load, "ack", 99, 0.1))
    assert judgement.verdict is verdict
    assert judgement.figures["samples"] == len(rows)
    if said:
        assert said in judgement.violations[0].message
        assert judgement.violations[0].witness == (1,)


def test_a_load_that_is_not_whole_is_undecided_and_one_that_broke_is_unknown() -> None:
    story = Story()
    expectation = within(story.load(samples(FAST)), "ack", 99, 0.1)
    story.records[0]["samples"].pop()
    assert judged(story, expectation).verdict is None
    assert judged(story, expectation, final=True).verdict is Verdict.UNKNOWN
    story.add("load", load="l1", samples=[], error="no such host", done=True)
    assert judged(story, expectation).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [(samples(FAST), Verdict.PASS), (samples(SLOW), Verdict.UNKNOWN), (samples([None] * 300), Verdict.UNKNOWN)],
    ids=["fast", "slow", "unanswered"],
)
def test_a_shortage_of_the_probes_machine_voids_a_failure_and_no_pass(rows: list[list[Any]], verdict: Verdict) -> None:
    story = Story()
    expectation = within(story.load(rows), "ack", 99, 0.1)
    story.records[0]["shortage"] = "cannot open a connection: too many open files"
    judgement = judged(story, expectation)
    assert judgement.verdict is verdict
    assert verdict is Verdict.PASS or "too many open files" in judgement.violations[0].message


def beside(latencies: Any = (), **machine: Any) -> dict[str, Any]:
    return {"calibration": {"latencies": list(latencies), "lacking": None}, "machine": {"cpus": 2.0, **machine}}


CALM = {"pressure": 0.2, "run_wait": 0.05, "steal": 0.0, "runnable": 3.0}
QUICK = [0.001] * 95 + [0.02] * 5


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ""),
        (beside(QUICK, **CALM), ""),
        (beside(), ""),
        ({"calibration": {"latencies": [], "lacking": "no echo"}, "machine": {}}, ""),
        ({"calibration": None, "machine": None}, ""),
        (beside([0.001] * 94 + [0.03] * 6, **CALM), "p99 of an exchange with an echo beside the load took 30.0 ms"),
        (beside([0.001] * 99 + [0.03], **CALM), ""),
        (beside(QUICK, pressure=0.51), "tasks waited for a CPU 51% of the time, 50% at most"),
        (beside(QUICK, run_wait=0.3), "the probe waited for a CPU 30% of the time, 20% at most"),
        (beside(QUICK, steal=0.2), "the hypervisor kept the CPUs for 20% of the time, 10% at most"),
        (beside(QUICK, runnable=9.0), "9.0 tasks wanted to run on 2 CPUs"),
        (beside(QUICK, runnable=9.0, pressure=0.1), ""),
        (beside(QUICK, pressure=None, run_wait="x"), ""),
    ],
    ids=["before-calibration", "calm", "nothing-found", "no-echo", "null", "slow-echo", "one-slow-echo", "pressure",
         "run-wait", "steal", "queue", "queue-without-pressure", "no-numbers"],
)  # fmt: skip
def test_a_machine_too_busy_to_judge_on_voids_a_failure_and_no_pass(fields: dict[str, Any], said: str) -> None:
    for rows, plain in ((SLOW, Verdict.FAIL), (FAST, Verdict.PASS)):
        story = Story()
        expectation = within(story.load(samples(rows)), "ack", 99, 0.1)
        story.records[0] |= fields
        judgement = judged(story, expectation)
        voided = bool(said) and plain is Verdict.FAIL
        assert judgement.verdict is (Verdict.UNKNOWN if voided else plain)
        if voided:
            assert f"a machine too busy to judge on ({said}" in judgement.violations[0].message


BUSY = {"pressure": 0.9, "run_wait": 0.05, "steal": 0.0, "runnable": 32.0}
DELAYED = [0.5 + number / 10_000 for number in range(300)]


@pytest.mark.parametrize(
    ("latencies", "fields", "verdict"),
    [
        (DELAYED, beside(QUICK, **BUSY), Verdict.FAIL),
        ([*DELAYED[1:], 0.1], beside(QUICK, **BUSY), Verdict.UNKNOWN),
        (DELAYED, beside(QUICK, **{**BUSY, "runnable": 32.1}), Verdict.UNKNOWN),
        (DELAYED, beside(QUICK, pressure=0.9), Verdict.UNKNOWN),
        (DELAYED, beside(QUICK, pressure=0.9, runnable=16.0, cpus=0), Verdict.UNKNOWN),
        (DELAYED, beside([0.001] * 94 + [0.03] * 6, **BUSY), Verdict.UNKNOWN),
        ([None] * 300, beside(QUICK, **BUSY), Verdict.UNKNOWN),
    ],
    ids=["all-slow", "one-fast", "crowded", "nobody-counted", "no-cpus", "slow-echo", "unanswered"],
)
def test_a_busy_machine_does_not_excuse_a_system_whose_fastest_request_is_slow(
    latencies: list[float | None], fields: dict[str, Any], verdict: Verdict
) -> None:
    story = Story()
    expectation = within(story.load(samples(latencies)), "ack", 99, 0.1)
    story.records[0] |= fields
    assert judged(story, expectation).verdict is verdict


def dispatched(story: Story, latencies: Sequence[float | None]) -> Expectation:
    load = story.load(samples([0.001] * len(latencies)))
    for number, latency in enumerate(latencies):
        if latency is not None:
            story.received(f"e{number}")
            story.records[-1]["t"] = 100 + number / 20 + latency
    return within(load, "dispatch", 95, 0.1, to=SINK)


@pytest.mark.parametrize(
    ("latencies", "early", "late"),
    [
        ([0.02] * 60, Verdict.PASS, Verdict.PASS),
        ([0.2] * 60, Verdict.FAIL, Verdict.FAIL),
        ([0.02] * 99 + [None], None, Verdict.PASS),
        ([0.02] * 59 + [None], None, Verdict.UNKNOWN),
        ([None] * 60, None, Verdict.UNKNOWN),
    ],
    ids=map(str, itertools.count()),
)
def test_dispatch(latencies: list[float | None], early: Verdict | None, late: Verdict) -> None:
    story = Story()
    expectation = dispatched(story, latencies)
    assert judged(story, expectation).verdict is early
    assert judged(story, expectation, final=True).verdict is late


def test_a_duplicate_does_not_make_a_late_delivery_early() -> None:
    story = Story()
    expectation = dispatched(story, [0.02] * 60)
    story.received("e0")
    assert judged(story, expectation).figures["p99"] < 0.03


def test_results_are_found_by_the_trace_id() -> None:
    story = Story()
    load = story.load(samples([0.001] * 60))
    for number in range(60):
        story.stored("x", topic="results", headers=[], value=json.dumps({"test-trace-id": f"e{number}"}))
        story.records[-1]["t"] = 100 + number / 20 + 0.05
    assert judged(story, within(load, "result", 95, 0.1, on=RESULTS)).verdict is Verdict.PASS
    assert judged(story, within(load, "result", 95, 0.01, on=RESULTS)).verdict is Verdict.FAIL


def test_stages_take_what_they_measure() -> None:
    load = Story().load(samples(FAST))
    for wrong in ({"stage": "ack", "to": SINK}, {"stage": "dispatch"}, {"stage": "topic"}, {"stage": "x"}):
        with pytest.raises(RefError):
            within(load, percentile=99, budget=1, **wrong)


def test_the_known_sample_sizes() -> None:
    assert ranks(298, 99, 0.95)[1] is None
    assert ranks(299, 99, 0.95)[1] == 299
    assert ranks(58, 95, 0.95)[1] is None
    assert ranks(59, 95, 0.95)[1] == 59
    assert ranks(0, 99, 0.95) == (None, None)


def test_the_binomial_sums_are_exact_enough() -> None:
    sums = below(20, 0.3)
    exact = list(itertools.accumulate(math.comb(20, k) * 0.3**k * 0.7 ** (20 - k) for k in range(21)))
    assert all(abs(one - other) < 1e-12 for one, other in zip(sums, exact, strict=True))
    assert abs(below(20_000, 0.99)[-1] - 1) < 1e-9


def test_the_bounds_cover_as_often_as_they_claim() -> None:
    rng = random.Random(7)
    n, percentile, true = 120, 90, 0.9  # uniform samples: the percentile is 0.9
    lower, upper = ranks(n, percentile, 0.95)
    assert lower is not None
    assert upper is not None
    hits = [0, 0]
    for _ in range(2000):
        drawn = sorted(rng.random() for _ in range(n))
        hits[0] += drawn[lower - 1] <= true
        hits[1] += drawn[upper - 1] >= true
    assert min(hits) >= 0.94 * 2000


LATE = 3.0
TAIL = [0.02 if number % 20 else LATE for number in range(1, 301)]


@pytest.mark.parametrize(
    ("latencies", "percentile", "runnable", "verdict"),
    [
        (TAIL, 99, 8.0, Verdict.FAIL),
        (TAIL, 99, 8.1, Verdict.UNKNOWN),
        (TAIL, 90, 8.0, Verdict.PASS),
        ([0.02] * 150 + [LATE] * 150, 99, 8.0, Verdict.UNKNOWN),
        ([0.02 + 0.01 * number for number in range(300)], 99, 8.0, Verdict.UNKNOWN),
    ],
    ids=["one-in-twenty", "crowded", "one-in-twenty-below-the-percentile", "from-the-middle-on", "a-growing-queue"],
)
def test_a_busy_machine_does_not_excuse_what_others_overtook(
    latencies: list[float], percentile: float, runnable: float, verdict: Verdict
) -> None:
    story = Story()
    expectation = within(story.load(samples(latencies)), "ack", percentile, 0.5)
    story.records[0] |= beside(**{**BUSY, "runnable": runnable})
    assert judged(story, expectation).verdict is verdict


def test_a_load_is_late_as_soon_as_nothing_can_save_it() -> None:
    story = Story()
    # 30 events of 60 have not come a second after the last one was sent: whatever becomes of them is late.
    expectation = dispatched(story, [0.02] * 30 + [None] * 30)
    assert judged(story, expectation).verdict is None
    story.received("another", sink=SINK.name)
    story.records[-1]["t"] = 100 + 60 / 20 + 1
    assert judged(story, expectation).verdict is Verdict.FAIL


def test_an_event_in_the_topic_is_found_by_its_id() -> None:
    story = Story()
    load = story.load(samples([0.001] * 60))
    for number in range(60):
        story.stored(f"e{number}")
        story.records[-1]["t"] = 100 + number / 20 + 0.05
    assert judged(story, within(load, "topic", 95, 0.1, on=TopicRef(TOPIC))).verdict is Verdict.PASS
    assert judged(story, within(load, "topic", 95, 0.01, on=TopicRef(TOPIC))).verdict is Verdict.FAIL


@pytest.mark.parametrize("stage", ["ack", "answer"])
def test_a_refusal_is_slower_than_any_budget(stage: str) -> None:
    story = Story()
    assert judged(story, within(story.load(samples(FAST, status=503)), stage, 99, 60)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("rows", "count", "said"),
    [
        (samples([0.005] * 100), 299, "about 299 samples would"),
        (samples([0.005] * 297 + [0.5] * 3), None, "the percentile lies about at the budget"),
    ],
    ids=["too-few", "at-the-budget"],
)
def test_what_is_unknown_says_how_many_samples_would_tell(rows: list[list[Any]], count: int | None, said: str) -> None:
    story = Story()
    judgement = judged(story, within(story.load(rows), "ack", 99, 0.1))
    assert judgement.figures["needed"] == count
    assert said in judgement.violations[0].message


def test_the_number_that_is_needed_decides_and_fewer_do_not() -> None:
    assert needed(80, 3, 95, 0.95) is not None
    for n, over in ((80, 3), (60, 1), (80, 6), (300, 1)):
        count = needed(n, over, 95, 0.95)
        assert count is not None
        lower, upper = ranks(count, 95, 0.95)
        late = round(over / n * count)
        assert (upper is not None and upper <= count - late) or (lower is not None and lower > count - late)
    assert needed(100, 5, 95, 0.95) is None  # just at the percentile: no number decides


@pytest.mark.parametrize(("percentile", "count"), [(50, 5), (80, 14), (90, 29), (95, 59), (99, 299)])
def test_the_fewest_samples_are_those_of_the_ranks(percentile: float, count: int) -> None:
    assert fewest(percentile, 0.95) == count
    assert ranks(count, percentile, 0.95)[1] == count
    assert ranks(count - 1, percentile, 0.95)[1] is None


@pytest.mark.parametrize(
    ("latencies", "fields", "early", "late"),
    [
        ([0.5, *[2.0] * 9], {}, Verdict.PASS, Verdict.PASS),
        ([1.5, *[0.02] * 9], {}, Verdict.FAIL, Verdict.FAIL),
        ([None, *[0.02] * 9], {}, None, Verdict.UNKNOWN),
        ([None, *[3.0] * 9], {}, Verdict.FAIL, Verdict.FAIL),
        ([3.0, *[0.02] * 9], "calmer", Verdict.FAIL, Verdict.FAIL),
        ([3.0, *[0.02] * 9], "busy", Verdict.UNKNOWN, Verdict.UNKNOWN),
        ([1.5, *[1.4] * 9], "crowd", Verdict.UNKNOWN, Verdict.UNKNOWN),
        ([1.5, *[1.4] * 9], "busy", Verdict.FAIL, Verdict.FAIL),
        ([1.5, *[0.9] * 9], "busy", Verdict.UNKNOWN, Verdict.UNKNOWN),
    ],
    ids=[
        "in-time",
        "late",
        "not-seen",
        "after-all-others",
        "overtaken",
        "overtaken-in-a-crowd",
        "crowded",
        "all-slow",
        "one-of-many",
    ],
)
def test_the_first_request_is_judged_apart(
    latencies: list[float | None], fields: Any, early: Verdict | None, late: Verdict
) -> None:
    story = Story()
    dispatched(story, latencies)
    if fields:
        story.records[0] |= beside(**{**BUSY, "runnable": {"crowd": 90.0, "busy": 20.0, "calmer": 8.0}[fields]})
    expectation = first_within(LoadRef("l1", len(latencies)), "dispatch", 1.0, to=SINK)
    assert judged(story, expectation).verdict is early
    assert judged(story, expectation, final=True).verdict is late


MADE = ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "t")
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([("create", 0.0, {}), ("get", 0.9, READY)], Verdict.PASS),
        ([("create", 0.0, {}), ("get", 1.1, READY)], Verdict.FAIL),
        ([("create", 0.0, {}), ("get", 1.1, {})], Verdict.FAIL),
        ([("create", 0.0, {}), ("get", 0.9, {})], None),
        ([("get", 0.0, {}), ("get", 0.1, READY)], None),
        ([("create", 0.0, READY)], Verdict.PASS),
        ([("create", 0.0, {}), ("get", 0.9, READY), ("get", 5.0, READY)], Verdict.PASS),
    ],
    ids=["in-time", "late", "not-yet", "too-early-to-tell", "never-made", "at-once", "looked-at-again"],
)
def test_an_object_is_ready_in_time(states: list[tuple[str, float, Any]], verdict: Verdict | None) -> None:
    story = Story()
    for verb, t, said in states:
        story.object(MADE, said, verb=verb)
        story.records[-1]["t"] = 100 + t
    assert judged(story, ready_within(MADE, 1.0)).verdict is verdict
