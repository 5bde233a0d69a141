"""The history judged again by `evidence.replay`, in the words of the report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from common.redaction import PLAIN
from evidence import judgement, replay
from evidence.catalogue import Catalogue
from evidence.judgement import Verdict
from evidence.verdicts import Ruling, of_all, of_runs
from reports.model import Claim, Diagnostics, Test, Violation
from reports.run import records

MOST_TOLD = 8_000


def judge(history: Path) -> replay.Replay:
    """Judge every record of a history; which ones are missing is a fault that `reports.run` tells.

    Raises:
        ReportError: The file cannot be read, or a record is none.
    """
    return replay.replay_records(lambda: records(history))


def faults(judged: replay.Replay) -> list[str]:
    """Why this is not what an honest run leaves: unfinished tests, stray claims, other verdicts than recorded."""
    unfinished = [f"test {test.test} began and never ended" for test in judged.tests if test.finished is None]
    stray = [f"expectation {claim.record['expectation']} stands outside of any test" for claim in judged.stray]
    differing = [
        f"expectation {claim.record['expectation']}: recorded {claim.recorded}, judged {claim.judgement.verdict}"
        for claim in judged.disagreements()
    ]
    return [*unfinished, *stray, *differing, *judged.halves]


def tests(judged: replay.Replay, diagnostics: Mapping[str, Diagnostics]) -> list[Test]:
    """Every run of a test, with its verdict and claims by replay.

    Args:
        judged: The history, judged.
        diagnostics: What was read when tests failed, by scope.
    """
    return [_test(test, diagnostics) for test in judged.tests]


def node(name: str) -> str:
    """A test's node id as reports have it."""
    return PLAIN.one_line(name, 500)


def _test(test: replay.TestRun, diagnostics: Mapping[str, Diagnostics]) -> Test:
    ruling = test.ruling()
    finished = test.finished or {}
    return Test(
        node=node(test.test),
        scope=PLAIN.one_line(test.scope),
        mutant=test.mutant,
        requirements=test.requirements,
        outcome=PLAIN.one_line(finished.get("outcome", "unfinished"), 40),
        verdict=str(ruling.verdict),
        reason=PLAIN.clean(ruling.reason),
        duration=float(finished.get("duration") or 0.0),
        started=float(test.started["t"]),
        claims=tuple(_claim(claim) for claim in test.claims),
        diagnostics=diagnostics.get(test.scope),
    )


def _claim(claim: replay.Claim) -> Claim:
    record, found = claim.record, claim.judgement
    return Claim(
        id=str(record["expectation"]),
        check=PLAIN.one_line(record["check"], 100),
        args=record["args"],
        seq=record["seq"],
        t=float(record["t"]),
        verdict=str(found.verdict or Verdict.UNKNOWN),
        recorded=claim.recorded,
        violations=tuple(_violation(violated) for violated in found.violations),
        figures=PLAIN.obj(dict(found.figures)),
    )


def _violation(found: judgement.Violation) -> Violation:
    """A violation as every output may show it; redacted here, before anything is put around its texts."""
    return Violation(PLAIN.clean(found.message, MOST_TOLD), tuple(found.witness), PLAIN.clean(found.where, MOST_TOLD))


def combine(group: Sequence[Test], missing: Sequence[Ruling] = ()) -> tuple[str, str]:
    """The verdict of a requirement, and why, from the runs of its tests.

    Args:
        group: The runs.
        missing: What is to be said of tests that did not run.
    """
    runs: dict[str, list[Ruling]] = {}
    for test in group:
        runs.setdefault(test.node, []).append(Ruling(Verdict(test.verdict), test.reason))
    ruling = of_all([*(of_runs(rulings) for rulings in runs.values()), *missing])
    return str(ruling.verdict), ruling.reason


def catalogue_sha256(catalogue: Catalogue) -> str:
    """The digest of what the catalogue says, whatever its files look like."""
    content = [[asdict(item) for item in items] for items in (catalogue.requirements, catalogue.mutants)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
