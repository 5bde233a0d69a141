"""What forgeries are made of: two small real runs, and a folder whose history is made anew and rendered again."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evidence.catalogue import Catalogue
from reports import write
from reports.build import build
from reports.check import check
from reports.model import Report
from selftest.fixtures import house
from selftest.histories import Raw, lines
from selftest.warm.running import run_pytest

TESTS = """
@pytest.mark.requirement("TST-ONE-001")
@pytest.mark.parametrize("status", [202, 203, {last}])
def test_one(sinks, status):
    for _ in range(2):
        sink = sinks([Answer(status)])
        expect(answered(post(running_test(), sink.url, [], b"", "POST"), range(200, 300)))
"""
ID = "TST-ONE-001"


@dataclass(frozen=True)
class Evidence:
    """A real run, of which one case of three fails, and another one that passes; copies are forged."""

    folder: Path
    catalogue: Catalogue
    failing: list[Raw]
    passing: list[Raw]
    head: str

    def forge(self, records: Iterable[Raw]) -> "Forged":
        """Close the numbers up, chain the records anew and render all files again."""
        numbers: dict[int, int] = {}
        forged: list[Raw] = []
        for record in copy.deepcopy(list(records)):
            numbers[record["seq"]] = record["seq"] = len(forged) + 1
            if record["record"] == "expectation":
                record["upto"] = max(new for old, new in numbers.items() if old <= record["upto"])
            forged.append(record)
        return self.put(lines(forged))

    def put(self, data: Iterable[bytes]) -> "Forged":
        """Put lines in the place of the history, and render all files again."""
        history = self.folder / "history.ndjson"
        history.write_bytes(b"".join(data))
        report = build(history, self.catalogue, ())
        write.write(report, self.folder, history)
        return Forged(self, report)


@dataclass(frozen=True)
class Forged:
    """A run's folder that was forged."""

    of: Evidence
    report: Report

    def told(self, head: str | None = None) -> list[str]:
        """Return all that speaks against it, by what `check` says and by the gate."""
        recomputed = check(self.of.folder, self.of.catalogue, (), head=head)
        against = list(self.report.gate.reasons) if self.report.gate.exit else []
        return [*recomputed.differences, *self.report.history_faults, *against]

    def verdict(self) -> str:
        """Return the verdict on the requirement."""
        result = self.report.find(ID)
        assert result is not None
        return result.verdict


def run(folder: Path, last: int) -> Path:
    """Run a house of three cases, of which the last one gets this status; returns its folder."""
    folder.mkdir()
    house.build(folder, TESTS.replace("{last}", str(last)))
    file = folder / "suites" / "catalogue" / "eventing.toml"
    one, two = file.read_text(encoding="utf-8").split("[[requirement]]")[1:]
    file.write_text("[[requirement]]" + one.replace("cases = 1", "cases = 3"), encoding="utf-8")
    mutants = folder / "suites" / "catalogue" / "mutants.toml"
    mutants.write_text("[[mutant]]" + mutants.read_text(encoding="utf-8").split("[[mutant]]")[1], encoding="utf-8")
    assert two
    result = run_pytest(folder, "suites", "--target", "fake", "-p", "no:cacheprovider", "-n0")
    result.assert_outcomes(passed=3 if last < 300 else 2, failed=0 if last < 300 else 1)
    return folder


def scopes(records: Iterable[Raw]) -> list[str]:
    """Return the scopes of the tests, in their order."""
    return [record["scope"] for record in records if record["record"] == "test.started"]


def without(records: Iterable[Raw], scope: str) -> list[Raw]:
    """Return the records of all other scopes."""
    return [record for record in records if record["scope"] != scope]


def first(records: Iterable[Raw], kind: str, scope: str) -> Raw:
    """Return the first record of a kind in a scope."""
    return next(record for record in records if record["record"] == kind and record["scope"] == scope)
