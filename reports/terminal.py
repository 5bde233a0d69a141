"""The report for a terminal: a table by profile and area, failures with their witness, known ones apart, the files.

Reads as well without colours, without a terminal and in ASCII.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from common.redaction import PLAIN
from evidence import history_file
from evidence.catalogue import OURS
from reports import allowances, sabotages
from reports.model import VERDICTS, Allowed, Cell, MutantRow, Mutation, Report, ReportedViolation, Result, Test
from reports.repeated import Again

_MARKS = {
    "pass": ("✓", ".", "green"),
    "known": ("≈", "k", "yellow"),
    "waived": ("⊘", "w", "yellow"),
    "fail": ("✗", "F", "bold red"),
    "error": ("!", "E", "bold magenta"),
    "unknown": ("?", "?", "bold yellow"),
    "flaky": ("~", "~", "red"),
    "not_supported": ("○", "o", "cyan"),
    "not_testable": ("□", "t", "cyan"),
    "skipped": ("-", "-", "dim"),
}
_OUTCOME_STYLE = {0: "bold green", 1: "bold red", 2: "bold yellow", 3: "bold yellow"}
_CLAIM = {"pass": ("conformant", "green"), "fail": ("not conformant", "red"), "unknown": ("undecided", "yellow")}
_STATUS_STYLE = {"seen": "yellow", "gone": "bold green", "undecided": "dim", "elsewhere": "dim"}
_REPEATED_STYLE = {"seen": "bold red", "flaky": "red", "gone": "green", "undecided": "bold yellow"}
MAX_SHOWN = 25


def mark_of(result: Result) -> str:
    """Return the key of a result's mark: its verdict, or `known` or `waived` where its failure is forgiven."""
    return "waived" if result.waived else "known" if result.excused else result.verdict


def sign(mark: str, *, ascii_only: bool) -> tuple[str, str]:
    """Return the sign of a mark, and its style."""
    fancy, plain, style = _MARKS[mark]
    return plain if ascii_only else fancy, style


def text(report: Report, *, width: int, color: bool, ascii_only: bool = False, folder: Path | None = None) -> str:
    """Return the whole report as text, for whoever writes it somewhere.

    Args:
        report: What to show.
        width: Columns.
        color: Whether to colour it by ANSI sequences.
        ascii_only: Whether the reader's encoding holds ASCII only.
        folder: The run's folder, to name the files in it.
    """
    stream = io.StringIO()
    show(report, plain_console(stream, width, color=color), ascii_only=ascii_only, folder=folder)
    told = "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))
    return told.encode("ascii", "backslashreplace").decode() if ascii_only else told


def head_line(report: Report) -> str:
    """Return the last line of all: who publishes it can show later that the history is still the same."""
    return f"history head: {report.history_head or 'none'}"


def plain_console(stream: TextIO, width: int | None = None, *, color: bool | None = None) -> Console:
    """Return a console that takes every text literally: no markup, no emoji, no guessing at numbers."""
    return Console(
        file=stream,
        width=width,
        force_terminal=color,
        no_color=color is False,
        color_system="standard" if color else None if color is False else "auto",
        highlight=False,
        emoji=False,
        markup=False,
    )


def show(report: Report, console: Console, *, ascii_only: bool = False, folder: Path | None = None) -> None:
    """Write the whole report to a console; arguments as for `text`."""
    console.print(header(report))
    if report.mutation is None or any(result.tests for result in report.results):
        console.print(_table(report, ascii_only=ascii_only))
        for part in _troubles(report, ascii_only=ascii_only):
            console.print(part)
    if report.sabotages is not None:
        console.print(sabotages.table(report.sabotages, ascii_only=ascii_only))
    if report.again is not None:
        console.print(_repeated(report.again))
    if report.mutation is not None:
        console.print(kill_table(report.mutation, ascii_only=ascii_only))
        for row, cell, tests in report.doubts[:MAX_SHOWN]:
            console.print(_doubt(row, cell, tests))
    console.print(_ending(report, folder))


def header(report: Report) -> Text:
    """Suite, target and versions, on one or two lines."""
    suite, target = report.suite, report.target
    kafka = target.get("kafka")
    if isinstance(kafka, dict):
        kafka = " ".join(str(kafka[key]) for key in ("kind", "version") if kafka.get(key))
    parts = [
        f"Touchstone {suite.get('version') or '?'} {commit(suite.get('commit'))}".rstrip(),
        f"target {target.get('name', '?')}" + (f", Kafka {kafka}" if kafka else ""),
        ", ".join(f"{name} {version}" for name, version in report.sut.items()),
    ]
    return Text("\n" + "  |  ".join(part for part in parts if part), style="bold")


def commit(name: object) -> str:
    """Return a commit as one reads it: ten digits, and whether files differed from it."""
    digits, mark, _ = str(name or "").partition("-dirty")
    return digits[:10] + mark.replace("-", " ")


def _table(report: Report, *, ascii_only: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", collapse_padding=True)
    table.add_column("profile", no_wrap=True)
    table.add_column("area", no_wrap=True)
    table.add_column("verdicts", overflow="fold", max_width=48)
    columns = [
        key for key in ("pass", "known", "waived", *VERDICTS[1:]) if any(mark_of(r) == key for r in report.results)
    ]
    for key in columns:
        table.add_column(key.replace("_", " "), justify="right", no_wrap=True)
    table.add_column("claim", no_wrap=True)
    origin = OURS
    for profile in report.profiles:
        if profile.origin != origin:
            origin = profile.origin
            table.add_row(Text(f"catalogue of {origin}", style="dim"))
        rows = [result for result in report.results if result.profile == profile.name]
        areas = list(dict.fromkeys(result.area for result in rows))
        claim, style = _CLAIM[profile.verdict]
        if all(result.verdict == "skipped" for result in rows):
            claim, style = "left out", "dim"
        for number, area in enumerate(areas):
            group = [result for result in rows if result.area == area]
            counts = [sum(mark_of(result) == key for result in group) for key in columns]
            table.add_row(
                Text(profile.name if number == 0 else "", style="bold"),
                area,
                _strip(group, ascii_only=ascii_only),
                *(Text(str(count or ""), style=_MARKS[key][2]) for key, count in zip(columns, counts, strict=True)),
                Text(claim if number == 0 else "", style=style),
            )
    counts = [sum(mark_of(result) == key for result in report.results) for key in columns]
    table.add_section()
    table.add_row(
        Text("all", style="bold"),
        "",
        Text(f"{len(report.results)} requirements", style="dim"),
        *(Text(str(count), style=_MARKS[key][2]) for key, count in zip(columns, counts, strict=True)),
        "",
    )
    return table


def _strip(results: Iterable[Result], *, ascii_only: bool) -> Text:
    strip = Text()
    for result in results:
        told, style = sign(mark_of(result), ascii_only=ascii_only)
        strip.append(told, style=style)
    return strip


def _troubles(report: Report, *, ascii_only: bool) -> Iterable[RenderableType]:
    troubled = [r for r in report.results if r.verdict in ("fail", "flaky", "error", "unknown") and not r.excuse]
    asked = [result for result in troubled if result.tests]
    silent = [result for result in troubled if not result.tests]
    for result in asked[:MAX_SHOWN]:
        yield failure(result, ascii_only=ascii_only)
    if len(asked) > MAX_SHOWN:
        yield Text(f"\nand {len(asked) - MAX_SHOWN} more, in the report's page", style="dim")
    if silent:
        ids = ", ".join(result.id for result in silent)
        yield Text(f"\nunknown, as no test of it ran ({len(silent)}): ").append(
            PLAIN.one_line(ids, 600), style="yellow"
        )
    if excused := [result for result in report.results if result.excused and result.known is not None]:
        yield Text("\nknown nonconformities, as documented in reports/known/", style="bold yellow")
        yield _known_table(excused)
    if gone := [result for result in report.results if result.gone]:
        yield Text("\nGONE: documented as failing, and passed; delete the entry in reports/known/", style="bold green")
        yield _known_table(gone)
    for kind, title in allowances.TITLES.items():
        if entries := [allowed for allowed in report.allowances if allowed.entry.kind == kind]:
            yield Text(f"\n{title}", style="bold yellow")
            yield _allowance_table(entries)


def _repeated(again: Again) -> RenderableType:
    """Return what looked worse than in an earlier run, and what its repetitions showed."""
    parts: list[RenderableType] = [
        Text(f"\nheld against run {again.base}; what looked worse ran {again.times} times again", style="bold"),
        Padding(Text(again.told), (0, 0, 0, 2), expand=False),
    ]
    parts += [Padding(Text(f"not the same: {told}", style="dim"), (0, 0, 0, 2)) for told in again.differences]
    table = Table(box=None, show_header=False, pad_edge=True, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for case in again.cases[:MAX_SHOWN]:
        table.add_row(Text(case.told, style=_REPEATED_STYLE[case.status]), case.case, ", ".join(case.requirements))
    for stage in again.stages[:MAX_SHOWN]:
        what = f"{stage.stage} p{stage.percentile:g}"
        table.add_row(Text(stage.told, style=_REPEATED_STYLE[stage.status]), stage.case, what)
    left = max(0, len(again.cases) - MAX_SHOWN) + max(0, len(again.stages) - MAX_SHOWN)
    more = [Text(f"  and {left} more, in the report's page", style="dim")] if left else []
    return Group(*parts, table, *more)


def _allowance_table(entries: Iterable[Allowed]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=True, padding=(0, 1))
    for allowed in entries:
        entry = allowed.entry
        told = Text(allowances.WORDS[allowed.status], style=_STATUS_STYLE.get(allowed.status, "bold yellow"))
        told.append(f" {allowed.note}" if allowed.note else "", style="")
        summary = Text(entry.reason).append(f" ({entry.told}{f'; {entry.url}' if entry.url else ''})", style="dim")
        table.add_row(Text(entry.requirement, style="yellow"), told, summary)
    return table


def _known_table(results: Iterable[Result]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=True, padding=(0, 1))
    for result in results:
        known = result.known
        if known is not None:
            summary = Text(known.summary).append(
                f" ({known.sut} {', '.join(known.versions)}; {known.evidence})", style="dim"
            )
            table.add_row(Text(result.id, style="yellow"), summary)
    return table


def failure(result: Result, *, ascii_only: bool = False) -> RenderableType:
    """One requirement that did not pass: its sentence, and of every test the violation with its smallest witness."""
    fancy, plain, style = _MARKS[mark_of(result)]
    head = Text("\n").append(f"{plain if ascii_only else fancy} {result.id}", style=style)
    head.append(f"  {result.verdict.replace('_', ' ')}  {result.level}  {result.profile}", style="dim")
    if result.origin != OURS:
        head.append(f"  catalogue of {result.origin}", style="dim")
    parts: list[RenderableType] = [head, Padding(Text(result.text), (0, 0, 0, 2), expand=False)]
    for test in result.tests:
        if test.verdict == "pass":
            continue
        parts.append(Padding(Text(test.node, style="cyan"), (0, 0, 0, 2), expand=False))
        violations = [(claim, violation) for claim in test.expectations for violation in claim.violations]
        for claim, violation in violations[:3]:
            parts.append(Padding(_violation(claim.check, claim.verdict, violation), (0, 0, 0, 4), expand=False))
        if len(violations) > 3:
            parts.append(Padding(Text(f"and {len(violations) - 3} more", style="dim"), (0, 0, 0, 4), expand=False))
        if not violations and test.reason:
            parts.append(Padding(Text(PLAIN.clean(test.reason, 800)), (0, 0, 0, 4), expand=False))
        if test.diagnostics is not None:  # in the run's folder, which stands below
            parts.append(Padding(Text(f"see {test.diagnostics.folder}/", style="dim"), (0, 0, 0, 4), expand=False))
    if not result.tests or result.by_missing:
        parts.append(Padding(Text(result.reason), (0, 0, 0, 4), expand=False))
    return Group(*parts)


def _violation(check: str, verdict: str, violation: ReportedViolation) -> Group:
    text = Text(f"{check}: ", style="bold").append(PLAIN.clean(violation.message, 600), style="")
    if verdict == "unknown":
        text.append("  (undecided)", style="yellow")
    parts: list[RenderableType] = [text]
    if violation.where:
        where = Text("last seen: ", style="dim").append(PLAIN.clean(violation.where, 600), style="")
        parts.append(Padding(where, (0, 0, 0, 2), expand=False))
    if violation.witness:
        seqs = ", ".join(map(str, violation.witness[:10])) + (" ..." if len(violation.witness) > 10 else "")
        parts.append(Padding(Text(f"witness: records {seqs} of the history", style="dim"), (0, 0, 0, 2), expand=False))
    return Group(*parts)


def kill_table(mutation: Mutation, *, ascii_only: bool = False) -> Table:
    """Return the kill matrix as one line a mutant."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "mutant", "host", "killed by", "missed by", "false kills"):
        table.add_column(name, overflow="fold")
    styles = {"killed": ("✓", ".", "green"), "survived": ("✗", "F", "bold red"), "undecided": ("?", "?", "bold yellow")}
    silent = {"not_run": "not run", "not_asked": "not asked"}
    for row in mutation.mutants:
        fancy, plain, style = styles.get(row.status, ("-", "-", "dim"))
        table.add_row(
            Text(plain if ascii_only else fancy, style=style),
            Text(row.name, style="dim" if row.status in silent else "bold"),
            row.host,
            Text(_ids(row.killers), style="green"),
            Text(silent.get(row.status, _ids(row.missed)), style=style),
            Text(_ids(row.false_kills), style="bold red"),
        )
    counts = {
        status: sum(row.status == status for row in mutation.mutants)
        for status in ("killed", "survived", "undecided", "not_asked")
    }
    told = ", ".join(f"{count} {silent.get(status, status)}" for status, count in counts.items() if count)
    unproven = f"; MUSTs killed by no mutant: {_ids(mutation.unproven)}" if mutation.unproven else ""
    count = len(mutation.mutants)
    table.caption = f"{count} mutant{'' if count == 1 else 's'}: {told or 'none ran'}{unproven}"
    table.caption_justify = "left"
    return table


def _doubt(row: MutantRow, cell: Cell, tests: Sequence[Test]) -> Group:
    told = {
        "pass": (f"{row.name} survives {cell.requirement}", "bold red"),
        "fail": (f"{cell.requirement} fails under {row.name}, and should not", "bold magenta"),
    }
    said, style = told.get(cell.verdict, (f"{cell.requirement} is {cell.verdict} under {row.name}", "bold yellow"))
    parts: list[RenderableType] = [Text("\n").append(said, style=style)]
    parts.append(Padding(Text(row.about), (0, 0, 0, 2), expand=False))
    for test in tests:
        parts.append(Padding(Text(test.node, style="cyan"), (0, 0, 0, 2), expand=False))
        found = [(claim, violation) for claim in test.expectations for violation in claim.violations][:1]
        why = [_violation(claim.check, claim.verdict, violation) for claim, violation in found]
        if not why and test.reason:
            why = [Group(Text(PLAIN.clean(test.reason, 600)))]
        parts += [Padding(part, (0, 0, 0, 4), expand=False) for part in why]
    return Group(*parts)


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(ids[:8]) + (f" +{len(ids) - 8}" if len(ids) > 8 else "")


def _ending(report: Report, folder: Path | None) -> Group:
    parts: list[RenderableType] = []
    outcome = Text("\n").append(report.gate.outcome, style=_OUTCOME_STYLE[report.gate.exit])
    outcome.append(
        f"  gate {report.gate.name}, exit {report.gate.exit}, {report.duration:.1f} s, {report.history_records} records"
    )
    parts.append(outcome)
    parts += [Padding(Text(reason), (0, 0, 0, 2), expand=False) for reason in report.gate.reasons]
    if folder is not None:
        names = ("index.html", "report.json", "matrix.json", "junit.xml", "allure", "diagnostics", *history_file.NAMES)
        there = [name for name in names if (folder / name).exists()]
        where = Text(f"  {folder}/", style="bold", no_wrap=True, overflow="ignore")  # a path is for copying
        parts.append(where.append("  " + "  ".join(there), style=""))
        beside = "".join(f" --catalogue DIR-OF-{tally.name.upper()}" for tally in report.vendors)
        again = f"  judge it again: python -m reports check {folder}{beside}"
        parts.append(Text(again, style="dim", no_wrap=True, overflow="ignore"))
    return Group(*parts)
