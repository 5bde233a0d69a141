"""A whole history judged again, offline: every expectation, every test, by the same checks that judged them live.

Two passes over the file. The first learns what was claimed in which scope, and up to which record; the second feeds
each scope's records to its checks and asks them at exactly that point. A scope's memory is freed with
its last expectation.

Where the history has a break (the probe restarted, records are missing), no test that was running can be judged.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evidence.aggregate import Outcome, of_test
from evidence.checks import Check, CheckError, check_of, judge
from evidence.history import HistoryError, read
from evidence.history_index import HistoryIndex
from evidence.records import (
    GAP,
    RESTART,
    SHORTAGE,
    JudgedRecord,
    ProbeShortage,
    Record,
    SabotageDone,
    TestFinished,
    TestStarted,
)
from evidence.verdict import Judgement, Verdict, Violation
from evidence.watch import Trouble, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


MOST_TROUBLES = 20


@dataclass(frozen=True, slots=True)
class JudgedExpectation:
    """One expectation: as it was recorded, and as it is judged now.

    Attributes:
        record: The `expectation` record.
        judgement: The verdict by replay.
    """

    record: JudgedRecord
    judgement: Judgement

    @property
    def recorded(self) -> str:
        """The verdict that the history has."""
        return str(self.record["verdict"])

    @property
    def agrees(self) -> bool:
        """Whether the recorded verdict is the one that the history gives."""
        return self.recorded == self.judgement.verdict

    @property
    def reason(self) -> str:
        """The first violation, in a line."""
        violations = self.judgement.violations
        return f"{self.record['check']}: {violations[0]}" if violations else ""


@dataclass(slots=True)
class TestRun:
    """One run of a test: its `test.started` and `test.finished` records and its expectations, in order."""

    __test__ = False  # pytest: the name means a run of a test

    started: TestStarted
    finished: TestFinished | None = None
    expectations: list[JudgedExpectation] = field(default_factory=list)
    broken: str = ""
    """What broke the history while it ran; empty when nothing did."""
    sabotages: list[SabotageDone] = field(default_factory=list)
    """What the saboteur did meanwhile."""

    @property
    def sabotage(self) -> str:
        """The saboteur's case that it is; empty: it is a test of the suite."""
        return str(self.started.get("sabotage", ""))

    @property
    def twin(self) -> bool:
        """Whether it is the honest twin of that case."""
        return bool(self.started.get("twin"))

    @property
    def test(self) -> str:
        """Node id, without the mutant."""
        return str(self.started["test"])

    @property
    def scope(self) -> str:
        """The scope of its records."""
        return str(self.started["scope"])

    @property
    def mutant(self) -> str | None:
        """The mutant that it ran under, or None."""
        mutant = self.started["mutant"]
        return None if mutant is None else str(mutant)

    @property
    def requirements(self) -> tuple[str, ...]:
        """Ids of the requirements that it asks."""
        return tuple(self.started["requirements"])

    def ruling(self) -> Outcome:
        """Its verdict, and why: from the replayed expectations, never from the recorded verdicts."""
        if self.broken:
            return Outcome(Verdict.ERROR, self.broken)
        outcome = None if self.finished is None else str(self.finished["outcome"])
        reason = None if self.finished is None else self.finished["reason"]
        expectations = [
            (expectation.judgement.verdict or Verdict.UNKNOWN, expectation.reason) for expectation in self.expectations
        ]
        return of_test(outcome, reason, expectations)


@dataclass(slots=True)
class Replay:
    """A history judged again.

    Attributes:
        tests: Every run of a test, in the order of their beginnings.
        cases: Every run of a case of the saboteur, and of its honest twin.
        stray: Expectations of scopes in which no test began.
        records: How many records the history has.
        troubles: What is wrong with the instrument (`evidence.watch`); the first few.
    """

    tests: list[TestRun] = field(default_factory=list)
    cases: list[TestRun] = field(default_factory=list)
    stray: list[JudgedExpectation] = field(default_factory=list)
    records: int = 0
    troubles: list[str] = field(default_factory=list)

    def note(self, trouble: Trouble, touched: Iterable[TestRun]) -> None:
        """Note a trouble of the instrument, here and at the tests that it touches: those are errors, then."""
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(trouble.text)
        for run in touched:
            run.broken = run.broken or trouble.text

    def disagreements(self) -> list[JudgedExpectation]:
        """Claims whose recorded verdict is not the one that the history gives."""
        runs = [*self.tests, *self.cases]
        expectations = [expectation for run in runs for expectation in run.expectations] + self.stray
        return [expectation for expectation in expectations if not expectation.agrees]


def replay(path: Path) -> Replay:
    """Judge a history file again.

    Raises:
        HistoryError: The history cannot be trusted (`history.read`).
    """
    return replay_records(lambda: read(path))


def replay_records(source: Callable[[], Iterable[Record]]) -> Replay:
    """Judge the records of a source that can be read twice; it may have left out what it could not read."""
    return judge_records(source(), [record for record in source() if record["record"] == "expectation"])


def judge_records(records: Iterable[Record], expectations: Iterable[JudgedRecord]) -> Replay:
    """Judge records, as `replay_records` does, whose expectations have been read before.

    Args:
        records: All records, in their order; they are read once.
        expectations: Every expectation that is among them.
    """
    plans: dict[str, list[JudgedRecord]] = defaultdict(list)
    for planned in expectations:
        plans[planned["scope"]].append(planned)
    result = Replay()
    runs: dict[str, TestRun] = {}
    running: dict[str, TestRun] = {}
    scopes = {scope: _Scope(expectations) for scope, expectations in plans.items()}
    before = 0
    watch = Watch()
    for record in records:
        result.records += 1
        scope = record["scope"]
        if reason := _break(before, record):
            for run in running.values():
                run.broken = reason
            running.clear()  # once is enough
        before = record["seq"]
        if record["record"] == SHORTAGE:
            _note_shortage(record, running)
        for trouble in watch.feed(record):
            result.note(trouble, [runs[trouble.scope]] if trouble.scope in runs else running.values())
        if record["record"] == "test.started":
            run = runs[scope] = running[scope] = TestRun(record)
            (result.cases if run.sabotage else result.tests).append(run)
        elif record["record"] == "test.finished" and scope in runs:
            runs[scope].finished = record
            running.pop(scope, None)
        elif record["record"] == "expectation":
            expectation = scopes[scope].judge(record)
            (runs[scope].expectations if scope in runs else result.stray).append(expectation)
        elif record["record"] == "sabotage.done":
            _note_sabotage(record, result, runs.get(scope))
        elif scope in scopes:
            scopes[scope].feed(record)
    for trouble in watch.end():
        result.note(trouble, [runs[trouble.scope]] if trouble.scope in runs else [])
    return result


def _note_sabotage(record: SabotageDone, result: Replay, run: TestRun | None) -> None:
    """Note a sabotage at its case; where the saboteur has no business, nobody can judge what ran."""
    if run is None or run.twin or not run.sabotage:
        text = f"record {record['seq']}: expected a sabotage in a case of the saboteur, got one of what must be honest"
        result.note(Trouble(record["scope"], text, "run"), [] if run is None else [run])
    else:
        run.sabotages.append(record)


def _note_shortage(record: ProbeShortage, running: dict[str, TestRun]) -> None:
    """Note a shortage of the probe's machine at the test of its scope, or at all that run where it names none."""
    reason = f"the probe's machine was short (record {record['seq']}): {record['reason']}"
    for scope, run in running.items():
        if record["scope"] in {"", scope}:
            run.broken = run.broken or reason


def _break(before: int, record: Record) -> str:
    """Return what broke the history at a record that follows number `before`; empty when nothing did."""
    seq = record["seq"]
    if record["record"] == RESTART:
        return f"the probe restarted while the test ran (record {seq}): {record['reason']}"
    if record["record"] == GAP:
        return f"the history has a gap while the test ran (record {seq}): {record['reason']}"
    if seq != before + 1:
        return f"the history has a gap while the test ran: after record {before} comes record {seq}"
    return ""


class _Scope:
    """The expectations of a scope, asked when the records have come to where each was judged."""

    def __init__(self, records: list[JudgedRecord]) -> None:
        history = HistoryIndex()
        checks = [(record, self._check(record, history)) for record in records]
        self._history: HistoryIndex | None = history
        self._open = sorted(checks, key=lambda pair: pair[0]["upto"])
        self._judged: dict[int, Judgement] = {}

    @staticmethod
    def _check(record: JudgedRecord, history: HistoryIndex) -> Check | Judgement:
        try:
            return check_of(record["check"], record["args"], history)
        except CheckError as error:
            return Judgement(
                Verdict.ERROR, (Violation(f"expected a known expectation; got {error}", (record["seq"],)),)
            )

    def feed(self, record: Record) -> None:
        """Take the next record of the scope."""
        self._judge_before(record["seq"])
        if self._history is not None:
            try:
                self._history.feed(record)
            except (LookupError, AttributeError, TypeError, ValueError) as error:
                seq, kind = record["seq"], record["record"]
                raise HistoryError(
                    f"record {seq} of kind {kind} cannot be read: {type(error).__name__}: {error}"
                ) from error

    def judge(self, record: JudgedRecord) -> JudgedExpectation:
        """Return the expectation of an expectation record, which stands after all that it was judged by."""
        if record["upto"] >= record["seq"]:
            text = f"expected an expectation judged by earlier records; got one judged up to record {record['upto']}"
            return JudgedExpectation(record, Judgement(Verdict.ERROR, (Violation(text, (record["seq"],)),)))
        self._judge_before(record["seq"])
        return JudgedExpectation(record, self._judged[record["seq"]])

    @staticmethod
    def _ask(check: Check | Judgement, *, final: bool) -> Judgement:
        if isinstance(check, Judgement):
            return check
        judgement = judge(check, final=final)
        # Recorded as decided before its deadline, and the history does not decide it: say what is missing.
        return judge(check, final=True) if judgement.verdict is None else judgement

    def _judge_before(self, seq: int) -> None:
        while self._open and self._open[0][0]["upto"] < seq:
            record, check = self._open.pop(0)
            self._judged[record["seq"]] = self._ask(check, final=bool(record["timed_out"]))
        if not self._open:
            self._history = None
