"""Progress: lines in a log, and something that moves on a terminal."""

import io
import os
import pty

import pytest

from fixtures.platform import progress
from fixtures.platform.progress import progress_of, shown


def test_a_log_gets_plain_lines() -> None:
    stream = io.StringIO()
    with shown(stream) as say:
        say("[1/2] a [b]")
        say.doing("waiting")
    assert stream.getvalue() == "[1/2] a [b]\n"


def test_a_log_is_told_now_and_then_that_a_wait_is_still_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("fixtures.platform.progress.time.monotonic", lambda: now)
    said: list[str] = []
    say = progress_of(said.append)
    for _ in range(7):
        now += progress.HEARTBEAT / 3
        say.doing("waiting for x")
    assert said == ["      still waiting for x"] * 2


def test_a_terminal_shows_what_goes_on() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as reader, os.fdopen(theirs, "w") as stream:
        with shown(stream) as say:
            say.doing("waiting for [x]")
            say("[1/2] done")
        stream.flush()
        seen = reader.read(65536).decode()
    assert "[1/2] done" in seen
    assert "waiting for [x]" in seen


def test_what_can_more_than_lines_is_taken_as_it_is() -> None:
    with shown(io.StringIO()) as say:
        assert progress_of(say) is say
