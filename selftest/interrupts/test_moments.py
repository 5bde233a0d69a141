"""A few interrupts of the real commands through the real tox: the short form of `tox -e interrupts`."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from selftest.interrupts.commands import COMMANDS, find_tox, moments

ROOT = Path(__file__).resolve().parents[2]


def test_a_seed_chooses_the_same_moments() -> None:
    assert moments(1, 40, 20) == moments(1, 40, 20)
    assert moments(1, 40, 20) != moments(2, 40, 20)


def test_forty_moments_reach_every_command_and_every_signal() -> None:
    chosen = moments(1, 40, 20)
    assert {moment.command for moment in chosen} == set(COMMANDS)
    assert {moment.signal for moment in chosen} == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL}


@pytest.mark.timeout(900)
def test_interrupted_commands_leave_nothing_but_an_honest_report() -> None:
    try:
        find_tox()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    # Other tests run beside this one: how long an ending may take is asked by `tox -e interrupts`.
    words = ["--moments", "4", "--seed", "6", "--longest", "12", "--within", "60"]
    done = subprocess.run(
        [sys.executable, "-m", "selftest.interrupts", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
