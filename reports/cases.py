"""Which cases of a requirement ran, which did not, and why: what was collected against what the catalogue pins."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from common.redaction import PLAIN
from evidence.catalogue import Requirement
from evidence.collection import Case
from evidence.records import RunStarted
from reports import from_replay
from reports.model import LEFT_OUT_BY, Cases, Missing, Test

if TYPE_CHECKING:
    from evidence.record_values import Selection

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator asked of the run, and what became of it.

    Attributes:
        cases: All that were collected; None when the history does not tell.
        narrowed: The words that leave cases out.
        uncollected: The words among them that keep cases from being collected.
        whole: Areas that were collected all the same.
        pins: How many cases the run's own catalogue had, by requirement.
        ended: How the run ended, in words that follow "did not run: ".
        repeat: How often each case was to run.
    """

    cases: tuple[Case, ...] | None
    narrowed: tuple[str, ...]
    uncollected: tuple[str, ...]
    whole: frozenset[str]
    pins: Mapping[str, int]
    ended: str
    repeat: int = 1
    by_requirement: dict[str, list[Case]] = field(default_factory=dict)

    def of(self, requirement: str) -> Sequence[Case]:
        """Return the collected cases of a requirement."""
        return self.by_requirement.get(requirement, ())


def asked(started: RunStarted | None, cases: tuple[Case, ...] | None, ended: str, *, honest: bool) -> Asked:
    """Read what was asked out of a run's first record and of what it collected.

    Args:
        started: The `run.started` record; None when there is none.
        cases: What was collected, with node ids as the history has them.
        ended: How the run ended, in words that follow "did not run: ".
        honest: Whether cases under a mutant say nothing about requirements (a proof), so that only the others count.
    """
    selection: Selection = started["selection"] if started else {}
    if cases is not None:
        cases = tuple(replace(case, test=from_replay.node(case.test)) for case in cases)
    made = Asked(
        cases=cases,
        narrowed=tuple(selection.get("narrowed") or ()),
        uncollected=tuple(selection.get("uncollected") or ()),
        whole=frozenset(selection.get("whole") or ()),
        pins=(started.get("requirements") if started else None) or {},
        ended=ended,
        repeat=selection.get("repeat") or 1,
    )
    for case in cases or ():
        if honest and case.mutant is not None:
            continue
        for name in dict.fromkeys(case.requirements):
            made.by_requirement.setdefault(name, []).append(case)
    return made


def faults(asked: Asked, tests: Iterable[Test], *, completed: bool) -> list[str]:
    """Why what was collected is not what an honest run leaves."""
    if asked.cases is None:
        return ["what was collected is not recorded"] if completed else []
    selected = {(case.test, case.mutant): case for case in asked.cases if not case.left_out}
    told: list[str] = []
    for test in tests:
        case = selected.get((test.node, test.mutant))
        if case is None:
            told.append(f"test {test.node} ran, and was not among the selected ones")
        elif set(case.requirements) != set(test.requirements):
            told.append(f"test {test.node} ran for other requirements than those that it was collected with")
    return told


def of_requirement(requirement: Requirement, tests: Sequence[Test], asked: Asked) -> Cases:
    """Which of the pinned cases ran, and why the others did not.

    Args:
        requirement: The requirement, with the number of cases that the catalogue pins.
        tests: The runs of its tests that count.
        asked: What the run collected.
    """
    ran = {(test.node, test.mutant) for test in tests}
    missing: dict[tuple[str, str | None], Missing] = {}
    for case in asked.of(requirement.id):
        key = (case.test, case.mutant)
        if key not in ran:
            why = f"{LEFT_OUT_BY} {PLAIN.one_line(case.left_out)}" if case.left_out else asked.ended
            missing[key] = Missing(case.test, why, chosen=bool(case.left_out))
    for key, runs in Counter((test.node, test.mutant) for test in tests).items():
        if runs < asked.repeat:
            ran.discard(key)
            missing[key] = Missing(key[0], f"only {runs} of its {asked.repeat} runs began: {asked.ended}", chosen=False)
    unseen = max(0, requirement.cases - len({test for test, _ in (*ran, *missing)}))
    return Cases(requirement.cases, len(ran), (*missing.values(), *_unseen(requirement, unseen, asked)))


def _unseen(requirement: Requirement, count: int, asked: Asked) -> list[Missing]:
    """Return the cases that are pinned and that nobody has collected; they have no names."""
    pinned = asked.pins.get(requirement.id, requirement.cases)
    if asked.uncollected and requirement.area not in asked.whole:
        why, chosen = PLAIN.one_line(f"{LEFT_OUT_BY} {' '.join(asked.uncollected)}"), True
    elif pinned != requirement.cases:
        why, chosen = f"the run's own catalogue has {pinned} of it", False
    elif asked.cases is None:
        why, chosen = "what was collected is not recorded", False
    else:
        why, chosen = "not collected", False
    return [Missing("", why, chosen=chosen)] * count


def reason(cases: Cases) -> str:
    """Why a requirement is not decided by what ran, in a sentence."""
    # What was not chosen matters more.
    missing = sorted(cases.missing, key=lambda case: case.chosen)
    whys = dict.fromkeys(case.why for case in missing)
    if not cases.ran and len(whys) == 1:
        return missing[0].why
    total = cases.ran + len(missing)
    parts: list[str] = []
    for why in whys:
        group = [case.case for case in missing if case.why == why]
        named = [name for name in group if name][:SHOWN]
        more = len(group) - len(named)
        named += [f"{more} more" if named else str(more)] if more else []
        parts.append(f"{', '.join(named)} did not run: {why}")
    return f"{cases.ran} of {total} cases ran; {'; '.join(parts)}"


def not_run(asked: Asked, tests: Iterable[Test]) -> dict[tuple[str, str], list[str]]:
    """Return the cases that were selected under a mutant and never ran, by mutant and requirement."""
    ran: Collection[tuple[str, str | None]] = {(test.node, test.mutant) for test in tests}
    found: dict[tuple[str, str], list[str]] = {}
    for case in asked.cases or ():
        if case.mutant is not None and not case.left_out and (case.test, case.mutant) not in ran:
            for requirement in case.requirements:
                found.setdefault((case.mutant, requirement), []).append(case.test)
    return found
