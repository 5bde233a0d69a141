"""`python -m reports baseline RUN`: the failures of a run as a file for `--known`; what fails beside them is new.

Each entry names the cases that failed, so that another case of the same requirement is new. What reports/known/
documents needs no entry, a MAY neither. What was flaky or undecided stands in comments: only failures are forgiven.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from common.errors import UsageError
from common.redaction import PLAIN
from evidence.allowances import Allowance, parse
from evidence.catalogue import Catalogue
from reports import build
from reports.document import dump
from reports.errors import ReportError
from reports.model import Report, Result
from reports.run import history_of

DAYS: Final = 90
"""How long an entry forgives where nobody says otherwise: long enough to mend a fault, short enough to be looked at."""
LONGEST_REASON: Final = 300


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder, or its history")
    parser.add_argument(
        "--owner", metavar="NAME", help="who looks after the entries (default: the user of this machine)"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why they are forgiven (default: what each test said)")
    parser.add_argument(
        "--expires", type=_day, metavar="DAY", help=f"the last day, like 2027-01-31 (default: {DAYS} days from now)"
    )
    parser.add_argument("--json", action="store_true", help="the entries as JSON instead of TOML")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day such as 2027-01-31, got {text[:60]!r}") from None


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Write the baseline to standard output; returns the exit code.

    Raises:
        UsageError: The path is no run, or nobody can be named as the owner.
        ReportError: The run cannot be read, did not come to its end, or proves the suite.
    """
    report = build.build(history_of(arguments.run), catalogue)
    if build.is_unreleased(report.selection):
        raise ReportError(
            f"{arguments.run}: expected a run of a released system, got one under mutants or conforming entry points: "
            "nothing is forgiven there"
        )
    if report.reason != "completed":
        raise ReportError(f"{arguments.run}: expected a run that came to its end, got one that was {report.reason}")
    day = arguments.expires or datetime.now(UTC).date() + timedelta(days=DAYS)
    entries = list(_entries(report, _owner(arguments.owner), arguments.reason, day))
    text = _toml(report, entries)
    parse(text, "known", Path("known.toml"))
    sys.stdout.write(dump([_json(entry) for entry in entries]) if arguments.json else text)
    return 0


def _owner(given: str | None) -> str:
    name = given
    if name is None:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = ""
    if not name.strip():
        raise UsageError("--owner: expected the name of who looks after the entries, got none")
    return PLAIN.one_line(name, 200)


def _entries(report: Report, owner: str, reason: str | None, day: date) -> Iterator[Allowance]:
    """Yield an entry for each failure that needs one; what an entry of the run already says of it stays."""
    for result in report.results:
        if result.verdict != "fail" or result.level == "MAY" or result.waived or result.known is not None:
            continue
        old = result.allowance
        yield Allowance(
            kind="known",
            file="known.toml",
            requirement=result.id,
            reason=PLAIN.one_line(reason or (old.reason if old else _said(result)), LONGEST_REASON),
            owner=old.owner if old else owner,
            expires=old.expires if old else day,
            url=old.url if old else "",
            cases=tuple(sorted({test.node for test in result.tests if test.verdict == "fail"})),
        )


def _said(result: Result) -> str:
    told = [
        f"{expectation.check}: {violation.message}"
        for test in result.tests
        for expectation in test.expectations
        for violation in expectation.violations
    ]
    return next(iter(told), "") or result.reason or result.text


def _toml(report: Report, entries: Iterable[Allowance]) -> str:
    lines = [
        f"# The failures of run {report.run}, as `python -m reports baseline` found them.",
        f"# History sha256 {report.history_sha256}.",
        "# Give each entry its true reason and owner. A run reads this file by --known.",
    ]
    others = [result for result in report.results if result.verdict in ("flaky", "error", "unknown")]
    lines += [f"# Not forgiven, since it is {result.verdict}: {result.id}" for result in others]
    for entry in entries:
        lines += ["", "[[known]]"]
        lines += [f"{name} = {_text(getattr(entry, name))}" for name in ("requirement", "reason", "owner")]
        lines.append(f"expires = {entry.expires.isoformat()}")
        lines += [f"url = {_text(entry.url)}"] if entry.url else []
        lines += ["cases = [", *(f"    {_text(case)}," for case in entry.cases), "]"]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return a basic string of TOML: that of JSON, in which only the character 7F is not escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _json(entry: Allowance) -> dict[str, object]:
    told = {"requirement": entry.requirement, "reason": entry.reason, "owner": entry.owner}
    return {**told, "expires": entry.expires.isoformat(), "url": entry.url or None, "cases": list(entry.cases)}
