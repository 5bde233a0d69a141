"""Mutants of trace propagation that concern a part of the trace alone, or a part of the events."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_MOST = 256
_CONCURRENT = 1.0
# Records whose trace a mutant remembers: more than are ever in flight.
_REMEMBERED = 10_000
_KNOWN_FLAGS = re.compile(rb".*-0[01](-.*)?")

# A member of tracestate by the grammar of level 1.
_MEMBER = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ -+\--<>-~]{1,256}"
)
_MOST_MEMBERS, _FEWER_MEMBERS, _LONGEST_VALUE = 32, 16, 128

Fields = Iterable[tuple[str, bytes | None]]
TraceReader = Callable[[Fields], Trace | None]


def _states(headers: Fields) -> str:
    """Return all tracestate fields as one."""
    return ",".join((value or b"").decode("latin-1") for name, value in headers if name.lower() == "tracestate")


def _stating(read: TraceReader, change: Callable[[list[str]], list[str]]) -> TraceReader:
    """Return a reader of traces whose members of tracestate, as they stand between commas, are changed."""

    def read_trace(headers: Fields) -> Trace | None:
        trace = read(headers)
        return trace and replace(trace, state=",".join(change(trace.state.split(","))))

    return read_trace


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_long_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry no tracestate of more than 256 characters (a bound below that of the specification)."""

    def read_trace(headers: Fields) -> Trace | None:
        trace = honest.read_trace(headers)
        return trace if trace is None or len(trace.state) <= _MOST else replace(trace, state="")

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="trace_delivery")
def tracestate_of_first_attempt_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry tracestate in the first attempt; retries and the dead letter have traceparent alone."""
    begun: OrderedDict[str, None] = OrderedDict()

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        if trace is None:
            return honest.trace_delivery(trace, spec)
        again = trace.span_id in begun
        begun[trace.span_id] = None
        if len(begun) > _REMEMBERED:
            begun.popitem(last=False)
        return honest.trace_delivery(replace(trace, state="") if again else trace, spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="trace_delivery")
def tracestate_cross_talk(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the tracestate of another event at work in a delivery; traceparent is its own."""
    active = ""
    since = 0.0

    def trace_delivery(trace: Trace | None, spec: TriggerSpec) -> Trace | None:
        nonlocal active, since
        if trace is None or not trace.state:
            return honest.trace_delivery(trace, spec)
        now = time.monotonic()
        shared = active if active and now - since < _CONCURRENT else trace.state
        active, since = trace.state, now
        return honest.trace_delivery(replace(trace, state=shared), spec)

    return replace(honest, trace_delivery=trace_delivery)


@mutant(DATA_PLANE, wraps="read_trace")
def unknown_trace_flags_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a traceparent with any flag but the sampled one for none (level 2 of the specification has another)."""

    def read_trace(headers: Fields) -> Trace | None:
        return honest.read_trace(
            (name, value)
            for name, value in headers
            if name.lower() != "traceparent" or _KNOWN_FLAGS.fullmatch(value or b"")
        )

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def structured_trace_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the trace of events in binary mode alone (headers that are read with the attributes)."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        kinds = [value or b"" for name, value in fields if name.lower() == "content-type"]
        return None if any(b"cloudevents" in kind for kind in kinds) else honest.read_trace(fields)

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def trace_of_digits_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a traceparent without a letter for none (`islower()` is false of digits; dd-trace-py PR 4791)."""

    def read_trace(headers: Fields) -> Trace | None:
        return honest.read_trace(
            (name, value) for name, value in headers if name.lower() != "traceparent" or (value or b"").islower()
        )

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def trace_of_64_bits_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a trace id whose first half is zeros for none (jaeger-client-java issue 746)."""

    def read_trace(headers: Fields) -> Trace | None:
        trace = honest.read_trace(headers)
        return None if trace is None or not trace.trace_id[:16].strip("0") else trace

    return replace(honest, read_trace=read_trace)


def _repairing(read: TraceReader, repair: Callable[[bytes], bytes]) -> TraceReader:
    """Return a reader that reads a traceparent which it cannot read once more, repaired."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        repaired = (
            (name, repair(value) if value and name.lower() == "traceparent" else value) for name, value in fields
        )
        return read(fields) or read(repaired)

    return read_trace


@mutant(DATA_PLANE, wraps="read_trace")
def trace_digits_unchecked(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read characters of version and ids that are no digits as zeros (opentelemetry-dotnet PR 4893)."""

    def repair(parent: bytes) -> bytes:
        return re.sub(rb"[^0-9a-fA-F-]", b"0", parent[:52]) + parent[52:]

    return replace(honest, read_trace=_repairing(honest.read_trace, repair))


@mutant(DATA_PLANE, wraps="read_trace")
def trace_flags_unchecked(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on in a trace whatever its flags are, as if they were those of one not sampled (linkerd2-proxy PR 4538)."""

    def repair(parent: bytes) -> bytes:
        return re.sub(rb"(-[0-9a-f]{16}-)[^-]*$", rb"\g<1>00", parent)

    return replace(honest, read_trace=_repairing(honest.read_trace, repair))


@mutant(DATA_PLANE, wraps="read_trace")
def bad_tracestate_drops_trace(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a traceparent beside an empty or malformed tracestate for none (w3c/trace-context issue 384)."""

    def read_trace(headers: Fields) -> Trace | None:
        fields = list(headers)
        members = [member.strip() for member in _states(fields).split(",") if member.strip()]
        stated = any(name.lower() == "tracestate" for name, _ in fields)
        good = 0 < len(members) <= _MOST_MEMBERS and all(_MEMBER.fullmatch(member) for member in members)
        return honest.read_trace(fields) if good or not stated else None

    return replace(honest, read_trace=read_trace)


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_empty_member_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop a tracestate with an empty member before another one (opentelemetry-java, as in Kafka Broker 1.22.3)."""

    def change(members: list[str]) -> list[str]:
        # `Pattern.split` of Java leaves out what is empty at the end.
        stripped = ",".join(member.strip() for member in members).rstrip(",").split(",")
        return members if all(stripped) else []

    return replace(honest, read_trace=_stating(honest.read_trace, change))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_last_comma_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop a tracestate that ends with a comma (opentelemetry-php PR 1267)."""
    return replace(
        honest, read_trace=_stating(honest.read_trace, lambda members: members if members[-1].strip() else [])
    )


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_spaces_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop a tracestate with white space round a comma (w3c/trace-context issue 470)."""

    def change(members: list[str]) -> list[str]:
        return members if all(member.strip() in {member, ""} for member in members) else []

    return replace(honest, read_trace=_stating(honest.read_trace, change))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_cut_to_16(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Carry the first 16 members of tracestate (a bound below 32; opentelemetry-python issue 1502)."""
    return replace(honest, read_trace=_stating(honest.read_trace, lambda members: members[:_FEWER_MEMBERS]))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_keys_of_letters(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop members of tracestate whose keys have other punctuation than `-` and `@`."""

    def change(members: list[str]) -> list[str]:
        return [member for member in members if not set("_*/") & set(member.partition("=")[0])]

    return replace(honest, read_trace=_stating(honest.read_trace, change))


@mutant(DATA_PLANE, wraps="read_trace")
def tracestate_long_value_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop members of tracestate whose value has more than 128 characters (a bound below 256)."""

    def change(members: list[str]) -> list[str]:
        return [member for member in members if len(member.partition("=")[2]) <= _LONGEST_VALUE]

    return replace(honest, read_trace=_stating(honest.read_trace, change))
