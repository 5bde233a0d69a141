"""What Kafka says of a Broker's topic and its groups: how many partitions there are, and which group moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import Check, check, describe, failed, observations, violation
from evidence.event_progress import Stage, stored, watch
from evidence.history_index import moment
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from evidence.history_index import Moment
    from evidence.refs import EventRef, TriggerRef


@check("partitions")
class Partitions(Check):
    """The number of a topic's partitions."""

    prompt = True

    def watch(self) -> None:
        """Keep the topic's ends."""
        self.topic: str = self.args["on"].name
        self.history.watch_topic(self.topic)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"topic {self.topic} to have {self.args['count']} partitions"

    def decide(self, *, final: bool) -> Judgement:
        """Judge the last observation of its ends, which names every partition."""
        del final
        if not (ends := self.history.topics[self.topic].ends):
            return UNDECIDED
        at, _, found = ends[-1]
        if len(found) == self.args["count"]:
            return PASSED
        return failed(violation(self.expected, str(len(found)), (at.seq,), f"topic {self.topic}"))

    def missing(self) -> Violation:
        """Say what is missing."""
        return self.no_decision(self.expected, "Kafka told no partition of it")

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Another look at its ends."""
        return (ObservationRequest("offsets", self.topic),)


@check("group_commits")
class GroupCommits(Check):
    """The group that a Trigger's status names has committed past an event that the Trigger delivered."""

    prompt = True

    def watch(self) -> None:
        """Keep both events, and what the group commits."""
        self.event: EventRef = self.args["event"]
        self.control: EventRef = self.args["control"]
        self.trigger: TriggerRef = self.args["by"]
        for event in (self.event, self.control):
            watch(self.history, event, [self.trigger])

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"group {self.trigger.group!r} to commit past {describe(self.event)}"

    def decide(self, *, final: bool) -> Judgement:
        """Pass when the group is past it; at the deadline fail where the event and a later one came all the same."""
        fate = stored(self.history, self.event, self.trigger.topic)
        places, group = fate.places, self.trigger.group
        if fate.stage is not Stage.STORED or not places:
            return UNDECIDED
        if all(self.history.passed(group, place) is not None for place in places):
            return PASSED
        came, later = self._came(self.event), self._came(self.control)
        looked = self.history.observed.get((group, self.trigger.topic))
        if not final or came is None or later is None or looked is None or looked < later:
            return UNDECIDED
        got = f"a delivery of it and of {describe(self.control)}, while this group stands before both"
        witness = (places[-1]["seq"], came.seq, later.seq, looked.seq)
        return failed(violation(self.expected, got, witness, self.where(self.event)))

    def _came(self, event: EventRef) -> Moment | None:
        """Return when the subscriber had accepted an event; None as long as it has not."""
        sink = self.trigger.sink.name if self.trigger.sink else ""
        for request in self.history.deliveries((event.source, event.id), {sink}):
            answer = self.history.replied.get(request["receive"])
            if answer is not None and answer["status"] is not None and 200 <= answer["status"] < 300:
                return moment(answer)
        return None

    def missing(self) -> Violation:
        """Say what is missing."""
        return self.no_decision(
            self.expected, "it, or the later event, did not come, or Kafka tells no offsets", self.event
        )

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic, and what the group has committed."""
        return observations(self.trigger)
