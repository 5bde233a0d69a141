"""The path of one event as hops between lanes, out of the history: what the sequence diagram in the HTML shows.

For people only: no verdict hangs on it. Hops are in the order of the history; at most `MAX_HOPS` an event.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from common.redaction import PLAIN
from evidence.history import Record
from evidence.identity import Identity, of_http, of_kafka
from reports.run import records

LANES = ("client", "ingress", "topic", "group", "subscriber", "reply / dead letter")
CLIENT, INGRESS, TOPIC, GROUP, SUBSCRIBER, BEYOND = range(6)
MAX_HOPS = 40
MAX_PATHS = 60


@dataclass(frozen=True, slots=True)
class Hop:
    """One arrow from lane to lane, or a note on one; the seq that proves it, and the time on the probe's clock."""

    seq: int
    t: float
    start: int
    end: int
    label: str
    bad: bool = False


@dataclass(slots=True)
class EventPath:
    """All hops of one event, or of one exchange that carried none."""

    title: str
    exchange: bool = False
    """It is one HTTP request and its answer, without an event: it has two lanes only."""
    hops: list[Hop] = field(default_factory=list)
    more: int = 0
    partitions: dict[tuple[str, int], int] = field(default_factory=dict)
    passed: set[tuple[str, str, int]] = field(default_factory=set)

    def add(self, hop: Hop) -> None:
        """Append, or count what no longer fits."""
        if len(self.hops) < MAX_HOPS:
            self.hops.append(hop)
        else:
            self.more += 1


@dataclass(frozen=True, slots=True)
class Subjects:
    """What an expectation talks about, found in its arguments."""

    events: frozenset[Identity]
    sends: frozenset[str]
    produces: frozenset[str]


def subjects(args: Any) -> Subjects:
    """The events, exchanges and produced records named anywhere in an expectation's arguments."""
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


def trace(history: Path, wanted: Collection[Subjects]) -> dict[Identity | str, EventPath]:
    """The paths of all wanted subjects, in one pass over the history.

    Returns:
        Paths by event, and by `send` or `produce` id for what carried no event.
    """
    paths = _Paths(
        events={event for subject in wanted for event in subject.events},
        sends={send for subject in wanted for send in subject.sends},
        produces={produce for subject in wanted for produce in subject.produces},
    )
    for record in records(history):
        paths.take(record)
    paths.tell_stuck_groups()
    return {key: path for key, path in paths.found.items() if path.hops}


class _Paths:
    def __init__(self, events: set[Identity], sends: set[str], produces: set[str]) -> None:
        self._events, self._sends, self._produces = events, sends, produces
        self._send_of: dict[str, Identity | str] = {}
        self._receive_of: dict[str, tuple[Identity, int]] = {}
        self._attempts: dict[tuple[Identity, str], int] = {}
        self._latest: dict[tuple[str, str, int], tuple[Record, int]] = {}
        self.found: dict[Identity | str, EventPath] = {}

    def take(self, record: Record) -> None:
        kind = record["kind"]
        if kind == "sent":
            self._sent(record)
        elif kind == "answered" and record.get("send") in self._send_of:
            status = record.get("status")
            label = f"HTTP {status}" if status is not None else PLAIN.one_line(record.get("error") or "no answer", 60)
            self._hop(self._send_of[record["send"]], record, INGRESS, CLIENT, label)
        elif kind == "produced":
            self._produced(record)
        elif kind == "record":
            self._record(record)
        elif kind == "received":
            self._received(record)
        elif kind == "replied" and record.get("receive") in self._receive_of:
            event, lane = self._receive_of[record["receive"]]
            self._hop(event, record, lane, GROUP, f"answers {record.get('status')}")
        elif kind == "offsets":
            self._offsets(record)

    def _sent(self, record: Record) -> None:
        event = _event_of(record.get("event"))
        send = str(record.get("send", ""))
        key: Identity | str | None = event if event in self._events else send if send in self._sends else None
        if key is not None:
            self._send_of[send] = key
            self._hop(
                key,
                record,
                CLIENT,
                INGRESS,
                f"{record.get('method', 'POST')} {_tail(urlsplit(PLAIN.text(record.get('url'))).path or '/')}",
            )

    def _produced(self, record: Record) -> None:
        event = of_kafka(record.get("headers") or (), record.get("value"))
        produce = str(record.get("produce", ""))
        key: Identity | str | None = event if event in self._events else produce if produce in self._produces else None
        if key is not None:
            error = record.get("error")
            self._hop(key, record, CLIENT, TOPIC, PLAIN.one_line(error, 60) if error else _place(record))
            if not error:
                self._stored(key, record)

    def _record(self, record: Record) -> None:
        event = of_kafka(record.get("headers") or (), record.get("value"))
        if event in self._events and event is not None:
            self._hop(event, record, INGRESS, TOPIC, _place(record))
            self._stored(event, record)

    def _stored(self, key: Identity | str, record: Record) -> None:
        place = (str(record.get("topic")), int(record.get("partition") or 0))
        self.found[key].partitions.setdefault(place, int(record.get("offset") or 0))

    def _received(self, record: Record) -> None:
        event = of_http(record.get("headers") or (), record.get("body") or "")
        if event is None or event not in self._events:
            return
        names = {str(pair[0]).lower() for pair in record.get("headers") or ()}
        beyond = any(name.startswith("ce-knativeerror") for name in names)
        lane = BEYOND if beyond else SUBSCRIBER
        sink = str(record.get("sink", ""))
        attempt = self._attempts[event, sink] = self._attempts.get((event, sink), 0) + 1
        label = f"dead letter to {_tail(sink)}" if beyond else f"to {_tail(sink)}, attempt {attempt}"
        self._hop(event, record, GROUP, lane, label)
        self._receive_of[str(record.get("receive", ""))] = (event, lane)

    def _offsets(self, record: Record) -> None:
        topic, group = str(record.get("topic")), str(record.get("group"))
        committed = record.get("committed") or {}
        for partition, offset in committed.items():
            if isinstance(offset, int) and group != "None":
                self._latest[group, topic, int(partition)] = (record, offset)
        for key, path in self.found.items():
            for (place, partition), offset in path.partitions.items():
                passed = committed.get(str(partition))
                mark = (group, place, partition)
                if place == topic and mark not in path.passed and isinstance(passed, int) and passed > offset:
                    path.passed.add(mark)
                    self._hop(key, record, GROUP, GROUP, f"group {_tail(group)} committed {passed}")

    def tell_stuck_groups(self) -> None:
        """A note for every group that was seen on an event's partition, last of all short of the event's record."""
        for key, path in self.found.items():
            for (group, topic, partition), (record, offset) in self._latest.items():
                place = path.partitions.get((topic, partition))
                if place is not None and (group, topic, partition) not in path.passed:
                    self._hop(key, record, GROUP, GROUP, f"group {_tail(group)} stays at {offset}", bad=True)

    def _hop(self, key: Identity | str, record: Record, start: int, end: int, label: str, *, bad: bool = False) -> None:
        if key not in self.found:
            title = f"{key[1]} of {key[0]}" if isinstance(key, tuple) else key
            self.found[key] = EventPath(PLAIN.one_line(title, 120), exchange=key in self._sends)
        path = self.found[key]
        path.add(Hop(record["seq"], float(record.get("t") or 0.0), start, end, PLAIN.one_line(label, 70), bad))


def _place(record: Record) -> str:
    return f"{_tail(record.get('topic'))}[{record.get('partition')}]@{record.get('offset')}"


def _tail(text: object, most: int = 28) -> str:
    shown = PLAIN.one_line(text or "")
    return shown if len(shown) <= most else "…" + shown[-most + 1 :]


def _event_of(value: Any) -> Identity | None:
    if isinstance(value, Mapping) and isinstance(value.get("source"), str) and isinstance(value.get("id"), str):
        return value["source"], value["id"]
    return None
