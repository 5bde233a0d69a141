"""What became of each case and of each requirement, in one word. Never by sums: a swap does not cancel out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import sqrt

from common.redaction import PLAIN
from evidence.aggregate import Outcome, of_runs
from evidence.verdict import Verdict
from reports.compare.model import LEVELS, WORDS, CaseChange, Change, State, Word
from reports.compare.sides import Side
from reports.model import Missing, Result, Test

_MET, _FAILING, _OPEN, _SILENT = "met", "failing", "open", "silent"
_KINDS = {
    "pass": _MET,
    "fail": _FAILING,
    "flaky": _FAILING,
    "error": _OPEN,
    "unknown": _OPEN,
    "not_supported": _SILENT,
    "not_testable": _SILENT,
    "skipped": _SILENT,
}
_WORDS = {
    (_MET, _FAILING): Word.REGRESSED,
    (_MET, _OPEN): Word.UNDECIDED,
    (_MET, _SILENT): Word.LOST,
    (_FAILING, _MET): Word.REPAIRED,
    (_FAILING, _OPEN): Word.UNDECIDED,
    (_FAILING, _SILENT): Word.LOST,
    (_OPEN, _MET): Word.NEWLY_PASSING,
    (_OPEN, _FAILING): Word.NEWLY_FAILING,
    (_OPEN, _SILENT): Word.LOST,
    (_SILENT, _MET): Word.NEWLY_PASSING,
    (_SILENT, _FAILING): Word.NEWLY_FAILING,
    (_SILENT, _OPEN): Word.UNDECIDED,
}
_Z = 1.96
"""Of the 95 % interval of a difference of rates."""


def word(base: State, new: State) -> Word:
    """Return what became of a case that both runs know."""
    if Verdict.FLAKY in (base.verdict, new.verdict) and _ran_both_ways(base, new):
        return _flaky(base, new)
    before, now = _KINDS[base.verdict], _KINDS[new.verdict]
    if before == now:
        return Word.UNCHANGED
    if base.excused and now == _MET:
        return Word.KNOWN_AND_GONE
    if before == _OPEN and now == _SILENT and not base.runs:
        return Word.UNCHANGED  # it ran in neither
    return _WORDS[before, now]


def _ran_both_ways(base: State, new: State) -> bool:
    decided = {_MET, _FAILING}
    return bool(base.runs and new.runs) and {_KINDS[base.verdict], _KINDS[new.verdict]} <= decided


def _flaky(base: State, new: State) -> Word:
    """Return the word on a case that was flaky in one run: a rate of few runs proves little by itself."""
    if base.verdict == Verdict.PASS:
        return Word.REGRESSED
    if base.passes * new.runs == new.passes * base.runs:
        return Word.UNCHANGED
    low, high = rate_difference(base, new)
    if high < 0:
        return Word.REGRESSED
    return Word.REPAIRED if low > 0 and new.verdict == Verdict.PASS else Word.FLAKE_RATE_MOVED


def rate_difference(base: State, new: State) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two pass rates (Newcombe's, of Wilson's intervals)."""
    (p, p_low, p_high), (q, q_low, q_high) = _wilson(base), _wilson(new)
    below = sqrt((q - q_low) ** 2 + (p_high - p) ** 2)
    above = sqrt((q_high - q) ** 2 + (p - p_low) ** 2)
    return q - p - below, q - p + above


def _wilson(state: State) -> tuple[float, float, float]:
    n, rate = state.runs, state.passes / state.runs
    middle, width = rate + _Z**2 / (2 * n), _Z * sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n * n))
    scale = 1 + _Z**2 / n
    return rate, max(0.0, (middle - width) / scale), min(1.0, (middle + width) / scale)


def changes(base: Side, new: Side) -> tuple[Change, ...]:
    """Return every requirement that one of the runs knows, the worst word first, and the weightiest level in it.

    Args:
        base: The old run.
        new: The new run, judged by the same catalogue.
    """
    before = {result.id: result for result in base.report.results}
    made: list[Change] = []
    for result in new.report.results:
        knew, knows = base.knows(result.id), new.knows(result.id)
        if knew or knows:
            made.append(_change(before[result.id], result, knew=knew, knows=knows))
    judged = {result.id for result in new.report.results}
    gone = [id_ for id_ in sorted(base.asked - new.asked - judged) if new.asked]
    made += [Change(PLAIN.one_line(id_, 100), "", "", "", "", Word.REMOVED, "not judged", "") for id_ in gone]
    return tuple(sorted(made, key=lambda change: (WORDS.index(change.word), LEVELS.index(change.level))))


def _change(base: Result, new: Result, *, knew: bool, knows: bool) -> Change:
    cases = _cases(base, new) if knew and knows else ()
    told = worst(case.word for case in cases)
    if not (knew and knows):
        told = Word.ADDED if knows else Word.REMOVED
    return Change(
        id=new.id,
        level=new.level,
        profile=new.profile,
        area=new.area,
        text=new.text,
        word=told,
        base=base.verdict if knew else "",
        new=new.verdict if knows else "",
        cases=cases,
        documented=new.excused,
    )


def worst(words: Iterable[Word]) -> Word:
    """Return the worst of several words; unchanged of none."""
    return min(words, key=WORDS.index, default=Word.UNCHANGED)


def _cases(base: Result, new: Result) -> tuple[CaseChange, ...]:
    before, now = _states(base), _states(new)
    unnamed = {id(result): _unnamed(result.cases.missing) for result in (base, new)}
    found: list[CaseChange] = []
    for case in dict.fromkeys([*before, *now]):
        # A run that collected fewer cases than its catalogue has does not know whether the case was there.
        was = before.get(case) or unnamed[id(base)]
        is_ = now.get(case) or unnamed[id(new)]
        if was is None or is_ is None:
            told = Word.ADDED if was is None else Word.REMOVED
            found.append(CaseChange(case, told, was, is_))
        else:
            found.append(CaseChange(case, word(was, is_), was, is_, _rates(was, is_)))
    return tuple(sorted(found, key=lambda change: (WORDS.index(change.word), change.case)))


def _rates(base: State, new: State) -> str:
    if Verdict.FLAKY not in (base.verdict, new.verdict) or not (base.runs and new.runs):
        return ""
    low, high = rate_difference(base, new)
    was, is_ = f"{base.passes}/{base.runs}", f"{new.passes}/{new.runs}"
    return f"passed {was} -> {is_}, the rate moved by {low:+.2f} to {high:+.2f}"


def _states(result: Result) -> Mapping[str, State]:
    runs: dict[str, list[Test]] = {}
    for test in result.tests:
        runs.setdefault(test.node, []).append(test)
    states = {node: _state(tests) for node, tests in runs.items()}
    for missing in result.cases.missing:
        if missing.case:
            states.setdefault(missing.case, _absent(missing))
    if not result.excused:
        return states
    return {node: replace(state, excused=state.verdict == Verdict.FAIL) for node, state in states.items()}


def _state(tests: list[Test]) -> State:
    ruling = of_runs([Outcome(Verdict(test.verdict), test.reason) for test in tests])
    passes = sum(test.verdict == Verdict.PASS for test in tests)
    return State(str(ruling.verdict), ruling.reason, passes, len(tests))


def _absent(missing: Missing) -> State:
    return State("skipped" if missing.chosen else "unknown", missing.why)


def _unnamed(missing: Iterable[Missing]) -> State | None:
    return next((_absent(case) for case in missing if not case.case), None)
