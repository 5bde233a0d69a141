"""Files and folders that nobody but their owner may read."""

import os
from pathlib import Path
from typing import Any

import pytest

from embedded.private import NotPrivateError, private_folder, write_privately


def test_a_private_file_is_private_before_it_has_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    opened = os.fdopen

    def fdopen(descriptor: int, *arguments: Any, **options: Any) -> Any:
        modes.append((os.fstat(descriptor).st_mode & 0o777, os.fstat(descriptor).st_size))
        return opened(descriptor, *arguments, **options)

    monkeypatch.setattr(os, "fdopen", fdopen)
    before = os.umask(0)
    try:
        write_privately(tmp_path / "secret", b"s")
    finally:
        os.umask(before)
    assert modes == [(0o600, 0)]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("secret", b"s")]


def test_a_state_folder_that_stands_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    private_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="to give a folder to another user takes root")
def test_a_state_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(NotPrivateError, match="expected a folder of user 0, got one of user 12345"):
        private_folder(folder)


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(NotPrivateError, match="expected a folder to write to, got: File exists"):
        private_folder(tmp_path / "state")
