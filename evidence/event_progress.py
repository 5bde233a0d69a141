"""What became of an event on its way: was it refused, lost, stored, handled by a Trigger, or is that still open?

This is where absence gets proven. An event is *handled* once the Trigger's consumer group has committed an offset past
every record of it, or, for ordered Triggers, once the subscriber has answered a later event of the same partition. It
is *lost* once the topic has been read up to an end observed after the 2xx, and it is not there. All else is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from evidence.history_index import HistoryIndex, Moment, SeenEvent, moment
from evidence.identity import of_http
from evidence.refs import EventRef, TriggerRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evidence.history import Record

# Answers by which a system says that it cannot now. They show neither conformance nor a violation.
UNAVAILABLE = frozenset({429, 502, 503, 504})


class Stage(Enum):
    """How far the history can follow an event."""

    OPEN = auto()
    UNDECIDABLE = auto()
    REFUSED = auto()
    LOST = auto()
    STORED = auto()
    HANDLED = auto()


@dataclass(slots=True)  # not frozen: that alone triples the cost of making one, and judging makes many
class EventProgress:
    """A stage, its proof, and what to say about it. `at` is when a handled event was seen to be so."""

    stage: Stage
    text: str
    witness: tuple[int, ...] = ()
    places: tuple[Record, ...] = ()
    at: Moment | None = None


def watch(
    history: HistoryIndex, event: EventRef, triggers: Iterable[TriggerRef] = (), replied_by: TriggerRef | None = None
) -> None:
    """Keep what `stored` and `handled` will ask for."""
    history.watch_event((event.source, event.id))
    if event.produce is not None:
        history.watch_produced(event.produce)
    for trigger in [*triggers, replied_by] if replied_by else triggers:
        if trigger.topic:
            history.watch_group(trigger.group, trigger.topic)
        if trigger.ordered:
            history.watch_all_events()
    if replied_by is not None:
        history.watch_all_events()


def stored(history: HistoryIndex, event: EventRef, topic: str, replied_by: TriggerRef | None = None) -> EventProgress:
    """Whether the event is in the topic."""
    seen = history.events[event.source, event.id]
    places = tuple(history.places((event.source, event.id), topic))
    if event.produce is not None:
        record = history.produced.get(event.produce)
        if record is None:
            return EventProgress(Stage.OPEN, "Kafka has not acknowledged the record yet")
        if record["error"] is not None:
            return EventProgress(
                Stage.UNDECIDABLE, f"Kafka did not take the record: {record['error']}", (record["seq"],)
            )
        return EventProgress(Stage.STORED, "stored", (record["seq"],), places)
    if seen.sent:
        return _sent(history, seen, topic, places)
    if replied_by is not None:
        return _replied(history, seen, topic, places, replied_by)
    if places:
        return EventProgress(Stage.STORED, "stored", (places[-1]["seq"],), places)
    return EventProgress(Stage.OPEN, f"no record shows that it was sent or that it came to topic {topic}")


def _sent(history: HistoryIndex, seen: SeenEvent, topic: str, places: tuple[Record, ...]) -> EventProgress:
    answers = [history.answered[record["send"]] for record in seen.sent if record["send"] in history.answered]
    if len(answers) < len(seen.sent):
        return EventProgress(Stage.OPEN, "the ingress has not answered yet")
    accepted = [answer for answer in answers if answer["status"] is not None and 200 <= answer["status"] < 300]
    if len(places) >= max(1, len(accepted)):
        return EventProgress(Stage.STORED, "stored", (places[-1]["seq"],), places)
    last = answers[-1]
    if not accepted:
        if last["status"] is None:
            return EventProgress(Stage.UNDECIDABLE, f"the ingress did not answer: {last.get('error')}", (last["seq"],))
        if last["status"] in UNAVAILABLE:
            return EventProgress(Stage.UNDECIDABLE, f"the ingress answered {last['status']}", (last["seq"],))
        return EventProgress(Stage.REFUSED, f"the ingress refused it with {last['status']}", (last["seq"],))
    covered = _covered(history, topic, moment(last))
    if covered is None:
        return EventProgress(
            Stage.OPEN, f"{accepted[-1]['status']} was answered, but topic {topic} is not read to its end yet"
        )
    text = f"the ingress answered {accepted[-1]['status']}, but topic {topic} does not hold it"
    return EventProgress(Stage.LOST, text, (accepted[-1]["seq"], covered), places, moment(last))


def _replied(
    history: HistoryIndex, seen: SeenEvent, topic: str, places: tuple[Record, ...], replied_by: TriggerRef
) -> EventProgress:
    if not seen.replied:
        return EventProgress(Stage.OPEN, "no subscriber has replied it yet")
    if places:
        return EventProgress(Stage.STORED, "stored", (places[-1]["seq"],), places)
    done: Moment | None = None
    for reply in seen.replied:
        request = history.received.get(reply["receive"])
        identity = of_http(request["headers"], request["body"]) if request is not None else None
        if identity is None:
            return EventProgress(
                Stage.UNDECIDABLE, "the request that was answered with it is not known", (reply["seq"],)
            )
        cause = handled(history, EventRef(*identity), replied_by)
        if cause.at is None:
            return EventProgress(Stage.OPEN, f"the event that it answers is not done with: {cause.text}")
        done = max(done or cause.at, cause.at)
    covered = None if done is None else _covered(history, topic, done)
    if covered is None:
        return EventProgress(Stage.OPEN, f"it was replied, but topic {topic} is not read to its end yet")
    text = f"{seen.replied[-1]['receive']} was answered with it, but topic {topic} does not hold it"
    return EventProgress(Stage.LOST, text, (seen.replied[-1]["seq"], covered), (), done)


def handled(
    history: HistoryIndex, event: EventRef, trigger: TriggerRef, replied_by: TriggerRef | None = None
) -> EventProgress:
    """Whether the Trigger is done with the event: deliveries, retries, dead letter and reply included."""
    fate = stored(history, event, trigger.topic, replied_by)
    if fate.stage is not Stage.STORED:
        return fate
    last: Moment | None = None
    witness: tuple[int, ...] = ()
    for place in fate.places:
        past = history.passed(trigger.group, place) if trigger.group else None
        if past is None and trigger.ordered:
            past = _fence(history, place, trigger)
        if past is None:
            spot = f"{place['topic']}[{place['partition']}]@{place['offset']}"
            group = f"group {trigger.group} has not passed" if trigger.group else "no consumer group shows who passed"
            return EventProgress(Stage.OPEN, f"{group} {spot} yet", (place["seq"],), fate.places)
        if last is None or past > last:
            last, witness = past, (place["seq"], past.seq)
    spots = ", ".join(f"{place['topic']}[{place['partition']}]@{place['offset']}" for place in fate.places)
    return EventProgress(Stage.HANDLED, f"group {trigger.group} passed {spots}", witness, fate.places, last)


def _fence(history: HistoryIndex, place: Record, trigger: TriggerRef) -> Moment | None:
    sink = trigger.sink.name if trigger.sink else None
    for seen in history.events.values():
        if any(
            other["topic"] == place["topic"]
            and other["partition"] == place["partition"]
            and other["offset"] > place["offset"]
            for other in seen.records
        ):
            for request in seen.received:
                answer = history.replied.get(request["receive"]) if request["sink"] == sink else None
                if answer is not None and answer["status"] is not None and 200 <= answer["status"] < 300:
                    return moment(answer)
    return None


def _covered(history: HistoryIndex, topic: str, since: Moment) -> int | None:
    seen = history.topics.get(topic)
    return None if seen is None else seen.covered(since)
