"""Judges whether a history is one, whole and of one run, and whether the report says what it gives."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from common.redaction import PLAIN
from evidence.records import FORMAT
from reports.verify.model import Finding, History, Submission

SLACK: Final = 60.0
"""Seconds by which the controller's time of day and the probe's may differ: they may be two machines."""
MOST: Final = 20


def readable(submission: Submission) -> Sequence[Finding]:
    """Judge whether the files can be read."""
    expected = {
        "history": f"a history of format {FORMAT}, every line of which is a record",
        "report.json": "a report that fits its schema",
    }
    return [Finding(expected[name], told, name) for name, told in submission.unreadable.items()]


def recomputed(submission: Submission) -> Sequence[Finding]:
    """Judge whether report.json says what the history gives."""
    if submission.checked is None:
        return [Finding("report and history", "one cannot be read, see rule format", "report.json", "not judged")]
    return _findings("what the history gives, computed again", submission.checked.differences, "report.json")


def chain(history: History) -> Sequence[Finding]:
    """Judge whether each digest follows from the record before it."""
    return _findings("a chain of digests without a break", _faults(history, "chain"), "history")


def sequence(history: History) -> Sequence[Finding]:
    """Judge whether a record is foreign or missing."""
    told = [*_faults(history, "sequence"), *_troubles(history, "sequence")]
    return _findings("every number once, in its order", told, "history")


def one_run(history: History) -> Sequence[Finding]:
    """Judge whether all is of one run, from its beginning to its end."""
    told = [*_faults(history, "run"), *_troubles(history, "run"), *history.observations.outside]
    return _findings("one run, from its beginning to its end", told, "history")


def one_clock(history: History) -> Sequence[Finding]:
    """Judge whether one clock was kept, and whether it agrees with the time of day."""
    told = list(_troubles(history, "clock"))
    for where, wall, probe in history.observations.walls:
        by_controller = moment(wall)
        if probe is None:
            told.append(f"{where} has no field wall_t beside it: the probe did not write it")
        elif abs(by_controller.timestamp() - probe) > SLACK:
            by_probe = datetime.fromtimestamp(min(probe, 253370764800), UTC).isoformat(timespec="seconds")
            told.append(f"{where}: {wall} by the controller and {by_probe} by the probe, more than {SLACK:.0f} s apart")
    return _findings("one clock, which agrees with the time of day", told, "history")


def one_probe(history: History) -> Sequence[Finding]:
    """Judge whether one process of the probe wrote all of it."""
    seen = history.observations.instances
    told = [*_faults(history, "probe"), *_troubles(history, "probe"), *history.observations.restarts]
    if len(seen) != 1:
        told.append(f"{len(seen)} processes: {', '.join(seen[:5]) or 'none is named'}")
    return _findings("one process of the probe", told, "history")


def recorded(history: History) -> Sequence[Finding]:
    """Judge whether anything else is told of the history that no honest run leaves."""
    elsewhere = [*(fault.text for fault in history.run.found), *(text for _, text in history.observations.troubles)]
    known = {PLAIN.one_line(text) for text in elsewhere}
    told = [fault for fault in history.report.history_faults if fault not in known]
    return _findings("a history as an honest run leaves it", told, "history")


def moment(wall: str) -> datetime:
    """Return a time of day of the history; one without a zone is UTC."""
    found = datetime.fromisoformat(wall)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _faults(history: History, kind: str) -> list[str]:
    return [fault.text for fault in history.run.found if fault.kind == kind]


def _troubles(history: History, kind: str) -> list[str]:
    return [text for of, text in history.observations.troubles if of == kind]


def _findings(expected: str, told: Iterable[str], where: str) -> list[Finding]:
    texts = list(dict.fromkeys(told))
    more = [f"and {len(texts) - MOST} more"] if len(texts) > MOST else []
    return [Finding(expected, PLAIN.one_line(text, 600), where) for text in [*texts[:MOST], *more]]
