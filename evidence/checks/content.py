"""What deliveries carry: attributes, data, HTTP headers, judged against what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.checks.base import by_fate, check, failed, has_value, header_values, undecidable, violation
from evidence.checks.delivery import DeliveryCheck
from evidence.cloudevents import Reading, differences, read_http, read_kafka, same_data
from evidence.event_progress import Stage, stored
from evidence.history import octets
from evidence.refs import EventRef, TopicRef
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest

if TYPE_CHECKING:
    from evidence.history_index import HistoryIndex, TopicPlace
    from evidence.records import Produced, Received

# Attributes that brokers are known to add; they change nothing that was sent. The ingress notes when an event came
# (Knative's Broker specification); the Kafka Broker's dispatcher notes on each delivery where the record lies
# (eventing-kafka-broker 1.22.3, CloudEventOverridesMutator.java).
ADDED_TO_RECORDS = frozenset({"knativearrivaltime"})
ADDED_TO_DELIVERIES = ADDED_TO_RECORDS | {"knativekafkapartition", "knativekafkaoffset"}


def origins(history: HistoryIndex, event: EventRef) -> list[Reading]:
    """Return what was sent under this identity, read strictly from its raw bytes; the event's own request first."""
    seen = history.events[event.source, event.id]
    found = [
        read_http(record["headers"], octets(record["body"]))
        for record in sorted(seen.sent, key=lambda record: record["send"] != event.send)
    ]
    produced = sorted(seen.produced, key=lambda record: record["produce"] != event.produce)
    found += [read_record(record) for record in produced]
    return found or [read_http(record["headers"], octets(record["body"])) for record in seen.replied]


def read_record(record: TopicPlace | Produced) -> Reading:
    """Read a record of a topic strictly."""
    return read_kafka(record["headers"], None if record["value"] is None else octets(record["value"]))


def changes(sent: Reading, seen: Reading, ignore: set[str], added: frozenset[str] = ADDED_TO_DELIVERIES) -> list[str]:
    """Return how a delivery or a record differs from what was sent.

    Args:
        sent: The event as it was sent.
        seen: The event as it arrived.
        ignore: The attributes that are not compared.
        added: The attributes that brokers may add; one that was sent is compared all the same.
    """
    return differences(sent, seen, ignore | (added - sent.attributes.keys()))


class Content(DeliveryCheck):
    """Every delivery is right, and there is one. `compares`: with what was sent, which must be known then."""

    compares = True

    def faults(self, delivery: Received) -> list[str]:
        """Return what is wrong with a delivery: `expected ...; got ...`."""
        raise NotImplementedError

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first wrong delivery; pass when one came and none is wrong."""
        found = self.deliveries()
        if found and self.compares and not origins(self.history, self.event):
            return UNDECIDED
        for delivery in found:
            faults = self.faults(delivery)
            if faults:
                witness = (*(record["seq"] for record in self._seen.sent[:1]), delivery["seq"])
                where = self.where(self.event)
                return failed(*(violation(*halves(fault), witness, where) for fault in faults))
        return PASSED if found else self.absent(self.fate(), final=final)


def halves(fault: str) -> tuple[str, str]:
    """Return what was expected and what was got, of a difference (`cloudevents.differences`)."""
    expected, _, got = fault.removeprefix("expected ").partition("; got ")
    return expected, got


@check("unchanged")
class Unchanged(Content):
    """POST, a valid event, and what was sent."""

    def faults(self, delivery: Received) -> list[str]:
        """Return the faults of the method, of the binding, and of the content."""
        found = [] if delivery["method"] == "POST" else [f"expected method POST; got {delivery['method']}"]
        seen = read_http(delivery["headers"], octets(delivery["body"]))
        found += [f"expected a valid CloudEvent; got one where {problem}" for problem in seen.problems]
        ignore = set(self.args["ignore"])
        unlike = [changes(origin, seen, ignore) for origin in origins(self.history, self.event)]
        return found + unlike[0] if all(unlike) else found


@check("data_kept")
class DataKept(Content):
    """The data that was sent."""

    def faults(self, delivery: Received) -> list[str]:
        """Return a difference of the data."""
        seen = read_http(delivery["headers"], octets(delivery["body"]))
        sent = origins(self.history, self.event)
        if any(same_data(origin, seen) for origin in sent):
            return []
        data, body = sent[0].data or b"", seen.data or b""
        at = next((i for i, (one, other) in enumerate(zip(data, body, strict=False)) if one != other), None)
        spot = min(len(data), len(body)) if at is None else at
        return [f"expected {len(data)} bytes of data; got {len(body)} bytes, different from byte {spot}"]


@check("binary_mode")
class BinaryMode(Content):
    """A POST in binary mode."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return the faults of the method and of the content mode."""
        mode = read_http(delivery["headers"], b"").mode
        found = [] if delivery["method"] == "POST" else [f"expected method POST; got {delivery['method']}"]
        return found if mode == "binary" else [*found, f"expected content mode binary; got {mode or 'no event'}"]


@check("request_header")
class RequestHeader(Content):
    """An HTTP header of the delivery."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return the header's difference."""
        name, wanted = self.args["name"], self.args["value"]
        values = header_values(delivery["headers"], name)
        if (not values) if wanted is None else has_value(values, wanted):
            return []
        return [f"expected request header {name} {wanted or 'absent'!r}; got {', '.join(map(repr, values)) or 'none'}"]


@check("request_target")
class RequestTarget(Content):
    """The target of the request that delivers."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return the difference of the target."""
        wanted = self.args["target"]
        return [] if delivery["path"] == wanted else [f"expected request target {wanted}; got {delivery['path']}"]


@check("attribute_kept")
class AttributeKept(Content):
    """One attribute, at the subscriber or in the record."""

    def watch(self) -> None:
        """Keep the event, and the topic if that is where it is looked for."""
        self.topic: str | None = None
        if isinstance(self.args["to"], TopicRef):
            self.topic = self.args["to"].name
            self.args = {**self.args, "to": []}
            self.history.watch_topic(self.topic)
        super().watch()

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        place = f"topic {self.topic}" if self.topic else self.target
        return f"in {place} with its attribute {self.args['name']}"

    def decide(self, *, final: bool) -> Judgement:
        """As for deliveries, or on the event's records."""
        if self.topic is None:
            return super().decide(final=final)
        fate = stored(self.history, self.event, self.topic)
        for place in fate.places:
            fault = self._fault(read_record(place))
            if fault:
                return failed(violation(*halves(fault), (place["seq"],), self.where(self.event)))
        if fate.stage is Stage.STORED and fate.places:
            return PASSED
        proof = by_fate(self.expected, fate, self.where(self.event))
        if fate.stage in {Stage.REFUSED, Stage.LOST}:
            return failed(proof)
        return undecidable(proof) if fate.stage is Stage.UNDECIDABLE else UNDECIDED

    def faults(self, delivery: Received) -> list[str]:
        """Return the attribute's difference."""
        fault = self._fault(read_http(delivery["headers"], octets(delivery["body"])))
        return [fault] if fault else []

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return the topic, if that is where it is looked for."""
        if self.topic is None:
            return super().needs()
        return ObservationRequest("tap", self.topic), ObservationRequest("offsets", self.topic)

    def _fault(self, seen: Reading) -> str | None:
        name = self.args["name"]
        sent: list[Any] = [origin.attributes.get(name) for origin in origins(self.history, self.event)]
        got = seen.attributes.get(name)
        if not sent or got in sent:
            return None
        return (
            f"expected {name} {sent[0]!r}; got {got!r}" if got is not None else f"expected {name} {sent[0]!r}; got none"
        )
