"""Allure results of a run: one for every requirement and test, expectations as steps, labels and a link to the source.

Files as Allure's own model writes them; any `allure generate` reads them. Uuids follow from the run, so the same
history gives the same files.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import attr
from allure_commons.model2 import Attachment, Label, Link, Parameter, StatusDetails, TestResult, TestStepResult

from common.redaction import PLAIN
from reports.document import dump
from reports.model import Report, ReportedExpectation, Result, Test

_STATUS = {
    "pass": "passed",
    "fail": "failed",
    "flaky": "failed",
    "error": "broken",
    "unknown": "broken",
    "skipped": "skipped",
    "not_supported": "skipped",
    "not_testable": "skipped",
}
_SEVERITY = {"MUST": "critical", "MUST NOT": "critical", "SHOULD": "normal", "SHOULD NOT": "normal", "MAY": "minor"}
MOST_ATTACHED = 1 << 20
ATTACHMENT = "-attachment.txt"
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "touchstone/v1/allure")


def write(report: Report, folder: Path) -> int:
    """Write the result files into a folder, which is made.

    Returns:
        How many results were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for result in report.results:
        for test in result.lines:
            item = _result(report, result, test)
            item.attachments = list(_attachments(test, folder, item.uuid))
            (folder / f"{item.uuid}-result.json").write_text(dump(_bare(item)), encoding="utf-8")
            count += 1
    environment = {"target": report.target.get("name", "?"), "suite": report.suite.get("version", "?"), **report.sut}
    lines = (
        f"{PLAIN.one_line(name).replace(' ', '_').replace('=', '_')}={PLAIN.one_line(value)}"
        for name, value in environment.items()
    )
    (folder / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def _result(report: Report, result: Result, test: Test | None) -> TestResult:
    node = test.node if test else ""
    identity = f"{result.id}|{node}"
    begin = _epoch(report, test.started if test else 0.0)
    verdict = test.verdict if test else result.verdict
    message, trace = _details(result, test)
    details = StatusDetails(
        message=message or None, trace=trace or None, known=bool(result.excuse), flaky=verdict == "flaky"
    )
    return TestResult(
        uuid=str(uuid.uuid5(_SPACE, f"{report.run}|{identity}|{test.scope if test else ''}")),
        historyId=uuid.uuid5(_SPACE, identity).hex,
        # Results of one test case count as attempts at it, and only the last of them would be shown.
        testCaseId=uuid.uuid5(_SPACE, f"case|{identity}").hex,
        fullName=PLAIN.one_line(node or result.id),
        name=PLAIN.one_line(f"{result.id} {node.rpartition('::')[2] or result.text}"),
        description=f"{result.level}: {result.text}\n\nSource: {result.source}",
        status=_STATUS.get(verdict, "broken"),
        statusDetails=details if message or result.excuse else None,
        stage="finished",
        start=begin,
        stop=begin + round((test.duration if test else 0.0) * 1000),
        labels=[
            Label(name=name, value=value)
            for name, value in (
                ("parentSuite", result.profile),
                ("suite", result.area),
                ("subSuite", f"{result.id} {result.text}"),
                ("epic", result.profile),
                ("feature", result.area),
                ("story", result.id),
                ("severity", _SEVERITY.get(result.level, "normal")),
                ("tag", result.level),
                ("tag", verdict),
                ("origin", result.origin),
                ("framework", "touchstone"),
            )
        ],
        links=list(_links(result)),
        parameters=[Parameter(name="scope", value=PLAIN.one_line(test.scope), excluded=True)] if test else [],
        steps=[_step(expectation, report) for expectation in test.expectations] if test else [],
    )


def _attachments(test: Test | None, folder: Path, owner: str) -> Iterable[Attachment]:
    """Copy what was read when the test failed, from the run's folder beside it; it may have been left behind."""
    diagnostics = None if test is None else test.diagnostics
    left = MOST_ATTACHED
    for number, (file, path) in enumerate(
        zip(diagnostics.files, diagnostics.paths, strict=True) if diagnostics else ()
    ):
        origin = folder.parent / path
        size = origin.stat().st_size if origin.is_file() else 0
        if not 0 < size <= left:
            continue
        left -= size
        source = f"{owner}-{number}{ATTACHMENT}"
        (folder / source).write_bytes(origin.read_bytes())
        yield Attachment(name=file, source=source, type="text/plain")


def _links(result: Result) -> Iterable[Link]:
    if result.url:
        yield Link(type="link", url=result.url, name=PLAIN.one_line(result.source))
    if result.known is not None and result.known.url:
        yield Link(type="issue", url=result.known.url, name=PLAIN.one_line(result.known.source))


def _step(expectation: ReportedExpectation, report: Report) -> TestStepResult:
    at = _epoch(report, expectation.t)
    told = "\n".join(
        violation.message + (f"\nlast seen: {violation.where}" if violation.where else "")
        for violation in expectation.violations
    )
    return TestStepResult(
        name=expectation.check,
        status=_STATUS.get(expectation.verdict, "broken"),
        statusDetails=StatusDetails(message=PLAIN.clean(told)) if told else None,
        stage="finished",
        start=at,
        stop=at,
        parameters=[
            Parameter(name=PLAIN.one_line(name, 60), value=PLAIN.named(name, value))
            for name, value in expectation.args.items()
        ],
    )


def _details(result: Result, test: Test | None) -> tuple[str, str]:
    if result.excuse:
        return PLAIN.one_line(result.excuse, 800), result.known.source if result.known is not None else ""
    if test is None:
        return ("", "") if result.verdict == "pass" else (result.reason, "")
    told = [violation for expectation in test.expectations for violation in expectation.violations]
    if told:
        return PLAIN.clean(told[0].message), PLAIN.clean("\n".join(f"{v.message}\n  {v.where}" for v in told), 8_000)
    return ("", "") if test.verdict == "pass" else (PLAIN.one_line(test.reason), PLAIN.clean(test.reason, 8_000))


def _epoch(report: Report, t: float) -> int:
    """Milliseconds since 1970 of a time on the probe's clock; the run's first record stands at the run's wall time."""
    try:
        base = datetime.fromisoformat(report.started or "").timestamp()
    except (ValueError, OverflowError):  # no time at all, or one that no clock of ours can show
        base = 0.0
    return round((base + max(0.0, t - report.first_t)) * 1000)


def _bare(item: TestResult) -> dict[str, object]:
    """Return the result without empty fields, as Allure's own writer leaves them out."""
    bare: dict[str, object] = attr.asdict(item, filter=lambda _, value: value is not None and value != [])
    return bare
