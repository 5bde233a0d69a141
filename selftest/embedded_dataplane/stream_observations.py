"""What a test can see of a stream server that is at work."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from embedded.dataplane.cloudevents import Record
from embedded.mutants import stream_flow, streams
from embedded.streaming import StreamServer, messages
from embedded.streaming.requests import NotARequestError, ServerDiesError
from selftest.embedded_dataplane.streams import PREDICT, Stream, changed, protobuf, rest
from selftest.embedded_dataplane.world import pauses, until, until_true

Observe = Callable[[Stream], Awaitable[Any]]


def asking(*records: Record) -> Observe:
    async def observe(running: Stream) -> dict[bytes | None, list[Any]]:
        await running.ask(*records)
        return await running.answers(len(records))

    return observe


def in_turn(*records: Record) -> Observe:
    async def observe(running: Stream) -> dict[bytes | None, list[Any]]:
        for number, record in enumerate(records, 1):
            await running.ask(record)
            answers = await running.answers(number)
        return answers

    return observe


async def committed_with_all_answers(running: Stream) -> bool:
    await running.ask(*GOOD)

    async def is_committed() -> bool:
        return await running.world.committed(running.server.spec.input_topic, running.server.group) == len(GOOD)

    await until_true(is_committed)
    return await running.world.count(running.server.spec.output_topic, 2) == len(GOOD)


async def counts(running: Stream) -> Counter[int]:
    """Ask a burst of a hundred; return how many requests have how many answers."""
    await running.ask(*(rest(f"k{number}", number) for number in range(100)))
    return Counter(map(len, (await running.answers(100)).values()))


async def committed_early(running: Stream) -> bool:
    async def is_committed() -> bool:
        return await running.world.committed(running.server.spec.input_topic, running.server.group) == 1

    seen = asyncio.Event()  # what a mutant does late is done once the topic has been looked at, however long that takes
    with pauses(streams, held=seen):
        await running.ask(rest("a", 1))
        await until_true(is_committed)
        stored = await running.world.count(running.server.spec.output_topic, 2)
        seen.set()
    return stored == 0


async def answered_at_the_stop(running: Stream) -> int:
    running.model.delay, running.model.asked = 0.5, 0
    try:
        await running.ask(rest("a", 1))
        await until(lambda: running.model.asked == 1)
        await running.server.stop()
    finally:
        running.model.delay = 0.0
    return await running.world.count(running.server.spec.output_topic, 2)


def node(key: str, **body: Any) -> Record:
    return Record(key.encode(), [], json.dumps(body).encode())


def raw(key: str, name: str, value: bytes) -> Record:
    return Record(key.encode(), [("proto-name", name.encode())], value)


def told(*requests: Record) -> Observe:
    """Return an observation of the values in the output topic, as they are."""

    async def observe(running: Stream) -> list[bytes | None]:
        await running.ask(*requests)

        async def is_done() -> bool:
            return await running.world.committed(running.server.spec.input_topic, running.server.group) == len(requests)

        await until_true(is_done)
        output = running.server.spec.output_topic
        records = await running.world.records(output, await running.world.count(output, 2))
        return [record.value for record in records]

    return observe


async def is_named(running: Stream) -> bool:
    await running.ask(rest("a", 1))
    await running.answers(1)
    [record] = await running.world.records(running.server.spec.output_topic, 1)
    return list(record.headers) != []


async def seen_headers(running: Stream) -> Any:
    """Return what the model got of three headers: the content type, the puid, and another one."""
    headers = [("Content-Type", b"application/x-own"), ("Seldon-Puid", b"p1"), ("X-Caller", b"a")]
    await running.ask(Record(b"a", headers, json.dumps({"show": [name for name, _ in headers]}).encode()))
    [[pairs]] = (await running.answers(1)).values()
    return [value if name != "Seldon-Puid" else value == "p1" for name, value in sorted(pairs)]


async def callers_at_once(running: Stream) -> list[str | None]:
    """Return the caller that the model sees in each of three requests at once, of which the second names none."""
    show = json.dumps({"show": ["X-Caller"]}).encode()
    headers: dict[bytes, list[tuple[str, bytes | None]]] = {
        b"1": [("X-Caller", b"a")],
        b"2": [],
        b"3": [("X-Caller", b"b")],
    }
    await running.ask(*(Record(key, pairs, show) for key, pairs in headers.items()))
    answers = await running.answers(3)
    return [next((value for _, value in answers[key][0]), None) for key in headers]


async def puids_at_once(running: Stream) -> list[str]:
    """Return the puid that the answer to each of three requests at once names."""
    puids = ("a", "b", "c")
    await running.ask(*(replace(node(puid, instances=1), headers=[("Seldon-Puid", puid.encode())]) for puid in puids))
    await running.answers(3)
    named = {
        record.key: dict(record.headers)["Seldon-Puid"]
        for record in await running.world.records(running.server.spec.output_topic, 3)
    }
    return [(named[puid.encode()] or b"").decode() for puid in puids]


def headers_of(policy: str, *headers: tuple[str, bytes]) -> Observe:
    """Return an observation of the names, but the server's own, that the model gets of a record's headers."""

    async def observe(running: Stream) -> list[str]:
        pairs = getattr(running.server._policies, policy)(Record(b"a", list(headers), b""), "p")
        return [name for name, _ in pairs if name.lower() not in {"content-type", "seldon-puid"}]

    return observe


def headers_at(method: str) -> Observe:
    """Return an observation of what a node behind another one gets of two headers: the names and the values."""

    async def observe(running: Stream) -> list[str]:
        pairs = (("seldon-puid", "p"), ("x-caller", "a"))
        told = running.server._policies.node_headers(method, pairs, is_first=False)
        return [name if value == dict(pairs)[name] else f"another {name}" for name, value in told]

    return observe


def puids_made(policy: str, *headers: tuple[str, bytes]) -> Observe:
    """Return an observation of the puids of the calls for two records that have these headers."""

    async def observe(running: Stream) -> list[str]:
        record = Record(b"a", list(headers), b"")
        told = [dict(getattr(running.server._policies, policy)(record, puid)) for puid in ("p1", "p2")]
        puids = [value for pairs in told for name, value in pairs.items() if name.lower() == "seldon-puid"]
        return puids if len(set(puids)) == len(puids) else ["shared"]

    return observe


def sorted_inputs(message: Any) -> list[str]:
    return sorted(message.inputs)


async def again_after_a_restart(running: Stream) -> int:
    await running.ask(rest("a", 1))
    await running.answers(1)
    over = running.server.kill("committed")
    await running.ask(rest("b", 1))
    await over
    await running.ask(rest("c", 1))
    await until_true(lambda: _count_is(running, 3))
    return len((await running.answers(3))[b"a"])


async def _count_is(running: Stream, least: int) -> bool:
    return await running.world.count(running.server.spec.output_topic, 2) >= least


async def answered_after_a_replacement(running: Stream) -> int:
    """Return how many of three slow requests are answered when the server is replaced while they are in work."""
    await running.ask(*(node(f"k{number}", instances=1, delay=0.5) for number in range(3)))
    await until(lambda: len(running.server._in_work) == 3)
    await running.server.stop()
    again = StreamServer(running.server.spec, running.world.plane.cluster)
    await again.start()
    try:
        await running.ask(node("last"))
        await until_true(lambda: _has_key(running, b"last"))
    finally:
        await again.stop()
    return await running.world.count(running.server.spec.output_topic, 2) - 1


async def partitions_taken(running: Stream) -> list[int]:
    """Return the partitions whose records the second of two replicas answers."""
    for partition in (0, 1):
        record = replace(rest(str(partition), 1), partition=partition)
        await running.world.producer.send(running.server.spec.input_topic, record)
    output = running.server.spec.output_topic
    await until_true(lambda: _has_key(running, b"1"))
    records = await running.world.records(output, await running.world.count(output, 2))
    return sorted(int(record.key or b"") for record in records)


async def pauses_for_one(running: Stream) -> list[float]:
    """Return the pauses, in seconds, that a late stream makes for one request."""
    with pauses(stream_flow) as asked:
        await running.ask(rest("a", 1))
        await running.answers(1)
    return asked


async def overtakes(running: Stream) -> bool:
    """Tell whether a record is answered while one that came before it is at the model, and another one is done."""
    ask, held = running.server._policies.ask, asyncio.Event()

    async def slow(content: bytes) -> bytes:
        await held.wait()
        return content

    async def quick(content: bytes) -> bytes:
        return content

    first = asyncio.ensure_future(ask(rest("a", 1), b"", slow))
    await asyncio.sleep(0)
    await ask(rest("b", 2), b"", quick)
    third = asyncio.ensure_future(ask(rest("c", 3), b"", quick))
    for _ in range(10):
        await asyncio.sleep(0)
    is_answered = third.done()
    held.set()
    await asyncio.gather(first, third)
    return is_answered


async def reads_on(running: Stream) -> bool:
    """Tell whether a server that Kafka left takes a record that comes when it is back."""
    running.server.lose_kafka()
    assert running.server._feed is not None
    return not running.server._feed._holding


async def width(running: Stream) -> int:
    """Return how many records are at work at once at most."""
    return running.server._workers._width


async def tells_kafka(running: Stream) -> bool:
    return running.server._policies.tells_kafka


async def _has_key(running: Stream, key: bytes) -> bool:
    output = running.server.spec.output_topic
    return key in {record.key for record in await running.world.records(output, await running.world.count(output, 2))}


def tensors(change: Callable[[Any], None]) -> Record:
    """Return a request whose one tensor was changed, to a model that echoes."""
    return protobuf("a", value=changed(change))


def got_tensor(request: Record, read: Callable[[Any], Any]) -> Observe:
    """Return an observation of what the server makes of a request before the model gets it; None: it is dropped."""

    async def observe(running: Stream) -> Any:
        try:
            content = running.server._read(request)
        except NotARequestError:
            return None
        message = messages.new(PREDICT)
        message.ParseFromString(content)
        return read(message)

    return observe


def of_type(dtype: int, name: str, *values: Any) -> Callable[[Any], None]:
    def change(tensor: Any) -> None:
        tensor.dtype = dtype
        tensor.tensor_shape.dim.add(size=len(values))
        getattr(tensor, name).extend(values)

    return change


def values_of(name: str) -> Callable[[Any], Any]:
    return lambda message: [str(value) for value in getattr(message.inputs["x"], name)]


async def mispaired(running: Stream) -> bool:
    await running.ask(*(rest(f"k{number}", number) for number in range(12)))
    answers = await running.answers(12)
    assert len(answers) == 12
    assert sorted(value for [[value]] in answers.values()) == [2 * number for number in range(12)]
    return answers == {f"k{number}".encode(): [[2 * number]] for number in range(12)}


async def stands_still(running: Stream, poison: Record, good: Record) -> bool:
    """Ask with a poison after an answered request; return whether the next one is unanswered after two restarts."""
    deaths: list[ServerDiesError] = []
    die = running.server._die

    def noted(error: ServerDiesError) -> None:
        deaths.append(error)
        die(error)

    running.server._die = noted  # type: ignore[method-assign]
    await running.ask(good)
    assert list(await running.answers(1)) == [good.key]
    await running.ask(poison, replace(good, key=b"later"))

    async def is_decided() -> bool:
        past = await running.world.committed(running.server.spec.input_topic, running.server.group) == 3
        return past or len(deaths) == 3

    await until_true(is_decided)
    return await running.world.count(running.server.spec.output_topic, 2) == 1


GOOD = [rest("a", 1), rest("b", 1), rest("c", 1), rest("d", 1)]
