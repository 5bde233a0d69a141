"""`python -m reports replay`: its options, the order of what it does, and what it says meanwhile."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console
from rich.text import Text

from common import files
from common.errors import UnknownNameError, UsageError
from common.redaction import PLAIN
from evidence.catalogue import Catalogue, Requirement
from evidence.stimulus import Stimulus
from evidence.verdict import Verdict
from reports.document import dump
from reports.errors import ReportError
from reports.replay import document
from reports.replay.document import Finding
from reports.replay.extracting import Case, extract
from reports.replay.hiding import without_secrets
from reports.replay.reducing import in_words, size_of
from reports.replay.sessions import Played, Sessions, UnusableOptionsError
from reports.replay.shrinking import Play, Shrinker
from reports.run import history_of

REFERENCE: Final = "embedded"
"""The target that follows the contract: what it refutes as well is no fault of the system under test."""
MOST_ATTEMPTS: Final = 10_000
MOST_PLAYS: Final = 100
ENDING: Final = ".replay.md"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder, or its history, plain or packed by gzip")
    parser.add_argument("test", metavar="TEST", help="the node id of a case that failed in it, or the id's end")
    parser.add_argument("--target", metavar="NAME", default=REFERENCE, help=f"where it is sent (default: {REFERENCE})")
    parser.add_argument(
        "--mutant", metavar="NAME", action="append", default=[], help="a mutant of the embedded platform; may repeat"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"the file to write (default: REQUIREMENT{ENDING})")
    parser.add_argument(
        "--attempts", metavar="N", default="100", help="how many smaller stimuli may be tried (default: 100; 0: none)"
    )
    parser.add_argument(
        "--again",
        metavar="N",
        default="3",
        help="how often the recorded, and then the smallest one is sent (default: 3)",
    )
    parser.add_argument(
        "--no-reference",
        action="store_true",
        help="do not ask the embedded platform whether it passes what the target fails",
    )
    parser.add_argument("--json", action="store_true", help="what came of it as JSON, one document")
    parser.usage = f"{parser.prog} RUN TEST [options] [-- options of `tox -e e2e`]"


def run(arguments: argparse.Namespace, console: Console, catalogue: Catalogue, behind: Sequence[str]) -> int:
    """Send the case again, make it smaller, write it down, and return the exit code.

    Args:
        arguments: The parsed command line.
        console: The console for the result.
        catalogue: Today's catalogue.
        behind: The words behind `--`, for the sessions on the target.

    Raises:
        UsageError: The run has no such failing case, or it cannot be played; or an option is unusable.
        ReportError: A session did not get through, or the file cannot be written.
    """
    attempts = _number("--attempts", arguments.attempts, 0, MOST_ATTEMPTS)
    plays = _number("--again", arguments.again, 1, MOST_PLAYS)
    case = extract(history_of(arguments.run), arguments.test)
    requirement = _requirement(catalogue, case)
    out = _out(arguments.out, requirement)
    words = [f"--target={arguments.target}", *(f"--mutant={name}" for name in arguments.mutant)]
    shared = [f"--catalogue={folder.resolve()}" for folder in arguments.catalogue]
    honest = arguments.target == REFERENCE and not arguments.mutant and not behind
    if case.mutant and not arguments.mutant:
        _say(f"the recorded case ran under mutant {case.mutant}: --mutant {case.mutant} asks for it again")
    try:
        with _ending_in_order(), ExitStack() as stack:
            target = stack.enter_context(Sessions([*words, *behind, *shared])).play
            wanted = not (honest or arguments.no_reference)
            reference = stack.enter_context(Sessions([f"--target={REFERENCE}", *shared])).play if wanted else None
            replayed = _Replay(case, requirement, target, reference, [*words, *behind])
            return replayed.run(attempts, plays, out, console, arguments)
    except UnusableOptionsError as error:
        raise UsageError(str(error)) from error
    except KeyboardInterrupt:
        raise ReportError("interrupted: nothing was written") from None


@contextlib.contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the command as Ctrl-C does: its session ends in order, and its files go."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Replay:
    """One case on its way.

    Args:
        case: The case as it was recorded.
        requirement: The requirement that it asks.
        target: Plays stimuli on the target.
        reference: Plays them on the reference platform; None: it is not asked.
        options: The options of the sessions on the target, for people.
    """

    def __init__(
        self, case: Case, requirement: Requirement, target: Play, reference: Play | None, options: Sequence[str]
    ) -> None:
        self._case = case
        self._requirement = requirement
        self._target = target
        self._reference = reference
        self._options = options

    def run(self, attempts: int, plays: int, out: Path, console: Console, arguments: argparse.Namespace) -> int:
        """Play, shrink and write."""
        recorded = self._case.stimulus
        _say(f"{recorded['test']}: {in_words(recorded)}; sent again {plays} times")
        first = self._target([recorded] * plays)
        failing = [played for played in first if played.verdict is Verdict.FAIL]
        if not failing:
            return self._does_not_fail(first, console, arguments)
        told = f"fails again, {len(failing)} of {plays}"
        _say(f"{told}: {failing[0].message}")
        self._ask_reference(recorded)
        shrinker = Shrinker(failing[0], self._target, self._reference, attempts, _say)
        smallest = shrinker.shrink(recorded)
        finding = self._finding(smallest, plays, arguments)
        _write(out, document.render(finding, out.name))
        if arguments.json:
            sys.stdout.write(dump({**finding.to_json(), "attempts": shrinker.used, "file": str(out)}))
        else:
            console.print(Text(told, style="bold red"))
            console.print(Text(f"{in_words(recorded)} became {in_words(smallest)}, in {shrinker.used} attempts"))
            console.print(Text(f"written to {out}: it failed {finding.failed} of {finding.plays} times"))
        return 1 if finding.failed else 2

    def _does_not_fail(self, first: Sequence[Played], console: Console, arguments: argparse.Namespace) -> int:
        """Say that the case does not fail again, or why nobody knows."""
        undecided = [played for played in first if played.verdict is not Verdict.PASS]
        told = f"does not fail again, 0 of {len(first)}"
        if arguments.json:
            counts = {"failed": 0, "plays": len(first), "undecided": len(undecided)}
            stimulus = self._case.stimulus
            names = {"requirement": self._requirement.id, "test": stimulus["test"], "run": stimulus["run"]}
            sys.stdout.write(dump({**names, **counts}))
        if undecided:
            raise ReportError(f"{told}; {len(undecided)} plays are undecided: {undecided[0].message}")
        if not arguments.json:
            console.print(Text(told, style="bold green"))
        return 0

    def _ask_reference(self, recorded: Stimulus) -> None:
        """Ask the reference platform once; where it does not pass the case, it can tell nothing of smaller ones."""
        if self._reference is None:
            return
        (played,) = self._reference([recorded])
        if played.verdict is not Verdict.PASS:
            _say(f"the reference platform does not pass the case either ({played.verdict}): {played.message}")
            self._reference = None

    def _finding(self, smallest: Stimulus, plays: int, arguments: argparse.Namespace) -> Finding:
        shown = without_secrets(smallest)
        last = self._target([shown] * plays)
        failing = [played for played in last if played.verdict is Verdict.FAIL]
        reference = ""
        if self._reference is not None:
            (played,) = self._reference([shown])
            passes = played.verdict is Verdict.PASS
            reference = f"The reference platform {'passes' if passes else 'does not pass'} it."
        return Finding(
            requirement=self._requirement,
            stimulus=shown,
            message=failing[0].message if failing else self._case.message,
            target=arguments.target,
            sut=self._case.sut,
            options=self._options,
            mutants=arguments.mutant,
            failed=len(failing),
            plays=plays,
            reference=reference,
            before=size_of(self._case.stimulus),
            after=size_of(shown),
            hidden=shown != smallest,
        )


def _requirement(catalogue: Catalogue, case: Case) -> Requirement:
    known = {requirement.id: requirement for requirement in catalogue.requirements}
    name = case.stimulus["requirement"]
    if name not in known:
        raise UnknownNameError("requirement", name, known)
    return known[name]


def _number(option: str, text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise UsageError(f"{option}: expected a whole number from {least} to {most}, got {text!r}")
    return int(text)


def _out(given: Path | None, requirement: Requirement) -> Path:
    """Return the file to write; what cannot be played under its name, or has no folder, is refused beforehand."""
    out = given or Path(f"{requirement.id}{ENDING}")
    if out.suffix != ".md":
        raise UsageError(f"--out {out}: expected a file that ends in .md, as pytest plays it")
    if not out.resolve().parent.is_dir():
        raise UsageError(f"--out {out}: expected a folder that exists, got {out.resolve().parent}")
    return out


def _write(path: Path, text: str) -> None:
    try:
        with files.whole(path, files.SHARED_FILE_MODE) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error


def _say(line: str) -> None:
    """Tell of progress beside the result, which may be a document."""
    sys.stderr.write(f"{PLAIN.one_line(line)}\n")
    sys.stderr.flush()
