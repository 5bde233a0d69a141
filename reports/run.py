"""A run as its history tells it: what was started, which tests ran, what each claimed. Structure only.

Not the judge: verdicts come from `evidence.replay`, and `reports.judged` joins the two.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from evidence.history import fault_of
from reports.errors import ReportError

Record = Mapping[str, Any]


@dataclass(slots=True)
class TestRun:
    """One test in one scope: what it was, how pytest saw it end, and the seqs of what it claimed."""

    scope: str
    node: str
    mutant: str | None
    requirements: tuple[str, ...]
    started: float
    """Seconds on the probe's clock."""
    outcome: str = "unfinished"
    reason: str = ""
    duration: float = 0.0
    expectations: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """What a history file holds, without the traffic."""

    path: Path
    sha256: str
    records: int
    faults: list[str]
    """Why this history cannot be trusted as complete: gaps, unreadable lines, tests that never ended."""
    started: Record = field(default_factory=dict)
    finished: Record | None = None
    tests: list[TestRun] = field(default_factory=list)
    first_t: float = 0.0
    last_t: float = 0.0

    @property
    def name(self) -> str:
        """The run's identity, or its folder's name when the history has no beginning."""
        return str(self.started.get("run") or self.path.parent.name)

    @property
    def prove(self) -> bool:
        """Whether mutants were part of the run."""
        return any(test.mutant for test in self.tests)

    @property
    def duration(self) -> float:
        """Seconds from the first to the last record."""
        return max(0.0, self.last_t - self.first_t)


def lines(path: Path) -> Iterator[tuple[int, Record | str]]:
    """Every line of a history with its number: the record, or what is wrong with the line.

    Unlike `evidence.history.read` it goes on after a fault, so that a damaged history can still be shown.

    Raises:
        ReportError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                try:
                    record = orjson.loads(raw)
                except orjson.JSONDecodeError as error:
                    yield number, f"line {number} is no JSON: {error}"
                    continue
                seq = record.get("seq") if isinstance(record, dict) else None
                fault = fault_of(record, seq if isinstance(seq, int) else number)
                yield number, record if fault is None else f"line {number} {fault}"
    except OSError as error:
        raise ReportError(f"cannot read the history {path}: {error.strerror}") from error


def read(path: Path) -> Run:
    """Read a history's structure in one pass; memory grows with tests and expectations, not with traffic.

    Raises:
        ReportError: There is no such file, or it cannot be read.
    """
    run = Run(path=path, sha256=sha256(path), records=0, faults=[])
    open_tests: dict[str, TestRun] = {}
    expected_seq = 1
    for number, record in lines(path):
        if isinstance(record, str):
            run.faults.append(record)
            continue
        run.records += 1
        if record["seq"] != expected_seq:
            run.faults.append(f"line {number}: record {expected_seq} is expected here and {record['seq']} stands here")
        expected_seq = record["seq"] + 1
        _take(run, open_tests, record)
    run.faults += [f"test {test.node} began and never ended" for test in open_tests.values()]
    if not run.started:
        run.faults.append("the history has no run.started")
    if run.finished is None:
        run.faults.append("the history has no run.finished: the run was cut off")
    return run


def _take(run: Run, open_tests: dict[str, TestRun], record: Record) -> None:
    if isinstance(record.get("t"), int | float):
        run.first_t = run.first_t or record["t"]
        run.last_t = max(run.last_t, record["t"])
    scope = str(record.get("scope", ""))
    match record["kind"]:
        case "run.started":
            run.started = run.started or record
        case "run.finished":
            run.finished = record
        case "test.started":
            test = TestRun(
                scope=scope,
                node=str(record.get("test", "")),
                mutant=record.get("mutant"),
                requirements=tuple(record.get("requirements") or ()),
                started=float(record.get("t") or 0.0),
            )
            run.tests.append(test)
            open_tests[scope] = test
        case "test.finished" if scope in open_tests:
            test = open_tests.pop(scope)
            test.outcome = str(record.get("outcome", "error"))
            test.reason = str(record.get("reason") or "")
            test.duration = float(record.get("duration") or 0.0)
        case "test.finished":
            run.faults.append(f"record {record['seq']}: a test ended in scope {scope!r} that had not begun")
        case "expectation" if scope in open_tests:
            open_tests[scope].expectations.append(record)
        case _:
            pass


def records(path: Path, seqs: Collection[int]) -> dict[int, Record]:
    """The records of these seqs, for showing witnesses."""
    wanted = set(seqs)
    return {
        record["seq"]: record for _, record in lines(path) if not isinstance(record, str) and record["seq"] in wanted
    }


def sha256(path: Path) -> str:
    """The file's digest in hex.

    Raises:
        ReportError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
