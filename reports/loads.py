"""The loads of a run as the page shows them: each stage's distribution beside its budget, and cold starts apart.

What is drawn are the samples behind the verdicts of this very report; nothing is measured or judged again here.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, TypeVar

from markupsafe import Markup

from common.redaction import PLAIN
from evidence.checks.latency import FirstWithin, Within
from reports import distribution, statistics
from reports.distribution import Axis, Bound
from reports.model import Report, ReportedExpectation, Test

MOST_LOADS: Final = 24
"""The most loads that a page draws; those that did not pass come first."""
MOST_CLAIMS: Final = 12
"""The most claims of a test that are drawn; those that did not pass come first."""
MOST_COLD: Final = 48
"""The most cold starts that a page lists; those that did not pass come first."""
READY: Final = "ready_within"
STAGES: Final = {
    "ack": "acknowledged",
    "topic": "in the topic",
    "dispatch": "at the subscriber",
    "answer": "answered",
    "result": "result on its topic",
}


_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Panel:
    """One stage of one load: its picture, and its bounds in words, with the reason of those that did not pass."""

    stage: str
    samples: int
    picture: Markup
    bounds: tuple[tuple[Bound, str], ...]
    note: str


@dataclass(frozen=True, slots=True)
class LoadView:
    """One load; `lag` is how late its generator sent, in words."""

    test: Test
    rate: str
    lag: str
    lagged: bool
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class ColdView:
    """One cold start: what was waited for, how long that took, its budget, and how long the requests after it took."""

    test: Test
    what: str
    took: str
    budget: str
    rest: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loads:
    """All that a page shows of latencies.

    Attributes:
        shown: The loads that are drawn.
        more: The number of those that are not.
        cold: The cold starts that are listed.
        more_cold: The number of those that are not.
        more_claims: The number of claims of drawn loads that are not drawn.
    """

    shown: tuple[LoadView, ...]
    more: int
    cold: tuple[ColdView, ...]
    more_cold: int
    more_claims: int


@dataclass(frozen=True, slots=True)
class _Stage:
    """One stage of one load, before it is drawn."""

    test: Test
    load: str
    stage: str
    samples: Sequence[float]
    judged: tuple[ReportedExpectation, ...]
    bounds: tuple[Bound, ...]


def views(report: Report) -> Loads:
    """Return the loads and cold starts of a report's requirements."""
    by_scope = {test.scope: test for result in report.results for test in result.tests}
    tests = sorted(by_scope.values(), key=lambda test: test.started)
    loads: dict[tuple[str, str], list[_Stage]] = {}
    for stage in chain.from_iterable(map(_stages, tests)):
        loads.setdefault((stage.test.scope, stage.load), []).append(stage)
    drawn = _most(list(loads.values()), MOST_LOADS, lambda stages: all(map(_passed, stages)))
    axis = Axis.around(chain.from_iterable(map(_values, chain.from_iterable(drawn))))
    cold = list(chain.from_iterable(map(_cold, tests)))
    drawn_tests = {stages[0].test.scope: stages[0].test for stages in drawn}.values()
    return Loads(
        tuple(_load(number, stages, axis) for number, stages in enumerate(drawn, start=1)),
        more=len(loads) - len(drawn),
        cold=tuple(_most(cold, MOST_COLD, lambda start: start.verdict == "pass")),
        more_cold=max(0, len(cold) - MOST_COLD),
        more_claims=sum(max(0, len(_claims(test)) - MOST_CLAIMS) for test in drawn_tests),
    )


def _most(items: Sequence[_Item], most: int, passed: Callable[[_Item], bool]) -> list[_Item]:
    """Return so many of the items, in their order: those that did not pass before all others."""
    chosen = sorted(range(len(items)), key=lambda number: passed(items[number]))[:most]
    return [items[number] for number in sorted(chosen)]


def _values(stage: _Stage) -> Iterator[float]:
    """Yield the seconds that an axis has to show: from the first to the last request that ended, and the budgets."""
    ended = [sample for sample in stage.samples if math.isfinite(sample)]
    yield from (*ended[:1], *ended[-1:], *(bound.budget for bound in stage.bounds))


def _claims(test: Test) -> list[ReportedExpectation]:
    return [judged for judged in test.expectations if judged.check == Within.name and judged.samples]


def _stages(test: Test) -> Iterator[_Stage]:
    """Yield the stages that a test has measured, each with all the percentiles that it claims."""
    stages: dict[tuple[str, str], _Stage] = {}
    for judged in _most(_claims(test), MOST_CLAIMS, lambda claim: claim.verdict == "pass"):
        load, stage = judged.args["load"]["load"], judged.args["stage"]
        known = stages.get((load, stage), _Stage(test, load, stage, judged.samples, (), ()))
        bounds = (*known.bounds, _bound(judged))
        stages[load, stage] = replace(known, judged=(*known.judged, judged), bounds=bounds)
    yield from stages.values()


def _bound(judged: ReportedExpectation) -> Bound:
    args, figures = judged.args, judged.figures
    return Bound(
        percentile=args["percentile"],
        budget=args["budget"],
        value=statistics.percentile(judged.samples, args["percentile"]),
        lower=figures["lower"],
        upper=_or_infinite(figures["upper"]),
        confidence=args["confidence"],
        verdict=judged.verdict,
    )


def _load(number: int, stages: Sequence[_Stage], axis: Axis) -> LoadView:
    first = stages[0].judged[0]
    figures = first.figures
    p95, worst = (distribution.duration(figures[name]) for name in ("lag_p95", "lag_worst"))
    return LoadView(
        test=stages[0].test,
        rate=f"{figures['rate']:g}" if figures.get("rate") else "?",
        lag=f"{worst} at the worst, p95 {p95}",
        lagged=any(judged.figures["lag_p99"] > judged.args["max_lag"] for stage in stages for judged in stage.judged),
        panels=tuple(_panel(f"load-{number}-{place}", stage, axis) for place, stage in enumerate(stages, start=1)),
    )


def _panel(name: str, stage: _Stage, axis: Axis) -> Panel:
    title = f"Latency of {', '.join(stage.test.requirements)}: {_stage(stage.stage)}"
    drawn = distribution.svg(stage.samples, stage.bounds, axis, name=name, title=PLAIN.one_line(title))
    return Panel(
        stage=_stage(stage.stage),
        samples=len(stage.samples),
        picture=Markup(drawn),  # noqa: S704 - it escapes every text
        bounds=tuple(zip(stage.bounds, map(_reason, stage.judged), strict=True)),
        note=distribution.thinned(stage.samples),
    )


def _cold(test: Test) -> Iterator[ColdView]:
    for judged in test.expectations:
        if judged.check not in {FirstWithin.name, READY}:
            continue
        first = judged.check == FirstWithin.name
        yield ColdView(
            test=test,
            what=f"first request {_stage(judged.args['stage'])}" if first else "from creation to Ready",
            took=_measured(judged, "first" if first else "ready"),
            budget=distribution.duration(judged.args["budget"]),
            rest=_measured(judged, "rest_p50"),
            verdict=judged.verdict,
            reason=_reason(judged),
        )


def _stage(name: str) -> str:
    """Return a stage in words; what a history made up stays what it is."""
    return STAGES.get(name, PLAIN.one_line(name, 40))


def _passed(stage: _Stage) -> bool:
    return all(bound.verdict == "pass" for bound in stage.bounds)


def _reason(judged: ReportedExpectation) -> str:
    """Return why an expectation did not pass; empty where it did."""
    return judged.violations[0].message if judged.verdict != "pass" and judged.violations else ""


def _measured(judged: ReportedExpectation, name: str) -> str:
    """Return a figure in words; a dash where there is none."""
    return distribution.duration(_or_infinite(judged.figures[name])) if name in judged.figures else "-"


def _or_infinite(value: Any) -> float:
    return float("inf") if value is None else float(value)
