"""A run's history as a file: its beginning and end, its digest, its faults, single records of it.

Not the judge: verdicts come from `evidence.replay`, by way of `reports.judged`.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from evidence.history import GAP, Record, fault_of
from reports.errors import ReportError
from reports.model import Diagnostics

# What a report links to lies in the run's own folder, whatever a history says.
_FOLDER = re.compile(r"diagnostics/[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*){0,5}")
_MOST_FILES = 500


@dataclass(slots=True)
class Run:
    """What a history file holds, without the traffic."""

    path: Path
    sha256: str
    records: int
    faults: list[str]
    """Why this history cannot be trusted as complete: gaps, unreadable lines, no beginning, no end."""
    started: Record = field(default_factory=dict)
    finished: Record | None = None
    first_t: float = 0.0
    last_t: float = 0.0
    diagnostics: dict[str, Diagnostics] = field(default_factory=dict)
    """By scope."""

    @property
    def name(self) -> str:
        """The run's identity, or its folder's name when the history has no beginning."""
        return str(self.started.get("run") or self.path.parent.name)

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
    """Read what stands around the tests: beginning, end, times, and every fault of the file; in one pass.

    Raises:
        ReportError: There is no such file, or it cannot be read.
    """
    run = Run(path=path, sha256=sha256(path), records=0, faults=[])
    expected = 1
    for number, record in lines(path):
        if isinstance(record, str):
            run.faults.append(record)
            continue
        run.records += 1
        if record["seq"] != expected:
            run.faults.append(f"line {number}: record {expected} is expected here and {record['seq']} stands here")
        expected = record["seq"] + 1
        run.first_t = run.first_t if run.records > 1 else record["t"]
        run.last_t = max(run.last_t, record["t"])
        if record["kind"] == GAP:
            run.faults.append(f"line {number}: records are missing: {record['reason']}")
        elif record["kind"] == "run.started":
            run.started = run.started or record
        elif record["kind"] == "run.finished":
            run.finished = record
        elif record["kind"] == "diagnostics" and (found := _diagnostics(record)):
            run.diagnostics[record["scope"]] = found
    if not run.started:
        run.faults.append("no run.started: its beginning is missing")
    if run.finished is None:
        run.faults.append("no run.finished: the run was cut off")
    return run


def _diagnostics(record: Record) -> Diagnostics | None:
    if not _FOLDER.fullmatch(record["folder"]):
        return None
    names = [file for file in record["files"][:_MOST_FILES] if isinstance(file, str) and _FILE.fullmatch(file)]
    return Diagnostics(record["folder"], tuple(names))


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
