"""Brokers that show no storage, by the suite itself: conforming ones pass, and absences proven by fences bite."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from selftest.warm.running import run as run_command

# What is asked of conforming Brokers, and the verdicts; nothing of EVT-DLV-008 can be asked without a topic, and for
# what a law draws no fence is known. EVT-ISO-002 has long pauses, and in EVT-RPL-008 a fence is answered, too.
VERDICTS = {
    "EVT-DLV-002": "pass",
    "EVT-DLV-008": "not_testable",
    "EVT-FLT-003": "pass",
    "EVT-ISO-002": "pass",
    "EVT-LAW-009": "not_testable",
    "EVT-RPL-008": "pass",
}
# Mutants that only a proven absence shows, each with the requirement that must notice it: a delivery that should not
# be, an event that should not be stored, a reply that should not be routed, a delivery too many.
MUTANTS = {
    "filter-ignores-case": "EVT-FLT-003",
    "malformed-structured-accepted": "EVT-ING-006",
    "reply-on-202": "EVT-RPL-003",
    "delivers-twice": "EVT-RTE-001",
}

pytestmark = pytest.mark.timeout(300)


def run(out: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a part of the suite on Brokers of class Opaque; returns the exit code and the report."""
    words = ["-q", "-n0", "-p", "no:cacheprovider", "--broker-class", "Opaque", "--out", str(out)]
    argv = [sys.executable, "-m", "pytest", *words, *arguments, "suites/eventing"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = run_command(argv, env=environment, timeout=280)
    report = out / "latest" / "report.json"
    assert report.is_file(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text(encoding="utf-8"))


def asking(*requirements: str) -> list[str]:
    return [word for name in requirements for word in ("--requirement", name)]


def test_what_needs_no_storage_is_judged_and_the_rest_is_not_testable(tmp_path: Path) -> None:
    code, report = run(tmp_path, *asking(*VERDICTS))
    assert code == 0
    results = {result["id"]: result for result in report["results"] if result["id"] in VERDICTS}
    assert {name: result["verdict"] for name, result in results.items()} == VERDICTS
    assert {str(test["proofs"]) for test in results["EVT-FLT-003"]["tests"]} == {str({"fence": 1})}
    assert "do not show where they store events" in results["EVT-DLV-008"]["tests"][0]["reason"]


def test_absences_that_fences_prove_show_the_mutants(tmp_path: Path) -> None:
    mutants = [word for name in MUTANTS for word in ("--mutant", name)]
    _, report = run(tmp_path, "--prove", *mutants, *asking(*MUTANTS.values()))
    rows = report["mutation"]["mutants"]
    assert {row["name"]: row["status"] for row in rows} == dict.fromkeys(MUTANTS, "killed")
    assert [row["name"] for row in rows if row["falseKills"]] == []
