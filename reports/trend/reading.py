"""Reads what a trend needs of one report.json, and forgets the rest: hundreds of runs fit into memory.

A report is hostile input. It is not held against the whole schema, which would take minutes for hundreds of runs: each
field that is used is looked at, and anything else is passed over.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from common.redaction import PLAIN
from reports import written
from reports.build import is_unreleased
from reports.compare import environment
from reports.document import API_VERSION, KIND
from reports.errors import ReportError
from reports.model import VERDICTS
from reports.trend.model import ReadRun, StageKey

MOST_REPORT: Final = 64 << 20
MOST_RESULTS: Final = 5000
MOST_STAGES: Final = 100
MOST_SECONDS: Final = 1e9
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")


def read(folder: Path) -> ReadRun:
    """Read a run's report.

    Args:
        folder: The run's folder.

    Raises:
        OfMutantsError: It is the report of a run under mutants.
        ReportError: It cannot be read, or is no report; the message names the file and the field.
    """
    path = folder / written.NAME
    document = written.load(path, MOST_REPORT)
    try:
        return _read(folder, document)
    except OfMutantsError as error:
        raise OfMutantsError(f"{path}: {error}") from error
    except _FieldError as error:
        raise ReportError(f"{path}: {error}") from error


class OfMutantsError(ReportError):
    """The run asked mutants: its report is sound, and says nothing of one system."""


class _FieldError(ValueError):
    """A field is not as a report has it."""


def _read(folder: Path, document: Any) -> ReadRun:
    report = _object("", document)
    if report.get("apiVersion") != API_VERSION or report.get("kind") != KIND:
        raise _FieldError(f"expected a report of kind {KIND} of {API_VERSION}, got another document")
    run, suite = _object("run", report.get("run")), _object("suite", report.get("suite"))
    selection, gate = _object("selection", report.get("selection")), _object("gate", report.get("gate"))
    catalogue = _object("suite.catalogue", suite.get("catalogue"))
    if report.get("mutation") is not None or is_unreleased(selection):
        raise OfMutantsError(
            "expected a run of a released system, got one under mutants, or of conforming entry points"
        )
    results = [_object(f"results[{n}]", result) for n, result in enumerate(_list("results", report.get("results")))]
    if len(results) > MOST_RESULTS:
        raise _FieldError(f"results: expected at most {MOST_RESULTS}, got {len(results)}")
    known, waived = (_forgiven(report.get("allowances"), kind) for kind in ("known", "waiver"))
    started = _text("run.started", run.get("started"), 60)
    marks: dict[str, str] = {}
    about: dict[str, tuple[str, str, str, str]] = {}
    stages: dict[StageKey, float | None] = {}
    for n, result in enumerate(results):
        id_ = _text(f"results[{n}].id", result.get("id"), 100)
        if not _ID.fullmatch(id_) or id_ in marks:
            raise _FieldError(f"results[{n}].id: expected an id that stands once, got {id_!r}")
        marks[sys.intern(id_)] = _mark(n, result, known, waived)
        level, profile, area = (
            sys.intern(_text(f"results[{n}].{name}", result.get(name), 100)) for name in ("level", "profile", "area")
        )
        about[sys.intern(id_)] = (
            level,
            profile,
            area,
            sys.intern(_text(f"results[{n}].text", result.get("text"), 500)),
        )
        stages.update(_stages(id_, result))
    return ReadRun(
        folder=folder,
        name=_text("run.id", run.get("id"), 200),
        started=started,
        order=_seconds(started),
        digest=_text("history.sha256", _object("history", report.get("history")).get("sha256"), 64),
        suite=" ".join(PLAIN.one_line(suite.get(name) or "", 60) for name in ("version", "commit")).strip(),
        catalogue=_text("suite.catalogue.sha256", catalogue.get("sha256"), 64),
        products=environment.facts(_object("sut", report.get("sut"))),
        facts=environment.facts({"target": _object("target", report.get("target"))}),
        outcome=_text("gate.outcome", gate.get("outcome"), 100),
        exit=_exit(gate.get("exit")),
        marks=marks,
        about=about,
        stages=dict(list(stages.items())[:MOST_STAGES]),
    )


def _mark(n: int, result: Mapping[str, Any], known: set[str], waived: set[str]) -> str:
    """Return the mark of a result: its verdict, or `known` or `waived` where its failure is forgiven."""
    verdict = result.get("verdict")
    if verdict not in VERDICTS:
        raise _FieldError(f"results[{n}].verdict: expected one of {', '.join(VERDICTS)}, got {str(verdict)[:60]!r}")
    if verdict != "pass" and result["id"] in waived:
        return "waived"
    if verdict == "fail" and (result.get("known") is not None or result["id"] in known):
        return "known"
    return sys.intern(str(verdict))


def _forgiven(allowances: object, kind: str) -> set[str]:
    """Return the requirements that an operator's entry of a kind forgave."""
    told = [] if allowances is None else _list("allowances.entries", _object("allowances", allowances).get("entries"))
    entries = [_object(f"allowances.entries[{n}]", entry) for n, entry in enumerate(told)]
    seen = [entry for entry in entries if entry.get("kind") == kind and entry.get("status") == "seen"]
    return {_text("allowances.entries.requirement", entry.get("requirement"), 100) for entry in seen}


def _stages(requirement: str, result: Mapping[str, Any]) -> Iterator[tuple[StageKey, float | None]]:
    for test in _list(f"{requirement}.tests", result.get("tests")):
        for figures in _list(f"{requirement}.figures", _object("test", test).get("figures")):
            told = _object(f"{requirement}.figures", figures)
            samples, stage = told.get("samples"), told.get("stage")
            if isinstance(stage, str) and type(samples) is int and "p95" in told:
                yield StageKey(requirement, PLAIN.one_line(stage, 40), samples), _finite(told["p95"])


def _finite(value: object) -> float | None:
    """Return a number of seconds; None for what is none, such as the percentile of requests without an end."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        return None
    return float(value)


def _seconds(started: str) -> float:
    try:
        moment = datetime.fromisoformat(started)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _FieldError(
            f"run.started: expected a time as by ISO 8601, by which runs are ordered, got {started!r}"
        ) from None


def _exit(value: object) -> int:
    if type(value) is not int or value not in (0, 1, 2, 3):
        raise _FieldError(f"gate.exit: expected 0, 1, 2 or 3, got {str(value)[:60]!r}")
    return value


def _object(place: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _FieldError(f"{place or 'the document'}: expected an object, got {type(value).__name__}")
    return value


def _list(place: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _FieldError(f"{place}: expected a list, got {type(value).__name__}")
    return value


def _text(place: str, value: object, most: int) -> str:
    if not isinstance(value, str):
        raise _FieldError(f"{place}: expected a text, got {type(value).__name__}")
    return PLAIN.one_line(value, most)
