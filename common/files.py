"""Files and folders that only their owner may read, from the moment in which they exist; and files written whole.

The mode is given when a file is created, so there is no time in which others may open it. What a run records is raw:
it may hold what the system under test should have kept for itself.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

FILE_MODE = 0o600
SHARED_FILE_MODE = 0o666
"""The mode of a file that is for others too, as far as their umask lets it."""
FOLDER_MODE = 0o700
UMASK = 0o077
"""The umask of a process all of whose files are private."""


def opener(path: str, flags: int) -> int:
    """Open a file for `open(..., opener=opener)`: a file that this creates is private."""
    return os.open(path, flags, FILE_MODE)


def write(path: Path, content: bytes) -> None:
    """Write a whole private file; one that is there already keeps its mode."""
    with open(path, "wb", opener=opener) as file:
        file.write(content)


@contextlib.contextmanager
def whole(path: Path, mode: int = FILE_MODE) -> Iterator[BinaryIO]:
    """Write a file that others see whole or not at all: it is written beside its place, and then put there.

    What was there before stays until then, and stays when the writing fails; of the new file nothing is left then.

    Args:
        path: The file.
        mode: The mode of the file.

    Yields:
        The file that is to be written.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def make_folder(path: Path, *, exist_ok: bool = False) -> None:
    """Make a private folder; parents that are missing get the usual mode.

    Args:
        path: The folder.
        exist_ok: Whether it may be there already; then it keeps its mode.

    Raises:
        FileExistsError: It is there already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=FOLDER_MODE, exist_ok=exist_ok)
