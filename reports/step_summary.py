"""The summary of a step in GitHub Actions: a file that the variable names, to which each command adds."""

import os
from pathlib import Path
from typing import Final

from reports.errors import ReportError

VARIABLE: Final = "GITHUB_STEP_SUMMARY"
"""The variable with which GitHub Actions names the file."""
MOST_BYTES: Final = 1 << 20
"""What GitHub takes of one step; it shows nothing of a longer one."""
_CUT: Final = "\n\nand more, which does not fit here: the reports have it.\n"
_FENCE: Final = "```"


def append(markdown: str) -> None:
    """Add to the summary of the step where there is one; what does not fit is cut off at the end of a line.

    Raises:
        ReportError: The file cannot be written.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return
    try:
        with Path(name).open("ab") as file:
            file.write(bounded(markdown, MOST_BYTES - file.tell()))
    except OSError as error:
        raise ReportError(f"cannot write {name}, which {VARIABLE} names: {error.strerror}") from error


def bounded(markdown: str, room: int) -> bytes:
    """Return a text of at most so many bytes: whole, or whole lines of it and a word about the rest.

    Args:
        markdown: The text.
        room: The number of bytes that are left.
    """
    data = markdown.encode("utf-8", "backslashreplace")
    if len(data) <= room:
        return data
    ending = f"\n{_FENCE}{_CUT}".encode()
    kept = data[: max(0, room - len(ending))].rpartition(b"\n")[0]
    if not kept:
        return b""
    # A cut may have gone through a block of code, which would hold all that others add.
    return kept + (ending if kept.count(b"\n```") % 2 else _CUT.encode())
