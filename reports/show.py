"""`python -m reports show`: a run's table, or all that its history says about one requirement."""

import argparse
import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from common.errors import UnknownNameError, UsageError
from common.redaction import PLAIN, bounded
from evidence.catalogue import Catalogue
from reports import allowances, build, html, path, terminal, views
from reports.lookup import Lookup, witness_of
from reports.model import Report, ReportedExpectation, Result, Test
from reports.path import Arrow
from reports.run import history_of


def run(arguments: argparse.Namespace, console: Console, catalogue: Catalogue, *, ascii_only: bool) -> int:
    """Show it, and return the exit code: that of the run, or what the requirement's verdict says.

    Args:
        arguments: The parsed command line.
        console: The console to show it on.
        catalogue: Today's catalogue.
        ascii_only: Whether the reader's encoding holds ASCII only.

    Raises:
        UsageError: The path is no run, or the run does not have the requirement.
        UnknownNameError: Nobody knows the requirement.
        ReportError: The run cannot be read.
    """
    history = history_of(arguments.run)
    if arguments.requirement is not None:
        known = [requirement.id for requirement in catalogue.requirements]
        if arguments.requirement not in known:
            raise UnknownNameError("requirement", arguments.requirement, known)
    report = build.build(history, catalogue)
    if arguments.requirement is None:
        width, color = console.width, console.is_terminal and not console.no_color
        sys.stdout.write(terminal.text(report, width=width, color=color, ascii_only=ascii_only, folder=history.parent))
        sys.stdout.write(f"{terminal.head_line(report)}\n")
        return report.gate.exit
    result = report.find(arguments.requirement)
    if result is None:
        raise UsageError(f"the run has no requirement {arguments.requirement}")
    _show_one(report, result, history, console, ascii_only=ascii_only)
    return 1 if result.verdict in ("fail", "flaky") else 2 if result.verdict in ("error", "unknown") else 0


def _show_one(report: Report, result: Result, history: Path, console: Console, *, ascii_only: bool) -> None:
    console.print(terminal.header(report))
    console.print(terminal.failure(result, ascii_only=ascii_only))
    console.print(Padding(Text(result.source, style="dim"), (1, 0, 0, 2), expand=False))
    if result.known is not None:
        status = "gone" if result.gone else "documented"
        console.print(
            Padding(
                Text(f"known nonconformity ({status}): {result.known.summary}", style="yellow"),
                (0, 0, 0, 2),
                expand=False,
            )
        )
    for entry in filter(None, (result.allowance, result.waiver)):
        allowed = (
            f"{allowances.TITLES[entry.kind]}: {entry.reason} ({'; '.join(filter(None, (entry.told, entry.url)))})"
        )
        console.print(Padding(Text(allowed, style="yellow"), (0, 0, 0, 2), expand=False))
    explained = {id(test): _explained(test) for test in result.tests}
    evidence = Lookup([each for expectations in explained.values() for each in expectations], history)
    for test in result.tests:
        console.print(
            Text(f"\n  {test.node}", style="cyan").append(
                f"  {test.verdict}  {html.seconds(test.duration)}", style="dim"
            )
        )
        for expectation in test.expectations:
            told = Text("    ").append(
                expectation.verdict, style="green" if expectation.verdict == "pass" else "bold red"
            )
            told.append(f" {expectation.check}  ").append(
                PLAIN.one_line(json.dumps(PLAIN.obj(expectation.args)), 200), style="dim"
            )
            if expectation.proof:
                told.append(f"  proven by {html.PROOFS[expectation.proof]}", style="dim")
            console.print(told)
        _show_paths(explained[id(test)], evidence, console)


def _explained(test: Test) -> Sequence[ReportedExpectation]:
    return [each for each in test.expectations if each.verdict != "pass"] or test.expectations[:1]


def _show_paths(expectations: Sequence[ReportedExpectation], evidence: Lookup, console: Console) -> None:
    witness = witness_of(expectations)
    for event_path in evidence.paths(expectations)[:4]:
        console.print(Padding(Text(f"path of {event_path.title}", style="bold"), (1, 0, 0, 4), expand=False))
        begin = event_path.arrows[0].t
        lines = [_arrow(arrow, begin, witness) for arrow in event_path.before]
        if event_path.more:
            lines.append(Text(f"and {event_path.more} more hops, in the history", style="dim"))
        lines += [_arrow(arrow, begin, witness) for arrow in event_path.after]
        for line in lines:
            console.print(Padding(line, (0, 0, 0, 4), expand=False))
    for record in evidence.records(witness[:12]):
        shown = views.view(record, record["t"])
        console.print(
            Padding(Text(f"record {shown.seq} {shown.kind}: {shown.title}", style="bold"), (1, 0, 0, 4), expand=False)
        )
        for name, value in shown.headers:
            console.print(Padding(Text(f"{name}: {value}"), (0, 0, 0, 6), expand=False))
        if shown.body:
            console.print(Padding(Text(bounded(shown.body, 800)), (0, 0, 0, 6), expand=False))


def _arrow(arrow: Arrow, begin: float, witness: Collection[int]) -> Text:
    start, end = path.LANES[arrow.start], path.LANES[arrow.end]
    lanes = start if start == end else f"{start} -> {end}"
    after = f"{(arrow.t - begin) * 1000:+9.1f} ms"
    return Text(f"{after}  #{arrow.seq:<6} {lanes}: {arrow.label}", style="bold red" if arrow.seq in witness else "")
