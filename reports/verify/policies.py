"""Judges what a lab's policy asks for: profiles, products as they were observed, the target, age and waivers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from common.redaction import PLAIN
from evidence import allowances
from evidence.record_values import AllowanceFile
from reports.build import PERSONALITY
from reports.verify.model import Finding, History
from reports.verify.told import moment

MOST: Final = 20
AHEAD: Final = timedelta(minutes=5)
"""How far the clocks of the run may be ahead of the lab's."""


def profiles(history: History) -> Sequence[Finding]:
    """Judge whether the profiles of the policy may be claimed."""
    if not history.policy.profiles:
        return [_unasked("profiles")]
    verdicts = {tally.name: tally.verdict for tally in history.report.profiles}
    return [
        Finding("pass", verdicts.get(name, "not asked"), f"profile {name}")
        for name in history.policy.profiles
        if verdicts.get(name) != "pass"
    ]


def observed(history: History) -> Sequence[Finding]:
    """Judge whether the versions that the run claims are those that were observed."""
    seen, claims = history.observations.versions, history.report.sut
    if seen is None:
        required = history.policy.observed or (history.policy.products and history.policy.observed is None)
        told = "nothing: the target shows no Deployments of products"
        return [Finding("versions as observed", told, "preflight: observed", "broken" if required else "not judged")]
    return [
        Finding(f"{name} {version}, as observed", claims.get(name, "none"), f"run.started: sut.{name}")
        for name, version in sorted(seen.items())
        if version is not None and claims.get(name) != version
    ]


def products(history: History) -> Sequence[Finding]:
    """Judge the versions of the products that the policy names."""
    policy = history.policy
    if not policy.products:
        return [_unasked("products")]
    seen: Mapping[str, str | None] | None = history.observations.versions
    where = "preflight: observed"
    if seen is None and policy.observed is False:
        seen, where = history.report.sut, "run.started: sut"
    found = [
        Finding(f"{' or '.join(accepted)}", str((seen or {}).get(name) or "none"), f"{where}.{name}")
        for name, accepted in policy.products.items()
        if (seen or {}).get(name) not in accepted
    ]
    return [Finding(each.expected, PLAIN.one_line(each.got, 100), each.where) for each in found]


def target(history: History) -> Sequence[Finding]:
    """Judge the target."""
    return _among("targets", history.policy.targets, history.report.target.get("name"), "run.started: target.name")


def kafka(history: History) -> Sequence[Finding]:
    """Judge the kind of Kafka."""
    told = history.report.target.get("kafka")
    kind = told.get("kind") if isinstance(told, dict) else None
    return _among("kafka", history.policy.kafka, kind, "run.started: target.kafka.kind")


def personality(history: History) -> Sequence[Finding]:
    """Judge the personality, where the platform plays a product."""
    accepted, played = history.policy.personalities, history.report.sut.get(PERSONALITY)
    if accepted is None:
        return [_unasked("personalities")]
    if played is None or played in accepted:
        return []
    words = f"one of {', '.join(accepted)}" if accepted else "none: the platform plays no product"
    return [Finding(words, played, f"run.started: sut.{PERSONALITY}")]


def fresh(history: History) -> Sequence[Finding]:
    """Judge the age of the run."""
    ended, days = history.report.finished, history.policy.max_age_days
    if ended is None:
        return [Finding("a time of its end", "none", "run.finished: wall")]
    now, end = history.submission.now, moment(ended)
    if end > now + AHEAD:
        return [Finding(f"an end before {now.isoformat(timespec='seconds')}", ended, "run.finished: wall")]
    if days is None:
        return [_unasked("max_age_days")]
    if now - end > timedelta(days=days):
        return [
            Finding(f"an end at most {days} days ago", f"{ended}, {(now - end).days} days ago", "run.finished: wall")
        ]
    return []


def known(history: History) -> Sequence[Finding]:
    """Judge what has forgiven each failure: a list of `reports/known/`, or a file of the operator's own."""
    policy = history.policy
    if (policy.gate or history.report.gate.name) == "strict":
        return []  # rule gate judges every failure
    found: list[Finding] = []
    for result in history.claimed:
        published = result.known is not None and (policy.known is None or result.known.sut in policy.known)
        own = result.covered_by(result.allowance)
        if not result.excused or result.level == "MAY" or published or (own and policy.own_known):
            continue
        accepted = "reports/known/" if policy.known is None else ", ".join(policy.known) or "none"
        got = "the operator's own (--known)" if own else f"of {result.known.sut}" if result.known else "none"
        found.append(Finding(f"a failure of a published list: {accepted}", got, result.id))
    return found[:MOST]


def waivers(history: History) -> Sequence[Finding]:
    """Judge the waivers that the run was given for faults of the suite: none has ended, and each names its issue."""
    started = history.run.started
    found: list[Finding] = []
    for number, file in enumerate(started.get("allowances", []) if started else []):
        if started and file["kind"] == "waiver":
            found += _of_file(file, started["wall"], f"run.started: allowances[{number}]", history)
    return found


def _of_file(file: AllowanceFile, began: str, where: str, history: History) -> list[Finding]:
    entries, faults = allowances.recorded([file], began)
    expected = "a file of waivers that hold, each with its issue, as its sha256 names it"
    found = [Finding(expected, PLAIN.one_line(fault, 300), where) for fault in faults]
    day = history.submission.now.date()
    for entry in entries:
        place = f"{where}: waiver of {PLAIN.one_line(entry.requirement, 100)}"
        if entry.ended(day):
            found.append(Finding(f"a waiver that holds on {day}", f"expires {entry.expires}", place))
        if not history.policy.waivers:
            found.append(Finding("no waiver, by the policy", "one", place))
    return found


def _among(key: str, accepted: Sequence[str] | None, got: object, where: str) -> Sequence[Finding]:
    if accepted is None:
        return [_unasked(key)]
    if got in accepted:
        return []
    return [Finding(f"one of {', '.join(accepted)}", PLAIN.one_line(str(got or "none"), 100), where)]


def _unasked(key: str) -> Finding:
    return Finding("what a policy asks", f"no policy with the key {key}", "policy", "not judged")
