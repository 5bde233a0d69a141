"""Runs of the suite itself: under a mutant, a comparison names the requirements that the catalogue says it fails."""

import os
import sys
from pathlib import Path

import pytest

from evidence import catalogue as catalogues
from reports.compare.comparing import compare
from selftest.warm.running import run as run_command

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = catalogues.load(ROOT / "suites" / "catalogue")
MUTANT = "reply-on-202"
ASKED = ("EVT-RPL-003", "EVT-RPL-001", "EVT-FLT-003")
"""One that the mutant fails, and some that it spares."""

pytestmark = pytest.mark.timeout(300)


def run(out: Path, *words: str) -> Path:
    """Run a part of the suite on the embedded platform; returns the run's folder."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "--out",
        str(out),
        "suites",
        *words,
    ]
    argv += [word for name in ASKED for word in ("--requirement", name)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = run_command(argv, env=environment, timeout=280)
    assert (out / "latest").exists(), done.stdout + done.stderr
    return out / "latest"


def test_a_mutant_regresses_what_the_catalogue_says_and_nothing_else(tmp_path: Path) -> None:
    honest, mutated = run(tmp_path / "honest"), run(tmp_path / "mutated", "--mutant", MUTANT)
    (pair,) = compare(honest, [mutated], CATALOGUE).pairs
    must = {requirement.id for requirement in CATALOGUE.requirements if MUTANT in requirement.mutants}
    assert {change.id: str(change.word) for change in pair.changed} == dict.fromkeys(must, "regressed")
    (headline,) = {change.evidence.headline.split(":")[0] for change in pair.changed if change.evidence}
    assert headline in {"at the topic", "at the subscriber"}
    assert (pair.exit, pair.rejudged) == (1, ())
