"""The history judged again by `evidence.replay`, in the words of the report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from common.redaction import PLAIN
from evidence import replay, saboteur, verdict
from evidence.aggregate import Outcome, of_all, of_runs
from evidence.catalogue import Catalogue
from evidence.records import JudgedRecord
from evidence.verdict import Verdict
from reports.model import Diagnostics, ReportedExpectation, ReportedViolation, Sabotages, Test
from reports.run import records

MOST_TOLD = 8_000


def judge(history: Path, expectations: Sequence[JudgedRecord]) -> replay.Replay:
    """Judge every record of a history; which ones are missing is a fault that `reports.run` tells.

    Args:
        history: The file.
        expectations: The expectations of the history, as `reports.run` has read them.

    Raises:
        ReportError: The file cannot be read, or a record is none.
    """
    return replay.judge_records(records(history), expectations)


def faults(judged: replay.Replay) -> list[str]:
    """Why no honest run leaves this: unfinished tests, stray expectations, other verdicts, troubles of the probe."""
    unfinished = [
        f"test {test.test} began and never ended" for test in (*judged.tests, *judged.cases) if test.finished is None
    ]
    stray = [f"expectation {each.record['expectation']} stands outside of any test" for each in judged.stray]
    differing = [
        f"expectation {each.record['expectation']}: recorded {each.recorded}, judged {each.judgement.verdict}"
        for each in judged.disagreements()
    ]
    return [*unfinished, *stray, *differing, *judged.troubles]


def tests(judged: replay.Replay, diagnostics: Mapping[str, Diagnostics]) -> list[Test]:
    """Every run of a test, with its verdict and expectations by replay.

    Args:
        judged: The history, judged.
        diagnostics: What was read when tests failed, by scope.
    """
    return [_test(test, diagnostics) for test in judged.tests]


def sabotages(judged: replay.Replay, seed: int) -> Sabotages:
    """Return what the cases of the saboteur showed, with texts as every output may show them."""
    findings = (
        replace(
            found,
            event=PLAIN.one_line(found.event, 200),
            check=PLAIN.one_line(found.check, 100),
            message=PLAIN.clean(found.message, MOST_TOLD),
            where=PLAIN.clean(found.where, MOST_TOLD),
        )
        for found in saboteur.judge(judged.cases)
    )
    return Sabotages(seed, tuple(findings))


def node(name: str) -> str:
    """Return a test's node id as reports have it."""
    return PLAIN.one_line(name, 500)


def _test(test: replay.TestRun, diagnostics: Mapping[str, Diagnostics]) -> Test:
    ruling = test.ruling()
    finished = test.finished
    return Test(
        node=node(test.test),
        scope=PLAIN.one_line(test.scope),
        mutant=test.mutant,
        requirements=test.requirements,
        outcome=PLAIN.one_line(finished["outcome"] if finished else "unfinished", 40),
        verdict=str(ruling.verdict),
        reason=PLAIN.clean(ruling.reason),
        duration=float(finished["duration"] if finished else 0.0),
        started=float(test.started["t"]),
        expectations=tuple(_expectation(expectation) for expectation in test.expectations),
        diagnostics=diagnostics.get(test.scope),
    )


def _expectation(expectation: replay.JudgedExpectation) -> ReportedExpectation:
    record, found = expectation.record, expectation.judgement
    return ReportedExpectation(
        id=str(record["expectation"]),
        check=PLAIN.one_line(record["check"], 100),
        args=record["args"],
        seq=record["seq"],
        t=float(record["t"]),
        verdict=str(found.verdict or Verdict.UNKNOWN),
        recorded=expectation.recorded,
        violations=tuple(_violation(violated) for violated in found.violations),
        figures=PLAIN.obj(dict(found.figures)),
        proof=found.proof,
        samples=found.samples,
    )


def _violation(found: verdict.Violation) -> ReportedViolation:
    """Return a violation as every output may show it; redacted here, before anything is put around its texts."""
    return ReportedViolation(
        PLAIN.clean(found.message, MOST_TOLD), tuple(found.witness), PLAIN.clean(found.where, MOST_TOLD)
    )


def combine(group: Sequence[Test], missing: Sequence[Outcome] = ()) -> tuple[str, str]:
    """Return the verdict of a requirement, and why, from the runs of its tests.

    Args:
        group: The runs.
        missing: What is to be said of tests that did not run.
    """
    runs: dict[str, list[Outcome]] = {}
    for test in group:
        runs.setdefault(test.node, []).append(Outcome(Verdict(test.verdict), test.reason))
    ruling = of_all([*(of_runs(rulings) for rulings in runs.values()), *missing])
    return str(ruling.verdict), ruling.reason


def catalogue_sha256(catalogue: Catalogue) -> str:
    """Return the digest of what the catalogue says, whatever its files look like."""
    content = [[asdict(item) for item in items] for items in (catalogue.requirements, catalogue.mutants)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
