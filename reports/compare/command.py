"""`python -m reports compare`: its options, and what it writes where."""

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from common import files
from evidence.catalogue import Catalogue
from reports import step_summary
from reports.compare import document, html, markdown, terminal
from reports.compare.comparing import compare
from reports.document import dump
from reports.errors import ReportError

MOST_COMMENTED: Final = 65_000
"""Bytes of a comment in GitHub; it refuses a longer one than 65,536 characters."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    run_help = "a run's folder, or its history, plain or packed by gzip"
    parser.add_argument("base", type=Path, metavar="BASE", help=f"the old run: {run_help}")
    parser.add_argument("new", type=Path, metavar="NEW", nargs="+", help="runs to compare with it, each by itself")
    parser.add_argument("--json", action="store_true", help="as JSON, one document (reports/schema)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write Markdown, for a pull request")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write one self-contained page")


def run(arguments: argparse.Namespace, console: Console, catalogue: Catalogue, *, ascii_only: bool) -> int:
    """Compare, write everything that was asked for, and return the exit code.

    Args:
        arguments: The parsed command line.
        console: The console for the table.
        catalogue: Today's catalogue.
        ascii_only: Whether the reader's encoding holds ASCII only.

    Raises:
        UsageError: A path is no run, or a run is given twice.
        ReportError: A run cannot be compared, or a file cannot be written.
    """
    compared = compare(arguments.base, arguments.new, catalogue)
    if arguments.json:
        sys.stdout.write(dump(document.to_json(compared)))
    else:
        for pair in compared.pairs:
            with console.capture() as shown:
                terminal.show(pair, console)
            told = "\n".join(line.rstrip() for line in shown.get().split("\n"))
            sys.stdout.write(told.encode("ascii", "backslashreplace").decode() if ascii_only else told)
    if arguments.markdown:
        _write(arguments.markdown, step_summary.bounded(markdown.render(compared), MOST_COMMENTED))
    if arguments.html:
        _write(arguments.html, html.render(compared).encode("utf-8", "backslashreplace"))
    step_summary.append(markdown.render(compared))
    return compared.exit


def _write(path: Path, content: bytes) -> None:
    try:
        with files.whole(path, files.SHARED_FILE_MODE) as file:
            file.write(content)
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
