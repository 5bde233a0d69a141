"""What faults made on purpose may excuse, and what not: nothing accepted is lost, nothing committed comes again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evidence.checks.base import check, describe, failed, undecidable, violation
from evidence.checks.batches import Batch
from evidence.event_progress import Stage, handled
from evidence.history_index import Moment, moment
from evidence.verdict import UNDECIDED, Judgement, Verdict, Violation

if TYPE_CHECKING:
    from evidence.event_progress import EventProgress
    from evidence.records import Received
    from evidence.refs import EventRef

REPEATED: Final = "repeated"


@dataclass(frozen=True, slots=True)
class Window:
    """A fault that was made on purpose.

    Attributes:
        fault: The fault, in words.
        begin: The moment at which it began.
        end: The moment at which it was over.
        excuses: The deviations that it may excuse.
    """

    fault: str
    begin: Moment
    end: Moment
    excuses: tuple[str, ...]


@check("survived")
class Survived(Batch):
    """Each accepted event in a request that no fault cut off; again only where it was uncommitted at its beginning."""

    def watch(self) -> None:
        """Keep what a batch keeps, and the windows of the Broker."""
        super().watch()
        (self.trigger,) = self.triggers
        self.key = (self.args["namespace"], self.args["broker"])
        self.history.watch_windows(*self.key)

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        return "in spite of the faults, and again only where they were uncommitted"

    def windows(self) -> list[Window]:
        """Return the faults that are over, in their order."""
        begun = {record["window"]: record for record in self.history.windows[self.key] if record["phase"] == "begin"}
        return [
            Window(begin["fault"], moment(begin), moment(record), tuple(begin["excuses"]))
            for record in self.history.windows[self.key]
            if record["phase"] == "end" and (begin := begun.get(record["window"])) is not None
        ]

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an event that came again without an excuse, or never; pass when all accepted ones were handled."""
        windows = self.windows()
        if not windows:
            return undecidable(violation(self.expected, "no fault window that is over", ())) if final else UNDECIDED
        faults, excused, waiting = [], 0, None
        for event in self.events:
            came = self.deliveries(event)
            unexcused, used = self._again(event, came, windows)
            faults += unexcused
            excused += used
            fate = handled(self.history, event, self.trigger)
            if fate.stage in {Stage.REFUSED, Stage.UNDECIDABLE}:
                continue  # the ingress never said that it has it
            cut_off = [request for request in came if self._is_cut_off(request, windows)]
            if fate.stage is Stage.HANDLED and len(cut_off) == len(came):
                faults.append(self._lost(event, fate, cut_off))
            elif fate.stage is not Stage.HANDLED and waiting is None:
                waiting = (event, fate)
        if faults:
            return failed(*faults)
        if waiting is not None:
            return self.unfinished(*waiting, final=final)
        return Judgement(Verdict.PASS, figures={"excused": excused})

    def _is_cut_off(self, request: Received, windows: list[Window]) -> bool:
        """Tell whether a request was without an answer when a fault was over: its sender never learnt of one."""
        answer = self.history.replied.get(request["receive"])
        return any(
            REPEATED in window.excuses
            and request["seq"] < window.begin.seq
            and (answer is None or answer["seq"] > window.end.seq)
            for window in windows
        )

    def _lost(self, event: EventRef, fate: EventProgress, cut_off: list[Received]) -> Violation:
        """Return a violation of an event that is done with, although nobody has answered for it."""
        got = f"{fate.text}, and the fault cut {len(cut_off)} requests off" if cut_off else fate.text
        witness = (*fate.witness, *(request["seq"] for request in cut_off))
        return violation(f"{describe(event)} in spite of the faults", got, witness, self.where(event))

    def _again(self, event: EventRef, came: list[Received], windows: list[Window]) -> tuple[list[Violation], int]:
        """Return the repetitions of an event that no window excuses, and the number of those that one does."""
        unexcused, left = [], list(windows)
        for before, again in itertools.pairwise(came):
            window = next((each for each in left if self._excuses(each, event, before, again)), None)
            if window is not None:
                left.remove(window)
                continue
            got = f"it again in request {again['receive']}: {self._why(event, again, windows)}"
            witness = (before["seq"], again["seq"], *self._committed_before(event, again, windows))
            unexcused.append(violation(f"{describe(event)} {self.wording}", got, witness, self.where(event)))
        return unexcused, len(windows) - len(left)

    def _excuses(self, window: Window, event: EventRef, before: Received, again: Received) -> bool:
        """Tell whether a window excuses that an event came again after it had come."""
        if REPEATED not in window.excuses or before["seq"] > window.end.seq or again["seq"] < window.begin.seq:
            return False
        committed = self._committed(event)
        return committed is None or committed.seq > window.begin.seq

    def _committed(self, event: EventRef) -> Moment | None:
        """Return when the event's offset was first seen committed."""
        places = self.history.places((event.source, event.id), self.trigger.topic)
        passed = [self.history.passed(self.trigger.group, place) for place in places]
        seen = [at for at in passed if at is not None]
        return max(seen) if seen and len(seen) == len(passed) else None

    def _committed_before(self, event: EventRef, again: Received, windows: list[Window]) -> tuple[int, ...]:
        committed = self._committed(event)
        last = max((window.begin.seq for window in windows if window.begin.seq < again["seq"]), default=0)
        return (committed.seq,) if committed is not None and committed.seq < last else ()

    def _why(self, event: EventRef, again: Received, windows: list[Window]) -> str:
        before = [window for window in windows if window.begin.seq < again["seq"]]
        if not before:
            return "no fault had been made yet"
        if self._committed_before(event, again, windows):
            return f"its offset was committed before {before[-1].fault}"
        return f"more often than {before[-1].fault} explains"
