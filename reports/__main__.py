"""`python -m reports`: read, check and render what a run left behind; list what the suite asks. Needs no platform."""

import argparse
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from common.errors import UnknownNameError, UsageError
from common.redaction import PLAIN
from evidence import canaries
from evidence import catalogue as catalogues
from evidence.catalogue import Catalogue
from evidence.chain import DIGITS, is_head
from evidence.vendor import load_beside
from reports import badge, baseline, build, certificates, listing, show, terminal, write
from reports.attest import command as attesting
from reports.check import check
from reports.compare import command as comparison
from reports.errors import ReportError
from reports.replay import command as replaying
from reports.run import history_of
from reports.trend import command as trends
from reports.verify import command as verifying

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "suites" / "catalogue"
LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")

_EXITS = "exit codes: 0 as expected (or: agrees), 1 not, 2 undecided or our own fault, 3 usage"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Usage errors have an exit code of their own."""
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words, behind = _apart(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    arguments = parser.parse_args(words)
    if behind and arguments.command is not _replay:
        parser.error(f"-- {' '.join(behind)}: only replay takes options of a session behind --")
    arguments.behind = behind
    console = terminal.plain_console(sys.stdout, _width())
    command: Callable[[argparse.Namespace, Console], int] = arguments.command
    try:
        return command(arguments, console)
    except (UnknownNameError, UsageError) as error:
        sys.stderr.write(f"{PLAIN.text(error)}\n")
        return 3
    except (ReportError, ValueError) as error:
        sys.stderr.write(f"error: {PLAIN.text(error)}\n")
        return 2
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; leave nothing for the interpreter to flush into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _apart(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the words before `--` and those behind it."""
    words = list(argv)
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m reports", description=__doc__, epilog=_EXITS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def add(
        name: str, command: Callable[[argparse.Namespace, Console], int], text: str, *, judges: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=_EXITS)
        sub.set_defaults(command=command)
        if judges:
            sub.add_argument(
                "--catalogue",
                type=Path,
                metavar="DIR",
                action="append",
                default=[],
                help="a vendor's own requirements beside ours, as the run had them; may repeat",
            )
        return sub

    run_help = "a run's folder, like reports/out/latest, or its history, plain or packed by gzip"
    sub = add("check", _check, "compute the verdicts again from the history alone and compare them with report.json")
    sub.add_argument("run", type=Path, metavar="RUN", help=run_help)
    sub.add_argument("--head", type=_head, metavar="HEX", help="the head of the history, as it was published")
    sub = add("show", _show, "show a run's table, or all that the history says about one requirement")
    sub.add_argument("run", type=Path, metavar="RUN", help=run_help)
    sub.add_argument(
        "--requirement", metavar="ID", help="one requirement: its tests, expectations, witnesses and paths"
    )
    sub = add("render", _render, "write report.json, junit.xml, allure/ and index.html again from the history")
    sub.add_argument("run", type=Path, metavar="RUN", help=run_help)
    comparison.add_options(
        add("compare", _compare, "compare runs with an old one, requirement by requirement; 1: worse, 2: undecided")
    )
    baseline.add_options(add("baseline", _baseline, "write the failures of a run as a file for --known"))
    badge.add_options(add("badge", _badge, "say a run's numbers in one line, as SVG and for shields.io"))
    told = (
        "write certificates/index.html and its README from the certificates there; 1: one does not bear out its claim"
    )
    certificates.add_options(add("certificates", _certificates, told, judges=False), ROOT / "certificates")
    told = "put many runs side by side: what fails since when, and each stage's latency; 1: worse"
    trends.add_options(add("trend", _trend, told, judges=False))
    attesting.add_options(add("attest", _attest, attesting.TEXT))
    verifying.add_options(add("verify", _verify, verifying.TEXT))
    replaying.add_options(
        add(
            "replay", _replay, "send a failing case of a run again, make it smaller, and write a test file; 1: it fails"
        )
    )
    sub = add("list", _list, "list the catalogue: every requirement that the suite asks")
    form = sub.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, one document")
    form.add_argument(
        "--markdown", action="store_true", help="as Markdown, with sources and mutants: what docs/catalogue.md holds"
    )
    sub.add_argument("--profile", metavar="P", help="only this profile")
    sub.add_argument("--area", metavar="A", help="only this area; also tells the next free id of each of its groups")
    sub.add_argument("--level", metavar="L", help=f"only this level: {', '.join(LEVELS)}")
    return parser


def _head(text: str) -> str:
    """Return the head of a history as it is written; capitals make no difference."""
    if not is_head(text.lower()):
        raise argparse.ArgumentTypeError(f"expected {DIGITS} hexadecimal digits, got {text[:80]!r}")
    return text.lower()


def _catalogue(arguments: argparse.Namespace) -> Catalogue:
    """Return ours, joined with those of the vendors that the command line names."""
    catalogue, _ = load_beside(catalogues.load(CATALOGUE), [folder.resolve() for folder in arguments.catalogue])
    return catalogue


def _check(arguments: argparse.Namespace, console: Console) -> int:
    history = history_of(arguments.run)
    canaries.look(folder.resolve() for folder in arguments.catalogue)
    outcome = check(history.parent, _catalogue(arguments), history=history, head=arguments.head)
    for note in outcome.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    report = outcome.computed
    if outcome.agrees:
        told = Text("agrees", style="bold green")
        basis = f"{report.history_records} records, history sha256 {report.history_sha256[:16]}"
        told.append(f"  {len(report.results)} verdicts from {basis}", style="")
        console.print(told)
        console.print(Text(terminal.head_line(report) + (", as published" if arguments.head else "")))
        return 0
    console.print(Text(f"disagrees  {len(outcome.differences)} differences", style="bold red"))
    for difference in outcome.differences:
        console.print(Padding(Text(PLAIN.one_line(difference, 600)), (0, 0, 0, 2), expand=False))
    return 1


def _show(arguments: argparse.Namespace, console: Console) -> int:
    return show.run(arguments, console, _catalogue(arguments), ascii_only=_ascii_only())


def _render(arguments: argparse.Namespace, console: Console) -> int:
    history = history_of(arguments.run)
    report = build.build(history, _catalogue(arguments))
    for file in write.write(report, history.parent, history):
        console.print(Text(str(file)))
    return 0


def _compare(arguments: argparse.Namespace, console: Console) -> int:
    return comparison.run(arguments, console, _catalogue(arguments), ascii_only=_ascii_only())


def _baseline(arguments: argparse.Namespace, _: Console) -> int:
    return baseline.run(arguments, _catalogue(arguments))


def _badge(arguments: argparse.Namespace, _: Console) -> int:
    return badge.run(arguments, _catalogue(arguments))


def _certificates(arguments: argparse.Namespace, _: Console) -> int:
    return certificates.command(arguments, catalogues.load(CATALOGUE).version)


def _trend(arguments: argparse.Namespace, console: Console) -> int:
    return trends.run(arguments, console, ascii_only=_ascii_only())


def _attest(arguments: argparse.Namespace, console: Console) -> int:
    return attesting.run(arguments, console, _catalogue(arguments))


def _verify(arguments: argparse.Namespace, console: Console) -> int:
    return verifying.run(arguments, console, _catalogue(arguments))


def _replay(arguments: argparse.Namespace, console: Console) -> int:
    return replaying.run(arguments, console, _catalogue(arguments), arguments.behind)


def _list(arguments: argparse.Namespace, console: Console) -> int:
    catalogue = _catalogue(arguments)
    if arguments.profile is not None:
        _known_name("profile", arguments.profile, dict.fromkeys(str(r.profile) for r in catalogue.requirements))
    if arguments.area is not None:
        _known_name("area", arguments.area, dict.fromkeys(r.area for r in catalogue.requirements))
    level = None if arguments.level is None else arguments.level.upper().replace("-", " ").replace("_", " ")
    if level is not None:
        _known_name("level", level, LEVELS)
    chosen = [
        requirement
        for requirement in catalogue.requirements
        if arguments.profile in (None, requirement.profile)
        and level in (None, requirement.level)
        and arguments.area in (None, requirement.area)
    ]
    if arguments.json:
        sys.stdout.write(listing.as_json(chosen))
    elif arguments.markdown:
        sys.stdout.write(listing.as_markdown(catalogue, chosen))
    else:
        console.print(listing.as_table(catalogue, chosen))
        console.print(Text(f"\n{len(chosen)} of {len(catalogue.requirements)} requirements", style="dim"))
        if arguments.area is not None:
            ids = [requirement.id for requirement in catalogue.requirements if requirement.area == arguments.area]
            console.print(Text(f"next free: {', '.join(catalogues.free_ids(ids))}"))
    return 0


def _known_name(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known)


def _ascii_only() -> bool:
    return not (sys.stdout.encoding or "").lower().startswith("utf")


def _width() -> int | None:
    """Return the terminal's width; a wide page where the output is no terminal."""
    return None if sys.stdout.isatty() else 120


if __name__ == "__main__":
    sys.exit(main())
