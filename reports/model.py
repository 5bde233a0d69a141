"""The conformance report as data: what `report.json` says, typed, and how it becomes JSON.

No judging here (`evidence` does that) and no counting of exit codes (`reports.gate`); `reports.build` fills it in.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema

from reports.errors import ReportError

API_VERSION = "touchstone/v1"
KIND = "ConformanceReport"
SCHEMA = Path(__file__).parent / "schema" / "report.schema.json"

VERDICTS = ("pass", "fail", "error", "unknown", "flaky", "not_supported", "not_testable", "skipped")
"""Every verdict, in the order in which tables count them."""

Exit = Literal[0, 1, 2, 3]


@dataclass(frozen=True, slots=True)
class Known:
    """A documented failure of exact versions of one part of the system under test."""

    requirement: str
    sut: str
    versions: tuple[str, ...]
    summary: str
    source: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a check failed: the message, the seqs of the records that prove it, and where the event was last seen."""

    message: str
    witness: tuple[int, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One expectation, judged again from the history."""

    id: str
    check: str
    args: Mapping[str, Any]
    seq: int
    t: float
    """Seconds on the probe's clock when it was recorded."""
    verdict: str
    recorded: str
    """The verdict that the run itself wrote down."""
    violations: tuple[Violation, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Measurements worth reporting, like percentiles."""


@dataclass(frozen=True, slots=True)
class Test:
    """One run of a test."""

    __test__ = False  # pytest: the name means a run of a test

    node: str
    scope: str
    mutant: str | None
    requirements: tuple[str, ...]
    outcome: str
    verdict: str
    reason: str
    duration: float
    started: float
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one requirement of the catalogue."""

    id: str
    level: str
    profile: str
    area: str
    text: str
    source: str
    url: str | None
    verdict: str
    reason: str
    tests: tuple[Test, ...]
    known: Known | None
    """The known nonconformity that applies to this run's versions, whether it showed or not."""

    @property
    def duration(self) -> float:
        """Seconds that its tests took, added."""
        return sum(test.duration for test in self.tests)

    @property
    def excused(self) -> bool:
        """It failed, and that is documented for this very version."""
        return self.known is not None and self.verdict == "fail"

    @property
    def gone(self) -> bool:
        """A documented failure that did not show: it passed."""
        return self.known is not None and self.verdict == "pass"


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts counted over a group of requirements."""

    name: str
    verdict: str
    """What may be claimed for the group: pass, fail or unknown, over its MUSTs (over everything where it has none)."""
    counts: Mapping[str, int]
    known: int

    @property
    def total(self) -> int:
        """How many requirements the group has."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of the kill matrix: what a requirement's tests said under a mutant."""

    requirement: str
    verdict: str
    expected: bool
    """Whether the catalogue says that this mutant must be caught here."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MutantRow:
    """What became of one mutant: killed, survived, undecided or not run."""

    name: str
    host: str
    about: str
    source: str
    status: str
    cells: tuple[Cell, ...]

    @property
    def killers(self) -> tuple[str, ...]:
        """The requirements whose tests failed under it, as they must."""
        return tuple(cell.requirement for cell in self.cells if cell.expected and cell.verdict == "fail")

    @property
    def missed(self) -> tuple[str, ...]:
        """The requirements that must catch it and did not (whatever they said instead of fail)."""
        return tuple(cell.requirement for cell in self.cells if cell.expected and cell.verdict != "fail")

    @property
    def false_kills(self) -> tuple[str, ...]:
        """The requirements that failed and should not have."""
        return tuple(cell.requirement for cell in self.cells if not cell.expected and cell.verdict == "fail")


@dataclass(frozen=True, slots=True)
class Mutation:
    """The kill matrix of a prove run."""

    mutants: tuple[MutantRow, ...]
    unproven: tuple[str, ...]
    """MUST and MUST NOT requirements that no mutant of this run killed."""
    complete: bool
    """Whether every mutant of the catalogue was part of the run."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the run ended as the gate expects, and why."""

    name: str
    exit: Exit
    outcome: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that `report.json` says."""

    run: str
    reason: str
    started: str | None
    finished: str | None
    duration: float
    suite: Mapping[str, Any]
    catalogue_sha256: str
    target: Mapping[str, Any]
    sut: Mapping[str, str]
    selection: Mapping[str, Any]
    gate: Gate
    results: tuple[Result, ...]
    profiles: tuple[Tally, ...]
    areas: tuple[Tally, ...]
    overall: Tally
    mutation: Mutation | None
    history_sha256: str
    history_records: int
    history_faults: tuple[str, ...]
    first_t: float = 0.0
    """The first record on the probe's clock, for placing tests in time."""
    mutant_tests: tuple[Test, ...] = ()
    """Tests that ran against a mutant; they never count towards `results`."""

    def find(self, requirement: str) -> Result | None:
        """The result of one requirement id."""
        return next((result for result in self.results if result.id == requirement), None)


def to_json(report: Report) -> dict[str, Any]:
    """The report as its JSON document, keys in reading order, seconds rounded to milliseconds."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "run": {
            "id": report.run,
            "reason": report.reason,
            "started": report.started,
            "finished": report.finished,
            "duration": round(report.duration, 3),
        },
        "suite": {
            **report.suite,
            "catalogue": {"requirements": len(report.results), "sha256": report.catalogue_sha256},
        },
        "target": dict(report.target),
        "sut": dict(report.sut),
        "selection": dict(report.selection),
        "gate": {
            "name": report.gate.name,
            "outcome": report.gate.outcome,
            "exit": report.gate.exit,
            "reasons": list(report.gate.reasons),
        },
        "summary": {
            **_tally(report.overall),
            "profiles": {tally.name: _tally(tally) for tally in report.profiles},
            "areas": {tally.name: _tally(tally) for tally in report.areas},
        },
        "results": [_result(result) for result in report.results],
        "mutation": None if report.mutation is None else mutation_json(report.mutation),
        "history": {
            "file": "history.ndjson",
            "sha256": report.history_sha256,
            "records": report.history_records,
            "faults": list(report.history_faults),
        },
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {"verdict": tally.verdict, "total": tally.total, "known": tally.known, "counts": dict(tally.counts)}


def _result(result: Result) -> dict[str, Any]:
    known = result.known
    return {
        "id": result.id,
        "level": result.level,
        "profile": result.profile,
        "area": result.area,
        "text": result.text,
        "source": result.source,
        "verdict": result.verdict,
        "reason": result.reason,
        "duration": round(result.duration, 3),
        "tests": [_test(test) for test in result.tests],
        "known": None
        if known is None
        else {
            "sut": known.sut,
            "versions": list(known.versions),
            "summary": known.summary,
            "source": known.source,
            "status": "gone" if result.gone else "seen" if result.excused else "undecided",
        },
    }


def _test(test: Test) -> dict[str, Any]:
    return {
        "id": test.node,
        "scope": test.scope,
        "outcome": test.outcome,
        "verdict": test.verdict,
        "reason": test.reason,
        "duration": round(test.duration, 3),
        "expectations": len(test.claims),
        "figures": [{"check": claim.check, **claim.figures} for claim in test.claims if claim.figures],
    }


def mutation_json(mutation: Mutation) -> dict[str, Any]:
    """The kill matrix as JSON, as `matrix.json` and the report's `mutation` hold it."""
    return {
        "complete": mutation.complete,
        "counts": {
            status: sum(row.status == status for row in mutation.mutants)
            for status in ("killed", "survived", "undecided", "not_run")
        },
        "unproven": list(mutation.unproven),
        "mutants": [
            {
                "name": row.name,
                "host": row.host,
                "status": row.status,
                "killers": list(row.killers),
                "missed": list(row.missed),
                "falseKills": list(row.false_kills),
                "about": row.about,
                "source": row.source,
                "cells": {cell.requirement: {"verdict": cell.verdict, "expected": cell.expected} for cell in row.cells},
            }
            for row in mutation.mutants
        ],
    }


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def validate(document: Any) -> None:
    """Hold a document against the report's JSON Schema.

    Raises:
        ReportError: It does not fit; the message names the first few places.
    """
    faults = sorted(_validator().iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    if faults:
        told = "; ".join(f"{fault.json_path}: {fault.message[:200]}" for fault in faults[:5])
        raise ReportError(f"the report does not fit {SCHEMA.name}: {told}")


def dump(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON text as all our files have it: indented, in the given key order, with a line end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
