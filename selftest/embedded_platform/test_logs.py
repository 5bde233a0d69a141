"""Container logs: bounded, followed, and those of the run before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.runtime import logs
from embedded.runtime.logs import ContainerLog, RunLog


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunLog]:
    """Yield a log whose two halves hold ten bytes each."""
    monkeypatch.setattr(logs, "HALF", 10)
    log = RunLog(tmp_path / "logs" / "0.log")
    yield log
    log.close()


def test_oldest_part_goes_when_the_bound_is_reached(log: RunLog) -> None:
    for number in range(8):
        log.write(f"line{number}".encode())
    assert log.read() == b"line4line5line6line7"
    assert log.end == 40
    assert log.read(30) == b"line6line7"


def test_tail_is_whole_lines(log: RunLog) -> None:
    log.write(b"one\ntwo\nth")
    assert log.tail(2) == b"two\nth"
    assert log.tail(0) == b""


def test_deleted_files_are_no_failure(log: RunLog, tmp_path: Path) -> None:
    log.write(b"one\n")
    (tmp_path / "logs" / "0.log").unlink()
    assert log.read() == b""


@pytest.mark.anyio
async def test_followers_see_everything_once(log: RunLog) -> None:
    log.write(b"a\nb\n")
    following = log.follow(1)
    assert await anext(following) == b"b\n"
    log.write(b"c\n")
    log.write(b"d\n")
    log.close()
    assert b"".join([chunk async for chunk in following]) == b"c\nd\n"


def test_only_the_run_before_is_kept(tmp_path: Path) -> None:
    container = ContainerLog(tmp_path / "c")
    for number in range(3):
        container.new_run().write(str(number).encode())
    assert container.current is not None
    assert container.previous is not None
    assert (container.previous.read(), container.current.read()) == (b"1", b"2")
    assert len(list((tmp_path / "c").iterdir())) == 2
    container.remove()
    assert not (tmp_path / "c").exists()


def test_what_was_written_since_a_moment(log: RunLog, monkeypatch: pytest.MonkeyPatch) -> None:
    for second, line in enumerate((b"a\n", b"b\n", b"c\n")):
        monkeypatch.setattr("time.time", lambda second=second: 1000.0 + second)
        log.write(line)
    assert [log.tail(None, log.since(1000.0 + second)) for second in (-1, 0, 1, 2, 3)] == [
        *(b"a\nb\nc\n", b"a\nb\nc\n", b"b\nc\n", b"c\n", b""),
    ]
    assert log.tail(1, log.since(1001.0)) == b"c\n"
