"""A report.json that lies in a folder: hostile input, of bounded size and depth."""

from pathlib import Path
from typing import Any, Final

import orjson

from common.jsontext import too_deep
from evidence.history import MOST_NESTED
from reports.errors import ReportError

NAME: Final = "report.json"
MOST_REPORT: Final = 256 << 20


def load(path: Path, most: int = MOST_REPORT) -> Any:
    """Return the document: of any size below a bound, nested as reports are; whether it is a report is not asked.

    Args:
        path: The file.
        most: The largest size in bytes.

    Raises:
        ReportError: It cannot be read, is too large or too deep, or is no JSON.
    """
    try:
        if (size := path.stat().st_size) > most:
            raise ReportError(f"{path}: expected at most {most} bytes, got {size}")
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ReportError(f"{path} is no JSON: {error}") from error
    if too_deep(document, MOST_NESTED):
        raise ReportError(f"{path}: expected lists and objects nested at most {MOST_NESTED} deep, got deeper ones")
    return document
