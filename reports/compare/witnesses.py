"""Both witnesses of a change side by side, and the first difference between the paths of the event in the two runs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from common.redaction import PLAIN
from evidence import event_path
from evidence.event_path import Hop, HopKind, Place
from evidence.identity import Identity
from reports import path, run
from reports.compare.model import Change, Evidence, Witness, Word
from reports.compare.sides import Side
from reports.model import ReportedExpectation, Test

MOST: Final = 60
"""How many changes get their witnesses: each path is looked for in the whole history."""
LONGEST: Final = 600
_SHOWN = (Word.REGRESSED, Word.LOST, Word.UNDECIDED, Word.NEWLY_FAILING, Word.FLAKE_RATE_MOVED)
_KINDS = tuple(HopKind)
_TOLD_APART = ("status", "error")
"""The facts of a hop that are the same in every run of the same test. Ids, topics and offsets are not."""
_Sighting = tuple[HopKind, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Claim:
    """The expectation of a test that a run is asked about; None where it has none."""

    test: Test
    expectation: ReportedExpectation | None

    @property
    def subjects(self) -> path.Subjects:
        return path.subjects(self.expectation.args if self.expectation else {})

    @property
    def witness(self) -> frozenset[int]:
        violations = self.expectation.violations if self.expectation else ()
        return frozenset(seq for violation in violations for seq in violation.witness)


def explain(changes: Iterable[Change], base: Side, new: Side) -> tuple[Change, ...]:
    """Return the changes, the first ones among them with evidence.

    Args:
        changes: All changes, the weightiest first.
        base: The old run.
        new: The new run.
    """
    changes = tuple(changes)
    asked = [change for change in changes if change.word in _SHOWN and change.cases][:MOST]
    claims = {change.id: _claims(change, base, new) for change in asked}
    before = _Paths(base, [was for was, _ in claims.values() if was is not None])
    now = _Paths(new, [is_ for _, is_ in claims.values() if is_ is not None])
    return tuple(
        replace(change, evidence=_evidence(change, *claims[change.id], before, now)) if change.id in claims else change
        for change in changes
    )


def _claims(change: Change, base: Side, new: Side) -> tuple[_Claim | None, _Claim | None]:
    """Return the same expectation of the same case in both runs: the first that did not pass in one of them."""
    case = change.cases[0].case
    was, is_ = _test_of(base, change.id, case), _test_of(new, change.id, case)
    for test in (is_, was):
        for number, expectation in enumerate(test.expectations if test else ()):
            if expectation.verdict != "pass":
                return _claim(was, number, expectation.check), _claim(is_, number, expectation.check)
    return _claim(was, 0, ""), _claim(is_, 0, "")


def _test_of(side: Side, requirement: str, case: str) -> Test | None:
    result = side.report.find(requirement)
    runs = [test for test in (result.tests if result else ()) if test.node == case]
    return next((test for test in runs if test.verdict != "pass"), runs[0] if runs else None)


def _claim(test: Test | None, number: int, check: str) -> _Claim | None:
    """Return the expectation with a number; none where another check stands there, for another claim it is then."""
    if test is None:
        return None
    expectation = test.expectations[number] if number < len(test.expectations) else None
    return _Claim(test, expectation if expectation and check in ("", expectation.check) else None)


class _Paths:
    """The paths of what the claims of one run talk about, found in one pass."""

    def __init__(self, side: Side, claims: Sequence[_Claim]) -> None:
        wanted = [claim.subjects for claim in claims]
        self._hops = path.hops(run.records(side.history), wanted) if wanted else {}
        self._exchanges = {send for subjects in wanted for send in subjects.sends}

    def of(self, claim: _Claim) -> list[tuple[Identity | str, Sequence[Hop]]]:
        """Return the paths that a claim is about, the one that began first, first."""
        subjects = claim.subjects
        keys = {*subjects.events, *subjects.sends, *subjects.produces}
        return [(key, hops) for key, hops in self._hops.items() if key in keys]

    def witness(self, claim: _Claim, number: int) -> tuple[Witness, Sequence[Hop]]:
        """Return what the run shows of a claim, with the path that has a number among those of the claim."""
        paths, test, expectation = self.of(claim), claim.test, claim.expectation
        violation = expectation.violations[0] if expectation and expectation.violations else None
        shown = Witness(
            test=test.node,
            check=expectation.check if expectation else "",
            verdict=expectation.verdict if expectation else test.verdict,
            message=PLAIN.clean(violation.message if violation else test.reason, LONGEST),
            where=PLAIN.clean(violation.where, LONGEST) if violation else "",
            seqs=claim.witness,
        )
        if not paths:
            return shown, ()
        key, hops = paths[min(number, len(paths) - 1)]
        drawing = path.drawn(key, hops, exchange=key in self._exchanges)
        return replace(shown, path=drawing, line=PLAIN.one_line(event_path.in_a_line(hops), 2 * LONGEST)), hops

    def accused(self, claim: _Claim) -> int | None:
        """Return the number of the path that the violation's witness touches; None where it touches none."""
        numbered = enumerate(self.of(claim))
        return next((n for n, (_, hops) in numbered if any(hop.seq in claim.witness for hop in hops)), None)


def _evidence(change: Change, was: _Claim | None, is_: _Claim | None, before: _Paths, now: _Paths) -> Evidence:
    number = now.accused(is_) if is_ else None
    if number is None and was:
        number = before.accused(was)
    old, old_hops = before.witness(was, number or 0) if was else (None, ())
    new, new_hops = now.witness(is_, number or 0) if is_ else (None, ())
    return Evidence(_headline(change, old, new, old_hops, new_hops), old, new)


def _headline(
    change: Change, old: Witness | None, new: Witness | None, old_hops: Sequence[Hop], new_hops: Sequence[Hop]
) -> str:
    if new is None:
        state = change.cases[0].new
        return f"it did not run: {PLAIN.one_line(state.reason, 300) if state else 'nobody collected it'}"
    if old_hops and new_hops and (told := first_difference(old_hops, new_hops)):
        return told
    agree = "both paths agree; " if old_hops and new_hops else ""
    return f"{agree}{PLAIN.one_line(new.message or (old.message if old else ''), 300)}"


def first_difference(old: Sequence[Hop], new: Sequence[Hop]) -> str:
    """Return where two paths part first, along the way of an event; empty where they do not.

    What consumer groups showed comes last: it depends on when somebody looked.
    """
    before, now = _sightings(old), _sightings(new)
    wants = sorted(set(before) | set(now), key=_along_the_way)
    for kind in dict.fromkeys(sighting[0] for sighting in wants):
        was = [hop for hop in old if hop.kind is kind]
        is_ = [hop for hop in new if hop.kind is kind]
        parted = [
            (left, right)
            for left, right in zip_longest(was, is_)
            if (_facts(left) if left else None) != (_facts(right) if right else None)
        ]
        if parted:
            left, right = parted[0]
            then = (right if left is None else left) or right
            place = kind.end if then is None else then.kind.end
            return PLAIN.one_line(
                f"at the {place}: {_told(left, old, kind)} before, {_told(right, new, kind)} now", 300
            )
    return ""


def _told(hop: Hop | None, hops: Sequence[Hop], kind: HopKind) -> str:
    """Return a hop in words; where there is none, what was seen in its place."""
    if hop is not None:
        return f"`{hop.line}`"
    others = [other for other in hops if other.kind.end == kind.end and other.kind.start == kind.start]
    return "nothing more" if others and others[0].kind is kind else f"`{others[0].line}`" if others else "nothing"


def _sightings(hops: Sequence[Hop]) -> Counter[_Sighting]:
    return Counter((hop.kind, _facts(hop)) for hop in hops)


def _facts(hop: Hop) -> tuple[str, ...]:
    return tuple(hop.facts.get(name, "") for name in _TOLD_APART)


def _along_the_way(sighting: _Sighting) -> tuple[bool, int, tuple[str, ...]]:
    kind, facts = sighting
    watched = kind.start is Place.GROUP and kind.end is Place.GROUP
    return watched, _KINDS.index(kind), facts
