"""A run's history as a file: its beginning and end, its digest, its faults, single records of it.

Not the judge: verdicts come from `evidence.replay`, by way of `reports.from_replay`.
"""

import re
from collections.abc import Collection as Numbers
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from common.errors import UsageError
from evidence import history, history_file
from evidence.chain import Chain
from evidence.collection import Collection
from evidence.records import GAP, BaselineCompared, DiagnosticsTaken, JudgedRecord, Record, RunFinished, RunStarted
from reports.errors import ReportError
from reports.model import Diagnostics

# What a report links to lies in the run's own folder, whatever a history says.
_FOLDER = re.compile(r"diagnostics/[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*){0,5}")
_MOST_FILES = 500
MOST_FAULTS = 1000


FaultKind: TypeAlias = Literal["chain", "sequence", "probe", "run", "collection"]
"""What a fault is about: digests, numbers, the process that writes, beginning and end, or what was collected."""


class Fault(NamedTuple):
    """Why a history cannot be trusted as complete: a gap, an unreadable line, no beginning, no end.

    Attributes:
        kind: The thing that it is about.
        text: The fault, in a sentence that names the line.
    """

    kind: FaultKind
    text: str


@dataclass(slots=True)
class RecordedRun:
    """What a history file holds, without the traffic."""

    path: Path
    sha256: str
    records: int = 0
    found: list[Fault] = field(default_factory=list)
    """The faults, those beyond `MOST_FAULTS` left out."""
    unnamed: int = 0
    """How many were left out."""
    started: RunStarted | None = None
    finished: RunFinished | None = None
    head: str = ""
    """The digest of the last record: what can be published, so that nobody exchanges the history."""
    baseline: BaselineCompared | None = None
    """What looked worse than in an earlier run, where the run was held against one."""
    first_t: float = 0.0
    last_t: float = 0.0
    diagnostics: dict[str, Diagnostics] = field(default_factory=dict)
    """By scope."""
    collection: Collection = field(default_factory=Collection)
    expectations: list[JudgedRecord] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The run's identity, or its folder's name when the history has no beginning."""
        return self.started["run"] if self.started else self.path.parent.name

    @property
    def duration(self) -> float:
        """Seconds from the first to the last record."""
        return max(0.0, self.last_t - self.first_t)

    @property
    def faults(self) -> list[str]:
        """Why this history cannot be trusted as complete, in sentences."""
        more = [f"and {self.unnamed} more faults"] if self.unnamed else []
        return [*(fault.text for fault in self.found), *more]

    def fault(self, kind: FaultKind, text: str) -> None:
        """Note a fault."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(Fault(kind, text))
        else:
            self.unnamed += 1


def history_of(run: Path) -> Path:
    """Return the history of a run, which is given by its folder or by the history itself.

    Raises:
        UsageError: There is none.
    """
    if run.is_file():
        return run
    if not run.is_dir():
        raise UsageError(f"{run} is no folder; a run's folder or its history is expected, like reports/out/latest")
    found = history_file.in_folder(run)
    if found is None:
        raise UsageError(f"{run} is no run: it holds no {' and no '.join(history_file.NAMES)}")
    return found


def records(path: Path) -> Iterator[Record]:
    """Every record of a history, whatever its number: some may be missing or stand twice, and the last one be cut off.

    Unlike `evidence.history.read` it goes on then, so that the history of a run that was killed can still be shown.

    Raises:
        ReportError: There is no such file, it cannot be read, or one of its lines is no record.
    """
    return (record for _, record in lines(path) if record is not None)


def lines(path: Path) -> Iterator[tuple[int, Record | None]]:
    """As `records`, with the numbers of the lines; None for one that is cut off.

    Raises:
        ReportError: As `records`.
    """
    return ((number, record) for number, record, _ in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, Record | None, bytes]]:
    parser = history.Parser(str(path))
    try:
        for number, line in enumerate(history_file.lines(path), start=1):
            try:
                yield number, parser.record(line, number), line
            except history.HistoryTruncatedError:
                yield number, None, line  # only a last line can be without its end
    except history.HistoryError as error:
        raise ReportError(str(error)) from error


def read(path: Path) -> RecordedRun:
    """Read what stands around the tests, every expectation, and every fault of the file; in one pass.

    Raises:
        ReportError: There is no such file, or it cannot be read.
    """
    run = RecordedRun(path=path, sha256=sha256(path))
    expected, chain = 1, Chain()
    for number, record, line in _lines(path):
        if record is None:
            run.fault("sequence", f"line {number}: the line is cut off")
            continue
        run.records += 1
        if (fault := chain.fault(line)) is not None:
            run.fault("chain", f"line {number}: record {record['seq']}: {fault}")
        if record["seq"] != expected:
            told = f"record {expected} is expected here and {record['seq']} stands here"
            run.fault("sequence", f"line {number}: {told}")
        expected = record["seq"] + 1
        t = float(record["t"])
        run.first_t, run.last_t = (t, t) if run.records == 1 else (run.first_t, max(run.last_t, t))
        _note(run, number, record)
    run.head = chain.head
    if not run.started:
        run.fault("run", "no run.started: its beginning is missing")
    if run.finished is None:
        run.fault("run", "no run.finished: the run was cut off")
    if fault := run.collection.fault():
        run.fault("collection", fault)
    return run


def _note(run: RecordedRun, number: int, record: Record) -> None:
    """Note what a record says of the run as a whole."""
    if record["record"] == GAP:
        run.fault("probe", f"line {number}: records are missing: {record['reason']}")
    elif record["record"] == "run.started":
        if run.started:
            run.fault("run", f"line {number}: a second run.started: the history of another run stands here")
        run.started = run.started or record
    elif record["record"] == "run.finished":
        run.finished = record
    elif record["record"] == "baseline":
        if run.baseline:
            run.fault("run", f"line {number}: a second record of what looks worse than in an earlier run")
        run.baseline = run.baseline or record
    elif record["record"] == "collection" or record["record"] == "collected":
        run.collection.feed(record)
    elif record["record"] == "expectation":
        run.expectations.append(record)
    elif record["record"] == "diagnostics" and (diagnostics := _diagnostics(record)):
        run.diagnostics[record["scope"]] = diagnostics


def _diagnostics(record: DiagnosticsTaken) -> Diagnostics | None:
    if not _FOLDER.fullmatch(record["folder"]):
        return None
    names = [file for file in record["files"][:_MOST_FILES] if isinstance(file, str) and _FILE.fullmatch(file)]
    return Diagnostics(record["folder"], tuple(names))


def keeping(path: Path, seqs: Numbers[int], kept: dict[int, Record]) -> Iterator[Record]:
    """Yield every record of a history, and keep some on the way: who needs both reads the file once.

    Args:
        path: The history.
        seqs: The numbers of the records to keep.
        kept: The table of the kept records, by number; it is filled.

    Raises:
        ReportError: As `records`.
    """
    for record in records(path):
        if record["seq"] in seqs:
            kept[record["seq"]] = record
        yield record


def sha256(path: Path) -> str:
    """Return the digest of the history's bytes in hex; of a packed one, of what it unpacks to.

    Raises:
        ReportError: There is no such file, or it cannot be read.
    """
    try:
        return history_file.sha256(path)
    except history.HistoryError as error:
        raise ReportError(str(error)) from error
