"""The instrument watches itself: what an honest probe never writes, whatever the system under test does.

Clocks that jump, numbers that are missing or stand twice, answers without their requests, a probe that was exchanged
unseen, names of another run: each is a fault of ours, or of whoever has changed the history. The tests that it touches
are errors then, and the system is not accused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from evidence.records import ANCHORS, GAP, RESTART, STIMULI, TYPES
from evidence.run_names import of_run, run_hash, run_of_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.records import Record, RunFinished, RunStarted, TestFinished, TestStarted

SLACK: Final = 1.0
"""Seconds that the probe's clock and the time of day may differ by, between two records."""
DRIFT: Final = 0.01
"""And the share of the time between the two that comes on top."""
MOST_MISSING: Final = 1000
_ID = re.compile(r"(?P<source>.*?)(?P<number>[0-9]{1,15})", re.DOTALL)


TroubleKind: TypeAlias = Literal["clock", "probe", "sequence", "run"]
"""What a trouble is about: time, the process that writes, records that are missing or too many, or names of the run."""


class Trouble(NamedTuple):
    """What is wrong with the instrument, and whom it touches.

    Attributes:
        scope: The scope of the test that cannot be judged; empty: all that ran at the time.
        text: The trouble, in a sentence that names the record.
        kind: The thing that it is about.
    """

    scope: str
    text: str
    kind: TroubleKind


class Watch:
    """Watches the records of one history; feed all of them, in order, then ask for what the end shows."""

    def __init__(self) -> None:
        self._clocks = _Clocks()
        self._exchanges = _Exchanges()
        self._numbers = _Numbers()
        self._names = _Names()
        every: tuple[_Part, ...] = (self._clocks, self._exchanges, self._numbers, self._names, _Openings())
        self._of_kind = {kind: [part for part in every if kind in part.kinds] for kind in TYPES}

    def feed(self, record: Record) -> list[Trouble]:
        """Take the next record; return what is wrong with it."""
        # This is done for every record of every history: most kinds mean nothing to most parts.
        parts = self._of_kind[record["record"]]
        troubles = [trouble for part in parts for trouble in part.feed(record)] if parts else []
        if record["t"] < self._clocks.now:
            troubles += self._clocks.went_back(record)
        self._clocks.now = record["t"]
        if record["scope"] not in self._names.known:
            troubles += self._names.meet(record)
        return troubles

    def end(self) -> Iterator[Trouble]:
        """Yield what only the end of the history shows."""
        yield from self._numbers.end()


class _Part(Protocol):
    """A part of the watch; `kinds` are those of the records that it wants."""

    kinds: frozenset[str]

    def feed(self, record: Record) -> Iterator[Trouble]:
        """Take a record; yield what is wrong with it."""


class _Anchor(NamedTuple):
    """A moment on both clocks."""

    seq: int
    t: float
    wall_t: float


class _Clocks:
    """`t` never goes back, and agrees with the time of day; one process of the probe writes it."""

    kinds = frozenset({GAP, RESTART, "probe.started"}) | ANCHORS

    def __init__(self) -> None:
        self.now = 0.0
        self._first: _Anchor | None = None
        self._last: _Anchor | None = None
        self._instance = ""
        self._anchored = False

    def feed(self, record: Record) -> Iterator[Trouble]:
        match record["record"]:
            case "history.gap" | "probe.restarted":
                # Another process goes on, and perhaps on another machine.
                self._first = self._last = None
                self.now = 0.0
                self._instance = record.get("instance", "")
            case "probe.started":
                self._instance = record["instance"]
            case "run.started" | "run.finished" | "test.started" | "test.finished":
                yield from self._anchor(record)

    def went_back(self, record: Record) -> list[Trouble]:
        """Return what is wrong with a record whose time is before `now`."""
        told = f"field t: expected at least {self.now:g}, got {record['t']:g}: the clock went back"
        return [Trouble("", f"record {record['seq']}: {told}", "clock")]

    def _anchor(self, record: RunStarted | RunFinished | TestStarted | TestFinished) -> Iterator[Trouble]:
        wall_t, instance, seq = record.get("wall_t"), record.get("instance"), record["seq"]
        self._anchored = self._anchored or wall_t is not None
        if wall_t is None or instance is None:
            # The controller ends a history whose probe has died: it has no say in what tests did.
            if self._anchored and record["record"] in ("test.started", "test.finished"):
                told = "expected fields wall_t and instance, got none: it is not the probe's"
                yield Trouble("", f"record {seq}: {told}", "probe")
            return
        if self._instance and instance != self._instance:
            told = f"expected the probe's process {self._instance}, got {instance}: nothing tells of its restart"
            yield Trouble("", f"record {seq}: field instance: {told}", "probe")
            self._first = self._last = None
        self._instance = instance
        here = _Anchor(seq, record["t"], wall_t)
        self._first = self._first or here
        for before in (self._last or here, self._first):
            if text := _apart(before, here):
                yield Trouble("", text, "clock")
                self._first = here
                break
        self._last = here


def _apart(before: _Anchor, here: _Anchor) -> str:
    """Return by how much two clocks disagree about the time between two moments; empty when they agree."""
    passed, by_day = here.t - before.t, here.wall_t - before.wall_t
    allowed = SLACK + DRIFT * passed
    if abs(passed - by_day) <= allowed:
        return ""
    return (
        f"record {here.seq}: the clocks disagree: since record {before.seq} {passed:.1f} s have passed by field t, and"
        f" {by_day:.1f} s by field wall_t; expected at most {allowed:.1f} s between them: one of the clocks was set, or"
        " the records are of two runs"
    )


class _Exchanges:
    """An answer has its request before it, and a request has one answer."""

    kinds = frozenset({"sent", "received", "answered", "replied", "grpc.called", "grpc.answered"})

    def __init__(self) -> None:
        self._open: dict[str, set[str]] = {"sent": set(), "received": set(), "grpc.called": set()}

    def feed(self, record: Record) -> Iterator[Trouble]:
        match record["record"]:
            case "sent":
                self._open["sent"].add(record["send"])
            case "received":
                self._open["received"].add(record["receive"])
            case "grpc.called":
                self._open["grpc.called"].add(record["call"])
            case "answered":
                yield from self._end("sent", record["send"], record)
            case "grpc.answered":
                yield from self._end("grpc.called", record["call"], record)
            case "replied":
                yield from self._end("received", record["receive"], record)

    def _end(self, first: str, exchange: str, record: Record) -> Iterator[Trouble]:
        if exchange in self._open[first]:
            self._open[first].discard(exchange)
            return
        told = f"expected `{first}` {exchange} before its `{record['record']}`, got none, or one answered before"
        yield Trouble(record["scope"], f"record {record['seq']}: {told}: the probe lost it", "sequence")


class _Openings:
    """Where the taps of a scope begin was observed before it asked anything: they leave out no record of its own."""

    kinds = STIMULI | {"offsets"}

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def feed(self, record: Record) -> Iterator[Trouble]:
        match record["record"]:
            case "offsets" if record.get("opens") and record["scope"] in self._asked:
                told = f"expected taps of topic {record['topic']} to begin before the first request, got it after one"
                yield Trouble(record["scope"], f"record {record['seq']}: {told}", "sequence")
            case "offsets":
                return
            case _:
                self._asked.add(record["scope"])


@dataclass(slots=True)
class _Count:
    """The numbers that one source has given out, as far as they were seen."""

    last: int = 0
    missing: set[int] = field(default_factory=set)


class _Numbers:
    """Ids count 1, 2, 3 ... by source: what a scope calls its sends, for instance.

    What is recorded in the order in which it was numbered must come so; the others must have come by the end.
    """

    kinds = frozenset({"sent", "received", "grpc.called", "expectation", "produced", "load"})

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], _Count] = {}

    def feed(self, record: Record) -> Iterator[Trouble]:
        match record["record"]:
            case "sent":
                yield from self._in_order(record, record["send"])
            case "received":
                yield from self._in_order(record, record["receive"])
            case "grpc.called":
                yield from self._in_order(record, record["call"])
            case "expectation":
                yield from self._in_order(record, record["expectation"])
            case "produced":
                yield from self._in_any_order(record, record["produce"], once=True)
            case "load":
                yield from self._in_any_order(record, record["load"], once=False)

    def end(self) -> Iterator[Trouble]:
        for (kind, scope, source), count in self._counts.items():
            if count.missing and kind in {"produced", "load"}:
                missing = ", ".join(f"{source}{number}" for number in sorted(count.missing)[:5])
                told = f"expected `{kind}` {source}1 to {source}{count.last}, got none of {missing}"
                yield Trouble(scope, f"{told}: the probe lost them", "sequence")

    def _count(self, record: Record, name: str) -> tuple[_Count, str, int] | None:
        """Return the count of an id's source, the source and the number; None for an id that has no number."""
        match = _ID.fullmatch(name)
        if match is None:
            return None
        key = (record["record"], record["scope"], match["source"])
        return self._counts.setdefault(key, _Count()), match["source"], int(match["number"])

    def _in_order(self, record: Record, name: str) -> Iterator[Trouble]:
        if (found := self._count(record, name)) is None:
            return
        count, source, number = found
        if number != count.last + 1:
            told = f"expected `{record['record']}` {source}{count.last + 1} next, got {name}"
            said = "records are missing" if number > count.last else "it stands twice, or too late"
            yield Trouble(record["scope"], f"record {record['seq']}: {told}: {said}", "sequence")
        count.last = max(count.last, number)

    def _in_any_order(self, record: Record, name: str, *, once: bool) -> Iterator[Trouble]:
        if (found := self._count(record, name)) is None:
            return
        count, _, number = found
        if number > count.last:
            count.missing.update(range(count.last + 1, min(number, count.last + 1 + MOST_MISSING)))
            count.last = number
        elif number in count.missing:
            count.missing.discard(number)
        elif once:
            told = f"expected one `{record['record']}` {name}, got another"
            yield Trouble(record["scope"], f"record {record['seq']}: {told}", "sequence")


class _Names:
    """Scopes and namespaces carry the run that they are of."""

    kinds = frozenset({"run.started", "object", "fence", "fault.window"})

    def __init__(self) -> None:
        self.known = {""}
        self._run = ""

    def feed(self, record: Record) -> Iterator[Trouble]:
        match record["record"]:
            case "run.started":
                self._run = run_hash(record["run"])
            case "object":
                yield from self._namespace(record, record["namespace"] or "")
                yield from self._namespace(record, record["name"])
            case "fence" | "fault.window":
                yield from self._namespace(record, record["namespace"])

    def meet(self, record: Record) -> Iterator[Trouble]:
        """Take a record of a scope that is not known yet; yield what is wrong with that."""
        if self._run:
            self.known.add(record["scope"])
            if not of_run(record["scope"], self._run):
                yield self._foreign(record, "scope", record["scope"])

    def _namespace(self, record: Record, name: str) -> Iterator[Trouble]:
        if self._run and (run_of_namespace(name) or self._run) != self._run:
            yield self._foreign(record, "namespace", name)

    def _foreign(self, record: Record, what: str, name: str) -> Trouble:
        told = f"expected a {what} of this run, {self._run}, got {name[:100]!r}: the record is another run's"
        return Trouble(record["scope"], f"record {record['seq']}: {told}", "run")
