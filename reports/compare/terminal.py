"""A comparison for a terminal: the numbers, what is not the same around the runs, the changes, the latencies."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from common.redaction import PLAIN
from reports.compare import wording
from reports.compare.model import Change, Comparison, Evidence, Word
from reports.speeds import Speed

MOST_SHOWN = 100
MOST_EXPLAINED = 25
_STYLES = {
    "fail": "bold red",
    "error": "bold magenta",
    "unknown": "bold yellow",
    "flaky": "red",
    "pass": "green",
    "not_testable": "cyan",
    "skipped": "dim",
}
_EXITS = {0: "bold green", 1: "bold red", 2: "bold yellow", 3: "bold yellow"}


def show(comparison: Comparison, console: Console) -> None:
    """Write a comparison to a console."""
    for name, run in (("old", comparison.base), ("new", comparison.new)):
        told = Text(f"{name}  ", style="dim").append(run.run, style="bold")
        console.print(
            told.append(f"  suite {run.suite}  target {run.target}  sha256 {run.sha256[:16]}  {run.path}", "")
        )
    _differences(comparison, console)
    console.print(Text("\n").append(comparison.outcome, style=_EXITS[comparison.exit]).append(_numbers(comparison), ""))
    _changes(comparison, console)
    explained = [change for change in comparison.changed if change.evidence is not None]
    for change in explained[:MOST_EXPLAINED]:
        _explain(change, console)
    if len(explained) > MOST_EXPLAINED:
        console.print(Text(f"\nand {len(explained) - MOST_EXPLAINED} more, in --html", style="dim"))
    _rejudged(comparison, console)
    _latencies(comparison, console)


def _numbers(comparison: Comparison) -> str:
    return f"  {wording.numbers(comparison)}; exit {comparison.exit}"


def _differences(comparison: Comparison, console: Console) -> None:
    if comparison.differences:
        table = _table("not the same", "old", "new", "")
        for difference in comparison.differences:
            note = "latencies are not compared" if difference.environment else ""
            table.add_row(
                difference.what, difference.base or "-", difference.new or "-", Text(note, style="bold yellow")
            )
        console.print(table)
    for name, run in (("old", comparison.base), ("new", comparison.new)):
        for fault in run.faults[:5]:
            console.print(Text(f"the history of the {name} run has a fault: {fault}", style="bold yellow"))


def _changes(comparison: Comparison, console: Console) -> None:
    if not comparison.changed:
        return
    table = _table("", "requirement", "level", "verdict", "what it asks", "")
    for change in comparison.changed[:MOST_SHOWN]:
        style = "dim" if change.level == "MAY" else _STYLES[wording.MARKS[change.word]]
        note = wording.excused(change.level, documented=change.documented)
        verdicts = wording.verdicts(change.base, change.new)
        table.add_row(Text(change.word, style=style), change.id, change.level, verdicts, change.text, note)
    console.print(table)
    if len(comparison.changed) > MOST_SHOWN:
        console.print(Text(f"and {len(comparison.changed) - MOST_SHOWN} more, in --json", style="dim"))


def _explain(change: Change, console: Console) -> None:
    evidence = change.evidence
    if evidence is None:
        return
    head = Text("\n").append(change.id, style=_STYLES[wording.MARKS[change.word]]).append(f"  {evidence.headline}", "")
    console.print(head)
    for case in [case for case in change.cases if case.word is not Word.UNCHANGED][:5]:
        verdicts = wording.verdicts(case.base.verdict if case.base else "", case.new.verdict if case.new else "")
        _line(console, f"{case.case}: {verdicts}{f'; {case.rates}' if case.rates else ''}", "cyan")
    for name, told in _sides(evidence):
        _line(console, f"{name}: {told}", "")


def _sides(evidence: Evidence) -> Iterable[tuple[str, str]]:
    for name, witness in (("old", evidence.base), ("new", evidence.new)):
        if witness is None:
            continue
        if witness.message:
            yield name, f"{witness.check or witness.verdict}: {PLAIN.one_line(witness.message, 400)}"
        if witness.line:
            yield name, witness.line


def _line(console: Console, text: str, style: str) -> None:
    console.print(Padding(Text(text, style=style), (0, 0, 0, 2), expand=False))


def _rejudged(comparison: Comparison, console: Console) -> None:
    if not comparison.rejudged:
        return
    told = "\nthe suite, not the system: today's checks judge these cases otherwise than the runs themselves did"
    console.print(Text(told, style="bold yellow"))
    table = _table("run", "case", "recorded", "today")
    for case in comparison.rejudged[:MOST_SHOWN]:
        table.add_row(wording.SIDES[case.side], case.case, case.recorded, case.now)
    console.print(table)


def _latencies(comparison: Comparison, console: Console) -> None:
    if comparison.stages_why:
        console.print(Text(f"\nlatencies are not compared: {comparison.stages_why}", style="dim"))
        return
    table = _table("", "stage", "samples", "old", "new", "difference (each end 95 %)", "p (Holm)", "why")
    for stage in comparison.stages:
        style = _STYLES[wording.SPEED_MARKS[stage.word]] if stage.word is not Speed.CANNOT_TELL else "bold"
        table.add_row(
            Text(stage.word, style=style),
            f"p{stage.percentile:g} {stage.stage}",
            f"{stage.samples[0]}, {stage.samples[1]}",
            wording.milliseconds(stage.values[0]),
            wording.milliseconds(stage.values[1]),
            wording.interval(stage),
            wording.probability(stage),
            wording.why(stage),
        )
    console.print(Text())
    console.print(table)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
