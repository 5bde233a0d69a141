"""Files that are written whole: seen as they were or as they will be, and nothing in between."""

import os
import stat
from pathlib import Path

import pytest

from common import files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that is there already."""
    path = tmp_path / "report.json"
    path.write_bytes(b"before")
    return path


def test_a_file_is_as_before_until_it_is_whole(path: Path) -> None:
    with files.whole(path) as file:
        file.write(b"after")
        file.flush()
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()], ids=["failing", "interrupted"])
def test_a_writing_that_breaks_leaves_what_was_there_and_nothing_else(path: Path, error: BaseException) -> None:

    def write() -> None:
        with files.whole(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("mode", "umask", "expected"),
    [
        pytest.param(files.FILE_MODE, 0o000, 0o600, id="private-whatever-the-umask"),
        pytest.param(files.SHARED_FILE_MODE, 0o022, 0o644, id="shared-as-the-umask-lets-it"),
    ],
)
def test_a_files_mode_is_the_one_asked_for(path: Path, mode: int, umask: int, expected: int) -> None:
    before = os.umask(umask)
    try:
        with files.whole(path, mode) as file:
            modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir() if each != path}
            file.write(b"after")
    finally:
        os.umask(before)
    assert modes == {expected}
    assert stat.S_IMODE(path.stat().st_mode) == expected
