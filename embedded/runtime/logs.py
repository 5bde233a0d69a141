"""The output of containers, in bounded files: one for each run, with the previous run's kept too."""

import asyncio
import time
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

HALF = 2 * 1024 * 1024
"""The most bytes of one file. A run's log is one such file and the one before it: 4 MiB at most."""

CHUNK = 64 * 1024
MARKS_A_SECOND, MOST_MARKS = 4, 16384
"""The marks that record when output was written: how many in a second, and how many are kept."""


class RunLog:
    """The log of one run of a container."""

    def __init__(self, path: Path) -> None:
        self._path, self._older = path, path.with_suffix(".older")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._size = 0
        self._dropped = 0  # bytes that are in no file any more
        self._older_size = 0
        self._marks: deque[tuple[int, int]] = deque(maxlen=MOST_MARKS)  # (quarter of a second, byte offset)
        self._closed = False
        self._grown = asyncio.Event()

    @property
    def end(self) -> int:
        """The number of bytes that were ever written."""
        return self._dropped + self._older_size + self._size

    def write(self, data: bytes) -> None:
        """Append data; the oldest half is dropped when the limit is reached."""
        if self._size + len(data) > HALF and self._size:
            self._file.close()
            self._path.replace(self._older)
            self._dropped += self._older_size
            self._older_size, self._size = self._size, 0
            self._file = self._path.open("wb")
        mark = int(time.time() * MARKS_A_SECOND)
        if not self._marks or self._marks[-1][0] != mark:
            self._marks.append((mark, self.end))
        self._file.write(data)
        self._file.flush()
        self._size += len(data)
        self._wake()

    def close(self) -> None:
        """Close the log, so that followers end."""
        if not self._closed:
            self._closed = True
            self._file.close()
            self._wake()

    def remove(self) -> None:
        """Close the log and delete its files."""
        self.close()
        self._path.unlink(missing_ok=True)
        self._older.unlink(missing_ok=True)

    def since(self, moment: float) -> int:
        """Return the byte offset of the output from this moment on (seconds of the clock)."""
        index = bisect_left(self._marks, (int(moment * MARKS_A_SECOND), 0))
        return self._marks[index][1] if index < len(self._marks) else self.end

    def read(self, start: int = 0) -> bytes:
        """Return the output that is kept from the byte offset `start` on; offsets count dropped bytes too.

        Files that somebody deleted count as empty: a log is no reason to fail.
        """
        try:
            kept = (self._older.read_bytes() if self._older_size else b"") + self._path.read_bytes()
        except FileNotFoundError:
            return b""
        return kept[max(0, start - self._dropped) :]

    def tail(self, lines: int | None, start: int = 0) -> bytes:
        """Return the last lines, whole, of the output from `start` on; all of it for None."""
        kept = self.read(start)
        if lines is None:
            return kept
        return b"".join(kept.splitlines(keepends=True)[-lines:]) if lines > 0 else b""

    async def follow(self, lines: int | None, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the kept output (its last `lines`, from `start` on), then new output, until the log is closed."""
        position = self.end
        yield self.tail(lines, start)
        while True:
            grown = self._grown
            if self.end > position:
                data = self.read(position)
                position = self.end
                yield data
            elif self._closed:
                return
            else:
                await grown.wait()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


class ContainerLog:
    """The logs of one container: of the current run and of the previous one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0
        self.current: RunLog | None = None
        self.previous: RunLog | None = None

    def new_run(self) -> RunLog:
        """Start the log of another run, and delete the log before the previous one."""
        if self.previous is not None:
            self.previous.remove()
        if self.current is not None:
            self.current.close()
        self.previous = self.current
        self.current = RunLog(self._folder / f"{self._runs}.log")
        self._runs += 1
        return self.current

    def remove(self) -> None:
        """Delete all files."""
        for run in (self.previous, self.current):
            if run is not None:
                run.remove()
        if self._folder.exists():
            self._folder.rmdir()
