"""Notes which lines a process executes, with the number of the test that runs meanwhile. Standard library only.

It is run in every process of the system under test, workloads in environments of their own among them. The number is
read from a file that pytest's process writes (`numbering`), so that processes need not be told. A line is written down
at once when it is first seen during a test, since a process may be killed at any time.
"""

import mmap
import os
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

SEPARATOR = "\t"


def begin(folders: Sequence[str], log: str, number: str) -> None:
    """Begin to note the lines of modules in some folders.

    Args:
        folders: The folders, as absolute paths.
        log: The file to append to: number of the test, path and line of a module, a tab between.
        number: The file with the number of the test, four bytes, the lowest first.
    """
    prefixes = tuple(f"{folder}{os.sep}" for folder in folders)
    opened = os.open(number, os.O_RDONLY | os.O_CLOEXEC)
    current = mmap.mmap(opened, 4, access=mmap.ACCESS_READ)
    os.close(opened)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    paths: dict[str, str | None] = {}
    seen: set[tuple[bytes, str, int]] = set()

    def path_of(name: str) -> str | None:
        if name not in paths:
            path = os.path.abspath(name)  # noqa: PTH100  # Path.resolve asks the file system, in the middle of their code
            paths[name] = path if path.startswith(prefixes) else None
        return paths[name]

    def note(frame: FrameType, event: str, argument: Any) -> Any:
        del argument
        if event in ("line", "call"):
            key = (current[:], frame.f_code.co_filename, frame.f_lineno)
            if key not in seen:
                seen.add(key)
                test = int.from_bytes(key[0], "little")
                place = SEPARATOR.join((str(test), str(path_of(key[1])), str(key[2])))
                os.write(written, f"{place}\n".encode())
        return note

    def called(frame: FrameType, event: str, argument: Any) -> Any:
        return None if path_of(frame.f_code.co_filename) is None else note(frame, event, argument)

    threading.settrace(called)
    sys.settrace(called)
