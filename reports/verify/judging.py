"""Reads a run's folder once, and asks every rule."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.catalogue import Catalogue
from evidence.history_file import HistoryError
from reports import build, check, run
from reports.errors import ReportError
from reports.from_replay import catalogue_sha256
from reports.model import Report, Result
from reports.verify import observations
from reports.verify.model import Attestation, Finding, History, Rule, Ruling, Submission, Verification
from reports.verify.policy import Policy
from reports.verify.rules import RULES

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey


def verify(
    history: Path,
    catalogue: Catalogue,
    *,
    policy: Policy,
    keys: "Sequence[SSlibKey]",
    attestation: Path,
    signer: tuple[str, str] | None = None,
    now: datetime,
    challenge: str | None = None,
    rules: Sequence[Rule] = RULES,
) -> Verification:
    """Ask all rules of a run.

    Args:
        history: The history; report.json lies beside it.
        catalogue: The lab's catalogue.
        policy: What the lab asks for.
        keys: The public keys that it trusts.
        attestation: The file of the envelope.
        signer: The identity and the issuer of whom must have signed it by Sigstore; None: keys are asked.
        now: The time of day.
        challenge: The nonce that the lab gave; None: it gave none.
        rules: The rules.

    Raises:
        UsageError: The run asked for a vendor's requirements, and their catalogue was not given; or a bundle of
            Sigstore is to be verified, and the library is not installed.
        ReportError: It cannot be decided whether a bundle of Sigstore holds.
    """
    submission = Submission(
        folder=history.parent,
        history=history,
        policy=policy,
        keys=keys,
        attestation=_attestation(attestation, keys) if signer is None else _keyless(attestation, *signer),
        now=now,
        challenge=challenge,
        catalogue_sha256=catalogue_sha256(catalogue),
        pins={requirement.id: requirement.cases for requirement in catalogue.requirements},
        catalogue_version=catalogue.version,
    )
    submission = _read(submission, catalogue)
    whole = _history(submission)
    return Verification(submission, [_ruling(rule, submission, whole) for rule in rules])


def _attestation(path: Path, keys: "Sequence[SSlibKey]") -> Attestation:
    # Loaded here: the cryptography takes a third of a second, and most commands of ours do without.
    from reports.attest import envelope

    try:
        found = envelope.read(path)
    except ReportError as error:
        return Attestation(path, fault=str(error), absent=isinstance(error.__cause__, FileNotFoundError))
    signers = envelope.signers(found, keys)
    try:
        return Attestation(path, found, envelope.payload(found), signers)
    except ReportError as error:
        return Attestation(path, found, None, signers, fault=str(error))


def _keyless(path: Path, identity: str, issuer: str) -> Attestation:
    from reports.attest import envelope, keyless

    told = f"{identity}, for whom {issuer} vouches"
    try:
        found = keyless.opened(path, identity, issuer)
    except FileNotFoundError:
        return Attestation(path, identity=told, fault=f"cannot read {path.name}: no such file", absent=True)
    except keyless.RefusedError as error:
        return Attestation(path, identity=told, fault=str(error))
    try:
        return Attestation(path, found, envelope.payload(found), (identity,), identity=told)
    except ReportError as error:
        return Attestation(path, found, None, (identity,), identity=told, fault=str(error))


def _read(submission: Submission, catalogue: Catalogue) -> Submission:
    """Read history and report, as far as that goes."""
    try:
        found = replace(
            submission, run=run.read(submission.history), observations=observations.read(submission.history)
        )
    except (ReportError, HistoryError) as error:
        return replace(submission, unreadable={"history": str(error)})
    try:
        checked = check.check(submission.folder, catalogue, history=submission.history)
        return replace(found, checked=checked, report=checked.computed)
    except (ReportError, HistoryError) as error:
        unreadable = {"report.json": str(error)}
    try:
        return replace(found, report=build.build(submission.history, catalogue), unreadable=unreadable)
    except (ReportError, HistoryError) as error:
        return replace(submission, unreadable={"history": str(error)})


def _history(submission: Submission) -> History | None:
    if submission.run is None or submission.observations is None or submission.report is None:
        return None
    return History(
        submission=submission,
        run=submission.run,
        observations=submission.observations,
        report=submission.report,
        claimed=_claimed(submission.report, submission.policy),
        cases=submission.run.collection.cases(),
    )


def _claimed(report: Report, policy: Policy) -> Sequence[Result]:
    """Return the results that the claim is about: of the policy's profiles, else of the run's, else all."""
    asked = policy.profiles or tuple(map(str, report.selection.get("profiles") or ()))
    if asked:
        return [result for result in report.results if result.profile in asked]
    return [result for result in report.results if not result.unrequested]


def _ruling(rule: Rule, submission: Submission, history: History | None) -> Ruling:
    if rule.judge is not None:
        return Ruling(rule, rule.judge(submission))
    if rule.of_history is None or history is None:
        return Ruling(rule, [Finding("a history", "none that can be read, see rule format", "history", "not judged")])
    return Ruling(rule, rule.of_history(history))
