"""A run as Markdown, for the summary of a pull request: the outcome, the table, and what is not as it should be.

Whatever a run says stands in code spans and code blocks: it is neither markup, nor a link, nor does it call anybody.
"""

from collections.abc import Iterator, Sequence

from common.redaction import PLAIN
from reports.model import VERDICTS, Report, Result
from reports.repeated import Again

MOST_SHOWN = 60
LONGEST = 1200
TROUBLES = ("fail", "flaky", "error", "unknown")


def render(report: Report) -> str:
    """Return the text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"## Touchstone: {report.gate.outcome}"
    yield ""
    products = ", ".join(f"{name} {version}" for name, version in report.sut.items())
    target = report.target.get("name") or "?"
    yield f"Run {_code(report.run)} on target {_code(str(target))}: {_code(products)}; gate {report.gate.name}, exit"
    yield f"{report.gate.exit}."
    yield ""
    yield from (f"* {_code(reason)}" for reason in report.gate.reasons[:MOST_SHOWN])
    yield ""
    yield from _table(report)
    if report.again is not None:
        yield from _repeated(report.again)
    troubled = [result for result in report.results if result.verdict in TROUBLES and not result.excused]
    for result in troubled[:MOST_SHOWN]:
        yield from _trouble(result)
    if len(troubled) > MOST_SHOWN:
        yield f"and {len(troubled) - MOST_SHOWN} more, in the report's page."
        yield ""
    yield from _known("Failed as documented", [result for result in report.results if result.excused])
    yield from _known("Documented as failing, and passed", [result for result in report.results if result.gone])
    yield f"History {_code(report.history_sha256)}, head {_code(report.history_head)}."


def _table(report: Report) -> Iterator[str]:
    shown = [verdict for verdict in VERDICTS if any(result.verdict == verdict for result in report.results)]
    yield _row("profile", "area", *(verdict.replace("_", " ") for verdict in shown))
    yield _row(*["---"] * (len(shown) + 2))
    for profile, area in dict.fromkeys((result.profile, result.area) for result in report.results):
        rows = [result for result in report.results if (result.profile, result.area) == (profile, area)]
        counts = [sum(result.verdict == verdict for result in rows) for verdict in shown]
        yield _row(_code(profile), _code(area), *(str(count or "") for count in counts))
    yield ""


def _repeated(again: Again) -> Iterator[str]:
    yield f"Held against run {_code(again.base)}; what looked worse ran {again.times} times again: {again.told}."
    yield ""
    yield from (f"* not the same: {_code(told)}" for told in again.differences[:MOST_SHOWN])
    yield ""
    rows = [(case.told, case.case, ", ".join(case.requirements)) for case in again.cases]
    rows += [(stage.told, stage.case, f"{stage.stage} p{stage.percentile:g}") for stage in again.stages]
    if rows:
        yield _row("repeated", "case", "of")
        yield _row("---", "---", "---")
        yield from (_row(told, _code(case), _code(of)) for told, case, of in rows[:MOST_SHOWN])
        yield ""
    if len(rows) > MOST_SHOWN:
        yield f"and {len(rows) - MOST_SHOWN} more, in the report's page."
        yield ""


def _trouble(result: Result) -> Iterator[str]:
    yield f"<details><summary>{result.verdict}: <code>{_escaped(result.id)}</code> ({result.level})</summary>"
    yield ""
    yield _code(result.text)
    yield ""
    yield "```text"
    for line in _told(result):
        yield PLAIN.one_line(line, LONGEST).replace("`", "'")
    yield "```"
    yield ""
    yield "</details>"
    yield ""


def _told(result: Result) -> Iterator[str]:
    tests = [test for test in result.tests if test.verdict != "pass"]
    for test in tests[:5]:
        yield f"{test.node}: {test.verdict}"
        violations = [each for expectation in test.expectations for each in expectation.violations]
        for violation in violations[:3]:
            yield violation.message
            if violation.where:
                yield f"last seen: {violation.where}"
        if not violations and test.reason:
            yield test.reason
    if not tests and result.reason:
        yield result.reason


def _known(title: str, results: Sequence[Result]) -> Iterator[str]:
    if results:
        yield f"{title}: {', '.join(_code(result.id) for result in results)}."
        yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    told = PLAIN.one_line(text, LONGEST).replace("`", "'").replace("|", "\\|").strip()
    return f"`{told}`" if told else "-"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
