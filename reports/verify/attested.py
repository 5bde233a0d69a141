"""Judges the attestation of a run: who signed, what is stated, and which files that is about."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from common.redaction import PLAIN
from reports.attest import statement
from reports.errors import ReportError
from reports.verify.model import Finding, History, Submission

ENVELOPE: Final = "a DSSE envelope that one of the lab's keys has signed"
LONGEST: Final = 160


def signature(submission: Submission) -> Sequence[Finding]:
    """Judge who signed the envelope."""
    from reports.attest.envelope import PAYLOAD_TYPE

    attestation, needed = submission.attestation, submission.policy.signed
    where = attestation.path.name
    expected = f"a Sigstore bundle of {attestation.identity}" if attestation.identity else ENVELOPE
    if attestation.envelope is None:
        unasked = attestation.absent and not needed
        return [Finding(expected, attestation.fault, where, "not judged" if unasked else "broken")]
    if attestation.envelope.payload_type != PAYLOAD_TYPE:
        got = _short(attestation.envelope.payload_type)
        return [Finding(f"payloadType {PAYLOAD_TYPE}", got, f"{where}: payloadType")]
    if attestation.identity:
        return []  # verified when it was opened
    if not submission.keys:
        got = "no key to verify it with: give --key PUB, or keys in the policy"
        return [Finding(ENVELOPE, got, where, "undecidable" if needed else "not judged")]
    if not attestation.signers:
        trusted = ", ".join(key.keyid[:16] for key in submission.keys)
        given = ", ".join(keyid[:16] for keyid in attestation.envelope.signatures)
        told = f"signatures of {_short(given)}, none of which holds"
        return [Finding(f"a signature of one of the keys {trusted}", told, f"{where}: signatures")]
    return []


def stated(submission: Submission) -> Sequence[Finding]:
    """Judge what the statement says of the run."""
    attestation = submission.attestation
    if attestation.envelope is None:
        return [Finding("a statement", "none, see rule signature", attestation.path.name, "not judged")]
    if attestation.statement is None:
        return [Finding("an in-toto Statement", attestation.fault, f"{attestation.path.name}: payload")]
    said = attestation.statement
    expected: dict[str, Any] = {"_type": statement.TYPE, "predicateType": statement.PREDICATE_TYPE}
    if submission.report is not None:
        expected["predicate"] = statement.predicate(submission.report)
    got = {name: value for name, value in said.items() if name != "subject"}
    if submission.report is None:
        got.pop("predicate", None)
    return _differing(expected, got, "statement")


def subjects(history: History) -> Sequence[Finding]:
    """Judge which files the statement is about."""
    attestation = history.submission.attestation
    if attestation.statement is None:
        return [Finding("subjects", "no statement, see rule signature", attestation.path.name, "not judged")]
    try:
        digest = statement.file_sha256(history.submission.folder / "report.json")
    except ReportError as error:
        return [Finding("a report.json", str(error), "report.json")]
    expected = statement.subjects(history.report, digest, history.observations.images)
    return _subjects(expected, attestation.statement.get("subject"))


def _subjects(expected: Mapping[str, str], said: object) -> Sequence[Finding]:
    entries = said if isinstance(said, list) else []
    got: dict[str, str] = {}
    for number, entry in enumerate(entries):
        digests = entry.get("digest") if isinstance(entry, dict) and set(entry) == {"name", "digest"} else None
        sound = isinstance(digests, dict) and set(digests) == {"sha256"} and isinstance(entry["name"], str)
        if not sound or not isinstance(digests, dict) or entry["name"] in got:
            told = "a subject with one name of its own and its sha256, and nothing else"
            return [Finding(told, _short(entry), f"statement: subject[{number}]")]
        got[entry["name"]] = str(digests["sha256"])
    return [
        Finding(
            f"sha256 {expected.get(name, 'of no such subject')}", f"{_short(got.get(name, 'none'))}", f"subject {name}"
        )
        for name in dict.fromkeys([*expected, *got])
        if expected.get(name) != got.get(name)
    ][:20]


def _differing(expected: Mapping[str, Any], got: Mapping[str, Any], where: str) -> list[Finding]:
    """Return the fields in which two objects differ, one level into objects."""
    found: list[Finding] = []
    for name in dict.fromkeys([*expected, *got]):
        wanted, given, place = expected.get(name), got.get(name), f"{where}: {name}"
        if wanted == given and name in expected and name in got:
            continue
        if isinstance(wanted, dict) and isinstance(given, dict):
            found += _differing(wanted, given, place)
        elif name not in expected:
            found.append(Finding("no such field", _short(given), place))
        else:
            found.append(Finding(_short(wanted), _short(given) if name in got else "none", place))
    return found[:20]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return PLAIN.one_line(text, LONGEST)
