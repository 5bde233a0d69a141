"""Files and folders that nobody but their owner may read."""

import os
import tempfile
from pathlib import Path

FOLDER = 0o700


class NotPrivateError(Exception):
    """A folder that belongs to another user, or that cannot be made private."""


def private_folder(path: Path) -> None:
    """Make a new or existing folder private to its owner.

    Raises:
        NotPrivateError: The folder cannot be made or belongs to another user; the text says which.
    """
    try:
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        owner = path.stat().st_uid
        if owner != os.geteuid():
            raise NotPrivateError(f"{path}: expected a folder of user {os.geteuid()}, got one of user {owner}")
        path.chmod(FOLDER)
    except OSError as error:
        raise NotPrivateError(f"{path}: expected a folder to write to, got: {error.strerror}") from error


def write_privately(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
