"""What the data plane's tests stand on: a mock Kafka, a data plane, subscribers that record and answer by script."""

import asyncio
import io
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import web
from confluent_kafka import Consumer, TopicPartition

from embedded.dataplane import DataPlane
from embedded.dataplane.cloudevents import Record
from embedded.dataplane.producer import Producer
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.kafka import Kafka
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import composition
from embedded.types import Endpoint, KafkaSettings

PARTITIONS = 3
_numbers = itertools.count(1)
HANG = 30.0
"""Seconds after which what has to happen has not, however slow the machine is."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Reply:
    """One scripted answer of a subscriber."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    until: asyncio.Event | None = None
    """What ends the delay early."""
    chunked: bool = False


@dataclass(frozen=True)
class Received:
    """One request that a subscriber got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    answered: int
    """How many of the subscriber's requests were answered when it came."""


@dataclass
class Sink:
    """A subscriber: the script's last answer repeats."""

    url: str
    script: Sequence[Reply]
    received: list[Received] = field(default_factory=list)
    answered: int = 0

    @property
    def ids(self) -> list[str]:
        """Return the ids of the events received, in order."""
        return [request.headers.get("ce-id", "") for request in self.received]


class Subscribers:
    """One server for all sinks."""

    def __init__(self) -> None:
        self._sinks: dict[str, Sink] = {}
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None, max_field_size=2**17, auto_decompress=False),
            shutdown_timeout=0.1,
        )
        self.port = 0

    async def start(self) -> None:
        """Listen on loopback."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    def sink(self, *script: Reply) -> Sink:
        """Return a new subscriber."""
        path = f"/sink{next(_numbers)}"
        sink = Sink(f"http://127.0.0.1:{self.port}{path}", script or (Reply(),))
        self._sinks[path] = sink
        return sink

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        sink = self._sinks[request.path]
        body = await request.read()
        at = asyncio.get_running_loop().time()
        # As the wire has it, in lower case; a header that is there twice would show as one of them.
        headers = {name.decode().lower(): value.decode("utf-8") for name, value in request.raw_headers}
        reply = sink.script[min(len(sink.received), len(sink.script) - 1)]
        sink.received.append(Received(request.method, request.path, headers, body, at, sink.answered))
        if reply.delay:
            with suppress(TimeoutError):
                await asyncio.wait_for((reply.until or asyncio.Event()).wait(), reply.delay)
        sink.answered += 1
        answer = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        if reply.chunked:
            answer.enable_chunked_encoding()
        return answer


@dataclass(frozen=True)
class Posted:
    """What the ingress answered."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass
class Place:
    """A Broker, for one test."""

    world: "World"
    spec: BrokerSpec

    async def trigger(self, sink: Sink | str, **terms: Any) -> TriggerSpec:
        """Add a Trigger; `terms` are fields of its spec."""
        name = terms.pop("name", f"t{next(_numbers)}")
        spec = TriggerSpec(
            namespace=self.spec.namespace,
            name=name,
            broker=self.spec.name,
            topic=self.spec.topic,
            group=f"g-{self.spec.topic}-{name}",
            subscriber=sink if isinstance(sink, str) else sink.url,
            policies=self.spec.policies,
            **terms,
        )
        await self.world.plane.add_trigger(spec)
        self.world.triggers.append(spec)
        return spec

    async def post(
        self,
        headers: Mapping[str, str] | Sequence[tuple[str, str]],
        body: bytes = b"",
        *,
        method: str = "POST",
        path: str | None = None,
    ) -> Posted:
        """Post whatever it is to the ingress."""
        path = f"/{self.spec.namespace}/{self.spec.name}" if path is None else path
        # aiohttp warns of large bodies that are bytes.
        data = io.BytesIO(body) if len(body) > 2**20 else body
        async with self.world.http.request(
            method, self.world.ingress + path, headers=headers, data=data, allow_redirects=False
        ) as answer:
            return Posted(answer.status, await answer.text(), dict(answer.headers))

    async def send(self, data: bytes = b"1", **attributes: str) -> str:
        """Post an event in binary mode, which must be accepted; return its id."""
        event = {"specversion": "1.0", "id": f"e{next(_numbers)}", "source": "/test", "type": "t", **attributes}
        posted = await self.post(binary(**event), data)
        assert posted.status == 202, posted.text
        return event["id"]

    async def records(self, count: int) -> list[Record]:
        """Return the records of the topic, once there are so many (or ten seconds bring none)."""
        return await self.world.records(self.spec.topic, count)

    async def count(self) -> int:
        """Return the number of records in the topic, now."""
        return await self.world.count(self.spec.topic, self.spec.partitions)


@dataclass(frozen=True)
class _Asker:
    """A client that asks for a group's offsets, again and again: to make one costs more than many answers."""

    consumer: Consumer
    places: list[TopicPartition]


@dataclass
class World:
    """All of it."""

    kafka: Kafka
    settings: KafkaSettings
    plane: DataPlane
    ingress: str
    subscribers: Subscribers
    http: aiohttp.ClientSession
    producer: Producer
    names: dict[str, Endpoint]
    brokers: list[BrokerSpec] = field(default_factory=list)
    triggers: list[TriggerSpec] = field(default_factory=list)
    _askers: dict[tuple[str, str], "_Asker"] = field(default_factory=dict)

    async def broker(self, *mutants: str | None, partitions: int = PARTITIONS) -> Place:
        """Make a Broker in a namespace of its own, honest or under mutants."""
        number = next(_numbers)
        policies = composition(DATA_PLANE, filter(None, mutants))
        spec = BrokerSpec(f"ns{number}", "b", f"topic{number}", partitions, policies=policies)
        await self.kafka.create_topic(spec.topic, partitions)
        await self.plane.add_broker(spec)
        self.brokers.append(spec)
        return Place(self, spec)

    async def clear(self) -> None:
        """Remove all Triggers and Brokers."""
        await asyncio.gather(*(self.plane.remove_trigger(spec.namespace, spec.name) for spec in self.triggers))
        await asyncio.gather(*(self.plane.remove_broker(spec.namespace, spec.name) for spec in self.brokers))
        self.triggers.clear()
        self.brokers.clear()
        await asyncio.gather(*(asyncio.to_thread(asker.consumer.close) for asker in self._askers.values()))
        self._askers.clear()

    def sink(self, *script: Reply) -> Sink:
        """Return a new subscriber."""
        return self.subscribers.sink(*script)

    async def records(self, topic: str, count: int) -> list[Record]:
        """Return the records of a topic, once there are so many (or ten seconds bring none)."""
        return await asyncio.to_thread(self._records, topic, count)

    async def count(self, topic: str, partitions: int) -> int:
        """Return the number of records in a topic, now."""
        return await asyncio.to_thread(self._ends, topic, partitions)

    def _ends(self, topic: str, partitions: int) -> int:
        client = Consumer({**self.settings.client, "bootstrap.servers": self.settings.bootstrap, "group.id": "ends"})
        try:
            found = [
                client.get_watermark_offsets(TopicPartition(topic, each), timeout=HANG) for each in range(partitions)
            ]
            return sum(ends[1] for ends in found if ends is not None)
        finally:
            client.close()

    def unique(self, stem: str) -> str:
        """Return a name that no other test uses."""
        return f"{stem}{next(_numbers)}"

    async def committed(self, topic: str, group: str) -> int:
        """Return the sum of the group's committed offsets."""
        return await asyncio.to_thread(self._committed, topic, group)

    def _consumer(self, group: str) -> Consumer:
        return Consumer(
            {**self.settings.client, "bootstrap.servers": self.settings.bootstrap, "group.id": group}
            | {"enable.auto.commit": False, "auto.offset.reset": "earliest"}
        )

    def _places(self, consumer: Consumer, topic: str) -> list[TopicPartition]:
        found = consumer.list_topics(topic, timeout=HANG).topics[topic].partitions
        return [TopicPartition(topic, partition, 0) for partition in found]

    def _committed(self, topic: str, group: str) -> int:
        asker = self._askers.get((topic, group))
        if asker is None:
            consumer = self._consumer(group)
            asker = self._askers[topic, group] = _Asker(consumer, self._places(consumer, topic))
        return sum(max(place.offset, 0) for place in asker.consumer.committed(asker.places, timeout=HANG))

    def _records(self, topic: str, count: int) -> list[Record]:
        consumer = self._consumer("reader")
        found: list[Record] = []
        try:
            consumer.assign(self._places(consumer, topic))
            while len(found) < count and (message := consumer.poll(10.0)) is not None:
                headers: Any = message.headers() or []
                found.append(
                    Record(message.key(), headers, message.value(), message.partition(), message.offset() or 0)
                )
        finally:
            consumer.close()
        return found


async def until(condition: Callable[[], bool], seconds: float = HANG) -> None:
    """Return once the condition holds; fail after so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
        await asyncio.sleep(0.005)


async def until_true(condition: Callable[[], Awaitable[bool]], seconds: float = HANG) -> None:
    """Return once the condition holds; fail after so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
        await asyncio.sleep(0.02)


class _NotedPauses(ModuleType):
    """The module asyncio, whose `sleep` is noted."""

    def __init__(self, *, waited: bool, held: asyncio.Event | None) -> None:
        super().__init__("asyncio")
        self.asked: list[float] = []
        self._waited = waited
        self._held = held

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        """Note the pause; wait only if that is wanted."""
        self.asked.append(seconds)
        if self._held is not None:
            await self._held.wait()
        await asyncio.sleep(seconds if self._waited else 0.0)


@contextmanager
def pauses(module: ModuleType, *, waited: bool = False, held: asyncio.Event | None = None) -> Iterator[list[float]]:
    """Yield the pauses that a module asks for, in seconds: what a busy machine makes of them is not judged.

    Args:
        module: A module that calls `asyncio.sleep`.
        waited: Whether the pauses are made too.
        held: An event until which each pause lasts.
    """
    noted = _NotedPauses(waited=waited, held=held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "asyncio", noted)
        yield noted.asked


def binary(**attributes: str) -> dict[str, str]:
    """Return the headers of an event in binary mode."""
    headers = {f"ce-{name}": value for name, value in attributes.items() if name != "datacontenttype"}
    return {**headers, "Content-Type": attributes.get("datacontenttype", "application/json")}


def row_of(name: str, rows: Mapping[str, Row], file: str) -> Row:
    """Return a mutant's row of a table; fail with what to write where, if there is none."""
    if name not in rows:
        pytest.fail(
            f'mutant {name!r} is not observed yet: add `"{name}": Row(<what is looked at>, <what it is on the honest '
            f"platform>, <what under the mutant>)` to ROWS in {file}"
        )
    return rows[name]
