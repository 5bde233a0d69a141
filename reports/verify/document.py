"""What all rules said, as JSON by its schema and as a table for people."""

from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from common.redaction import PLAIN
from reports import schemas
from reports.document import API_VERSION
from reports.verify.model import Finding, Ruling, Verification

KIND: Final = "Verification"
SCHEMA: Final = schemas.FOLDER / "verification.schema.json"
_STYLES: Final = {"kept": "green", "broken": "bold red", "undecidable": "bold yellow", "not judged": "dim"}
_ENDED: Final = {0: "accepted", 1: "refused", 2: "undecided"}


def to_json(verification: Verification) -> dict[str, Any]:
    """Return it as its JSON document, which fits its schema."""
    report = verification.submission.report
    document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "exit": verification.exit,
        "outcome": _ENDED[verification.exit],
        "run": None
        if report is None
        else {
            "id": report.run,
            "finished": report.finished,
            "sha256": report.history_sha256,
            "head": report.history_head,
            "profiles": {tally.name: tally.verdict for tally in report.profiles},
        },
        "signers": list(verification.submission.attestation.signers),
        "rules": [_ruling(ruling) for ruling in verification.rulings],
    }
    schemas.validate(document, SCHEMA, "the verification")
    return document


def _ruling(ruling: Ruling) -> dict[str, Any]:
    return {
        "id": ruling.rule.id,
        "sentence": ruling.rule.sentence,
        "state": ruling.state,
        "findings": [
            {
                "state": finding.state,
                "expected": _plain(finding.expected),
                "got": _plain(finding.got),
                "where": _plain(finding.where),
            }
            for finding in ruling.findings
        ],
    }


def show(verification: Verification, console: Console) -> None:
    """Print what became of each rule, and below the findings against it."""
    report = verification.submission.report
    width = max(len(ruling.rule.id) for ruling in verification.rulings)
    for ruling in verification.rulings:
        told = Text(f"{ruling.state:<12}", style=_STYLES[ruling.state])
        console.print(told.append(f"{ruling.rule.id:<{width}}  ", style="").append(ruling.rule.sentence, style="dim"))
        if ruling.state != "kept":
            for finding in ruling.findings:
                console.print(Padding(_finding(finding), (0, 0, 0, 14), expand=False))
    broken = [ruling.rule.id for ruling in verification.rulings if ruling.state == "broken"]
    open_ = [ruling.rule.id for ruling in verification.rulings if ruling.state == "undecidable"]
    word = _ENDED[verification.exit]
    why = f"  broken: {', '.join(broken)}" if broken else f"  undecidable: {', '.join(open_)}" if open_ else ""
    styles = {"accepted": "bold green", "refused": "bold red", "undecided": "bold yellow"}
    console.print(Text(f"\n{word}", style=styles[word]).append(why, style=""))
    if signers := verification.submission.attestation.signers:
        console.print(Text(f"signed by {', '.join(signers)}"))
    if report is not None:
        claims = ", ".join(f"{tally.name} {tally.verdict}" for tally in report.profiles)
        console.print(Text(PLAIN.one_line(f"run {report.run}, gate {report.gate.name}; by profile: {claims}", 600)))


def _finding(finding: Finding) -> Text:
    if finding.state == "not judged":
        return Text(_plain(f"{finding.where}: {finding.got}"), style="dim")
    return Text(_plain(f"{finding.where}: expected {finding.expected}, got {finding.got}"))


def _plain(text: str) -> str:
    return PLAIN.one_line(text, 800)
