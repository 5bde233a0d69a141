"""JUnit XML of a run: one test case for every requirement and test, so that CI shows ids and not only functions.

JUnit knows pass, failure, error and skipped only; the verdict itself stands in a property.
"""

from xml.etree import ElementTree as ET

from common.redaction import PLAIN, printable
from reports.model import Mutation, Report, Result, Test

_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "?")


def render(report: Report) -> bytes:
    """Return the XML document; what the gate forgives is `skipped`: not a documented failure under strict."""
    root = ET.Element("testsuites", name="touchstone", time=f"{report.duration:.3f}")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for tally in report.areas:
        suite = ET.SubElement(root, "testsuite", name=tally.name)
        if report.started:
            suite.set("timestamp", _text(report.started))
        counts = dict.fromkeys(totals, 0)
        group = [result for result in report.results if result.area == tally.name]
        for result in group:
            for test in result.lines:
                _case(suite, report, result, test, counts)
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
        suite.set("time", f"{sum(result.duration for result in group):.3f}")
    if report.mutation is not None:
        _mutants(ET.SubElement(root, "testsuite", name="mutants"), report.mutation, totals)
    for name, count in totals.items():
        root.set(name, str(count))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _case(suite: ET.Element, report: Report, result: Result, test: Test | None, counts: dict[str, int]) -> None:
    verdict = result.verdict if test is None else test.verdict
    node = "" if test is None else test.node
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{result.area}.{result.id}",
        name=_text(node.split("::", 1)[-1] if node else result.id),
        time=f"{0.0 if test is None else test.duration:.3f}",
    )
    if node:
        case.set("file", _text(node.split("::", 1)[0]))
    properties = ET.SubElement(case, "properties")
    for name, value in (
        ("requirement", result.id),
        ("level", result.level),
        ("profile", result.profile),
        ("verdict", verdict),
        ("source", result.source),
        ("origin", result.origin),
    ):
        ET.SubElement(properties, "property", name=name, value=_text(value))
    if test is not None and test.diagnostics is not None:
        ET.SubElement(properties, "property", name="diagnostics", value=_text(test.diagnostics.folder))
    for repeated in report.again.cases if report.again is not None else ():
        if repeated.case == node:
            ET.SubElement(properties, "property", name="beside the baseline", value=_text(repeated.told))
    counts["tests"] += 1
    message, detail = _render(result, test)
    forgiven = verdict in ("fail", "flaky") and result.excused and report.gate.name == "known"
    if forgiven or (result.waived and verdict != "pass"):
        counts["skipped"] += 1
        ET.SubElement(case, "skipped", message=_text(PLAIN.one_line(result.excuse, 800)))
    elif verdict in ("fail", "flaky"):
        counts["failures"] += 1
        ET.SubElement(case, "failure", message=_text(message), type=verdict).text = _text(detail)
    elif verdict in ("error", "unknown"):
        counts["errors"] += 1
        ET.SubElement(case, "error", message=_text(message), type=verdict).text = _text(detail)
    elif verdict != "pass":
        counts["skipped"] += 1
        ET.SubElement(case, "skipped", message=_text(f"{verdict}: {message}"))


def _mutants(suite: ET.Element, mutation: Mutation, totals: dict[str, int]) -> None:
    """One test case a mutant: it passes when everything that must catch it did, and nothing else failed."""
    counts = dict.fromkeys(totals, 0)
    for row in mutation.mutants:
        case = ET.SubElement(suite, "testcase", classname=f"mutants.{row.host}", name=_text(row.name))
        counts["tests"] += 1
        missed, false = ", ".join(row.missed) or "none", ", ".join(row.false_kills) or "none"
        told = f"{row.status}; missed by {missed}; false kills: {false}"
        if row.status == "survived" or row.false_kills:
            counts["failures"] += 1
            ET.SubElement(case, "failure", message=_text(told), type="survived" if row.missed else "false kill")
        elif row.status == "undecided":
            counts["errors"] += 1
            ET.SubElement(case, "error", message=_text(told), type="undecided")
        elif row.status in {"not_run", "not_asked"}:
            counts["skipped"] += 1
            ET.SubElement(case, "skipped", message=row.status.replace("_", " "))
    for name, count in counts.items():
        suite.set(name, str(count))
        totals[name] += count


def _render(result: Result, test: Test | None) -> tuple[str, str]:
    if test is None:
        return result.reason, ""
    violations = [
        f"{expectation.check}: {violation.message}"
        + (f"\n  last seen: {violation.where}" if violation.where else "")
        + (f"\n  witness: records {', '.join(map(str, violation.witness[:20]))}" if violation.witness else "")
        for expectation in test.expectations
        for violation in expectation.violations
    ]
    return PLAIN.one_line(violations[0] if violations else test.reason), PLAIN.clean(
        "\n".join(violations) or test.reason, 8_000
    )


def _text(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return printable(text).translate(_FORBIDDEN)
