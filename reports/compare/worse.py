"""What looks worse than in an earlier run, while the new run goes on: `--baseline` repeats just that."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from common.errors import UsageError
from evidence.catalogue import Catalogue
from evidence.record_values import SlowerStage, WorseCase, WorseWord
from evidence.records import BaselineCompared
from reports import latency
from reports.compare import sides, transitions
from reports.compare.model import Change, Word
from reports.compare.sides import Side
from reports.errors import ReportError
from reports.latency import Key, Stage
from reports.speeds import Speed, StageChange

_WORDS: Final[dict[Word, WorseWord]] = {
    Word.REGRESSED: "regressed",
    Word.LOST: "lost",
    Word.NEWLY_FAILING: "newly failing",
}


def baseline(path: Path, catalogue: Catalogue) -> Side:
    """Read an earlier run that a new one is to be held against.

    Args:
        path: Its folder, or its history.
        catalogue: Today's catalogue.

    Raises:
        UsageError: It is no run, it did not come to its end, it proves the suite, its history has a fault, or it asked
            none of these requirements.
    """
    try:
        side = sides.read(path, catalogue)
    except ReportError as error:
        raise UsageError(str(error)) from error
    if faults := side.name.faults:
        raise UsageError(f"{path}: expected a run whose history can be trusted, got one with a fault: {faults[0]}")
    if side.asked and not side.asked & {requirement.id for requirement in catalogue.requirements}:
        raise UsageError(
            f"{path}: expected a run that asked a requirement of this catalogue, got one of another catalogue:"
            f" {', '.join(sorted(side.asked)[:3])}"
        )
    return side


def compared(base: Side, history: Path, catalogue: Catalogue, again: int) -> BaselineCompared:
    """Hold a run that has not ended yet against an earlier one.

    Args:
        base: The earlier run.
        history: What the new run has recorded up to now: each selected case ran once.
        catalogue: Today's catalogue; it judges both.
        again: The number of repetitions that follow.

    Raises:
        ReportError: The history cannot be read.
    """
    new = sides.unfinished(history, catalogue)
    before, now = latency.stages(base.history), latency.stages(new.history)
    told = sides.differences(base, new, (latency.machine(before), latency.machine(now)))
    comparable = not any(difference.environment for difference in told)
    return BaselineCompared(
        record="baseline",
        run=base.report.run or "?",
        sha256=base.report.history_sha256,
        again=again,
        differences=[f"{each.what}: {each.base or 'none'} -> {each.new or 'none'}" for each in told],
        cases=_cases(transitions.changes(base, new)),
        stages=_stages(before, now) if comparable else [],
    )


def _cases(changes: Iterable[Change]) -> list[WorseCase]:
    """Return the cases that ran and look worse; one that the operator left out is not worse by that."""
    words: dict[str, list[Word]] = {}
    requirements: dict[str, list[str]] = {}
    for change in changes:
        for case in change.cases:
            if case.word in _WORDS and case.new is not None and case.new.runs:
                words.setdefault(case.case, []).append(case.word)
                requirements.setdefault(case.case, []).append(change.id)
    return [
        WorseCase(test=case, word=_WORDS[transitions.worst(words[case])], requirements=requirements[case])
        for case in words
    ]


def _stages(before: dict[Key, Stage], now: dict[Key, Stage]) -> list[SlowerStage]:
    keys = {(key[0], key[1], key[2]): key for key in before if key in now}
    slower = [change for change in latency.compare(before, now) if change.word is Speed.SLOWER]
    return [_slower(key, before[key].samples) for change in slower for key in [keys[_named(change)]]]


def _named(change: StageChange) -> tuple[str, str, float]:
    return change.case, change.stage, change.percentile


def _slower(key: Key, samples: Sequence[float]) -> SlowerStage:
    case, stage, percentile, rate, count = key
    kept = [sample if math.isfinite(sample) else None for sample in samples]
    return SlowerStage(test=case, stage=stage, percentile=percentile, rate=rate, count=count, samples=kept)
