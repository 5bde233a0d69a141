"""Judges what was asked of the system, by which suite, and whether every case of it was collected, began and ended."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from common.redaction import PLAIN
from evidence import challenge
from reports import gate
from reports.build import PERSONALITY
from reports.model import Gate
from reports.run import records
from reports.verify import releases
from reports.verify.model import Finding, History

MOST: Final = 20
_RELEASE: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def released(history: History) -> Sequence[Finding]:
    """Judge the version of the suite."""
    version, accepted = str(history.report.suite.get("version") or "none"), history.policy.suite_versions
    where = "run.started: suite.version"
    if accepted is not None and version not in accepted:
        return [Finding(f"one of the versions {', '.join(accepted)}", version, where)]
    if not _RELEASE.fullmatch(version):
        return [Finding("the version of a release, like 1.2.3", version, where)]
    if accepted is not None:
        return []
    if not (listed := releases.listed()):
        told = f"{version}, and the lab's CHANGELOG.md lists no release"
        return [Finding("a release that the lab's CHANGELOG.md lists", told, where, "not judged")]
    if version not in listed:
        return [Finding(f"a release that the lab's CHANGELOG.md lists: {', '.join(listed[:MOST])}", version, where)]
    return []


def clean(history: History) -> Sequence[Finding]:
    """Judge the commit of the suite."""
    suite, accepted = history.report.suite, history.policy.suite_commits
    commit = str(suite.get("commit") or "none")
    where = "run.started: suite.commit"
    if suite.get("dirty") or commit.endswith("-dirty"):
        return [Finding("a commit, and no file that differs from it", commit, where)]
    if not _COMMIT.fullmatch(commit):
        return [Finding("a commit of 40 hexadecimal digits", commit, where)]
    if accepted is not None and commit not in accepted:
        return [Finding(f"one of the commits {', '.join(accepted)}", commit, where)]
    return []


def catalogue(history: History) -> Sequence[Finding]:
    """Judge whether the run asked the lab's own catalogue."""
    found: list[Finding] = []
    submission, started = history.submission, history.run.started
    if submission.checked is not None and submission.checked.catalogue.get("sha256") != submission.catalogue_sha256:
        got = str(submission.checked.catalogue.get("sha256"))
        found.append(Finding(submission.catalogue_sha256, got, "report.json: suite.catalogue.sha256"))
    if started is None:
        return found
    version = str(started.get("catalogue", {}).get("version") or "none")
    expected = history.policy.catalogue_versions or (submission.catalogue_version or "none",)
    if version not in expected:
        found.append(Finding(f"version {' or '.join(expected)}", version, "run.started: catalogue.version"))
    pins = started.get("requirements") or {}
    for name in dict.fromkeys([*submission.pins, *pins]):
        if pins.get(name) != submission.pins.get(name):
            wanted, given = submission.pins.get(name, "no such requirement"), pins.get(name, "none")
            found.append(Finding(f"cases: {wanted}", str(given), f"run.started: requirements.{name}"))
    return found[:MOST]


def system(history: History) -> Sequence[Finding]:
    """Judge whether the system itself was asked, and no mutant of it."""
    selection = history.report.selection
    told = [f"under mutants: {', '.join(map(str, names))}" for names in [selection.get("mutant") or []] if names]
    told += ["a proof of the suite (--prove)"] if selection.get("prove") else []
    told += ["conforming entry points of the workloads (--conforming)"] if selection.get("conforming") else []
    told += [f"{test.node} under {test.mutant}" for test in history.report.mutant_tests]
    return [Finding("a run of the system under test", text, "run.started: selection") for text in told[:MOST]]


def collected(history: History) -> Sequence[Finding]:
    """Judge whether every case of what is claimed was collected and selected."""
    found = [
        Finding("the same cases from every process", fault.text, "history")
        for fault in history.run.found
        if fault.kind == "collection"
    ]
    if history.cases is None:
        return found or [Finding("what was collected", "nothing is recorded of it", "history")]
    if not history.claimed:
        found.append(Finding("at least one requirement", "none", "catalogue"))
    for result in history.claimed:
        mine = [case for case in history.cases if result.id in case.requirements and case.mutant is None]
        count = len({case.test for case in mine})
        if count != result.cases.pinned:
            found.append(Finding(f"{result.cases.pinned} cases", str(count), f"{result.id}: collected cases"))
        found += [
            Finding("selected", f"left out by {PLAIN.one_line(case.left_out)}", f"{result.id}: {_node(case.test)}")
            for case in mine
            if case.left_out
        ]
    return found[:MOST]


def started(history: History) -> Sequence[Finding]:
    """Judge whether every selected case began, as often as it was to run."""
    times = history.report.selection.get("repeat") or 1
    found: list[Finding] = []
    for result in history.claimed:
        began = Counter(test.node for test in result.tests)
        cases = [case for case in history.cases or () if result.id in case.requirements and case.mutant is None]
        for case in cases:
            if not case.left_out and began[_node(case.test)] != times:
                got = f"began {began[_node(case.test)]} times"
                found.append(Finding(f"{times} times", got, f"{result.id}: {_node(case.test)}"))
    return found[:MOST]


def finished(history: History) -> Sequence[Finding]:
    """Judge whether every test that began also ended, and the run too."""
    found = [
        Finding("an end", "none", f"{result.id}: {test.node}")
        for result in history.claimed
        for test in result.tests
        if test.outcome == "unfinished"
    ]
    if history.report.reason != "completed":
        found.append(Finding("completed", history.report.reason, "run.finished: reason"))
    return found[:MOST]


def challenged(history: History) -> Sequence[Finding]:
    """Judge whether ids and order derive from the nonce that the lab gave."""
    nonce = history.submission.challenge
    if nonce is None:
        told = history.report.selection.get("challenge")
        got = (
            f"the run has one, {PLAIN.one_line(str(told), 200)!r}: give it with --challenge"
            if told
            else "none was given"
        )
        return [Finding("a challenge", got, "record 1, field selection.challenge", "not judged")]
    return [
        Finding(f"{PLAIN.one_line(each.expected, 300)} (rule {each.rule})", PLAIN.one_line(each.got, 300), each.where)
        for each in challenge.verify(records(history.submission.history), nonce)[:MOST]
    ]


def gated(history: History) -> Sequence[Finding]:
    """Judge whether the run ended as its gate, or the policy's, asks."""
    decided, again = _decided(history), history.report.again
    found: list[Finding] = []
    if again is not None:
        got = f"one held against run {again.base} (--baseline), which forgives what failed there"
        found.append(Finding("a run that is judged by itself", got, "record of kind baseline"))
    if decided.exit != 0:
        got = PLAIN.one_line("; ".join(decided.reasons) or decided.outcome, 600)
        where = f"gate {decided.name}"
        found.append(Finding("as expected", got, where, "broken" if decided.exit == 1 else "undecidable"))
    return found


def _decided(history: History) -> Gate:
    policy, report = history.policy, history.report
    if policy.gate is None and not policy.profiles:
        return report.gate
    name = policy.gate or report.gate.name
    return gate.decide(name, history.claimed, (), exact=PERSONALITY in report.sut, sabotages=report.sabotages)


def _node(name: str) -> str:
    return PLAIN.one_line(name, 500)
