"""What is deleted goes, with what was made for it and nothing else; a finalizer that holds it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.checks.base import Check, check, describe, failed, observations, shorten, undecidable, violation
from evidence.event_progress import Stage, handled, stored, watch
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evidence.records import ApiObject, Received, TopicListed
    from evidence.refs import EventRef, ObjectRef, TriggerRef


class Deletion(Check):
    """An object that the test has deleted."""

    def watch(self) -> None:
        """Keep what is said of it."""
        self.obj: ObjectRef = self.args["obj"]
        self._key = (self.obj.api_version, self.obj.kind, self.obj.namespace, self.obj.name)
        self.history.watch_object(self._key)

    @property
    def name_of(self) -> str:
        """The object in a sentence."""
        return f"{self.obj.kind} {self.obj.namespace + '/' if self.obj.namespace else ''}{self.obj.name}"

    def deleted(self) -> ApiObject | None:
        """Return the last order to delete it that the API took."""
        calls = (record for record in reversed(self.history.objects[self._key]) if record["verb"] == "delete")
        return next((record for record in calls if 200 <= record["code"] < 300), None)

    def looks(self, order: ApiObject) -> list[ApiObject]:
        """Return what was said of it after the order."""
        return [record for record in self.history.objects[self._key] if record["seq"] > order["seq"]]

    def gone(self, order: ApiObject) -> ApiObject | None:
        """Return the first word after the order that there is no such object."""
        return next((record for record in self.looks(order) if record["code"] == 404), None)

    def seen_gone(self) -> ApiObject | None:
        """Return the first word that there is no such object any more; None as long as there is none."""
        order = self.deleted()
        return self.gone(order) if order else None

    def missing(self) -> Violation:
        """Say what is missing: a look at the object, or the right to it."""
        order = self.deleted()
        refused = [record for record in self.looks(order) if record["code"] >= 400] if order else []
        got = "nothing was seen after the object was deleted"
        if refused:
            got += f": the API answered {refused[-1]['code']} {shorten(refused[-1]['message'] or '')}"
        return self.no_decision(self.expected, got)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Another look at the object."""
        return (ObservationRequest("object", obj=self.obj),)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        raise NotImplementedError


@check("gone")
class Gone(Deletion):
    """The API has no such object any more."""

    def watch(self) -> None:
        """Keep what is said of what it was made for too."""
        super().watch()
        self.after: ObjectRef | None = self.args.get("after")
        if self.after is not None:
            self._owner = (self.after.api_version, self.after.kind, self.after.namespace, self.after.name)
            self.history.watch_object(self._owner)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        what = "its deletion" if self.after is None else f"{self.after.kind} {self.after.name} was changed or deleted"
        return f"{self.name_of} to be gone after {what}"

    def deleted(self) -> ApiObject | None:
        """Return the order to delete it, or the call by which it should go, where it was there before."""
        if self.after is None:
            return super().deleted()
        calls = [record for record in self.history.objects[self._owner] if record["seq"] == self.after.seq]
        order = next((record for record in calls if 200 <= record["code"] < 300), None)
        before = [record for record in self.history.objects[self._key] if order and record["seq"] < order["seq"]]
        return order if before and before[-1]["code"] < 300 else None

    def decide(self, *, final: bool) -> Judgement:
        """Pass at the first answer 404 after the deletion; at the deadline fail where it is still there."""
        order = self.deleted()
        if order is None:
            return UNDECIDED
        if self.gone(order) is not None:
            return PASSED
        there = (record for record in reversed(self.looks(order)) if record["code"] < 300 and record.get("object"))
        seen = next(there, None)
        if not final or seen is None:
            return UNDECIDED
        what = "its deletion" if self.after is None else "that"
        since = f"{seen.get('t', 0.0) - order.get('t', 0.0):.1f} s after {what}"
        got = f"it {since}: {_held(seen)}"
        return failed(violation(self.expected, got, (order["seq"], seen["seq"]), self.name_of))


def _held(record: ApiObject) -> str:
    """Return what holds a deleted object, as it says itself."""
    found = record.get("object") or {}
    metadata = found.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if not metadata.get("deletionTimestamp"):
        return "it is not even marked as deleted"
    finalizers = metadata.get("finalizers") or (found.get("spec") or {}).get("finalizers")
    return f"held by the finalizers {finalizers}" if finalizers else "marked as deleted, without a finalizer"


@check("deliveries_ended")
class DeliveriesEnded(Deletion):
    """A Trigger that is gone delivers hardly any more of what it was not done with, while another one goes on."""

    def watch(self) -> None:
        """Keep the deliveries of all events too."""
        super().watch()
        self.events: Sequence[EventRef] = self.args["events"]
        self.controls: Sequence[EventRef] = self.args["controls"]
        for event in (*self.events, *self.controls):
            self.history.watch_event((event.source, event.id))

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        what = describe(self.events[0]) if len(self.events) == 1 else f"{len(self.events)} events"
        letters = ", and no dead letter," if self.args["letters"] else ""
        return f"{what} at most {self.args['at_most']} times more{letters} once {self.name_of} is gone"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a request too many, or a dead letter; pass when the other Trigger has made its requests."""
        del final
        gone = self.seen_gone()
        if gone is None:
            return UNDECIDED
        (by,), (beside,), most = self.args["by"], self.args["beside"], self.args["at_most"]
        again = self._requests(self.events, by.sink.name, gone)
        letters = [letter for sink in self.args["letters"] for letter in self._requests(self.events, sink.name)]
        if len(again) > most or letters:
            witness = (gone["seq"], *(record["seq"] for record in (*again, *letters)))
            got = f"{len(again)} requests for its subscriber, and {len(letters)} for the dead letter sink"
            return failed(violation(self.expected, got, witness, self.where(self.events[0])))
        others = self._requests(self.controls, beside.sink.name, gone)
        return PASSED if len(others) >= self.args["count"] else UNDECIDED

    def _requests(self, events: Sequence[EventRef], sink: str, since: ApiObject | None = None) -> list[Received]:
        """Return the requests that brought events to a sink, after a record or ever."""
        found = (self.history.deliveries((event.source, event.id), {sink}) for event in events)
        return [request for each in found for request in each if since is None or request["seq"] > since["seq"]]


@check("commits_ended")
class CommitsEnded(Deletion):
    """The group of a Trigger that is gone commits nothing of a later event, while another Trigger's group goes on."""

    def watch(self) -> None:
        """Keep both events, and what both groups commit."""
        super().watch()
        self.event: EventRef = self.args["event"]
        self.control: EventRef = self.args["control"]
        self.trigger: TriggerRef = self.args["by"][0]
        self.beside: TriggerRef = self.args["beside"][0]
        for event in (self.event, self.control):
            watch(self.history, event, [self.trigger, self.beside])

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"group {self.trigger.group!r} to commit nothing of {describe(self.event)}, once {self.name_of} is gone"

    def decide(self, *, final: bool) -> Judgement:
        """Fail when the group has passed the event; pass when it has not, and the other one passed a still later one.

        Both groups commit alike. When the other one has committed an event that was sent after it had committed the
        first, this one has had as much time as a commit takes.
        """
        del final
        gone = self.seen_gone()
        if gone is None:
            return UNDECIDED
        fate = stored(self.history, self.event, self.trigger.topic)
        if fate.stage is not Stage.STORED or not fate.places or fate.places[0]["seq"] < gone["seq"]:
            return UNDECIDED
        passed = [self.history.passed(self.trigger.group, place) for place in fate.places]
        if any(passed):
            witness = (gone["seq"], *(place["seq"] for place in fate.places), *(at.seq for at in passed if at))
            return failed(violation(self.expected, "its offset committed past that", witness, self.where(self.event)))
        others = handled(self.history, self.control, self.beside)
        looked = self.history.observed.get((self.trigger.group, self.trigger.topic))
        is_late = others.at is not None and looked is not None and looked > others.at
        return PASSED if others.stage is Stage.HANDLED and is_late else UNDECIDED

    def missing(self) -> Violation:
        """Say what is missing."""
        return self.no_decision(
            self.expected, "no later event of which the other Trigger's group was seen to commit the offset", self.event
        )

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Another look at the object, and at what both groups have committed."""
        return (*super().needs(), *observations(self.beside), *observations(self.trigger))


class TopicFate(Deletion):
    """A topic, and an object that the test has deleted."""

    def watch(self) -> None:
        """Keep what is said of the topic too."""
        super().watch()
        self.topic: str = self.args["topic"].name
        self.history.watch_listed(self.topic)

    def lists(self, order: ApiObject) -> list[TopicListed]:
        """Return what Kafka listed after the order to delete the object."""
        return [record for record in self.history.listed[self.topic] if record["seq"] > order["seq"]]


@check("topic_gone")
class TopicGone(TopicFate):
    """Kafka has no such topic any more, once the object that it was made for is deleted."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"topic {self.topic} to go with {self.name_of}"

    def decide(self, *, final: bool) -> Judgement:
        """Pass at the first list without the topic, where it had been read; at the deadline fail at one with it."""
        order = self.deleted()
        if order is None:
            return UNDECIDED
        if not any(self.history.topics[self.topic].read.values()):
            unread = violation(self.expected, "no record of it that was ever read: was it there?", (order["seq"],))
            return undecidable(unread) if final else UNDECIDED
        looks = self.lists(order)
        if any(not record["exists"] for record in looks):
            return PASSED
        if not final or not looks:
            return UNDECIDED
        last = looks[-1]
        got = f"it still there {last.get('t', 0.0) - order.get('t', 0.0):.1f} s after the deletion"
        return failed(violation(self.expected, got, (order["seq"], last["seq"]), f"topic {self.topic}"))

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Another look at what Kafka lists."""
        return (ObservationRequest("listed", self.topic),)


@check("topic_kept")
class TopicKept(TopicFate):
    """Kafka has the topic still, once an object that used it is gone."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"topic {self.topic} to outlive {self.name_of}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first list without the topic after the deletion; pass at one with it when the object is gone."""
        del final
        order = self.deleted()
        if order is None:
            return UNDECIDED
        looks = self.lists(order)
        if (lost := next((record for record in looks if not record["exists"]), None)) is not None:
            got = f"it gone {lost.get('t', 0.0) - order.get('t', 0.0):.1f} s after the deletion"
            return failed(violation(self.expected, got, (order["seq"], lost["seq"]), f"topic {self.topic}"))
        gone = self.gone(order)
        return PASSED if gone and any(record["seq"] > gone["seq"] for record in looks) else UNDECIDED

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Another look at the object, and then at what Kafka lists."""
        return (*super().needs(), ObservationRequest("listed", self.topic))
