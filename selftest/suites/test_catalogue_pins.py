"""The catalogue pins how many cases ask for each requirement: one that is lost, or new, is told by its requirement."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.catalogue import load

ROOT = Path(__file__).parents[2]
COLLECT = """
import collections, json, sys
import pytest

class Counting:
    left_out = []

    def pytest_deselected(self, items):
        self.left_out += items  # of pipelines that are there on request only

    def pytest_collection_finish(self, session):
        counts = collections.Counter()
        for item in [*session.items, *self.left_out]:
            counts.update({name for mark in item.iter_markers("requirement") for name in mark.args})
        with open(sys.argv[1], "w") as file:
            json.dump(counts, file)

sys.exit(pytest.main(["suites", "--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[Counting()]))
"""


def differences(pinned: dict[str, int], collected: dict[str, int]) -> list[str]:
    return [
        difference(name, pinned.get(name, 0), collected.get(name, 0))
        for name in sorted({*pinned, *collected})
        if pinned.get(name) != collected.get(name)
    ]


def difference(name: str, pinned: int, collected: int) -> str:
    told = f"{name}: suites/catalogue says cases = {pinned}, collected are {collected}"
    if not collected:
        return f'{told}: mark a test of its area in suites/ with @pytest.mark.requirement("{name}")'
    return f"{told}: write cases = {collected} in its entry, unless cases were lost or added unawares"


def test_every_requirement_has_the_cases_that_the_catalogue_pins(tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    command = [sys.executable, "-c", COLLECT, str(counts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pinned = {requirement.id: requirement.cases for requirement in load(ROOT / "suites" / "catalogue").requirements}
    assert differences(pinned, json.loads(counts.read_text(encoding="utf-8"))) == []


MARK = 'mark a test of its area in suites/ with @pytest.mark.requirement("A")'


@pytest.mark.parametrize(
    ("pinned", "collected", "told"),
    [
        ({"A": 2}, {"A": 1}, ["A: suites/catalogue says cases = 2, collected are 1: write cases = 1 in its entry"]),
        ({"A": 1}, {"A": 2}, ["A: suites/catalogue says cases = 1, collected are 2: write cases = 2 in its entry"]),
        ({"A": 1}, {}, [f"A: suites/catalogue says cases = 1, collected are 0: {MARK}"]),
    ],
    ids=["lost", "new", "none"],
)
def test_a_difference_names_the_requirement_both_numbers_and_what_to_write(
    pinned: dict[str, int], collected: dict[str, int], told: list[str]
) -> None:
    assert [text.partition(", unless")[0] for text in differences(pinned, collected)] == told
