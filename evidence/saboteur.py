"""The saboteur judged: did the checks find what the probe did to an event, as what it is, and at its place?

Does the instrument bite on this very system? In each case the probe loses, doubles, delays, reorders or alters an event
between its records and the wire. The ordinary checks judge the case from the history; they do not read the record of
the sabotage. Only here the two are compared: the right check must fail, for the right event, which was last seen at the
right place, and nothing else may fail.

The honest twin of a case has the same traffic and no sabotage. It must pass: a check that fails whatever comes would
find every sabotage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from evidence.saboteur_cases import CASES
from evidence.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evidence.records import SabotageDone
    from evidence.replay import JudgedExpectation, TestRun
    from evidence.saboteur_cases import Case, Signature
    from evidence.verdict import Violation


class Status(StrEnum):
    """What became of a sabotage."""

    FOUND = "found"
    MISSED = "missed"
    """No check failed."""
    MISTAKEN = "mistaken"
    """Another check failed, or for another event, or at another place."""
    UNDECIDED = "undecided"
    """It was not done, or its honest twin did not pass: it proves nothing."""
    NOT_TESTABLE = "not_testable"
    """The Broker shows nothing of what would tell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A sabotage, and what the checks made of it.

    Attributes:
        case: The name of the case.
        what: The kind of sabotage.
        place: The place of it: `ingress` or `sink`.
        about: The sabotage in words.
        status: The fate of it.
        event: The id of the event that it was done to; empty: it was not done.
        check: The name of the check that found it; empty: none did.
        message: What that check said; where none did, why.
        where: The path of the event to where it was last seen.
    """

    case: str
    what: str
    place: str
    about: str
    status: Status
    event: str = ""
    check: str = ""
    message: str = ""
    where: str = ""


def judge(runs: Sequence[TestRun]) -> tuple[Finding, ...]:
    """Return what became of every case.

    Args:
        runs: The runs of cases and of their twins, judged again from the history.
    """
    checks = {each.record["check"] for run in runs for each in run.expectations}
    shows_storage = "recorded" in checks or not checks
    return tuple(_finding(case, case.stored if shows_storage else case.opaque, runs) for case in CASES)


def _finding(case: Case, signature: Signature | None, runs: Sequence[TestRun]) -> Finding:
    mine = [run for run in runs if run.sabotage == case.name]
    if signature is None:
        return _plain(case, Status.NOT_TESTABLE, "the Broker does not show where it stores events")
    twins, sabotaged = [run for run in mine if run.twin], [run for run in mine if not run.twin]
    if len(twins) != 1 or len(sabotaged) != 1:
        told = f"expected one run of the case and one of its honest twin, got {len(sabotaged)} and {len(twins)}"
        return _plain(case, Status.UNDECIDED, told)
    if reason := _idle(twins[0], sabotaged[0], signature):
        return _plain(case, Status.UNDECIDED, reason)
    if not sabotaged[0].sabotages:
        return _plain(case, Status.UNDECIDED, "the saboteur did not get hold of the event")
    done, *more = sabotaged[0].sabotages
    if more or (done["what"], done["place"]) != (case.what, case.place):
        told = f"expected one sabotage, {case.what} before the {case.place}"
        got = f"{1 + len(more)}, the first: {done['what']} before the {done['place']}"
        return _plain(case, Status.UNDECIDED, f"{told}; got {got}")
    if done.get("idle"):
        return _plain(case, Status.UNDECIDED, done["detail"], done["event"]["id"])
    return _compared(case, signature, sabotaged[0], done)


def _idle(twin: TestRun, sabotaged: TestRun, signature: Signature) -> str:
    """Return why a case proves nothing, whatever its checks say; empty: it proves something."""
    ruling = twin.ruling()
    if ruling.verdict is not Verdict.PASS:
        return f"its honest twin did not pass: {ruling.verdict}: {ruling.reason}"
    if signature.check not in {each.record["check"] for each in twin.expectations}:
        return f"its honest twin was not judged by {signature.check}"
    if sabotaged.broken or sabotaged.finished is None:
        return sabotaged.broken or "it did not come to its end"
    if sabotaged.finished["outcome"] in {"error", "unknown"} and not sabotaged.expectations:
        return str(sabotaged.finished["reason"] or sabotaged.finished["outcome"])
    return ""


def _compared(case: Case, signature: Signature, run: TestRun, done: SabotageDone) -> Finding:
    """Compare what was done with what the checks say."""
    event = done["event"]["id"]
    expected = f"expected {signature.check} to fail for event {event}"
    failed = [each for each in run.expectations if each.judgement.verdict is Verdict.FAIL]
    open_ = [each for each in run.expectations if each.judgement.verdict not in {Verdict.PASS, Verdict.FAIL}]
    if not failed:
        got = f"verdict {open_[0].judgement.verdict}: {open_[0].reason}" if open_ else "no failure"
        return _plain(case, Status.MISSED, f"{expected}; got {got}", event)
    for faults in (_unlike(each, signature, event) for each in failed):
        if fault := next(faults, ""):
            return _told(case, Status.MISTAKEN, failed[0], event, f"{expected}; got {fault}")
    if open_:
        return _told(case, Status.MISTAKEN, failed[0], event, f"{expected} alone; got also {open_[0].reason}")
    return _told(case, Status.FOUND, failed[0], event)


def _unlike(judged: JudgedExpectation, signature: Signature, event: str) -> Iterator[str]:
    """Yield how a failure differs from what it must be: its check, its event, its place and its words."""
    check, violations = judged.record["check"], judged.judgement.violations
    first = violations[0] if violations else None
    if first is None or check != signature.check:
        yield f"a failure of {judged.reason or check}"
        return
    if not _is_about(judged.record["args"], first, event):
        yield f"it for another event: {first}"
    elif (place := furthest(first.where)) not in signature.reached:
        yield f"it last seen at {place}, not at {' or '.join(sorted(signature.reached))}: {first}"
    elif len(violations) > 1 or not re.search(signature.says, first.message):
        yield f"it for another reason: {'; '.join(map(str, violations))}"


def _is_about(args: Any, violation: Violation, event: str) -> bool:
    """Tell whether a failure is about an event: by what was claimed of it, or, of many, by the first that is named."""
    ref = args.get("event") or args.get("exchange")
    if isinstance(ref, dict):
        return bool(ref.get("id") == event)
    return f"event {event} " in violation.message.partition(" before")[0]


def furthest(where: str) -> str:
    """Return the furthest place of a path in one line (`event_path.in_a_line`); nowhere where it shows none."""
    hops = where.split(" -> ")
    for place in ("sink", "group", "topic"):
        if any(hop.startswith(f"{place} ") for hop in hops):
            return place
    return "ingress" if hops[0].startswith("sender ") else "nowhere"


def _plain(case: Case, status: Status, message: str, event: str = "") -> Finding:
    return Finding(case.name, case.what, case.place, case.about, status, event, message=message)


def _told(case: Case, status: Status, judged: JudgedExpectation, event: str, message: str = "") -> Finding:
    first = judged.judgement.violations[0]
    return Finding(
        case=case.name,
        what=case.what,
        place=case.place,
        about=case.about,
        status=status,
        event=event,
        check=judged.record["check"],
        message=message or first.message,
        where=first.where,
    )
