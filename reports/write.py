"""Writes all files of a run's folder: report.json first, as all others can be rendered again from the history."""

from pathlib import Path

from common import files
from reports import allure, html, junit
from reports.document import dump, mutation_json, to_json, validate
from reports.errors import ReportError
from reports.model import Report


def write(report: Report, folder: Path, history: Path) -> list[Path]:
    """Write report.json, matrix.json (prove runs), junit.xml, allure/ and index.html.

    Returns:
        What was written.

    Raises:
        ReportError: The report does not fit its own schema, or a file cannot be written.
    """
    document = to_json(report)
    written: list[Path] = []
    try:
        written.append(_put(folder / "report.json", dump(document).encode()))
        if report.mutation is not None:
            written.append(_put(folder / "matrix.json", dump(mutation_json(report.mutation)).encode()))
        written.append(_put(folder / "junit.xml", junit.render(report)))
        _empty(folder / "allure")
        allure.write(report, folder / "allure")
        written.append(folder / "allure")
        written.append(_put(folder / "index.html", html.render(report, history).encode("utf-8", "backslashreplace")))
    except OSError as error:
        raise ReportError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    validate(document)
    return written


def _put(path: Path, content: bytes) -> Path:
    with files.whole(path, files.SHARED_FILE_MODE) as file:
        file.write(content)
    return path


def _empty(folder: Path) -> None:
    for pattern in ("*-result.json", f"*{allure.ATTACHMENT}"):
        for old in folder.glob(pattern):
            old.unlink()
