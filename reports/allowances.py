"""What became of the operator's own entries in a run: which failure showed, which is gone, which entry has ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from common.redaction import PLAIN
from evidence.allowances import Allowance
from evidence.record_values import AllowanceKind
from reports.model import AllowanceStatus, Allowed, Result

TITLES: Mapping[AllowanceKind, str] = {
    "known": "known to the operator, by files of --known",
    "waiver": "waived by the operator as faults of the suite, by files of --waivers",
}
WORDS: Mapping[AllowanceStatus, str] = {
    "seen": "showed",
    "gone": "gone: delete the entry",
    "expired": "expired: forgives nothing",
    "unfit": "does not fit what failed",
    "undecided": "undecided",
    "elsewhere": "not of this run",
}


def cleaned(entry: Allowance) -> Allowance:
    """Return an entry whose texts may be shown: a history says what it likes."""
    return replace(
        entry,
        file=PLAIN.one_line(entry.file, 200),
        reason=PLAIN.one_line(entry.reason, 2000),
        owner=PLAIN.one_line(entry.owner, 200),
        url=PLAIN.one_line(entry.url, 2000),
        sut=PLAIN.one_line(entry.sut, 200),
        versions=tuple(PLAIN.one_line(version, 200) for version in entry.versions),
    )


def applying(entries: Iterable[Allowance], sut: Mapping[str, str], day: date) -> dict[tuple[str, str], Allowance]:
    """Return the entries that may forgive something, by kind and requirement.

    Args:
        entries: All entries of the run's files.
        sut: The versions under test.
        day: The day on which the run began.
    """
    found: dict[tuple[str, str], Allowance] = {}
    for entry in entries:
        if not entry.ended(day) and entry.speaks_of(sut):
            found.setdefault((entry.kind, entry.requirement), entry)
    return found


def judge(
    entries: Iterable[Allowance], results: Sequence[Result], sut: Mapping[str, str], day: date
) -> tuple[Allowed, ...]:
    """Return what became of each entry.

    Args:
        entries: All entries of the run's files.
        results: The verdicts.
        sut: The versions under test.
        day: The day on which the run began.
    """
    by_id = {result.id: result for result in results}
    return tuple(_judge(entry, by_id.get(entry.requirement), sut, day) for entry in entries)


def _judge(entry: Allowance, result: Result | None, sut: Mapping[str, str], day: date) -> Allowed:
    if entry.ended(day):
        return Allowed(entry, "expired", f"ended on {entry.expires}")
    if not entry.speaks_of(sut):
        under_test = PLAIN.one_line(sut.get(entry.sut) or "none", 60)
        return Allowed(entry, "elsewhere", f"speaks of {entry.sut} {', '.join(entry.versions)}, got {under_test}")
    if result is None:
        return Allowed(entry, "elsewhere", "the catalogue has no such requirement")
    if result.verdict == "pass":
        return Allowed(entry, "gone")
    ran = {test.node: test.verdict for test in result.tests}
    passed = [case for case in entry.cases if ran.get(case) == "pass"]
    note = f"passed by now: {', '.join(map(PLAIN.one_line, passed[:5]))}" if passed else ""
    if result.waived if entry.kind == "waiver" else result.verdict == "fail" and result.covered_by(entry):
        return Allowed(entry, "seen", note)
    if entry.cases and len(passed) == len(entry.cases):
        return Allowed(entry, "gone", note)
    if result.verdict == "fail" or (result.verdict == "flaky" and entry.kind == "known"):
        others = [node for node, verdict in ran.items() if verdict != "pass" and node not in entry.cases]
        told = f"it names other cases than {', '.join(map(PLAIN.one_line, others[:5]))}" if entry.cases else ""
        return Allowed(entry, "unfit", told or ("it is flaky" if result.verdict == "flaky" else "not all cases ran"))
    return Allowed(entry, "undecided", result.verdict.replace("_", " "))
