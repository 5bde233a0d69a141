"""The path of an event: its hops from the sender to where it was last seen, out of history.

Failure messages print it as one line, reports draw it; both read the hops that are computed here, so they end at the
same one. Hops stand in the order of the records that show them. A path reports what was seen and judges nothing: what
is missing in between is for the reader, and for the checks, to conclude.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common.redaction import PLAIN
from evidence.cloudevents import read_http
from evidence.history_index import Moment, is_taken, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from evidence.history_index import HistoryIndex, TopicPlace
    from evidence.identity import Identity
    from evidence.records import Answered, Produced, Received, Replied, Sent, TopicRecord

FIRST, LAST = 6, 5
"""How many hops a line has before and after those that it leaves out."""
NOWHERE = "nowhere: no record shows it"


class Place(StrEnum):
    """Where an event can be, in the order in which it gets there."""

    CLIENT = "client"
    INGRESS = "ingress"
    TOPIC = "topic"
    GROUP = "group"
    SUBSCRIBER = "subscriber"
    BEYOND = "reply / dead letter"


class HopKind(Enum):
    """All kinds of hops, and their words.

    Attributes:
        start: The place that it comes from; the same as `end` for what happens at one place.
        end: The place where it is seen.
        line: The words in a line of text.
        label: The words on an arrow between the two places.
    """

    REQUEST = Place.CLIENT, Place.INGRESS, "sender {send} -> {method} {url}", "{method} {path}"
    RESPONSE = Place.INGRESS, Place.CLIENT, "{status}", "HTTP {status}"
    NO_RESPONSE = Place.INGRESS, Place.CLIENT, "no answer", "{error}"
    SENT = Place.CLIENT, Place.INGRESS, "sender {send}", "{method} {path}"
    ANSWERED = Place.INGRESS, Place.CLIENT, "ingress {status}", "HTTP {status}"
    NOT_ANSWERED = Place.INGRESS, Place.CLIENT, "ingress did not answer ({error})", "{error}"
    PRODUCED = (
        Place.CLIENT,
        Place.TOPIC,
        "producer {produce} {topic}[{partition}]@{offset}",
        "{topic}[{partition}]@{offset}",
    )
    NOT_PRODUCED = Place.CLIENT, Place.TOPIC, "producer {produce} {topic} {error}", "{error}"
    STORED = Place.INGRESS, Place.TOPIC, "topic {topic}[{partition}]@{offset}", "{topic}[{partition}]@{offset}"
    PASSED = (
        Place.GROUP,
        Place.GROUP,
        "group {group} past {topic}[{partition}]@{offset}",
        "group {group} committed {committed}",
    )
    STUCK = (
        Place.GROUP,
        Place.GROUP,
        "group {group} at {committed}, not past {topic}[{partition}]@{offset}",
        "group {group} stays at {committed}",
    )
    DELIVERED = Place.GROUP, Place.SUBSCRIBER, "sink {sink}", "to {sink}, attempt {attempt}"
    HANDLED = Place.SUBSCRIBER, Place.GROUP, "sink {sink} answered {status}", "answers {status}"
    REPLIED = Place.SUBSCRIBER, Place.BEYOND, "reply {receive} ({status})", "reply {receive} ({status})"
    DEAD_LETTERED = Place.GROUP, Place.BEYOND, "dead letter sink {sink}", "dead letter to {sink}"
    LETTER_HANDLED = Place.BEYOND, Place.GROUP, "dead letter sink {sink} answered {status}", "answers {status}"

    def __init__(self, start: Place, end: Place, line: str, label: str) -> None:
        self.start = start
        self.end = end
        self.line = line
        self.label = label


@dataclass(frozen=True, slots=True)
class Hop:
    """One sighting of an event on its way.

    Attributes:
        kind: The kind, which has its places and its words.
        seq: The number of the record that shows it.
        t: The record's time in seconds, on the probe's clock.
        facts: The names and numbers that its words mention, by the words' placeholders.
    """

    kind: HopKind
    seq: int
    t: float
    facts: Mapping[str, str]

    @property
    def line(self) -> str:
        """The words in a line of text."""
        return self.kind.line.format_map(self.facts)

    def label(self, shorten: Callable[[str, str], str]) -> str:
        """Return the words on an arrow.

        Args:
            shorten: The function from a fact's name and the fact to what fits on an arrow.
        """
        return self.kind.label.format_map({name: shorten(name, fact) for name, fact in self.facts.items()})


def of_event(history: HistoryIndex, identity: Identity) -> list[Hop]:
    """Return the path of an event, oldest hop first."""
    seen = history.events.get(identity)
    if seen is None:
        return []
    hops: list[Hop] = []
    for sent in seen.sent:
        hops += _exchanged(sent, history.answered.get(sent["send"]), HopKind.SENT)
    hops += map(_produced, seen.produced)
    hops += [_hop(HopKind.STORED, moment(record), **_spot(record)) for record in seen.records]
    hops += _passed(history, seen.produced, seen.records)
    attempts: Counter[str] = Counter()
    for request in seen.received:
        attempts[request["sink"]] += 1
        hops += _delivered(request, history.replied.get(request["receive"]), attempts[request["sink"]])
    for reply in seen.replied:
        hops.append(_hop(HopKind.REPLIED, moment(reply), receive=reply["receive"], status=reply["status"]))
    return _sorted(hops)


def of_exchange(history: HistoryIndex, send: str) -> list[Hop]:
    """Return the path of a request as such, whatever it carried: there, and back."""
    return _exchanged(history.sent.get(send), history.answered.get(send), HopKind.REQUEST)


def of_produced(history: HistoryIndex, produce: str) -> list[Hop]:
    """Return the path of a record that the probe wrote to a topic, whatever it carried."""
    record = history.produced.get(produce)
    return [] if record is None else _sorted([_produced(record), *_passed(history, [record])])


def shortened(hops: Sequence[Hop], first: int, last: int) -> tuple[Sequence[Hop], int, Sequence[Hop]]:
    """Return the path without the middle of a long one, whose end is what matters.

    Args:
        hops: The whole path.
        first: The number of hops before the middle.
        last: The number of hops after it, at least 1.

    Returns:
        The hops before those left out, the number of those left out, and the hops after them.
    """
    left_out = len(hops) - first - last
    # A note in the place of a single hop would save nothing.
    return (hops, 0, ()) if left_out <= 1 else (hops[:first], left_out, hops[-last:])


def in_a_line(hops: Sequence[Hop]) -> str:
    """Return the path as one line of text."""
    before, left_out, after = shortened(hops, FIRST, LAST)
    note = [f"({left_out} more)"] if left_out else []
    return " -> ".join([*(hop.line for hop in before), *note, *(hop.line for hop in after)]) or NOWHERE


def where(history: HistoryIndex, identity: Identity) -> str:
    """Where an event was last seen: its path as one line of text."""
    return in_a_line(of_event(history, identity))


def _exchanged(sent: Sent | None, answer: Answered | None, kind: HopKind) -> list[Hop]:
    hops: list[Hop] = []
    if sent is not None:
        url = sent["url"]
        facts = {"send": sent["send"], "method": sent["method"], "url": url, "path": _path(url)}
        hops.append(_hop(kind, moment(sent), **facts))
    if answer is not None:
        said, silent = (
            (HopKind.ANSWERED, HopKind.NOT_ANSWERED)
            if kind is HopKind.SENT
            else (HopKind.RESPONSE, HopKind.NO_RESPONSE)
        )
        if answer["status"] is not None:
            hops.append(_hop(said, moment(answer), status=answer["status"]))
        else:
            hops.append(_hop(silent, moment(answer), error=answer.get("error") or "no answer"))
    return hops


def _path(url: str) -> str:
    """Return the path of a URL; its secrets go first, since what tells them from other words may go with the rest."""
    shown = PLAIN.text(url)
    try:
        return urlsplit(shown).path or "/"
    except ValueError:  # a test may send to any address, a history may name any
        return shown


def _produced(record: Produced) -> Hop:
    if record["error"] is None:
        return _hop(HopKind.PRODUCED, moment(record), produce=record["produce"], **_spot(record))
    facts = {"produce": record["produce"], "topic": record["topic"], "error": record["error"]}
    return _hop(HopKind.NOT_PRODUCED, moment(record), **facts)


def _passed(history: HistoryIndex, produced: Iterable[Produced], records: Iterable[TopicRecord] = ()) -> list[Hop]:
    """Return what the consumer groups did with an event, at each of the places where it lies."""
    taken: list[TopicPlace] = [record for record in produced if is_taken(record)]
    places = {(place["topic"], place["partition"], place["offset"]): place for place in (*taken, *records)}
    hops: list[Hop] = []
    for (group, topic), commits in history.committed.items():
        for place in places.values():
            # Observations of a topic's ends name no group: they say nothing of one.
            if not group or topic != place["topic"] or not commits:
                continue
            past = history.passed(group, place)
            at = past or history.observed[group, topic]
            offsets = dict(commits)[past] if past else commits[-1][1]
            facts = {"group": group, "committed": offsets.get(place["partition"], "nothing"), **_spot(place)}
            hops.append(_hop(HopKind.PASSED if past else HopKind.STUCK, at, **facts))
    return hops


def _delivered(request: Received, answer: Replied | None, attempt: int) -> list[Hop]:
    kind, answered = HopKind.DELIVERED, HopKind.HANDLED
    if _is_dead_letter(request):
        kind, answered = HopKind.DEAD_LETTERED, HopKind.LETTER_HANDLED
    hops = [_hop(kind, moment(request), sink=request["sink"], attempt=attempt)]
    if answer is not None:
        hops.append(_hop(answered, moment(answer), sink=request["sink"], status=answer["status"]))
    return hops


def _is_dead_letter(request: Received) -> bool:
    headers = {name.lower(): value for name, value in request["headers"]}
    if any(name.startswith("ce-knativeerror") for name in headers):
        return True
    if not headers.get("content-type", "").lstrip().lower().startswith("application/cloudevents"):
        return False
    attributes = read_http(request["headers"], request["body"].encode("latin-1", "replace")).attributes
    return any(name.startswith("knativeerror") for name in attributes)


def _spot(record: Produced | TopicPlace) -> dict[str, Any]:
    return {"topic": record["topic"], "partition": record.get("partition"), "offset": record.get("offset")}


def _hop(kind: HopKind, at: Moment, **facts: Any) -> Hop:
    return Hop(kind, at.seq, at.t, {name: str(fact) for name, fact in facts.items()})


def _sorted(hops: list[Hop]) -> list[Hop]:
    return sorted(hops, key=lambda hop: hop.seq)
