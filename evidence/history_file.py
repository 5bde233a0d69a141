"""The bytes of a history: a file of lines, plain or packed by gzip. Both are bounded, and both read alike."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES: Final = ("history.ndjson", "history.ndjson.gz")
MOST_LINE: Final = 128 << 20
MOST_HISTORY: Final = 8 << 30
_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 20


class HistoryError(ValueError):
    """A history cannot be trusted; the message names the file and the line."""


class HistoryTruncatedError(HistoryError):
    """The last line of a history is cut off: whoever wrote it was killed."""


def in_folder(folder: Path) -> Path | None:
    """Return the history in a folder, rather the plain one than the packed one; None where there is none."""
    return next((path for name in NAMES if (path := folder / name).is_file()), None)


def lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a history file; of one that is too long no more than shows it.

    Raises:
        HistoryError: The file cannot be read, is too large, or is packed and cut off.
    """
    with _opened(path) as file:
        size = 0
        while line := file.readline(MOST_LINE + 1):
            size += len(line)
            _bound(path, size)
            yield line


def sha256(path: Path) -> str:
    """Return the digest of a history's bytes in hex; of a packed one, of what it unpacks to.

    Raises:
        HistoryError: As `lines`.
    """
    digest = hashlib.sha256()
    with _opened(path) as file:
        size = 0
        while block := file.read(_BLOCK):
            size += len(block)
            _bound(path, size)
            digest.update(block)
    return digest.hexdigest()


def _bound(path: Path, size: int) -> None:
    if size > MOST_HISTORY:
        raise HistoryError(f"{path}: expected a history of at most {MOST_HISTORY} bytes, got more")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_HISTORY:
                raise HistoryError(f"{path}: expected a file of at most {MOST_HISTORY} bytes, got {size}")
            if file.peek(len(_MAGIC))[: len(_MAGIC)] != _MAGIC:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
    except EOFError as error:
        raise HistoryError(f"{path}: expected a whole gzip file, got one that is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise HistoryError(f"{path}: expected a gzip file, got damage in it: {error}") from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}") from error
