"""W3C Trace Context, level 1: a delivery goes on in the trace that the sender began."""

from __future__ import annotations

import re
from string import hexdigits
from typing import TYPE_CHECKING, NamedTuple

from evidence.checks.base import by_fate, check, describe, failed, header_values, violation
from evidence.checks.batches import Batch
from evidence.checks.content import Content, halves
from evidence.checks.delivery import DeliveryCheck
from evidence.event_progress import Stage
from evidence.verdict import PASSED, UNDECIDED, Judgement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evidence.records import Received, Sent
    from evidence.refs import EventRef

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

_SAMPLED = 0x01


class Traceparent(NamedTuple):
    """The two ids of a `traceparent` header, and whether its sampled flag is set."""

    trace: str
    span: str
    sampled: bool = False


def read_traceparent(value: str) -> Traceparent | None:
    """Read a `traceparent` strictly (Trace Context §3.2.2); None if it is not valid."""
    match = _TRACEPARENT.fullmatch(value)
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if set(match[2]) == {"0"} or set(match[3]) == {"0"}:
        return None
    return Traceparent(match[2], match[3], bool(int(match[4], 16) & _SAMPLED))


def members(headers: list[list[str]]) -> list[str]:
    """Return the list members of all `tracestate` fields in their order (Trace Context §3.3.1: fields are combined)."""
    listed = ",".join(header_values(headers, "tracestate")).split(",")
    return [member.strip() for member in listed if member.strip()]


def sent_traceparents(requests: Iterable[Sent]) -> list[str]:
    """Return the values of `traceparent` in the requests that sent an event."""
    return [value for request in requests for value in header_values(request["headers"], "traceparent")]


def untraced(sent: Sequence[str], headers: list[list[str]]) -> list[str]:
    """Return why headers do not go on in the trace that was sent, as a span of its own; empty: they do."""
    began = read_traceparent(sent[0]) if sent else None
    if began is None:
        return [f"expected a valid traceparent to have been sent; got {sent[0] if sent else 'none'!r}"]
    values = header_values(headers, "traceparent")
    if len(values) != 1:
        return [f"expected one traceparent of trace {began.trace}; got {len(values)}"]
    got = read_traceparent(values[0])
    if got is None:
        return [f"expected a valid traceparent of trace {began.trace}; got {values[0]!r}"]
    if got.trace != began.trace:
        return [f"expected trace {began.trace}; got trace {got.trace}"]
    if got.span == began.span:
        return [f"expected another span id than the sender's; got {got.span}"]
    return []


def unkept(wanted: list[str], headers: list[list[str]]) -> list[str]:
    """Return why the tracestate of headers does not end with these members in their order; empty: it does."""
    got = members(headers)
    if got[-len(wanted) :] == wanted:
        return []
    return [f"expected tracestate to end with {', '.join(wanted)}; got {', '.join(got) or 'none'}"]


@check("traced")
class Traced(Content):
    """Same trace-id as sent, a span id of its own."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return what is wrong with the delivery's traceparent."""
        wanted = self.args["traceparent"]
        sent = [wanted] if wanted else sent_traceparents(self._seen.sent)
        return untraced(sent, delivery["headers"])


@check("all_traced")
class AllTraced(Batch):
    """Every delivery of many events in the trace of its own event, when the Triggers are done with all."""

    @property
    def wording(self) -> str:
        """How the events should be delivered."""
        return "in a trace of its own each"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first delivery in another trace, or without one; pass when all events were handled."""
        for event in self.events:
            sent = sent_traceparents(self.history.events[event.source, event.id].sent)
            for delivery in self.deliveries(event):
                if faults := untraced(sent, delivery["headers"]):
                    where = self.where(event)
                    return failed(*(violation(*halves(fault), (delivery["seq"],), where) for fault in faults))
        unfinished = self.open()
        if unfinished is not None:
            return self.unfinished(*unfinished, final=final)
        silent = next((event for event in self.events if not self.deliveries(event)), None)
        if silent is not None:
            return failed(violation(f"{describe(silent)} to be delivered", "no delivery", (), self.where(silent)))
        return PASSED


@check("spans_differ")
class SpansDiffer(DeliveryCheck):
    """A span id of its own for each attempt at a delivery."""

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        return f"delivered to {self.target} in {self.args['attempts']} attempts, each with a span id of its own"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an attempt without a span of its own; pass when all attempts have come."""
        found = self.deliveries()
        seen: dict[str, int] = {}
        for delivery in found:
            values = header_values(delivery["headers"], "traceparent")
            parent = read_traceparent(values[0]) if len(values) == 1 else None
            if parent is None:
                return self._fail(f"an attempt with traceparent {values or 'absent'!r}", delivery["seq"])
            if parent.span in seen:
                return self._fail(f"span id {parent.span} in two attempts", seen[parent.span], delivery["seq"])
            seen[parent.span] = delivery["seq"]
        if len(found) >= self.args["attempts"]:
            return PASSED
        fate = self.fate()
        if found and fate.stage is Stage.HANDLED:
            return failed(by_fate(self.expected, fate, self.where(self.event)))
        return UNDECIDED if found else self.absent(fate, final=final)

    def _fail(self, got: str, *witness: int) -> Judgement:
        return failed(violation(self.expected, got, witness, self.where(self.event)))


@check("sampling_kept")
class SamplingKept(Content):
    """The sampled flag that was sent."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return the difference of the flag."""
        sent = sent_traceparents(self._seen.sent)
        began = read_traceparent(sent[0]) if sent else None
        if began is None:
            return [f"expected a valid traceparent to have been sent; got {sent[0] if sent else 'none'!r}"]
        values = header_values(delivery["headers"], "traceparent")
        got = read_traceparent(values[0]) if len(values) == 1 else None
        if got is None or got.sampled != began.sampled:
            wanted = "set" if began.sampled else "not set"
            return [f"expected one traceparent with the sampled flag {wanted}; got {values or 'none'!r}"]
        return []


@check("tracestate_kept")
class TracestateKept(Content):
    """The members of tracestate that were sent, in their order, behind those that a hop may have put first."""

    compares = False

    def faults(self, delivery: Received) -> list[str]:
        """Return the difference of the members."""
        return unkept(self.args["members"], delivery["headers"])


@check("trace_not_continued")
class TraceNotContinued(Content):
    """No traceparent, or one of a trace that nobody sent, and no member of the tracestate that was sent."""

    def watch(self) -> None:
        """Keep the other events, whose traces are none of this one."""
        super().watch()
        self._others: list[EventRef] = self.args.get("others", [])
        for event in self._others:
            self.history.watch_event((event.source, event.id))

    def faults(self, delivery: Received) -> list[str]:
        """Return how the delivery goes on in what was sent."""
        others = (self.history.events[event.source, event.id] for event in self._others)
        sent = [request for seen in (self._seen, *others) for request in seen.sent]
        parents = sent_traceparents(sent)
        faults = []
        values = header_values(delivery["headers"], "traceparent")
        if len(values) > 1:
            faults.append(f"expected one traceparent at most; got {len(values)}")
        for value in values:
            got = read_traceparent(value)
            if got is None:
                faults.append(f"expected no traceparent, or a valid one; got {value!r}")
            elif any(_is_of(got.trace, parent) for parent in parents):
                faults.append(f"expected no traceparent, or one of a new trace; got {value!r}")
        arrived = members(delivery["headers"])
        kept = [member for request in sent for member in members(request["headers"]) if member in arrived]
        if kept:
            faults.append(f"expected nothing of the tracestate that was sent; got {', '.join(kept)}")
        return faults


def _is_of(trace: str, traceparent: str) -> bool:
    """Return whether a careless reader would find this trace id in a malformed `traceparent`.

    What is no digit of it, such a reader takes for any digit; two ids that nobody copied differ in the others.
    """
    claimed = [*traceparent.lower().split("-"), ""][1][:32].rjust(32, "0")
    return all(digit == got for digit, got in zip(claimed, trace, strict=True) if digit in hexdigits)
