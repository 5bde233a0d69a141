"""The data plane as the controllers use it: Brokers and Triggers are added, changed and removed."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from embedded.dataplane import tracing
from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.delivery import Outlet
from embedded.dataplane.dispatcher import Dispatcher, PreparedTrigger
from embedded.dataplane.feed import Cluster
from embedded.dataplane.ingress import Ingress, Mount
from embedded.dataplane.outbound import Outbound
from embedded.dataplane.policies import HONEST, DataPlanePolicies
from embedded.dataplane.producer import Producer
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.dataplane.tracing import Trace
from embedded.types import KafkaSettings, Key, Resolve

_log = logging.getLogger(__name__)

_LAST_WORDS = 2.0
"""The seconds that a process that ends by itself takes to finish what it has."""

_LONGEST_ANSWER = 60.0
"""The seconds after which nobody waits for an answer any more."""


class DataPlane:
    """Ingress and dispatchers of one platform. Everything runs on the loop that `start` is called on."""

    def __init__(self, kafka: KafkaSettings, resolve: Resolve, defaults: DataPlanePolicies = HONEST) -> None:
        """Prepare the data plane; `start` begins.

        Args:
            kafka: The Kafka that holds the topics.
            resolve: The resolver of subscribers' names.
            defaults: The policies of the ingress where a namespace has no Broker.
        """
        self._kafka = kafka
        self._resolve = resolve
        self._defaults = defaults
        self._brokers: dict[Key, Mount] = {}
        self._triggers: dict[Key, Dispatcher] = {}
        # Groups of deleted Triggers: the real control plane deletes them from Kafka, which the mock cannot.
        self._deleted: set[str] = set()
        self._paused: dict[Key, tuple[str, asyncio.Task[None]]] = {}
        """The groups of Triggers that wait, and the ends of their dispatchers."""
        self._closing: set[asyncio.Task[None]] = set()
        self._turns: dict[Key, asyncio.Lock] = {}
        self.on_death: Callable[[str, str], None] = lambda _namespace, _part: None
        """Called with a namespace and a part, when that ends by itself, and begins again."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Open the ingress and return its URL.

        Raises:
            OSError: The port is taken.
        """
        self.cluster = Cluster(self._kafka)
        self._producer = Producer(self._kafka)
        self._http = Outbound(self._resolve)
        self._outlet = Outlet(self._http, self._store_reply)
        self._ingress = Ingress(self._producer, lambda *key: self._brokers.get(key), self._policies_of)
        self._ingress.on_death = lambda namespace: self.on_death(namespace, "ingress")
        try:
            return await self._ingress.start(host, port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the ingress, stop all deliveries, close all clients."""
        await self._ingress.stop()
        await asyncio.gather(*(self._retire(key) for key in list(self._triggers)))
        await asyncio.gather(*self._closing)
        await self.cluster.close()
        await self._producer.stop()
        await self._http.close()

    async def add_broker(self, spec: BrokerSpec) -> None:
        """Serve a new or changed Broker, whose topic must exist."""
        self._brokers[spec.namespace, spec.name] = Mount(spec, spec.policies.compose())

    async def remove_broker(self, namespace: str, name: str) -> None:
        """Answer 404 for a Broker from now on; do nothing when there is no such Broker."""
        self._brokers.pop((namespace, name), None)

    async def add_trigger(self, spec: TriggerSpec) -> None:
        """Serve a new or changed Trigger; `spec` applies to every event acknowledged after this returned.

        A changed Trigger keeps its position in the topic; records in flight keep the spec that they began with.

        Raises:
            ValueError: A filter or delivery is not supported.
            NoTopicError, KafkaException: The topic cannot be consumed.
        """
        key = (spec.namespace, spec.name)
        async with self._turn(key):
            plan = PreparedTrigger.of(spec, spec.policies.compose())
            present = self._triggers.get(key)
            if present is not None:
                if _same_feed(present.spec, spec):
                    if present.spec != spec:
                        await _end_waits(present)
                        await _change(present, plan)
                    return
                await self._retire(key)
            if (paused := self._paused.pop(key, None)) is not None:
                await asyncio.wait({paused[1]})
            dispatcher = self._dispatcher(plan)
            await dispatcher.start(resume=plan.policies.resumes or spec.group not in self._deleted)
            self._deleted.discard(spec.group)
            self._triggers[key] = dispatcher

    async def pause_trigger(self, namespace: str, name: str) -> None:
        """Begin no delivery to a Trigger until it is added again, which then goes on where it is."""
        key = (namespace, name)
        async with self._turn(key):
            if (dispatcher := self._triggers.pop(key, None)) is not None:
                # Nobody waits for what is in flight but who comes next.
                self._paused[key] = (dispatcher.spec.group, self._close(dispatcher.give_up()))

    async def remove_trigger(self, namespace: str, name: str) -> None:
        """Deliver nothing more to a Trigger from now on; do nothing when there is no such Trigger."""
        key = (namespace, name)
        async with self._turn(key):
            if (paused := self._paused.pop(key, None)) is not None:
                self._deleted.add(paused[0])
            if key in self._triggers:
                dispatcher = self._triggers[key]
                if not dispatcher.plan.policies.cuts_off:
                    await dispatcher.finish(_LONGEST_ANSWER)
                self._deleted.add(dispatcher.spec.group)
                if dispatcher.plan.policies.drops_backlog:
                    await self._retire(key)
                else:
                    self._close(self._triggers.pop(key).use_up(_LONGEST_ANSWER))

    async def kill_dispatcher(self, namespace: str, broker: str) -> None:
        """Let a Broker's dispatchers forget all that they have not committed, and begin again.

        Raises:
            NoTopicError, KafkaException: The topic cannot be consumed again.
        """
        await self._replace(namespace, broker, None)

    async def end_dispatcher(self, namespace: str, broker: str, grace: float) -> None:
        """Let a Broker's dispatchers finish what they have in flight, in so many seconds, and begin again.

        Raises:
            NoTopicError, KafkaException: The topic cannot be consumed again.
        """
        await self._replace(namespace, broker, grace)

    async def _replace(self, namespace: str, broker: str, grace: float | None) -> None:
        """End a Broker's dispatchers, with so many seconds for what is in flight or at once, and begin others."""
        for key in self._triggers_of(namespace, broker):
            async with self._turn(key):
                before = self._triggers.get(key)
                if before is None:
                    continue
                if grace is not None and before.plan.policies.drains:
                    await before.give_up(grace)
                else:
                    await before.stop()
                    await before.stopped()
                await self._succeed(before, key)

    async def rebalance(self, namespace: str, broker: str) -> None:
        """Let a Broker's consumers change hands twice, as when another replica joins and leaves.

        Raises:
            NoTopicError, KafkaException: The topic cannot be consumed again.
        """
        for _ in ("joins", "leaves"):
            for key in self._triggers_of(namespace, broker):
                async with self._turn(key):
                    before = self._triggers.get(key)
                    if before is not None:
                        ended = self._close(before.give_up())
                        if before.plan.policies.waits_for_predecessor:
                            await ended
                        await self._succeed(before, key)

    async def _succeed(self, before: Dispatcher, key: Key) -> None:
        """Begin another dispatcher in the place of one, at what that has committed."""
        plan, policies = before.plan, before.plan.policies
        if (spec := policies.restored(plan.spec)) is not plan.spec:
            plan = PreparedTrigger.of(spec, policies)
        dispatcher = self._dispatcher(plan)
        await dispatcher.restart(before)
        self._triggers[key] = dispatcher

    def _dispatcher(self, plan: PreparedTrigger) -> Dispatcher:
        dispatcher = Dispatcher(plan, self.cluster, self._outlet, self._earlier)
        dispatcher.on_death = lambda: self._revive(plan.spec.namespace, plan.spec.broker)
        return dispatcher

    def _revive(self, namespace: str, broker: str) -> None:
        """Let the dispatchers of a Broker, whose process ends by itself, begin again, and tell of it."""
        self.on_death(namespace, "dispatcher")
        self._close(self.end_dispatcher(namespace, broker, _LAST_WORDS))

    def _triggers_of(self, namespace: str, broker: str) -> list[Key]:
        return [
            key
            for key, running in self._triggers.items()
            if (running.spec.namespace, running.spec.broker) == (namespace, broker)
        ]

    async def kill_ingress(self, namespace: str, broker: str) -> None:
        """Break the connections of a Broker's requests off, and forget what is not stored."""
        self._ingress.kill((namespace, broker))

    async def end_ingress(self, namespace: str, broker: str, grace: float) -> None:
        """Let a Broker's requests be answered, in so many seconds, before the ingress begins again."""
        await self._ingress.end((namespace, broker), grace)

    async def _retire(self, key: Key) -> None:
        dispatcher = self._triggers.pop(key)
        await dispatcher.stop()
        # A consumer takes a poll's time to close; nobody needs to wait for that.
        self._close(dispatcher.stopped())

    def _close(self, ending: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something end by itself, at the latest with the data plane."""
        task = asyncio.create_task(ending)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    def _turn(self, key: Key) -> asyncio.Lock:
        return self._turns.setdefault(key, asyncio.Lock())

    def _earlier(self, dispatcher: Dispatcher) -> Iterator[Dispatcher]:
        for other in self._triggers.values():
            if other is dispatcher:
                return
            if (other.spec.namespace, other.spec.broker) == (dispatcher.spec.namespace, dispatcher.spec.broker):
                yield other

    def _policies_of(self, namespace: str) -> DataPlanePolicies:
        for (broker_namespace, _), mount in self._brokers.items():
            if broker_namespace == namespace:
                return mount.policies
        return self._defaults

    async def _store_reply(
        self, spec: TriggerSpec, policies: DataPlanePolicies, event: CloudEvent, trace: Trace | None
    ) -> None:
        mount = self._brokers.get((spec.namespace, spec.broker))
        record = policies.to_record(event, mount.spec.partitions if mount else 1)
        await self._producer.send(spec.topic, tracing.stamped(record, trace))


async def _end_waits(dispatcher: Dispatcher) -> None:
    """Wait for the answers to what is in flight, under faulty policies alone."""
    if not dispatcher.plan.policies.cuts_off:
        await dispatcher.drained(_LONGEST_ANSWER)


async def _change(dispatcher: Dispatcher, plan: PreparedTrigger) -> None:
    if dispatcher.plan.policies.closes(dispatcher.plan.matches):
        dispatcher.plan = plan
    else:
        # Its consumer is asked to close and never has; no other one begins before.
        await dispatcher.stop()


def _same_feed(first: TriggerSpec, second: TriggerSpec) -> bool:
    same_place = (first.topic, first.group, first.ordered) == (second.topic, second.group, second.ordered)
    return same_place and first.policies == second.policies
