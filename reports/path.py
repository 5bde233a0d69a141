"""The paths that reports draw: those of what an expectation talks about, found in the history and made fit to show.

For people only: no verdict hangs on it. `evidence.event_path` computes the hops, for these pictures as for the text of
a violation. A picture may go further than that text: it has all topics and groups, the text has those that the check
watches; it goes on to the end of the history, the text was told when the check decided.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.redaction import PLAIN
from evidence import event_path
from evidence.event_path import Hop, HopKind, Place
from evidence.history_index import HistoryIndex
from evidence.identity import Identity
from evidence.records import Record

LANES = tuple(Place)
EXCHANGE_LANES = ("client", "server")
"""An exchange that carried no event ends where it was answered."""
MAX_PATHS = 60
FIRST, LAST = 20, 20
"""How many hops a picture has before and after those that it leaves out."""
_MAX_ERROR = 60
_MAX_LABEL = 70


@dataclass(frozen=True, slots=True)
class Arrow:
    """A hop from lane to lane, or a note on one.

    Attributes:
        seq: The number of the record that proves it.
        t: The record's time in seconds, on the probe's clock.
        start: The lane that it comes from, as an index of `LANES`.
        end: The lane that it goes to; the same for a note.
        label: The words on it, without secrets.
        bad: Whether it shows that the event got no further there.
    """

    seq: int
    t: float
    start: int
    end: int
    label: str
    bad: bool


@dataclass(frozen=True, slots=True)
class EventPath:
    """The path of one event, of one exchange, or of one record that the probe produced, as a picture shows it.

    Attributes:
        title: The name of what went there.
        exchange: Whether it is one HTTP request and its answer, without an event: it has two lanes only.
        before: The arrows before those that are left out, oldest first.
        more: The number of arrows that are left out of the middle.
        after: The arrows after them, up to the last one of all.
    """

    title: str
    exchange: bool
    before: Sequence[Arrow]
    more: int
    after: Sequence[Arrow]

    @property
    def arrows(self) -> list[Arrow]:
        """All that are shown, oldest first."""
        return [*self.before, *self.after]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What an expectation talks about, found in its arguments."""

    events: frozenset[Identity]
    sends: frozenset[str]
    produces: frozenset[str]


def subjects(args: Any) -> Subjects:
    """Return the events, exchanges and produced records named anywhere in an expectation's arguments."""
    events: set[Identity] = set()
    sends: set[str] = set()
    produces: set[str] = set()
    todo: list[Any] = [args]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            event = _event_of(value)
            if event is not None:
                events.add(event)
            elif isinstance(value.get("send"), str):
                sends.add(value["send"])
            elif isinstance(value.get("produce"), str):
                produces.add(value["produce"])
            todo.extend(value.values())
        elif isinstance(value, list | tuple):
            todo.extend(value)
    return Subjects(frozenset(events), frozenset(sends), frozenset(produces))


def trace(records: Iterable[Record], wanted: Collection[Subjects]) -> dict[Identity | str, EventPath]:
    """Return the paths of all wanted subjects, in one pass over the records of a history.

    Returns:
        Paths by event, and by `send` or `produce` id for what carried no wanted event; the one that began first, first.
    """
    exchanges = {send for subject in wanted for send in subject.sends}
    return {key: drawn(key, path, exchange=key in exchanges) for key, path in hops(records, wanted).items()}


def hops(records: Iterable[Record], wanted: Collection[Subjects]) -> dict[Identity | str, Sequence[Hop]]:
    """Return the hops of all wanted subjects; keys and order as of `trace`."""
    sightings = HistoryIndex()
    sightings.watch_all_topics()
    for subject in wanted:
        for event in subject.events:
            sightings.watch_event(event)
        for send in subject.sends:
            sightings.watch_exchange(send)
        for produce in subject.produces:
            sightings.watch_produced(produce)
    sends = {send for subject in wanted for send in subject.sends}
    produces = {produce for subject in wanted for produce in subject.produces}
    for record in records:
        sightings.feed(record)
    sends -= {record["send"] for seen in sightings.events.values() for record in seen.sent}
    produces -= {record["produce"] for seen in sightings.events.values() for record in seen.produced}
    found: dict[Identity | str, list[Hop]] = {
        event: event_path.of_event(sightings, event) for event in sightings.events
    }
    found |= {send: event_path.of_exchange(sightings, send) for send in sends}
    found |= {produce: event_path.of_produced(sightings, produce) for produce in produces}
    return dict(sorted(((key, path) for key, path in found.items() if path), key=lambda item: item[1][0].seq))


def drawn(key: Identity | str, hops: Sequence[Hop], *, exchange: bool) -> EventPath:
    """Return a path as a picture shows it.

    Args:
        key: The event, or the id of an exchange or of a produced record.
        hops: The hops.
        exchange: Whether it is one HTTP request and its answer, without an event.
    """
    title = f"{key[1]} of {key[0]}" if isinstance(key, tuple) else key
    before, more, after = event_path.shortened(hops, FIRST, LAST)
    return EventPath(
        PLAIN.one_line(title, 120),
        exchange,
        [_arrow(hop) for hop in before],
        more,
        [_arrow(hop) for hop in after],
    )


def _arrow(hop: Hop) -> Arrow:
    start, end = LANES.index(hop.kind.start), LANES.index(hop.kind.end)
    label = PLAIN.one_line(hop.label(_shorten), _MAX_LABEL)
    return Arrow(hop.seq, hop.t, start, end, label, hop.kind is HopKind.STUCK)


def _shorten(name: str, fact: str) -> str:
    return PLAIN.one_line(fact, _MAX_ERROR) if name == "error" else _tail(fact)


def _tail(text: str, most: int = 28) -> str:
    shown = PLAIN.one_line(text)
    return shown if len(shown) <= most else "…" + shown[-most + 1 :]


def _event_of(value: Any) -> Identity | None:
    if isinstance(value, Mapping) and isinstance(value.get("source"), str) and isinstance(value.get("id"), str):
        return value["source"], value["id"]
    return None
