"""What the page shows of evidence: tests with their violations, witnesses and paths, looked up in the history once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from common.redaction import PLAIN
from evidence.records import Record
from reports import diagram, path, run
from reports.model import Diagnostics, Report, ReportedExpectation, ReportedViolation, Test

MAX_WITNESSES = 8
MAX_VIOLATIONS = 5


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
    diagnostics: list[tuple[str, list[tuple[str, str]]]]
    """Names and relative links of files, by what they hold; those without a group of their own come first."""


class Evidence:
    """Looks up witnesses and paths of all that did not pass, in one pass over the history."""

    def __init__(self, report: Report, history: Path) -> None:
        shown = [
            expectation for test in _not_passed(report) for expectation in test.expectations if expectation.violations
        ]
        seqs = {
            seq
            for expectation in shown
            for violation in expectation.violations[:MAX_VIOLATIONS]
            for seq in violation.witness[:MAX_WITNESSES]
        }
        self._records: dict[int, Record] = {}
        self._subjects = {id(expectation): path.subjects(expectation.args) for expectation in shown[: path.MAX_PATHS]}
        records = run.keeping(history, seqs, self._records)
        self._paths = path.trace(records, self._subjects.values()) if shown else {}

    def views(self, tests: Iterable[Test]) -> list[TestView]:
        """Return tests as the page shows them."""
        return [self._test(test) for test in tests]

    def _test(self, test: Test) -> TestView:
        pairs = [(expectation, violation) for expectation in test.expectations for violation in expectation.violations]
        drawn: set[object] = set()
        return TestView(
            test=test,
            reason="" if pairs else PLAIN.clean(test.reason),
            violations=[
                self._violation(test, expectation, violation, drawn)
                for expectation, violation in pairs[:MAX_VIOLATIONS]
            ],
            more=max(0, len(pairs) - MAX_VIOLATIONS),
            figures=[
                (
                    expectation.check,
                    [(PLAIN.one_line(name, 60), _figure(name, value)) for name, value in expectation.figures.items()],
                )
                for expectation in test.expectations
                if expectation.figures
            ],
            diagnostics=_links(test.diagnostics),
        )

    def _violation(
        self, test: Test, expectation: ReportedExpectation, violation: ReportedViolation, drawn: set[object]
    ) -> ViolationView:
        shown = violation.witness[:MAX_WITNESSES]
        return ViolationView(
            check=expectation.check,
            verdict=expectation.verdict,
            message=PLAIN.clean(violation.message),
            where=PLAIN.clean(violation.where),
            witness=[view(self._records[seq], test.started) for seq in shown if seq in self._records],
            more_witness=len(violation.witness) - len(shown),
            diagrams=list(self._diagrams(expectation, violation, drawn)),
        )

    def _diagrams(
        self, expectation: ReportedExpectation, violation: ReportedViolation, drawn: set[object]
    ) -> Iterable[Markup]:
        subjects = self._subjects.get(id(expectation))
        keys = sorted(subjects.events) + sorted(subjects.sends | subjects.produces) if subjects else []
        found = [(key, self._paths[key]) for key in keys if key in self._paths and key not in drawn]
        witness = frozenset(violation.witness)
        # An expectation may name fifty events: those that the witness touches come first, and two are enough to read.
        found.sort(key=lambda item: not any(arrow.seq in witness for arrow in item[1].arrows))
        for key, event_path in found[:2]:
            drawn.add(key)
            yield Markup(diagram.svg(event_path, witness))  # noqa: S704 - diagram.svg escapes every text


def _not_passed(report: Report) -> Iterable[Test]:
    yield from (test for result in report.results for test in result.tests if test.verdict != "pass")
    yield from (test for _, _, tests in report.doubts for test in tests)


def _links(diagnostics: Diagnostics | None) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    if diagnostics is not None:
        for file in diagnostics.files:
            first, _, rest = file.partition("/")
            group, name = (first, rest) if rest else ("", first)
            groups.setdefault(group, []).append((name.rpartition(".")[0] or name, f"{diagnostics.folder}/{file}"))
    return list(groups.items())


def _figure(name: str, value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else PLAIN.named(name, value, 120)


def view(record: Record, begin: float) -> RecordView:
    """One record for showing: the facts of its kind in a line, headers without secrets, the body bounded."""
    title, body = _title_and_body(record)
    headers = record.get("headers")
    return RecordView(
        seq=record["seq"],
        kind=record["record"],
        after=f"{(float(record['t'] or begin) - begin) * 1000:+.1f} ms",
        title=PLAIN.one_line(title),
        headers=PLAIN.headers(headers) if isinstance(headers, list) else [],
        body=PLAIN.body(body) if body is not None else PLAIN.clean(record.get("message") or ""),
    )


def _title_and_body(record: Record) -> tuple[str, str | None]:
    """Return the facts of a record in a line, and the body or value that it carries."""
    match record["record"]:
        case "sent":
            return f"{record['method']} {record['url']}", record["body"]
        case "answered":
            known = record["status"] is not None
            return f"HTTP {record['status']}" if known else f"no answer: {record['error']}", record["body"]
        case "grpc.called":
            return f"{record['method']} at {record['target']}", record["message"]
        case "grpc.answered":
            known = record["code"] is not None
            return f"{record['code']} {record['details']}" if known else f"no answer: {record['error']}", record[
                "message"
            ]
        case "received":
            return f"{record['method']} {record['path']} at {record['sink']}", record["body"]
        case "replied":
            return f"HTTP {record['status']} to {record['receive']}", record["body"]
        case "topic.record":
            return f"{record['topic']}[{record['partition']}]@{record['offset']} key {record['key']!r}", record["value"]
        case "produced":
            spot = f"{record['topic']}[{record.get('partition')}]@{record.get('offset')}"
            return f"{spot} key {record['key']!r} {record['error'] or ''}", record["value"]
        case "offsets":
            state = f"committed {record['committed']}, end {record['end']}"
            return f"group {record['group']} of {record['topic']}: {state}", None
        case "object":
            name = f"{record['kind']} {record['namespace']}/{record['name']}"
            return f"{record['verb']} {name}: {record['code']} {record.get('reason') or ''}", None
        case "load":
            return f"{record.get('rate')}/s, {len(record['samples'])} samples", None
        case kind:
            return kind, None
