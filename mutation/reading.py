"""Reads what a run of the suite reports: its report.json, and nothing else of the suite."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a run, as the report has it.

    Attributes:
        id: Its node id.
        requirement: The id of a requirement that it asks for.
        verdict: Pass, fail, error or unknown.
        reason: Why it is not a pass.
        expectations: The number of expectations that were judged.
        seconds: How long it took.
    """

    id: str
    requirement: str
    verdict: str
    reason: str
    expectations: int
    seconds: float


def tests_of(folder: Path) -> list[Test] | None:
    """Return the tests of the one run below a folder, each once; None: it has left no report."""
    reports = sorted(folder.glob(f"*/{REPORT}"))
    if not reports:
        return None
    report: dict[str, Any] = json.loads(reports[0].read_text(encoding="utf-8"))
    tests = {}
    for result in report["results"]:
        for test in result["tests"]:
            tests[test["id"]] = Test(
                id=test["id"],
                requirement=result["id"],
                verdict=test["verdict"],
                reason=test["reason"],
                expectations=test["expectations"],
                seconds=test["duration"],
            )
    return list(tests.values())


def arguments(tests: Sequence[str], out: Path) -> list[str]:
    """Return the words behind `pytest` that run tests, or areas, in their order and in one process.

    Released workloads fail some tests, with which no mutant could be asked: the conforming ones run.
    """
    return [*tests, "--conforming", "-n0", "-q", "--no-header", "-p", "no:cacheprovider", "--out", str(out)]
