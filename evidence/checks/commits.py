"""Offsets that are committed, or not, behind what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import by_fate, check, describe, failed
from evidence.checks.batches import Batch
from evidence.event_progress import Stage, handled, watch
from evidence.verdict import PASSED, Judgement

if TYPE_CHECKING:
    from evidence.event_progress import EventProgress
    from evidence.refs import EventRef


@check("committed")
class Committed(Batch):
    """The group's offsets are behind all the events, as they were behind an earlier one."""

    prompt = True

    def watch(self) -> None:
        """Keep the earlier event too."""
        self.control: EventRef = self.args["control"]
        super().watch()
        watch(self.history, self.control, self.triggers)

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        return "where they match, and their offsets committed"

    def decide(self, *, final: bool) -> Judgement:
        """Pass when all offsets are committed; fail at the deadline where the subscriber has answered all it got."""
        unfinished = self.open()
        if unfinished is None:
            return PASSED
        event, fate = unfinished
        if final and self._is_stored(fate) and self._has_committed() and self._is_answered():
            what = f"the offset of {describe(event)} to be committed, as that of {describe(self.control)} was"
            return failed(by_fate(what, fate, self.where(event)))
        return self.unfinished(event, fate, final=final)

    def _is_stored(self, fate: EventProgress) -> bool:
        """Tell whether an event waits for nothing but a commit."""
        return fate.stage is Stage.OPEN and bool(fate.places)

    def _has_committed(self) -> bool:
        """Tell whether the group has ever committed anything: the offset of the earlier event."""
        return all(handled(self.history, self.control, trigger).stage is Stage.HANDLED for trigger in self.triggers)

    def _is_answered(self) -> bool:
        """Tell whether the subscriber has got any of the events, and has answered all that it got."""
        came = [request for event in self.events for request in self.deliveries(event)]
        return bool(came) and all(request["receive"] in self.history.replied for request in came)
