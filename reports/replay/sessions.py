"""Sessions of the suite that play stimuli: each is a pytest of its own, and what it found is read from its history.

This room knows nothing of the harness, so it starts it as a user does, with `--replay`, and judges what it recorded.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from common import files
from common.redaction import PLAIN
from evidence import history_file
from evidence.history import HistoryError
from evidence.replay import TestRun, replay
from evidence.stimulus import Stimulus, to_json
from evidence.verdict import Verdict
from reports.errors import ReportError

ROOT: Final = Path(__file__).resolve().parents[2]
PARENT: Final = "TOUCHSTONE_PARENT"
"""The variable by which a session learns whose end is its own."""
LONGEST_START: Final = 900.0
"""Seconds that a target may take to come up and to go."""
LONGEST_CASE: Final = 150.0
"""Seconds that one stimulus may take: pytest's own guard ends it before."""
LONGEST_END: Final = 330.0
"""Seconds that a session has to end in order."""
SHOWN: Final = 1500
_USAGE = 3
_UNWANTED = ("PYTEST_", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one stimulus.

    Attributes:
        verdict: The verdict on the case.
        check: The check of the claim that failed; empty: none did.
        message: The violation, or why there is no verdict.
    """

    verdict: Verdict
    check: str = ""
    message: str = ""


class UnusableOptionsError(ReportError):
    """The session was given options that it does not take."""


class Sessions(AbstractContextManager["Sessions"]):
    """Plays stimuli on one target, any number at once; its files are gone with it.

    Args:
        options: The options of the session: the target, and what it needs.
    """

    def __init__(self, options: Sequence[str]) -> None:
        self._options = list(options)
        self._folder = tempfile.TemporaryDirectory(prefix="touchstone-replay-")
        self._number = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def play(self, stimuli: Sequence[Stimulus]) -> list[Played]:
        """Play stimuli, one after the other.

        Returns:
            What came of each, in their order.

        Raises:
            UnusableOptionsError: The session does not take its options.
            ReportError: It left no history.
        """
        self._number += 1
        folder = Path(self._folder.name, str(self._number))
        files.make_folder(folder)
        names = [f"case-{number}.json" for number in range(1, len(stimuli) + 1)]
        for name, stimulus in zip(names, stimuli, strict=True):
            files.write(folder / name, to_json(stimulus).encode())
        code = self._run(folder, names)
        history = next(
            (found for run in sorted((folder / "out").glob("*-*")) if (found := history_file.in_folder(run))), None
        )
        if history is None:
            told = PLAIN.tail((folder / "log").read_bytes(), SHOWN)
            raise (UnusableOptionsError if code == _USAGE else ReportError)(f"the session left no history:\n{told}")
        try:
            runs = {run.test.partition("::")[0]: run for run in replay(history).tests}
        except HistoryError as error:
            raise ReportError(str(error)) from error
        return [_played(runs.get(f"replay:{name}")) for name in names]

    def _run(self, folder: Path, names: Sequence[str]) -> int:
        """Run one session to its end; a Ctrl-C reaches it too, and it ends in order."""
        argv = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--default-path=suites"]
        argv += [f"--out={folder / 'out'}", *(f"--replay={folder / name}" for name in names), *self._options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
        environment[PARENT] = str(os.getpid())
        with (folder / "log").open("wb") as log:
            session = subprocess.Popen(
                argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                return session.wait(LONGEST_START + LONGEST_CASE * len(names))
            except subprocess.TimeoutExpired as error:
                raise ReportError(f"the session did not end within {error.timeout:g} s") from error
            finally:
                _end(session)


def _end(session: "subprocess.Popen[bytes]") -> None:
    """Let a session that still runs end in order, and at last by force."""
    if session.poll() is not None:
        return
    session.terminate()
    try:
        session.wait(LONGEST_END)
    except subprocess.TimeoutExpired:
        session.kill()
        session.wait()


def _played(run: TestRun | None) -> Played:
    if run is None:
        return Played(Verdict.ERROR, message="the session ended before this stimulus")
    ruling = run.ruling()
    failed = next((each for each in run.expectations if each.judgement.verdict is Verdict.FAIL), None)
    if ruling.verdict is Verdict.FAIL and failed is not None:
        return Played(ruling.verdict, str(failed.record["check"]), failed.reason)
    return Played(ruling.verdict, message=ruling.reason)
