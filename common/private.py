"""Files and folders that only their owner may read, from the moment in which they exist.

The mode is given when a file is created, so there is no time in which others may open it. What a run records is raw:
it may hold what the system under test should have kept for itself.
"""

import os
from pathlib import Path

FILE_MODE = 0o600
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
