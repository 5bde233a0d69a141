"""A small project to mutate: a package of four functions, and a suite of three tests that reports as ours does."""

import json
import shutil
from pathlib import Path

from mutation import sampling
from mutation.project import Project, read
from mutation.sampling import Mutant
from mutation.sites import sites

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = """
folders = ["mutation", "selftest/warm", "suites", "toy"]
files = ["conftest.py", "pytest.ini"]
begins = ["toy/__init__.py"]
preload = "pytest"
forget = "toy"
shared = []
[[room]]
name = "sums"
paths = ["toy"]
areas = ["sums"]
"""
PACKAGE = '''"""Sums."""

import logging

_log = logging.getLogger(__name__)
LEAST: int = 3


def add(left: int, right: int) -> int:
    """Add two numbers."""
    _log.info("adding %s", "two")
    return left + right


def count(steps: int) -> int:
    """Count in steps."""
    done = 0
    while done < steps:
        done += 1
    return done


def fill(blocks: int) -> int:
    """Fill memory."""
    filled = []
    for _ in range(blocks):
        filled.append(bytearray(1 << 20))
    return len(filled)


def unused(value: int) -> int:
    """Double a number."""
    return value * 2
'''
TESTS = """
import pytest
from toy import sums

def test_a_sum():
    assert sums.add(2, 2) == 4
    assert sums.LEAST > 1

def test_a_count():
    assert sums.count(3) == 3

def test_a_filling():
    assert sums.fill(1) == 1
"""
CONFTEST = """
import json
from pathlib import Path

RESULTS = {}

def pytest_addoption(parser):
    parser.addoption("--out")
    parser.addoption("--conforming", action="store_true")

def pytest_runtest_logreport(report):
    if report.when == "call" or report.failed:
        verdict = "pass" if report.passed else "fail" if report.when == "call" else "error"
        verdict = "unknown" if "sums.Undecided" in report.longreprtext else verdict
        RESULTS[report.nodeid] = dict(id=report.nodeid, verdict=verdict, reason=report.longreprtext[-200:],
                                      duration=report.duration, expectations=int(report.when == "call"))

def pytest_sessionfinish(session):
    folder = Path(session.config.getoption("--out"), "run")
    folder.mkdir(parents=True)
    tests = [dict(id="SUM-001", verdict="pass", tests=[test]) for test in RESULTS.values()]
    (folder / "report.json").write_text(json.dumps(dict(results=tests)))
"""
INI = "[pytest]\naddopts = -p no:pytest-kind --import-mode=importlib\npythonpath = .\n"


def make(folder: Path, package: str = PACKAGE, areas: tuple[str, ...] = ("sums",)) -> Project:
    """Write the project into a folder, with the same tests in each of its areas."""
    ours = shutil.ignore_patterns("__pycache__", "*.toml")
    shutil.copytree(ROOT / "mutation", folder / "mutation", ignore=ours)
    shutil.copytree(ROOT / "selftest" / "warm", folder / "selftest" / "warm", ignore=ours)
    (folder / "mutation" / "project.toml").write_text(DESCRIPTION.replace('["sums"]', json.dumps(areas)))
    (folder / "toy").mkdir()
    (folder / "toy" / "__init__.py").write_text("")
    (folder / "toy" / "sums.py").write_text(package)
    for area in areas:
        (folder / "suites" / area).mkdir(parents=True)
        (folder / "suites" / area / "test_sums.py").write_text(TESTS)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(INI)
    return read(folder)


def mutant(project: Project, text: str, operator: str) -> Mutant:
    """Return the mutant that an operator makes of a line, the first one where there are several."""
    room = project.rooms["sums"]
    site = next(
        site
        for site in sites(project.root, "toy/sums.py")
        if site.text == text and any(change.operator == operator for change in site.changes)
    )
    change = next(change for change in site.changes if change.operator == operator)
    return sampling.by_id(project.root, [room], [sampling.identity(site, change)])[0]
