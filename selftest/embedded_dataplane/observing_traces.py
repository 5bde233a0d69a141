"""What subscribers can see of trace contexts."""

import asyncio
from typing import Any

from selftest.embedded_dataplane.observing import EVENT, FAST, PARENT, TRACE, Observe, structured
from selftest.embedded_dataplane.observing_delivery import arrives
from selftest.embedded_dataplane.world import Reply, World, binary, until

STRUCTURED = "application/cloudevents+json"


async def own_traces(world: World, mutant: str | None, *, ordered: bool = False) -> bool:
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink, ordered=ordered)
    ids = [f"{number:032x}" for number in range(1, 21)]
    posts = [
        place.post({**binary(**{**EVENT, "id": name}), "traceparent": f"00-{name}-b7ad6b7169203331-01"}) for name in ids
    ]
    await asyncio.gather(*posts)
    await until(lambda: len(sink.received) == 20)
    return all(request.headers["ce-id"] == request.headers["traceparent"].split("-")[1] for request in sink.received)


async def behind_a_traced_one(world: World, mutant: str | None) -> list[bool]:
    """Observe which requests carry a trace: two attempts at an event that has one, and the next event without."""
    place, sink = await world.broker(mutant, partitions=1), world.sink(Reply(503), Reply())
    await place.trigger(sink, ordered=True, delivery={"retry": 1, **FAST})
    await place.post({**binary(**EVENT), "traceparent": PARENT}, b"1")
    await place.send()
    await until(lambda: len(sink.received) == 3)
    return ["traceparent" in request.headers for request in sink.received]


async def reply_traced(world: World, mutant: str | None) -> tuple[bool, bool]:
    place, replied = await world.broker(mutant), world.sink()
    sink = world.sink(Reply(200, binary(**{**EVENT, "type": "r"}), b"1"))
    await place.trigger(sink, filter={"attributes": {"type": "t"}})
    await place.trigger(replied, filter={"attributes": {"type": "r"}})
    await place.post({**binary(**EVENT), "traceparent": PARENT}, b"1")
    await until(lambda: bool(replied.received))
    return "traceparent" in sink.received[0].headers, "traceparent" in replied.received[0].headers


def tracing(**headers: str) -> Observe:
    """Observe traceparent's version, trace id and flags, and tracestate, of the delivery of an event with these."""

    def look(got: Any) -> tuple[str, ...]:
        version, trace, _, flags = got.headers.get("traceparent", "---").split("-")
        return version, trace, flags, got.headers.get("tracestate", "")

    return arrives(look, headers=headers)


async def attempts_traced(world: World, mutant: str | None) -> tuple[list[bool], int]:
    """Observe which attempts, the dead letter being the last, carry a trace, and how many spans they have."""
    place, sink, letters = await world.broker(mutant), world.sink(Reply(503)), world.sink()
    await place.trigger(sink, dead_letter=letters.url, delivery={"retry": 1, **FAST})
    await place.post({**binary(**EVENT), "traceparent": PARENT}, b"1")
    await until(lambda: bool(letters.received))
    parents = [request.headers.get("traceparent") for request in (*sink.received, *letters.received)]
    return [parent is not None for parent in parents], len({parent for parent in parents if parent})


async def _fields_traced(world: World, mutant: str | None, *fields: tuple[str, str]) -> tuple[bool, str]:
    """Observe whether an event with these header fields carries a trace when it is delivered, and its tracestate."""
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    await place.post([*binary(**EVENT).items(), *fields], b"1")
    await until(lambda: bool(sink.received))
    return "traceparent" in sink.received[0].headers, sink.received[0].headers.get("tracestate", "")


def fields(*pairs: tuple[str, str]) -> Observe:
    """Observe the trace of an event with these header fields."""
    return lambda world, mutant: _fields_traced(world, mutant, *pairs)


def stated(state: str) -> Observe:
    """Observe the trace of an event with this tracestate beside a good traceparent."""
    return fields(("traceparent", PARENT), ("tracestate", state))


async def attempts_stated(world: World, mutant: str | None) -> list[str]:
    """Observe the tracestate of each attempt, the dead letter being the last."""
    place, sink, letters = await world.broker(mutant), world.sink(Reply(503)), world.sink()
    await place.trigger(sink, dead_letter=letters.url, delivery={"retry": 1, **FAST})
    await place.post({**binary(**EVENT), "traceparent": PARENT, "tracestate": "a=1"}, b"1")
    await until(lambda: bool(letters.received))
    return [request.headers.get("tracestate", "") for request in (*sink.received, *letters.received)]


async def own_states(world: World, mutant: str | None) -> bool:
    """Observe whether each of several events at once is delivered with its own tracestate."""
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    ids = [f"{number}" for number in range(20)]
    posts = [
        place.post({**binary(**{**EVENT, "id": name}), "traceparent": PARENT, "tracestate": f"a={name}"})
        for name in ids
    ]
    await asyncio.gather(*posts)
    await until(lambda: len(sink.received) == len(ids))
    return all(request.headers["tracestate"] == f"a={request.headers['ce-id']}" for request in sink.received)


async def structured_traced(world: World, mutant: str | None) -> bool:
    """Observe whether an event in structured mode is delivered in its sender's trace."""
    place, sink = await world.broker(mutant), world.sink()
    await place.trigger(sink)
    await place.post({"Content-Type": STRUCTURED, "traceparent": PARENT}, structured())
    await until(lambda: bool(sink.received))
    return TRACE in sink.received[0].headers.get("traceparent", "")
