"""One interrupt: a command is started through tox, interrupted, and looked at when it has ended."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from evidence import catalogue
from fixtures.errors import DeadlineError
from fixtures.waiting import wait_until
from selftest.interrupts import processes
from selftest.interrupts.commands import ASKED, ROOT, Moment

SETTLES_WITHIN = 20.0
UP_WITHIN = 120.0
ENDS_WITHIN = 60.0
TRIES = 4
TRACEBACK = "Traceback (most recent call last)"


@dataclass(slots=True)
class Seen:
    """What was seen of one moment.

    Attributes:
        after: How long the command had run when it was hit, in seconds.
        late: Whether the command had ended before it could be hit.
        seconds: The time from the signal to the end of everything.
        code: Exit code of tox; None when it had to be killed.
        processes: Command lines of what was left running.
        ports: How many sockets were still listened at.
        folders: Temporary folders that were left.
        report: What there is of a report, in words.
        next_run: Whether the next command came up.
        faults: What does not hold, in sentences.
    """

    after: float
    late: bool = False
    seconds: float = 0.0
    code: int | None = None
    processes: list[str] = field(default_factory=list)
    ports: int = 0
    folders: list[str] = field(default_factory=list)
    report: str = "-"
    next_run: bool = False
    faults: list[str] = field(default_factory=list)


def play(moment: Moment, tox: list[str], within: float, bound: float) -> Seen:
    """Interrupt a command once; where it ended before its moment, again at half the time, or nothing would be shown.

    Args:
        moment: What to interrupt, and how.
        tox: The command line of tox.
        within: Seconds in which a command must end that was asked to.
        bound: Seconds after which a command counts as hanging.
    """
    for number in range(TRIES):
        place = Path(tempfile.mkdtemp(prefix="moment-"))
        try:
            seen = _play(replace(moment, after=moment.after / 2**number), tox, within, bound, place)
        finally:
            processes.kill(processes.descendants())
            shutil.rmtree(place, ignore_errors=True)
        if not seen.late or seen.faults:
            return seen
    seen.faults.append(f"expected to hit the {moment.receiver}, got the command's end before, {TRIES} times")
    return seen


def _play(moment: Moment, tox: list[str], within: float, bound: float, place: Path) -> Seen:
    seen, out, log = Seen(moment.after), place / "out", place / "log"
    environment = {**os.environ, "TMPDIR": str(place)}
    process = _started(moment.command.argv(tox, out), environment, log)
    hit = _wait_for(moment, process, bound)
    seen.late = hit is None
    ports = processes.listening(processes.descendants())
    began = bool(_runs(out))
    start = time.monotonic()
    if hit is not None:
        _send(moment, hit)
    _await_end(process, seen, bound, moment)
    seen.seconds = time.monotonic() - start
    seen.ports = len(processes.still_listening(ports))
    seen.folders = [path.name for path in place.glob("touchstone-*")]
    if moment.command.reports:
        _judge_report(moment, seen, out, hit=hit is not None)
    text = log.read_text("utf-8", "replace")
    _judge(moment, seen, within, text if began and hit is not None else "")
    seen.next_run = _starts(tox, environment, place / "next")
    if not seen.next_run:
        seen.faults.append(f"the next command does not come up:\n{_tail(place / 'next')}")
    if seen.faults:
        seen.faults.append(f"the end of what it said:\n{_tail(log)}")
    return seen


def _wait_for(moment: Moment, process: "subprocess.Popen[bytes]", bound: float) -> int | None:
    """Wait for the moment; returns the process to interrupt, or None when the command ended before."""
    end = time.monotonic() + moment.after
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    if moment.receiver == "group":
        return process.pid if process.poll() is None else None
    end += bound
    while process.poll() is None and time.monotonic() < end:
        if (found := processes.find(moment.receiver, process.pid)) is not None:
            return found
        time.sleep(0.02)
    return None


def _send(moment: Moment, pid: int) -> None:
    try:
        if moment.receiver == "group":
            os.killpg(pid, moment.signal)
        else:
            os.kill(pid, moment.signal)
    except ProcessLookupError:
        return  # it ended by itself just now


def _await_end(process: "subprocess.Popen[bytes]", seen: Seen, bound: float, moment: Moment) -> None:
    """Wait for tox and for all that it started."""
    try:
        seen.code = process.wait(bound)
    except subprocess.TimeoutExpired:
        seen.faults.append(f"hangs after {bound:g} s: {_running()}")
        process.kill()
        process.wait()
    # A tox that was hit ends alone, and what it ran ends in order behind it.
    patience = bound if moment.receiver in {"tox", "group"} else SETTLES_WITHIN
    try:
        wait_until(lambda: _all_ended(process.pid), patience, "everything to end")
    except DeadlineError:
        seen.processes = _running()


def _all_ended(tox: int) -> bool:
    processes.collect_zombies(tox)
    return not processes.descendants()


def _running() -> list[str]:
    return [" ".join(processes.command_line(pid))[:160] for pid in processes.descendants()]


def _judge(moment: Moment, seen: Seen, within: float, text: str) -> None:
    if seen.processes:
        seen.faults.append(f"left running: {seen.processes}")
    if seen.ports:
        seen.faults.append(f"{seen.ports} sockets are still listened at")
    if seen.folders:
        seen.faults.append(f"left in the temporary folder: {seen.folders}")
    if moment.signal in ASKED and seen.seconds > within:
        seen.faults.append(f"ended after {seen.seconds:.1f} s, expected {within:g} s at most")
    if moment.signal in ASKED and TRACEBACK in text:
        seen.faults.append(f"shows a traceback:\n{text[text.index(TRACEBACK) :][:3000]}")


def _judge_report(moment: Moment, seen: Seen, out: Path, *, hit: bool) -> None:
    latest = out / "latest"
    if latest.is_symlink() and not (latest / "report.json").is_file():
        seen.faults.append(f"latest leads to {latest.readlink()}, which has no report")
    runs = _runs(out)
    if not runs:
        seen.report = "no run"
        return
    path = runs[-1] / "report.json"
    if not path.is_file():
        seen.report = "none"
        if not (moment.signal is signal.SIGKILL and moment.receiver == "command"):
            seen.faults.append(f"no report in {sorted(entry.name for entry in runs[-1].iterdir())}")
        return
    report = json.loads(path.read_bytes())
    requirements, reason = len(report["results"]), report["run"]["reason"]
    seen.report = f"{requirements} requirements, {reason}"
    expected = len(catalogue.load(ROOT / "suites" / "catalogue").requirements)
    if requirements != expected:
        seen.faults.append(f"the report has {requirements} requirements, expected {expected}")
    ends_run = moment.signal in ASKED or moment.receiver == "tox"
    if hit and ends_run and reason == "error":
        seen.faults.append("the report says `error`, expected `interrupted`")
    if reason != "completed" and report["gate"]["exit"] == 0:
        seen.faults.append("a run that did not complete passes the gate")


def _runs(out: Path) -> list[Path]:
    return sorted(path for path in out.glob("*") if path.is_dir() and not path.is_symlink())


def _starts(tox: list[str], environment: dict[str, str], log: Path) -> bool:
    """Bring a platform up and down again, as a user's next command."""
    process = _started([*tox, "-e", "up"], environment, log)
    end = time.monotonic() + UP_WITHIN
    while process.poll() is None and b"KAFKA_BOOTSTRAP=" not in log.read_bytes() and time.monotonic() < end:
        time.sleep(0.05)
    came_up = b"KAFKA_BOOTSTRAP=" in log.read_bytes()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        return False
    return came_up


def _started(argv: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a command as the leader of a group of its own, as a terminal does."""
    with log.open("wb") as said:
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-25:])
