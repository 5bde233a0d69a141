"""One self-contained page of a run: no request leaves it, all that a system under test said is bounded and escaped."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from common.redaction import PLAIN
from evidence.catalogue import OURS
from evidence.saboteur import Status
from reports import allowances, loads, picture, terminal
from reports.model import Mutation, Report, Result
from reports.views import Evidence

RUN_DIAGNOSTICS = "diagnostics/run/summary.md"
TEMPLATES = Path(__file__).parent / "templates"

MARKS = {
    "pass": "✓",
    "known": "≈",
    "waived": "⊘",
    "fail": "✗",
    "error": "!",
    "unknown": "?",
    "flaky": "~",
    "not_supported": "○",
    "not_testable": "□",
    "skipped": "-",
}
PROOFS = {"offsets": "committed offsets", "order": "a later event in order", "fence": "a fence"}
SABOTAGE_MARKS = {
    Status.FOUND: "pass",
    Status.MISSED: "fail",
    Status.MISTAKEN: "fail",
    Status.UNDECIDED: "unknown",
    Status.NOT_TESTABLE: "not_testable",
}
REPEATED_MARKS = {"seen": "fail", "flaky": "flaky", "gone": "pass", "undecided": "unknown"}
CLAIMS = {"pass": "Conformant", "fail": "Not conformant", "unknown": "Undecided"}


def render(report: Report, history: Path) -> str:
    """Return the page's text.

    Args:
        report: What to show.
        history: The run's history, for witnesses and paths.

    Raises:
        ReportError: The history cannot be read.
    """
    evidence = Evidence(report, history)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            marks=MARKS,
            ours=OURS,
            claims=CLAIMS,
            proofs=PROOFS,
            sabotage_marks=SABOTAGE_MARKS,
            repeated_marks=REPEATED_MARKS,
            mark_of=terminal.mark_of,
            troubled=[
                r
                for r in report.results
                if r.verdict in ("fail", "flaky", "error", "unknown") and not r.excuse and r.tests
            ],
            excused=[result for result in report.results if result.excused],
            waived=[result for result in report.results if result.waived],
            allowance_titles=allowances.TITLES,
            allowance_words=allowances.WORDS,
            marked=_marked(report),
            glance=_glance(report),
            left_out=[tally.name for tally in report.areas if tally.is_left_out],
            gone=[result for result in report.results if result.gone],
            keys=[key for key in MARKS if any(terminal.mark_of(result) == key for result in report.results)],
            mark_counts={key: sum(terminal.mark_of(result) == key for result in report.results) for key in MARKS},
            loads=loads.views(report),
            views=evidence.views,
            share=_share,
            picture="" if report.mutation is None else Markup(picture.svg(report.mutation, report.results)),  # noqa: S704 - it escapes every text
            signs=[(Markup(picture.legend(shape)), word) for shape, word in picture.WORDS.items()],  # noqa: S704 - likewise
            matrices=[] if report.mutation is None else list(_matrices(report)),
            asked=any(result.tests for result in report.results),
            run_diagnostics=RUN_DIAGNOSTICS if (history.parent / RUN_DIAGNOSTICS).is_file() else "",
            css=Markup(source("report.css") + source("loads.css")),  # noqa: S704 - our own files
            script=Markup(source("report.js")),  # noqa: S704 - our own file
        )
    )


@cache
def environment() -> jinja2.Environment:
    """Return what fills templates in: every text that they show is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["clean"] = PLAIN.clean
    made.filters["one_line"] = PLAIN.one_line
    made.filters["seconds"] = seconds
    made.filters["ticks"] = ticks
    made.filters["commit"] = terminal.commit
    return made


def source(name: str) -> str:
    """Return one of our own files, to be put into a page."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def seconds(value: float) -> str:
    """Return a duration for a reader: `12 ms`, `3.4 s`, `2 min 05 s`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{int(value // 60)} min {int(value % 60):02d} s"


def ticks(text: str) -> Markup:
    """Text with `quoted` words set as code; everything is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3f}" if whole else "0"


def _marked(report: Report) -> dict[tuple[str, str], int]:
    """Count the requirements by profile and mark."""
    return Counter((result.profile, terminal.mark_of(result)) for result in report.results)


def _glance(report: Report) -> dict[str, dict[str, list[Result]]]:
    """Return the results by area and by group, in the order of the catalogue."""
    found: dict[str, dict[str, list[Result]]] = {}
    for result in report.results:
        found.setdefault(result.area, {}).setdefault(result.id.rpartition("-")[0], []).append(result)
    return found


def _matrices(report: Report) -> Iterable[dict[str, Any]]:
    """Yield the kill matrix cut by area: one small grid each is readable where one of everything is not."""
    mutation: Mutation | None = report.mutation
    if mutation is None:
        return
    for tally in report.areas:
        columns = [result for result in report.results if result.area == tally.name]
        ids = {result.id for result in columns}
        rows = [
            (row, {cell.requirement: cell for cell in row.cells})
            for row in mutation.mutants
            if any(cell.requirement in ids for cell in row.cells)
        ]
        columns = [result for result in columns if any(result.id in cells for _, cells in rows)]
        if rows:
            yield {"area": tally.name, "columns": columns, "rows": rows}
