"""What a history has shown so far of the things that open checks ask about.

Checks say what they watch, records are fed in order, each once; a record of anything else is dropped. So memory is
bounded by what is open, not by the run's length. Nothing is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NotRequired, TypeAlias, TypedDict, TypeGuard

from evidence.identity import Identity, of_http, of_kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from evidence.records import (
        Answered,
        ApiObject,
        FaultWindow,
        Fence,
        GrpcAnswered,
        GrpcCalled,
        LoadChunk,
        ObservedComponents,
        ObservedOffsets,
        Produced,
        Received,
        Record,
        Replied,
        Sent,
        TopicListed,
        TopicRecord,
    )

MOST_OTHERS: Final = 1000
"""How many events that nobody watches are kept of a topic."""
ObjectKey: TypeAlias = tuple[str, str, str | None, str]


class TopicPlace(TypedDict):
    """Where something lies in a topic: what a `topic.record` and a `produced` that Kafka took have in common."""

    seq: NotRequired[int]
    t: NotRequired[float]
    topic: str
    partition: int
    offset: int
    key: str | None
    headers: list[list[Any]]
    value: str | None


def is_taken(record: Produced) -> TypeGuard[TopicPlace]:
    """Tell whether Kafka took a record, and where it lies."""
    return record["error"] is None and record.get("partition") is not None and record.get("offset") is not None


class Moment(NamedTuple):
    """A point of the history: the record's number and its time."""

    seq: int
    t: float


def moment(record: Record | TopicPlace) -> Moment:
    """When a record was written."""
    return Moment(record["seq"], record["t"])


@dataclass(slots=True)
class SeenEvent:
    """All records about one event (every event of this source and id), in order."""

    sent: list[Sent] = field(default_factory=list)
    produced: list[Produced] = field(default_factory=list)
    records: list[TopicRecord] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    replied: list[Replied] = field(default_factory=list)


@dataclass(slots=True)
class SeenTopic:
    """How far a topic was read by taps, and its ends as observed.

    Attributes:
        read: Next offset to read, by partition; None once a tap skipped offsets.
        opened: Ends of the partitions before anything was asked of the system: nothing below them is of interest.
        ends: Observations (seq, begun at, end by partition).
        kept: All records, if a check wants them.
        others: The numbers of the first records of events that nobody watches, for near misses.
    """

    keep: bool = False
    read: dict[int, int | None] = field(default_factory=dict)
    opened: dict[int, int] = field(default_factory=dict)
    ends: list[tuple[Moment, float | None, dict[int, int]]] = field(default_factory=list)
    kept: list[TopicRecord] = field(default_factory=list)
    others: dict[Identity, int] = field(default_factory=dict)

    def observed_after(self, since: Moment) -> Iterator[tuple[int, dict[int, int]]]:
        """Observations of the ends that began after a moment: their seq, and the end of every partition.

        `asked_t` says when one began. Without it, the first one after the moment may have been under way; the next ones
        were not, because a scope asks for one observation at a time.
        """
        later = 0
        for at, asked, ends in self.ends:
            if at.seq > since.seq:
                later += 1
                if asked >= since.t if asked is not None else later > 1:
                    yield at.seq, ends

    def covered(self, since: Moment) -> int | None:
        """Return the observation (its seq) that proves that everything stored before a moment has been read, if any."""
        for seq, ends in self.observed_after(since):
            if all((self.position(partition) or 0) >= end for partition, end in ends.items()):
                return seq
        return None

    def position(self, partition: int) -> int | None:
        """Return the offset up to which a partition is known; None once a tap skipped offsets."""
        return self.read.get(partition, self.opened.get(partition, 0))


class HistoryIndex:
    """The records that matter to the checks which share it."""

    def __init__(self) -> None:
        self.events: dict[Identity, SeenEvent] = {}
        self.sent: dict[str, Sent | None] = {}
        self.answered: dict[str, Answered] = {}
        self.calls: dict[str, GrpcCalled | None] = {}
        self.call_ends: dict[str, GrpcAnswered] = {}
        self.topics: dict[str, SeenTopic] = {}
        self.committed: dict[tuple[str, str], list[tuple[Moment, dict[int, int]]]] = {}
        self.observed: dict[tuple[str, str], Moment] = {}
        self.received: dict[str, Received] = {}
        self.replied: dict[str, Replied] = {}
        self.first_at: dict[str, dict[str, tuple[float, int]]] = {}
        self.produced: dict[str, Produced | None] = {}
        self.objects: dict[ObjectKey, list[ApiObject]] = {}
        self.loads: dict[str, list[LoadChunk]] = {}
        self.fences: dict[tuple[str, str], list[Fence]] = {}
        self.at_sink: dict[str, list[Received]] = {}
        self.windows: dict[tuple[str, str], list[FaultWindow]] = {}
        self.listed: dict[str, list[TopicListed]] = {}
        self.components: list[ObservedComponents] | None = None
        self.all_windows: list[FaultWindow] = []
        self.fed = 0
        self._all = False
        self._all_topics = False
        self._feeders: Mapping[str, Callable[[Any], None]] = {
            "sent": self._sent,
            "answered": self._answered,
            "grpc.called": self._called,
            "grpc.answered": self._call_ended,
            "received": self._received,
            "replied": self._replied,
            "topic.record": self._record,
            "produced": self._produced,
            "offsets": self._offsets,
            "object": self._object,
            "load": self._load,
            "fence": self._fence,
            "fault.window": self._window,
            "components": self._components,
            "topic.listed": self._listed,
        }

    # What to keep.

    def watch_event(self, identity: Identity) -> None:
        """Keep every record about events of this source and id."""
        self.events.setdefault(identity, SeenEvent())

    def watch_all_events(self) -> None:
        """Keep every record about any event, and requests that carry none."""
        self._all = True

    def watch_exchange(self, send: str) -> None:
        """Keep a request and its answer."""
        self.sent.setdefault(send, None)

    def watch_call(self, call: str) -> None:
        """Keep a gRPC call and its end."""
        self.calls.setdefault(call, None)

    def watch_topic(self, name: str, *, keep: bool = False) -> None:
        """Note how far a topic was read and its ends; with `keep`, all its records."""
        topic = self.topics.setdefault(name, SeenTopic())
        topic.keep = topic.keep or keep

    def watch_group(self, group: str, topic: str) -> None:
        """Keep the committed offsets of a group."""
        self.committed.setdefault((group, topic), [])
        self.watch_topic(topic)

    def watch_all_topics(self) -> None:
        """Look for events in any topic, and keep the committed offsets of any group; ends of topics are not kept."""
        self._all_topics = True

    def watch_first(self, sink: str) -> None:
        """Note when each event id first came to a sink."""
        self.first_at.setdefault(sink, {})

    def watch_produced(self, produce: str) -> None:
        """Keep the record that the probe wrote to Kafka."""
        self.produced.setdefault(produce, None)

    def watch_object(self, key: ObjectKey) -> None:
        """Keep what the Kubernetes API said of an object."""
        self.objects.setdefault(key, [])

    def watch_load(self, load: str) -> None:
        """Keep the samples of a load."""
        self.loads.setdefault(load, [])

    def watch_fences(self, namespace: str, trigger: str) -> None:
        """Keep the fences of a Trigger, and every event: a fence is one of them."""
        self.fences.setdefault((namespace, trigger), [])
        self.watch_all_events()

    def watch_windows(self, namespace: str, broker: str) -> None:
        """Keep the fault windows of a Broker."""
        self.windows.setdefault((namespace, broker), [])

    def watch_listed(self, topic: str) -> None:
        """Keep whether Kafka has a topic, and how far it was read."""
        self.listed.setdefault(topic, [])
        self.watch_topic(topic)

    def watch_components(self) -> None:
        """Keep how the platform's own pods were, and every fault window."""
        if self.components is None:
            self.components = []

    def watch_sink(self, sink: str) -> None:
        """Keep every request that comes to a sink, whatever it carries."""
        self.at_sink.setdefault(sink, [])

    # Records, in order.

    def feed(self, record: Record) -> None:
        """Take the next record."""
        self.fed = record["seq"]
        feeder = self._feeders.get(record["record"])
        if feeder is not None:
            feeder(record)

    def _seen(self, identity: Identity | None) -> SeenEvent | None:
        if identity is None:
            return None
        seen = self.events.get(identity)
        if seen is None and self._all:
            seen = self.events[identity] = SeenEvent()
        return seen

    def _sent(self, record: Sent) -> None:
        identity = of_http(record["headers"], record["body"])
        if identity is None and (event := record.get("event")):
            identity = (event["source"], event["id"])
        seen = self._seen(identity)
        if seen is not None:
            seen.sent.append(record)
        if seen is not None or self._all or record["send"] in self.sent:
            self.sent[record["send"]] = record

    def _answered(self, record: Answered) -> None:
        if record["send"] in self.sent:
            self.answered[record["send"]] = record

    def _called(self, record: GrpcCalled) -> None:
        if record["call"] in self.calls:
            self.calls[record["call"]] = record

    def _call_ended(self, record: GrpcAnswered) -> None:
        if record["call"] in self.calls:
            self.call_ends[record["call"]] = record

    def _received(self, record: Received) -> None:
        if (kept := self.at_sink.get(record["sink"])) is not None:
            kept.append(record)
        identity = of_http(record["headers"], record["body"])
        if identity is None:
            return
        first = self.first_at.get(record["sink"])
        if first is not None:
            first.setdefault(identity[1], (record["t"], record["seq"]))
        seen = self.events.get(identity)
        if seen is None:
            if not self._all:
                return
            seen = self.events[identity] = SeenEvent()
        seen.received.append(record)
        self.received[record["receive"]] = record

    def _replied(self, record: Replied) -> None:
        if record["receive"] in self.received:
            self.replied[record["receive"]] = record
        if record["headers"]:
            seen = self._seen(of_http(record["headers"], record["body"]))
            if seen is not None:
                seen.replied.append(record)

    def _topic(self, name: str) -> SeenTopic | None:
        topic = self.topics.get(name)
        if topic is None and self._all_topics:
            topic = self.topics[name] = SeenTopic()
        return topic

    def _record(self, record: TopicRecord) -> None:
        topic = self._topic(record["topic"])
        if topic is None:
            return
        partition, offset = record["partition"], record["offset"]
        position = topic.position(partition)
        if position is not None:
            if offset < position:
                return  # It is from before the test, or a second tap of the same scope, or of the run, reads it again.
            topic.read[partition] = offset + 1 if offset == position else None
        if topic.keep:
            topic.kept.append(record)
        identity = of_kafka(record["headers"], record["value"])
        seen = self._seen(identity)
        if seen is not None:
            seen.records.append(record)
        elif identity is not None and len(topic.others) < MOST_OTHERS:
            topic.others.setdefault(identity, record["seq"])

    def _produced(self, record: Produced) -> None:
        if record["produce"] in self.produced:
            self.produced[record["produce"]] = record
        seen = self._seen(of_kafka(record["headers"], record["value"]))
        if seen is not None:
            seen.produced.append(record)

    def _offsets(self, record: ObservedOffsets) -> None:
        topic = self._topic(record["topic"])
        if topic is None:
            return
        if record.get("opens"):
            topic.opened = _offsets(record["end"])
        if record["end"] and not self._all_topics:
            topic.ends.append((moment(record), record.get("asked_t"), _offsets(record["end"])))
        key = (record["group"] or "", record["topic"])
        commits = self.committed.get(key)
        if commits is None and self._all_topics:
            commits = self.committed[key] = []
        if commits is not None:
            self.observed[key] = moment(record)
            offsets = _offsets(record["committed"])
            if not commits or commits[-1][1] != offsets:
                commits.append((moment(record), offsets))

    def _object(self, record: ApiObject) -> None:
        kept = self.objects.get((record["apiVersion"], record["kind"], record.get("namespace"), record["name"]))
        if kept is not None:
            kept.append(record)

    def _load(self, record: LoadChunk) -> None:
        kept = self.loads.get(record["load"])
        if kept is not None:
            kept.append(record)

    def _fence(self, record: Fence) -> None:
        kept = self.fences.get((record["namespace"], record["trigger"]))
        if kept is not None:
            kept.append(record)

    def _window(self, record: FaultWindow) -> None:
        kept = self.windows.get((record["namespace"], record["broker"]))
        if kept is not None:
            kept.append(record)
        if self.components is not None:
            self.all_windows.append(record)

    def _listed(self, record: TopicListed) -> None:
        kept = self.listed.get(record["topic"])
        if kept is not None:
            kept.append(record)

    def _components(self, record: ObservedComponents) -> None:
        if self.components is not None:
            self.components.append(record)

    # Questions that several checks ask.

    def passed(self, group: str, place: TopicPlace) -> Moment | None:
        """Return the first observation of a committed offset past a record of a topic, if any."""
        for at, offsets in self.committed.get((group, place["topic"]), ()):
            if offsets.get(place["partition"], 0) > place["offset"]:
                return at
        return None

    def deliveries(self, identity: Identity, sinks: set[str]) -> list[Received]:
        """Return the requests that brought an event to these sinks, in order."""
        return [record for record in self.events[identity].received if record["sink"] in sinks]

    def places(self, identity: Identity, topic: str) -> list[TopicPlace]:
        """Where an event lies in a topic: records that a tap read, else what the probe itself produced there."""
        seen = self.events[identity]
        places: list[TopicPlace] = [record for record in seen.records if record["topic"] == topic]
        if not seen.produced:
            return places
        known = {(place["partition"], place["offset"]) for place in places}
        taken: list[TopicPlace] = [record for record in seen.produced if is_taken(record)]
        return places + [
            place for place in taken if place["topic"] == topic and (place["partition"], place["offset"]) not in known
        ]

    def all_sent(self) -> Iterator[Sent]:
        """Every request kept."""
        return (record for record in self.sent.values() if record is not None)


def _offsets(offsets: Mapping[str, Any]) -> dict[int, int]:
    return {int(partition): value for partition, value in offsets.items() if isinstance(value, int) and value >= 0}
