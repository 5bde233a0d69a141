"""One self-contained page of a run: no request leaves it, all that a system under test said is bounded and escaped."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from evidence.history import Record
from reports import diagram, path, redact, run, terminal
from reports.model import Claim, Mutation, Report, Result, Test, Violation

TEMPLATES = Path(__file__).parent / "templates"
MAX_WITNESSES = 8
MAX_VIOLATIONS = 5

MARKS = {
    "pass": "✓",
    "known": "≈",
    "fail": "✗",
    "error": "!",
    "unknown": "?",
    "flaky": "~",
    "not_supported": "○",
    "not_testable": "□",
    "skipped": "-",
}
CLAIMS = {"pass": "Conformant", "fail": "Not conformant", "unknown": "Undecided"}


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record of the history as the page shows it."""

    seq: int
    kind: str
    after: str
    title: str
    headers: list[tuple[str, str]]
    body: str


@dataclass(frozen=True, slots=True)
class ViolationView:
    """A violation with its witness and the paths of the events that it is about."""

    check: str
    verdict: str
    message: str
    where: str
    witness: list[RecordView]
    more_witness: int
    diagrams: list[Markup]


@dataclass(frozen=True, slots=True)
class TestView:
    """A test as the page shows it."""

    test: Test
    reason: str
    violations: list[ViolationView]
    more: int
    figures: list[tuple[str, list[tuple[str, str]]]]


def render(report: Report, history: Path) -> str:
    """The page's text.

    Args:
        report: What to show.
        history: The run's history, for witnesses and paths.

    Raises:
        ReportError: The history cannot be read.
    """
    evidence = _Evidence(report, history)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            marks=MARKS,
            claims=CLAIMS,
            mark_of=terminal.mark_of,
            troubled=[
                r
                for r in report.results
                if r.verdict in ("fail", "flaky", "error", "unknown") and not r.excused and r.tests
            ],
            excused=[result for result in report.results if result.excused],
            gone=[result for result in report.results if result.gone],
            keys=[key for key in MARKS if any(terminal.mark_of(result) == key for result in report.results)],
            mark_counts={key: sum(terminal.mark_of(result) == key for result in report.results) for key in MARKS},
            tests_of=evidence.tests_of,
            share=_share,
            matrices=[] if report.mutation is None else list(_matrices(report)),
            asked=any(result.tests for result in report.results),
            css=Markup(_source("report.css")),  # noqa: S704 - our own file
            script=Markup(_source("report.js")),  # noqa: S704 - our own file
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = redact.clean
    environment.filters["one_line"] = redact.one_line
    environment.filters["seconds"] = seconds
    environment.filters["ticks"] = ticks
    environment.filters["commit"] = terminal.commit
    return environment


def _source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def seconds(value: float) -> str:
    """A duration for a reader: `12 ms`, `3.4 s`, `2 min 05 s`."""
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


class _Evidence:
    """Looks up witnesses and paths of all that did not pass, in two passes over the history."""

    def __init__(self, report: Report, history: Path) -> None:
        shown = [claim for test in _not_passed(report) for claim in test.claims if claim.violations]
        seqs = {
            seq
            for claim in shown
            for violation in claim.violations[:MAX_VIOLATIONS]
            for seq in violation.witness[:MAX_WITNESSES]
        }
        self._records = run.records(history, seqs) if seqs else {}
        self._subjects = {id(claim): path.subjects(claim.args) for claim in shown[: path.MAX_PATHS]}
        self._paths = path.trace(history, self._subjects.values()) if shown else {}

    def tests_of(self, result: Result) -> list[TestView]:
        return [self._test(test) for test in result.tests]

    def _test(self, test: Test) -> TestView:
        pairs = [(claim, violation) for claim in test.claims for violation in claim.violations]
        drawn: set[object] = set()
        return TestView(
            test=test,
            reason="" if pairs else redact.clean(test.reason),
            violations=[self._violation(test, claim, violation, drawn) for claim, violation in pairs[:MAX_VIOLATIONS]],
            more=max(0, len(pairs) - MAX_VIOLATIONS),
            figures=[
                (claim.check, [(redact.one_line(name, 60), _figure(value)) for name, value in claim.figures.items()])
                for claim in test.claims
                if claim.figures
            ],
        )

    def _violation(self, test: Test, claim: Claim, violation: Violation, drawn: set[object]) -> ViolationView:
        shown = violation.witness[:MAX_WITNESSES]
        return ViolationView(
            check=claim.check,
            verdict=claim.verdict,
            message=redact.clean(violation.message),
            where=redact.clean(violation.where),
            witness=[view(self._records[seq], test.started) for seq in shown if seq in self._records],
            more_witness=len(violation.witness) - len(shown),
            diagrams=list(self._diagrams(claim, violation, drawn)),
        )

    def _diagrams(self, claim: Claim, violation: Violation, drawn: set[object]) -> Iterable[Markup]:
        subjects = self._subjects.get(id(claim))
        keys = sorted(subjects.events) + sorted(subjects.sends | subjects.produces) if subjects else []
        found = [(key, self._paths[key]) for key in keys if key in self._paths and key not in drawn]
        witness = frozenset(violation.witness)
        # A claim may name fifty events: those that the witness touches come first, and two are enough to read.
        found.sort(key=lambda item: not any(hop.seq in witness for hop in item[1].hops))
        for key, event_path in found[:2]:
            drawn.add(key)
            yield Markup(diagram.svg(event_path, witness))  # noqa: S704 - diagram.svg escapes every text


def _not_passed(report: Report) -> Iterable[Test]:
    return (test for result in report.results for test in result.tests if test.verdict != "pass")


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else redact.one_line(value, 120)


def view(record: Record, begin: float) -> RecordView:
    """One record for showing: the facts of its kind in a line, headers without secrets, the body bounded."""
    get = record.get
    kind = str(record["kind"])
    titles: dict[str, str] = {
        "sent": f"{get('method')} {get('url')}",
        "answered": f"HTTP {get('status')}" if get("status") is not None else f"no answer: {get('error')}",
        "received": f"{get('method')} {get('path')} at {get('sink')}",
        "replied": f"HTTP {get('status')} to {get('receive')}",
        "record": f"{get('topic')}[{get('partition')}]@{get('offset')} key {get('key')!r}",
        "produced": f"{get('topic')}[{get('partition')}]@{get('offset')} key {get('key')!r} {get('error') or ''}",
        "offsets": f"group {get('group')} of {get('topic')}: committed {get('committed')}, end {get('end')}",
        "object": f"{get('verb')} {get('kind_')} {get('namespace')}/{get('name')}: {get('code')} {get('reason') or ''}",
        "load": f"{get('stage') or ''} at {get('rate')}/s, {len(get('samples') or ())} samples",
    }
    content = get("value") if kind in ("record", "produced") else get("body")
    shown = redact.body(content) if isinstance(content, str) else redact.clean(get("message") or "")
    return RecordView(
        seq=record["seq"],
        kind=kind,
        after=f"{(float(get('t') or begin) - begin) * 1000:+.1f} ms",
        title=redact.one_line(titles.get(kind, kind)),
        headers=redact.headers(get("headers")) if isinstance(get("headers"), list) else [],
        body=shown,
    )


def _matrices(report: Report) -> Iterable[dict[str, Any]]:
    """The kill matrix cut by area: one small grid each is readable where one of everything is not."""
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
