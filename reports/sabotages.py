"""What became of the saboteur's cases, as a table for a terminal."""

from rich.table import Table
from rich.text import Text

from common.redaction import PLAIN
from evidence.saboteur import Finding, Status
from reports.model import Sabotages

_MARKS = {
    Status.FOUND: ("✓", ".", "green"),
    Status.MISSED: ("✗", "F", "bold red"),
    Status.MISTAKEN: ("✗", "F", "bold red"),
    Status.UNDECIDED: ("?", "?", "bold yellow"),
    Status.NOT_TESTABLE: ("□", "t", "cyan"),
}
SHORT, LONGEST = 60, 400


def table(sabotages: Sabotages, *, ascii_only: bool = False) -> Table:
    """Return what was done, where, to which event, which check found it and what that said, one line a sabotage."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "sabotage", "event", "found by", "what it got"):
        made.add_column(name, overflow="fold", no_wrap=name == "found by")
    for finding in sabotages.findings:
        fancy, plain, style = _MARKS[finding.status]
        made.add_row(
            Text(plain if ascii_only else fancy, style=style),
            Text(finding.case, style="bold"),
            Text(finding.event, style="dim"),
            Text(_by(finding), style="green" if finding.status is Status.FOUND else style),
            Text(_said(finding)),
        )
    made.caption = f"{sabotages.told}, on this system, before the tests; seed {sabotages.seed}"
    made.caption_justify = "left"
    return made


def _said(finding: Finding) -> str:
    """Return what the check that found it got, which is the news; of another one all that it said."""
    told = finding.message.rpartition("; got ")[2] if finding.status is Status.FOUND else finding.message
    return PLAIN.clean(told, SHORT if finding.status is Status.FOUND else LONGEST)


def _by(finding: Finding) -> str:
    if finding.status in {Status.FOUND, Status.NOT_TESTABLE}:
        return finding.check or "not testable"
    return str(finding.status)
