"""`python -m reports badge RUN`: one line with numbers, as a picture and as an endpoint of shields.io.

The numbers are computed from the history, so an edited report.json changes no badge. The same run gives the same bytes.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from common import files
from evidence.catalogue import Catalogue
from reports import build, terminal
from reports.document import dump
from reports.errors import ReportError
from reports.model import Report
from reports.run import history_of

LABEL: Final = "touchstone"
COLORS: Final = {
    "brightgreen": "#4c1",
    "yellowgreen": "#a4a61d",
    "yellow": "#dfb317",
    "red": "#e05d44",
    "lightgrey": "#9f9f9f",
}
"""The colours of a badge, by their names at shields.io."""
_WORDS: Final = {
    "pass": "pass",
    "known": "known",
    "waived": "waived",
    "fail": "fail",
    "flaky": "flaky",
    "error": "error",
    "unknown": "undecided",
    "not_supported": "not supported",
    "not_testable": "not testable",
    "skipped": "left out",
}
_NARROW, _WIDE = frozenset("fijlrt,. 1"), frozenset("mw")


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says: numbers, and the name of its colour."""

    message: str
    color: str


def of_report(report: Report) -> Badge:
    """Return the badge of a run: all numbers that are not zero, and green only where everything passed."""
    marks = [terminal.mark_of(result) for result in report.results]
    counts = {mark: marks.count(mark) for mark in _WORDS}
    total = len(marks)
    is_released = report.mutation is None and not build.is_unreleased(report.selection)
    if not is_released or not any(result.tests for result in report.results):
        return Badge("not judged", "lightgrey")
    if total and counts["pass"] == total:
        message = f"{total} of {total}"
    else:
        message = ", ".join(f"{count} {_WORDS[mark]}" for mark, count in counts.items() if count or mark == "pass")
    return Badge(message, _color(report, passed=bool(total) and counts["pass"] == total))


def _color(report: Report, *, passed: bool) -> str:
    if report.gate.exit == 0:
        return "brightgreen" if passed else "yellowgreen"
    return "red" if report.gate.exit == 1 else "yellow"


def endpoint(badge: Badge) -> dict[str, Any]:
    """Return what shields.io reads from an address (its schema of endpoints, version 1)."""
    return {
        "schemaVersion": 1,
        "label": LABEL,
        "message": badge.message,
        "color": badge.color,
        "isError": badge.color == "red",
    }


def svg(badge: Badge) -> str:
    """Return the picture: flat, in the measures of shields.io, readable without colour and by a screen reader."""
    left, right = _width(LABEL) + 10, _width(badge.message) + 10
    picture = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{told}">'
        "<title>{told}</title>"
        '<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>'
        '<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#555"/>'
        '<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        '<text x="{label_at}" y="14" textLength="{label_length}">{label}</text>'
        '<text x="{message_at}" y="14" textLength="{message_length}">{message}</text></g></svg>\n'
    )
    return picture.format(
        width=left + right,
        left=left,
        right=right,
        told=f"{LABEL}: {badge.message}",
        color=COLORS[badge.color],
        label=LABEL,
        label_at=left / 2,
        label_length=left - 10,
        message=badge.message,
        message_at=left + right / 2,
        message_length=right - 10,
    )


def _width(text: str) -> int:
    """Return about how wide a text is in Verdana of 11 pixels; `textLength` fits it to that."""
    return round(sum(4.2 if letter in _NARROW else 10.2 if letter in _WIDE else 6.9 for letter in text))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder, or its history")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the picture")
    parser.add_argument(
        "--json-endpoint",
        type=Path,
        metavar="FILE",
        help="write what shields.io reads from an address, as its endpoint",
    )
    parser.add_argument("--json", action="store_true", help="print the endpoint's JSON in place of the line")


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Write what was asked for, print the line, and return 0: a badge tells how a run ended, and judges nothing.

    Raises:
        UsageError: The path is no run.
        ReportError: The run cannot be read, or a file cannot be written.
    """
    badge = of_report(build.build(history_of(arguments.run), catalogue))
    if arguments.svg:
        _write(arguments.svg, svg(badge))
    if arguments.json_endpoint:
        _write(arguments.json_endpoint, dump(endpoint(badge)))
    sys.stdout.write(dump(endpoint(badge)) if arguments.json else f"{LABEL}: {badge.message} ({badge.color})\n")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        with files.whole(path, files.SHARED_FILE_MODE) as file:
            file.write(text.encode())
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
