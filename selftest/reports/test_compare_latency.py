"""Latencies of two runs: identical ones are not told apart, slower ones are, and what was not measured says nothing."""

import math

import numpy as np
import pytest

from reports import statistics
from reports.latency import Key, Stage, compare
from reports.speeds import Speed, StageChange
from selftest.reports.null_comparison import SAMPLES, measure, run_of

KEY: Key = ("t::ack", "ack", 95.0, 20.0, SAMPLES)


TAIL = Stage([0.01 * 1.05**n for n in range(SAMPLES)])


def seen(base: Stage, new: Stage) -> StageChange:
    (stage,) = compare({KEY: base}, {KEY: new})
    return stage


def spread(middle: float, share: float = 0.1, count: int = SAMPLES) -> Stage:
    """Return samples around a value, all within a share of it."""
    return Stage([middle * (1 - share + 2 * share * n / (count - 1)) for n in range(count)])


def test_identical_runs_are_hardly_ever_told_apart() -> None:
    rate = measure(comparisons=200, seed=7)
    # Holm keeps it below 5 %; that the percentile has to move too, by more than the floor, keeps it far below.
    assert rate.told <= 3, rate


def test_runs_of_another_speed_are_told_apart() -> None:
    assert measure(comparisons=20, seed=7, factor=3, samples=400).slower == 20
    assert measure(comparisons=20, seed=7, factor=1 / 4, samples=400).faster == 20


@pytest.mark.parametrize(
    ("base", "new", "word", "why"),
    [
        (spread(0.100), spread(0.200), Speed.SLOWER, "above the floor"),
        (spread(0.200), spread(0.100), Speed.FASTER, "below the floor"),
        (TAIL, TAIL, Speed.CANNOT_TELL, "both sides of the floor"),
        (spread(0.001), spread(0.003), Speed.CANNOT_TELL, "no difference above the floor"),
        (spread(1.000, 0.01), spread(1.050, 0.01), Speed.CANNOT_TELL, "no difference above the floor"),
        (spread(0.100), Stage([math.inf] * SAMPLES), Speed.SLOWER, "above the floor"),
        (Stage([math.inf] * SAMPLES), Stage([math.inf] * SAMPLES), Speed.CANNOT_TELL, "both sides of the floor"),
        (spread(0.100, count=20), spread(0.200, count=20), Speed.CANNOT_TELL, "both sides of the floor"),
        (
            Stage([0.1 + n * 1e-5 for n in range(80)]),
            Stage([0.1 + n * 1e-5 for n in range(65)] + [0.9 + n * 1e-5 for n in range(15)]),
            Speed.CANNOT_TELL,
            "the tail moved",
        ),
    ],
    ids=[
        "twice-as-slow",
        "twice-as-fast",
        "the-same",
        "2-ms-are-below-the-floor",
        "5-percent-are-below-the-floor",
        "never-answered",
        "never-answered-in-both",
        "too-few-samples",
        "the-tail-alone",
    ],
)
def test_a_stage_has_one_word_and_its_reason(base: Stage, new: Stage, word: Speed, why: str) -> None:
    stage = seen(base, new)
    assert stage.word is word
    assert why in stage.why


def test_what_cannot_be_told_says_how_many_samples_would_tell() -> None:
    random = np.random.default_rng(3)
    base = Stage(sorted((0.05 * random.lognormal(0, 0.5, SAMPLES)).tolist()))
    new = Stage(sorted((0.06 * random.lognormal(0, 0.5, SAMPLES)).tolist()))
    stage = seen(base, new)
    assert stage.word is Speed.CANNOT_TELL
    assert stage.needed is not None
    assert stage.needed > SAMPLES


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_busy_machine_says_nothing(side: str) -> None:
    slow = spread(0.200)
    base = Stage(spread(0.100).samples, doubt="tasks waited" if side == "old" else "")
    stage = seen(base, Stage(slow.samples, doubt="tasks waited" if side == "new" else ""))
    assert stage.word is Speed.CANNOT_TELL
    assert f"the {side} run's machine was too busy: tasks waited" in stage.why


def test_only_what_was_measured_in_the_same_way_is_compared() -> None:
    other: dict[Key, Stage] = {("t::ack", "ack", 95.0, 40.0, SAMPLES): spread(0.2)}
    assert compare({KEY: spread(0.1)}, other) == ()


def test_holm_corrects_by_the_number_of_tests_and_keeps_the_order() -> None:
    # Holm (1979): 0.01, 0.04, 0.03, 0.005 of four tests.
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    random, true = np.random.default_rng(5), 0.0
    missed = [0, 0]
    key = next(key for key in run_of(random) if key[1] == "dispatch")
    for _ in range(500):
        base, new = run_of(random)[key].samples, run_of(random)[key].samples
        low, high = statistics.interval(base, new, 95.0)
        missed = [missed[0] + (low > true), missed[1] + (high < true)]
    assert max(missed) <= 25, missed  # each end holds with 95 %
