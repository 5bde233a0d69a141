"""`python -m reports trend`: its options, and what it writes where."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from reports.document import dump
from reports.trend import document, html, terminal
from reports.trend.collecting import collect


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument(
        "runs", type=Path, metavar="RUN", nargs="+", help="runs' folders, or folders of runs, like reports/out"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, one document (reports/schema)")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="DIR",
        help="also write a static site there, as GitHub Pages serves it; runs that lie in DIR are linked",
    )


def run(arguments: argparse.Namespace, console: Console, *, ascii_only: bool) -> int:
    """Put the runs side by side, write everything that was asked for, and return the exit code.

    Args:
        arguments: The parsed command line.
        console: The console for the table.
        ascii_only: Whether the reader's encoding holds ASCII only.

    Raises:
        UsageError: A path is no run and holds none, or the site would overwrite a run's page.
        ReportError: No run can be read, or a file cannot be written.
    """
    trend = collect(arguments.runs)
    if arguments.json:
        sys.stdout.write(dump(document.to_json(trend)))
    else:
        with console.capture() as shown:
            terminal.show(trend, console, ascii_only=ascii_only)
        told = "\n".join(line.rstrip() for line in shown.get().split("\n"))
        sys.stdout.write(told.encode("ascii", "backslashreplace").decode() if ascii_only else told)
    if arguments.html:
        html.write(trend, arguments.html)
    return trend.exit
