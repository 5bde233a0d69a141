"""The commands that are interrupted, the ways in which they are, and the choice of both from a seed."""

import os
import random
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask for an end; SIGKILL takes it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A documented command, kept small.

    Attributes:
        environment: The name of tox's environment.
        arguments: What follows `--`.
        reports: Whether it is a run of the suite, which takes `--out` and leaves a report.
        receivers: The parts of it that can be killed.
    """

    environment: str
    arguments: tuple[str, ...]
    reports: bool
    receivers: tuple[str, ...]

    def argv(self, tox: list[str], out: Path) -> list[str]:
        """Return its command line."""
        given = [*self.arguments, *(["--out", str(out)] if self.reports else [])]
        return [*tox, "-e", self.environment, *(["--", *given] if given else [])]


# Only a pipeline has pods, and it comes when a selected test needs it.
PODS = "suites/streaming"
RUN = ("tox", "command", "worker", "platform", "kafka", "probe", "pod")
COMMANDS = (
    Command("e2e", ("suites/control_plane", PODS, "-n", "2"), reports=True, receivers=RUN),
    Command(
        "e2e", ("suites/control_plane", "-n", "0"), reports=True, receivers=("tox", "command", "platform", "probe")
    ),
    Command("certify", ("suites/control_plane", PODS, "-n", "2"), reports=True, receivers=RUN),
    Command(
        "prove",
        ("--mutant", "reply-on-202", "suites/eventing/test_replies.py", "-n", "2"),
        reports=True,
        receivers=("tox", "command", "worker", "platform", "probe"),
    ),
    Command("up", (), reports=False, receivers=("tox", "command", "platform", "kafka")),
    Command("bench", (), reports=False, receivers=("tox", "command")),
    Command(
        "selftest",
        ("selftest/fixtures/test_plugin.py", "-n", "2"),
        reports=False,
        receivers=("tox", "command", "worker"),
    ),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One interrupt.

    Attributes:
        command: What is interrupted.
        signal: The signal that it gets.
        receiver: Who gets it: `group` (all of it, as from a terminal), or one process of it.
        after: How long the command has run by then, in seconds.
    """

    command: Command
    signal: signal.Signals
    receiver: str
    after: float


def moments(seed: int, count: int, longest: float) -> list[Moment]:
    """Choose moments.

    Args:
        seed: The same seed chooses the same moments.
        count: How many.
        longest: The bound of the time that a command runs before its interrupt, in seconds.
    """
    chance = random.Random(seed)
    chosen = []
    for _ in range(count):
        command = chance.choice(COMMANDS)
        number = chance.choice((*ASKED, signal.SIGKILL))
        receiver = chance.choice(command.receivers if number is signal.SIGKILL else ("group", "tox"))
        chosen.append(Moment(command, number, receiver, round(chance.uniform(0.5, longest), 1)))
    return chosen


def find_tox() -> list[str]:
    """Return the command line of tox, with the work folder of the tox that runs us: nothing is built anew.

    Raises:
        FileNotFoundError: There is no tox.
    """
    work = os.environ.get("TOX_WORK_DIR") or str(ROOT / ".tox")
    running = _running(os.environ.get("TOUCHSTONE_PARENT", ""))
    found = shutil.which("tox")
    if not running and not found:
        raise FileNotFoundError(
            f"tox is missing: expected `tox -e interrupts`, or a tox on PATH, got {os.environ.get('PATH', '')}"
        )
    return [*(running or [str(found)]), "--root", str(ROOT), "--workdir", work]


def _running(pid: str) -> list[str]:
    """Return how the tox that started us was started, or nothing when none did."""
    try:
        words = [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")] if pid else []
    except OSError:
        return []
    if len(words) > 1 and Path(words[1]).name == "tox":
        return words[:2]
    return words[:3] if words[1:3] == ["-m", "tox"] else []
