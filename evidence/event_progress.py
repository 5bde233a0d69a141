"""What became of an event on its way: was it refused, lost, stored, handled by a Trigger, or is that still open?

This is where absence gets proven. An event is *handled* once the Trigger's consumer group has committed an offset past
every record of it, or, for ordered Triggers, once the subscriber has answered a later event of the same partition. It
is *lost* once the topic has been read up to an end observed after the 2xx, and it is not there. All else is open.

A Broker that shows no storage (no topic, no group) leaves one proof: a *fence*. That is an event which got in later and
which the Trigger must deliver; once it came, and then nothing for the time that the Trigger's ref states, the Trigger
is done with whatever got in before. What such a Broker has accepted counts as stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from evidence import near_misses
from evidence.history_index import HistoryIndex, Moment, SeenEvent, TopicPlace, moment
from evidence.identity import of_http
from evidence.refs import EventRef, TriggerRef
from evidence.verdict import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evidence.identity import Identity
    from evidence.records import Answered


# Answers by which a system says that it cannot now. They show neither conformance nor a violation.
UNAVAILABLE = frozenset({429, 502, 503, 504})


class Stage(Enum):
    """How far the history can follow an event."""

    OPEN = auto()
    UNDECIDABLE = auto()
    REFUSED = auto()
    LOST = auto()
    SILENT = auto()
    """Accepted by a Broker without storage to look at, and no later event shows whether a Trigger is done with it."""
    STORED = auto()
    HANDLED = auto()


@dataclass(slots=True)  # not frozen: that alone triples the cost of making one, and judging makes many
class EventProgress:
    """How far an event has got.

    Attributes:
        stage: The stage.
        text: What to say about it, in words for a message.
        witness: The numbers of the records that show it.
        places: The records of the topic that hold the event.
        at: The moment when a handled or lost event was seen to be so, or when an accepted one got in.
        proof: The kind of proof that the Trigger is done with the event.
    """

    stage: Stage
    text: str
    witness: tuple[int, ...] = ()
    places: tuple[TopicPlace, ...] = ()
    at: Moment | None = None
    proof: str = ""


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
        elif trigger.fenced:
            history.watch_fences(trigger.namespace, trigger.name)
        if trigger.ordered:
            history.watch_all_events()
    if replied_by is not None:
        history.watch_all_events()


def stored(history: HistoryIndex, event: EventRef, topic: str, replied_by: TriggerRef | None = None) -> EventProgress:
    """Return whether the event is in the topic."""
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
        progress = _sent(history, seen, topic, places)
        if replied_by is None or progress.stage is not Stage.STORED:
            return progress
    if replied_by is not None:
        return _replied(history, seen, topic, places, replied_by)
    if places:
        return EventProgress(Stage.STORED, "stored", (places[-1]["seq"],), places)
    return EventProgress(Stage.OPEN, f"no record shows that it was sent or that it came to topic {topic}")


def accepted(history: HistoryIndex, event: EventRef, replied_by: TriggerRef | None = None) -> EventProgress:
    """Return whether the event got into a Broker that shows no storage: by a request, or as somebody's reply."""
    seen = history.events[event.source, event.id]
    if seen.sent:
        answers = _answers(history, seen)
        if len(answers) < len(seen.sent):
            return EventProgress(Stage.OPEN, "the ingress has not answered yet")
        taken = [answer for answer in answers if _is_success(answer)]
        if not taken:
            return _turned_away(answers[-1])
        text = f"the ingress answered {taken[-1]['status']}"
        return EventProgress(Stage.STORED, text, (taken[-1]["seq"],), (), moment(answers[-1]))
    if replied_by is not None and seen.replied:
        last = seen.replied[-1]
        return EventProgress(Stage.STORED, f"{last['receive']} was answered with it", (last["seq"],), (), moment(last))
    return EventProgress(Stage.OPEN, "no record shows that it was sent, or that a subscriber replied it")


def _answers(history: HistoryIndex, seen: SeenEvent) -> list[Answered]:
    return [history.answered[record["send"]] for record in seen.sent if record["send"] in history.answered]


def _is_success(answer: Answered) -> bool:
    return answer["status"] is not None and 200 <= answer["status"] < 300


def _turned_away(last: Answered) -> EventProgress:
    """Return the progress of an event that no request brought in, by the last answer."""
    if last["status"] is None:
        return EventProgress(Stage.UNDECIDABLE, f"the ingress did not answer: {last.get('error')}", (last["seq"],))
    if last["status"] in UNAVAILABLE:
        return EventProgress(Stage.UNDECIDABLE, f"the ingress answered {last['status']}", (last["seq"],))
    return EventProgress(Stage.REFUSED, f"the ingress refused it with {last['status']}", (last["seq"],))


def _sent(history: HistoryIndex, seen: SeenEvent, topic: str, places: tuple[TopicPlace, ...]) -> EventProgress:
    answers = _answers(history, seen)
    if len(answers) < len(seen.sent):
        return EventProgress(Stage.OPEN, "the ingress has not answered yet")
    accepted = [answer for answer in answers if _is_success(answer)]
    if len(places) >= max(1, len(accepted)):
        return EventProgress(Stage.STORED, "stored", (places[-1]["seq"],), places)
    last = answers[-1]
    if not accepted:
        return _turned_away(last)
    covered = _covered(history, topic, moment(last))
    if covered is None:
        return EventProgress(
            Stage.OPEN, f"{accepted[-1]['status']} was answered, but topic {topic} is not read to its end yet"
        )
    near = _near(history, topic, of_http(seen.sent[0]["headers"], seen.sent[0]["body"]), ())
    text = f"the ingress answered {accepted[-1]['status']}, but topic {topic} does not hold it{near}"
    return EventProgress(Stage.LOST, text, (accepted[-1]["seq"], covered), places, moment(last))


def _replied(
    history: HistoryIndex, seen: SeenEvent, topic: str, places: tuple[TopicPlace, ...], replied_by: TriggerRef
) -> EventProgress:
    if not seen.replied:
        return EventProgress(Stage.OPEN, "no subscriber has replied it yet")
    # A reply may keep the source and the id of its question, which has records of its own.
    if len(places) > sum(map(_is_success, _answers(history, seen))):
        return EventProgress(Stage.STORED, "stored", (places[-1]["seq"],), places)
    done: Moment | None = None
    causes: list[str] = []
    for reply in seen.replied:
        request = history.received.get(reply["receive"])
        identity = of_http(request["headers"], request["body"]) if request is not None else None
        if identity is None:
            return EventProgress(
                Stage.UNDECIDABLE, "the request that was answered with it is not known", (reply["seq"],)
            )
        causes.append(identity[1])
        cause = handled(history, EventRef(*identity), replied_by)
        if cause.at is None:
            return EventProgress(Stage.OPEN, f"the event that it answers is not done with: {cause.text}")
        done = max(done or cause.at, cause.at)
    covered = None if done is None else _covered(history, topic, done)
    if covered is None:
        return EventProgress(Stage.OPEN, f"it was replied, but topic {topic} is not read to its end yet")
    reply = seen.replied[-1]
    near = _near(history, topic, of_http(reply["headers"], reply["body"]), causes)
    text = f"{reply['receive']} was answered with it, but topic {topic} does not hold it{near}"
    return EventProgress(Stage.LOST, text, (seen.replied[-1]["seq"], covered), (), done)


def handled(
    history: HistoryIndex, event: EventRef, trigger: TriggerRef, replied_by: TriggerRef | None = None
) -> EventProgress:
    """Return whether the Trigger is done with the event: deliveries, retries, dead letter and reply included."""
    if trigger.fenced:
        return _fenced(history, event, trigger, replied_by)
    fate = stored(history, event, trigger.topic, replied_by)
    if fate.stage is not Stage.STORED:
        return fate
    last: Moment | None = None
    witness: tuple[int, ...] = ()
    proof = Proof.OFFSETS
    for place in fate.places:
        past = history.passed(trigger.group, place) if trigger.group else None
        if past is None and trigger.ordered:
            past, proof = _answered_later(history, place, trigger), Proof.ORDER
        if past is None:
            spot = f"{place['topic']}[{place['partition']}]@{place['offset']}"
            group = f"group {trigger.group} has not passed" if trigger.group else "no consumer group shows who passed"
            return EventProgress(Stage.OPEN, f"{group} {spot} yet", (place["seq"],), fate.places)
        if last is None or past > last:
            last, witness = past, (place["seq"], past.seq)
    spots = ", ".join(f"{place['topic']}[{place['partition']}]@{place['offset']}" for place in fate.places)
    return EventProgress(Stage.HANDLED, f"group {trigger.group} passed {spots}", witness, fate.places, last, proof)


def _fenced(
    history: HistoryIndex, event: EventRef, trigger: TriggerRef, replied_by: TriggerRef | None
) -> EventProgress:
    progress = accepted(history, event, replied_by)
    if progress.stage is not Stage.STORED or progress.at is None:
        return progress
    sink = trigger.sink.name if trigger.sink else ""
    requests = history.deliveries((event.source, event.id), {sink})
    if any(request["receive"] not in history.replied for request in requests):
        return EventProgress(Stage.OPEN, "a delivery of it has no answer yet", (requests[-1]["seq"],))
    since = max([progress.at, *(moment(history.replied[request["receive"]]) for request in requests)])
    fence = fence_after(history, trigger, progress.at, since)
    name = f"Trigger {trigger.namespace}/{trigger.name}"
    if fence is None:
        return EventProgress(Stage.SILENT, f"no later event shows that {name} is done with it", progress.witness)
    text = f"{name} had delivered a later event and been silent for {trigger.settle:g} s"
    return EventProgress(Stage.HANDLED, text, (*progress.witness, fence.seq), (), fence, Proof.FENCE)


def fence_after(history: HistoryIndex, trigger: TriggerRef, got_in: Moment, busy: Moment) -> Moment | None:
    """Return the first fence that proves a Trigger done with what got in up to a moment; None while there is none.

    Args:
        history: The records.
        trigger: The Trigger, whose ref states how long it has to be silent.
        got_in: The moment when the thing in question got in: the fence must have been sent later.
        busy: The last moment at which the Trigger was seen to work on it: the silence begins there at the earliest.
    """
    for record in history.fences.get((trigger.namespace, trigger.name), ()):
        seen = history.events.get((record["source"], record["id"]))
        if seen is None or trigger.sink is None:
            continue
        sent = [request for request in seen.sent if request["seq"] > got_in.seq]
        answers = ((request, history.answered.get(request["send"])) for request in sent)
        taken = [request for request, answer in answers if answer is not None and _is_success(answer)]
        came = [request for request in seen.received if request["sink"] == trigger.sink.name]
        if not taken or not came or came[0]["seq"] < taken[0]["seq"]:
            continue
        silent_since = max(busy.t, came[0]["t"])
        if record["seq"] > max(busy.seq, came[0]["seq"]) and record["t"] - silent_since >= trigger.settle:
            return moment(record)
    return None


def _answered_later(history: HistoryIndex, place: TopicPlace, trigger: TriggerRef) -> Moment | None:
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


def _near(history: HistoryIndex, topic: str, event: Identity | None, also: Iterable[str]) -> str:
    """Return what lies in a topic in an event's place, as the end of a message; empty when nothing looks like it."""
    if event is None:
        return ""
    others = dict(history.topics[topic].others)
    for identity, seen in history.events.items():
        others.update((identity, record["seq"]) for record in seen.records[:1] if record["topic"] == topic)
    return near_misses.of_event(event, also, others)


def _covered(history: HistoryIndex, topic: str, since: Moment) -> int | None:
    seen = history.topics.get(topic)
    return None if seen is None else seen.covered(since)
