"""`python -m reports compare`: its options, and what it writes where."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from common import files
from evidence.catalogue import Catalogue
from reports.compare import document, html, markdown, terminal
from reports.compare.comparing import compare
from reports.document import dump
from reports.errors import ReportError

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""The variable with which GitHub Actions names the file of a step's summary."""


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
        _write(arguments.markdown, markdown.render(compared))
    if arguments.html:
        _write(arguments.html, html.render(compared))
    if summary := os.environ.get(SUMMARY):
        _append(Path(summary), markdown.render(compared))
    return compared.exit


def _write(path: Path, text: str) -> None:
    try:
        with files.whole(path, files.SHARED_FILE_MODE) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error


def _append(path: Path, text: str) -> None:
    """Add to a file that other steps write too."""
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise ReportError(f"cannot write {path}, which {SUMMARY} names: {error.strerror}") from error
