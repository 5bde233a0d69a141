"""The in-toto Statement of a run: which files it is about, and how the run ended; all of it follows from the run."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reports.errors import ReportError
from reports.model import Report, Result
from reports.written import MOST_REPORT

TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
_FAILED: Final = {"fail", "flaky", "not_supported"}


def statement(report: Report, report_sha256: str, images: Mapping[str, str]) -> dict[str, Any]:
    """Return the statement of a run.

    Args:
        report: The report, computed from the history.
        report_sha256: The SHA-256 of the file report.json.
        images: The SHA-256 of the images that the history names by digest, by name.
    """
    return {
        "_type": TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in subjects(report, report_sha256, images).items()
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate(report),
    }


def subjects(report: Report, report_sha256: str, images: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of all that a statement is about, by name; the arguments are those of `statement`."""
    return {
        "history.ndjson": report.history_sha256,
        "report.json": report_sha256,
        "catalogue": report.catalogue_sha256,
        **{f"image:{name}": digest for name, digest in sorted(images.items())},
    }


def predicate(report: Report) -> dict[str, Any]:
    """Return the result of a run: requirements by name, and the configuration that it had."""
    passed = [result.id for result in report.results if result.verdict == "pass"]
    failed = [result.id for result in report.results if _failed(result)]
    warned = [result.id for result in report.results if result.id not in {*passed, *failed}]
    ended = "FAILED" if report.gate.exit == 1 else "WARNED" if report.gate.exit or warned or failed else "PASSED"
    return {
        "result": ended,
        "configuration": [
            {
                "name": "run",
                "annotations": {
                    "run": report.run,
                    "head": report.history_head,
                    "suite": report.suite.get("version"),
                    "commit": report.suite.get("commit"),
                    "catalogue": report.catalogue_version,
                    "gate": report.gate.name,
                    "target": report.target.get("name"),
                    "finished": report.finished,
                },
            }
        ],
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    }


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a report.

    Raises:
        ReportError: It cannot be read, or is larger than any report.
    """
    try:
        if (size := path.stat().st_size) > MOST_REPORT:
            raise ReportError(f"{path}: expected at most {MOST_REPORT} bytes, got {size}")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error


def _failed(result: Result) -> bool:
    """Tell whether a requirement failed, and not as it is documented."""
    return result.verdict in _FAILED and not result.excused
