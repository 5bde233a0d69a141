"""One side of a comparison: a run that came to its end, judged by today's checks, and all that stands around it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.redaction import PLAIN
from evidence.aggregate import Outcome, of_test
from evidence.catalogue import Catalogue
from evidence.records import RunStarted
from evidence.verdict import Verdict
from reports import build, run
from reports.compare import environment
from reports.compare.model import Difference, Rejudged, RunName
from reports.errors import ReportError
from reports.model import Report, Test

_NOT_COMPARED: Final = ("argv", "gate", "uncollected", "whole", "again")
"""What of the selection says nothing about what was asked of the system."""


@dataclass(frozen=True, slots=True)
class Side:
    """A run to compare.

    Attributes:
        path: The path that the user gave.
        history: The file.
        report: The report, computed from the history today.
        started: The first record of the run.
        asked: The ids of the requirements that the run's own catalogue had; none where the history does not tell.
    """

    path: Path
    history: Path
    report: Report
    started: RunStarted
    asked: frozenset[str]

    def knows(self, requirement: str) -> bool:
        """Tell whether the run's own catalogue had a requirement."""
        return not self.asked or requirement in self.asked

    @property
    def name(self) -> RunName:
        """What a comparison says of it."""
        report, suite = self.report, self.report.suite
        return RunName(
            run=report.run,
            path=PLAIN.one_line(str(self.path), 300),
            sha256=report.history_sha256,
            suite=f"{suite.get('version') or '?'} {suite.get('commit') or ''}".strip(),
            target=str(report.target.get("name") or "?"),
            records=report.history_records,
            faults=tuple(fault for fault in report.history_faults if fault not in self._rejudgements()),
        )

    def _rejudgements(self) -> set[str]:
        """Return the faults that only say that today's checks judge otherwise: `rejudged` tells them."""
        told = [each for test in tests(self.report) for each in test.expectations if each.recorded != each.verdict]
        return {
            PLAIN.one_line(f"expectation {each.id}: recorded {each.recorded}, judged {each.verdict}") for each in told
        }


def read(path: Path, catalogue: Catalogue) -> Side:
    """Judge a run.

    Args:
        path: The run's folder, or its history.
        catalogue: Today's catalogue.

    Raises:
        UsageError: It is no run, or one that proves the suite.
        ReportError: It cannot be read, or did not come to its end.
    """
    side = unfinished(path, catalogue)
    if side.report.reason != "completed":
        got = _ended(side.report.reason)
        raise ReportError(f"{side.history}: expected a run that came to its end, got one that was {got}")
    return side


def unfinished(path: Path, catalogue: Catalogue) -> Side:
    """Judge a run that may still go on; otherwise like `read`."""
    history = run.history_of(path)
    report = build.build(history, catalogue)
    started = next((record for record in run.records(history) if record["record"] == "run.started"), None)
    if started is None:
        raise ReportError(f"{history}: expected the history of a run, got one without a `run.started`")
    if build.proving(report.selection):
        raise ReportError(
            f"{history}: expected a run of the suite, got a proof of it (--prove): it says nothing of one system"
        )
    return Side(path, history, report, started, frozenset(started.get("requirements") or ()))


def tests(report: Report) -> list[Test]:
    """Return every run of a test, once, however many requirements it asks."""
    return list({test.scope: test for result in report.results for test in result.tests}.values())


def _ended(reason: str) -> str:
    return {"error": "ended by an error"}.get(reason, reason)


def differences(base: Side, new: Side, machines: tuple[str, str]) -> tuple[Difference, ...]:
    """Return all that is not the same around two runs.

    Args:
        base: The old run.
        new: The new run.
        machines: What is known of the probe's machine in each; empty where nothing is.
    """
    known = machines if all(machines) else ("", "")  # a run without loads tells nothing of its machine
    before, now = _facts(base, known[0]), _facts(new, known[1])
    return tuple(
        Difference(what, before.get(what, ""), now.get(what, ""), environment.decides_speed(what))
        for what in dict.fromkeys([*before, *now])
        if before.get(what, "") != now.get(what, "")
    )


def _facts(side: Side, machine: str) -> dict[str, str]:
    report = side.report
    selection = {name: value for name, value in report.selection.items() if name not in _NOT_COMPARED}
    catalogue = side.started.get("catalogue") or {}
    pins = side.started.get("requirements") or {}
    told: dict[str, Any] = {
        "suite": dict(report.suite),
        "catalogue": {**catalogue, "requirements": len(pins) or None, "cases": sum(pins.values()) or None},
        "target": dict(report.target),
        "machine": machine,
        "product": dict(report.sut),
        "selection": selection,
    }
    return environment.facts(told)


def rejudged(side: Side, name: str) -> list[Rejudged]:
    """Return the cases of a run that today's checks judge otherwise than the run itself did.

    Args:
        side: The run.
        name: The name of the run: `base` or `new`.
    """
    found: list[Rejudged] = []
    for test in tests(side.report):
        recorded = _recorded(test)
        if any(each.recorded != each.verdict for each in test.expectations) and recorded != test.verdict:
            found.append(Rejudged(name, test.requirements, test.node, recorded, test.verdict))
    return found


def _recorded(test: Test) -> str:
    """Return the verdict of a test by what the run itself wrote down."""
    words = set(Verdict)
    expectations = [
        (Verdict(each.recorded) if each.recorded in words else Verdict.ERROR, "") for each in test.expectations
    ]
    outcome: Outcome = of_test(None if test.outcome == "unfinished" else test.outcome, None, expectations)
    return str(outcome.verdict)
