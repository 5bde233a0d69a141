"""A trend for a terminal: what fails since when, a strip of marks a requirement, a line of blocks a stage."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import terminal
from reports.html import seconds
from reports.trend.model import Column, Row, Trend
from reports.trend.sparkline import blocks

MOST_COLUMNS: Final = 60
MOST_TOLD: Final = 12
_OUTCOME_STYLE = {0: "green", 1: "bold red", 2: "bold yellow", 3: "bold yellow"}


def show(trend: Trend, console: Console, *, ascii_only: bool = False) -> None:
    """Write the whole trend."""
    first = max(0, len(trend.columns) - MOST_COLUMNS)
    console.print(_runs(trend.columns[first:], first))
    moved = [row for row in trend.rows if not row.steady]
    if moved:
        console.print(_rows(moved, trend, first, ascii_only=ascii_only))
    steady = len(trend.rows) - len(moved)
    told = f"\n{steady} of {len(trend.rows)} requirements did nothing but pass, or were left out"
    console.print(Text(told, style="dim"))
    if trend.stages:
        console.print(_stages(trend, first, ascii_only=ascii_only))
    for told in trend.left_out[:MOST_TOLD]:
        console.print(Text(f"left out: {told}", style="yellow"))
    if len(trend.left_out) > MOST_TOLD:
        console.print(Text(f"and {len(trend.left_out) - MOST_TOLD} more", style="yellow"))
    worse = trend.worse
    told = f"worse since it passed: {', '.join(row.id for row in worse[:MOST_TOLD])}" if worse else "nothing is worse"
    more = f" and {len(worse) - MOST_TOLD} more" if len(worse) > MOST_TOLD else ""
    console.print(Text(f"\n{told}{more}", style="bold red" if worse else "bold green"))


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _runs(columns: Sequence[Column], first: int) -> Table:
    table = _table("", "run", "started", "suite", "outcome", "latency")
    for number, column in enumerate(columns, first + 1):
        run = column.run
        table.add_row(
            str(number),
            Text(run.name),
            Text(run.started[:19].replace("T", " ")),
            Text(run.suite[:18]),
            Text(run.outcome, style=_OUTCOME_STYLE[run.exit]),
            Text("" if column.comparable else f"another {', '.join(column.other)}", style="yellow"),
        )
    if first:
        table.caption = f"and {first} runs before these"
        table.caption_justify = "left"
    return table


def _rows(rows: Iterable[Row], trend: Trend, first: int, *, ascii_only: bool) -> Table:
    table = _table("requirement", "level", "oldest to newest", "fails since", "passed last in")
    for row in rows:
        table.add_row(
            Text(row.id, style="bold red" if row.worse else "bold"),
            row.level,
            _strip(row.marks[first:], ascii_only=ascii_only),
            _named(trend, row.since),
            _named(trend, row.passed),
        )
    return table


def _strip(marks: Iterable[str], *, ascii_only: bool) -> Text:
    strip = Text()
    for mark in marks:
        told, style = terminal.sign(mark, ascii_only=ascii_only) if mark else (" ", "")
        strip.append(told, style=style)
    return strip


def _named(trend: Trend, number: int | None) -> Text:
    return Text("" if number is None else f"{number + 1}: {trend.columns[number].run.name}")


def _stages(trend: Trend, first: int, *, ascii_only: bool) -> Table:
    table = _table("p95 of stage", "oldest to newest", "newest", "samples", "requirement")
    for row in trend.stages:
        newest = row.values[-1]
        table.add_row(
            Text(row.stage),
            Text(blocks(row.values[first:], row.comparable[first:], ascii_only=ascii_only), style="cyan"),
            "none" if newest is None else seconds(newest),
            str(row.samples),
            Text(row.requirement),
        )
    if any(not fits for row in trend.stages for fits in row.comparable):
        table.caption = "x: measured around another target or catalogue, or with other samples: not comparable"
        table.caption_justify = "left"
    return table
