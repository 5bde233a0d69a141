"""Judges the repetitions of what looked worse than in an earlier run: a pure function of the run's own history.

The history holds what looked worse, and the earlier run's samples of the stages that looked slower. So anybody can
judge it again without the earlier run.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from common.redaction import PLAIN
from evidence.record_values import SlowerStage, WorseCase
from evidence.records import BaselineCompared
from reports import from_replay, latency
from reports.latency import Key, Stage
from reports.model import Test
from reports.repeated import Again, RepeatedCase, RepeatedStage
from reports.speeds import Speed

_FAILING: Final = frozenset({"fail"})
_SILENT: Final = frozenset({"not_supported", "not_testable", "skipped"})
_SHOWS: Final = {"regressed": _FAILING, "newly failing": _FAILING, "lost": _SILENT}
"""The verdicts of a repetition that show again what the first pass did."""
_OPEN: Final = frozenset({"error", "unknown"})


def judge(record: BaselineCompared, tests: Sequence[Test], history: Path) -> Again:
    """Return what the repetitions showed.

    Args:
        record: What looked worse after the first pass.
        tests: Every run of a test.
        history: The run's history, for the samples of loads.

    Raises:
        ReportError: The history cannot be read.
    """
    repeated = [test for test in tests if test.started >= float(record["t"])]
    return Again(
        base=PLAIN.one_line(record["run"], 200),
        sha256=record["sha256"],
        times=record["again"],
        differences=tuple(PLAIN.one_line(told, 300) for told in record["differences"]),
        cases=tuple(_case(case, repeated, record["again"]) for case in record["cases"]),
        stages=_stages(record["stages"], repeated, record["again"], history),
    )


def _case(case: WorseCase, repeated: Sequence[Test], times: int) -> RepeatedCase:
    node = from_replay.node(case["test"])
    verdicts = [test.verdict for test in repeated if test.node == node]
    return RepeatedCase(
        case=node,
        word=case["word"],
        requirements=tuple(PLAIN.one_line(name, 100) for name in case["requirements"]),
        seen=sum(verdict in _SHOWS[case["word"]] for verdict in verdicts),
        runs=sum(verdict not in _OPEN for verdict in verdicts),
        wanted=times,
    )


def _stages(
    stages: Sequence[SlowerStage], repeated: Sequence[Test], times: int, history: Path
) -> tuple[RepeatedStage, ...]:
    if not stages:
        return ()
    scopes = {test.scope for test in repeated}
    measured = [(key, stage) for scope, key, stage in latency.measured(history) if scope in scopes]
    return tuple(_stage(stage, measured, times) for stage in stages)


def _stage(told: SlowerStage, measured: Sequence[tuple[Key, Stage]], times: int) -> RepeatedStage:
    key: Key = (
        from_replay.node(told["test"]),
        PLAIN.one_line(told["stage"], 40),
        float(told["percentile"]),
        float(told["rate"]),
        told["count"],
    )
    base = {key: Stage([math.inf if sample is None else float(sample) for sample in told["samples"]])}
    decided = [stage for found, stage in measured if found == key and not stage.doubt]
    words = [change.word for stage in decided for change in latency.compare(base, {key: stage})]
    return RepeatedStage(
        case=key[0],
        stage=key[1],
        percentile=key[2],
        seen=sum(word is Speed.SLOWER for word in words),
        runs=len(words),
        wanted=times,
    )
