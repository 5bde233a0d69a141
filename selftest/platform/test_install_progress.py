"""Progress: lines in a log, and something that moves on a terminal."""

import io
import os
import pty
import select

import pytest

from fixtures.platform.installation import progress
from fixtures.platform.installation.progress import progress_of, shown
from fixtures.waiting import wait_until


def test_a_log_gets_plain_lines() -> None:
    stream = io.StringIO()
    with shown(stream) as say:
        say("[1/2] a [b]")
        say.doing("waiting")
    assert stream.getvalue() == "[1/2] a [b]\n"


def test_a_log_is_told_now_and_then_that_a_wait_is_still_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("fixtures.platform.installation.progress.time.monotonic", lambda: now)
    said: list[str] = []
    say = progress_of(said.append)
    for _ in range(7):
        now += progress.HEARTBEAT / 3
        say.doing("waiting for x")
    assert said == ["      still waiting for x"] * 2


def test_a_terminal_shows_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    seen = b""

    def shows(text: bytes) -> bool:
        nonlocal seen
        if select.select([ours], [], [], 0)[0]:
            seen += os.read(ours, 65536)
        return text in seen

    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "w") as stream, shown(stream) as say:
        say.doing("waiting for [x]")
        wait_until(lambda: shows(b"waiting for [x]"), 10, lambda: f"what goes on to be shown, got {seen!r}")
        say("[1/2] done")
        wait_until(lambda: shows(b"[1/2] done"), 10, lambda: f"the line to be shown, got {seen!r}")


def test_a_terminal_that_cannot_move_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as reader, os.fdopen(theirs, "w") as stream, shown(stream) as say:
        say.doing("waiting")
        say("[1/2] done")
        assert reader.read(65536) == b"[1/2] done\r\n"


def test_what_can_more_than_lines_is_taken_as_it_is() -> None:
    with shown(io.StringIO()) as say:
        assert progress_of(say) is say
