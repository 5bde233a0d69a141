"""A running Trigger: the records of its consumer group are filtered, delivered and retried, and replies are stored.

Ordered Triggers have one record of a partition in flight, retries included; unordered ones up to 50 in all. An offset
is committed only past records whose delivery, retries, reply and dead letter are finished.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from embedded.dataplane import tracing
from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record
from embedded.dataplane.delivery import Delivery, Outlet
from embedded.dataplane.feed import Cluster, Feed
from embedded.dataplane.lanes import Lanes
from embedded.dataplane.policies import DataPlanePolicies, StandstillError
from embedded.dataplane.specs import TriggerSpec

_log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 50
"""Records in flight for an unordered Trigger (the Kafka Broker's `max.poll.records`)."""

# Seconds that records in flight, and then their commit, have when another consumer takes over.
_GIVE_UP = 2.0


@dataclass(frozen=True, slots=True)
class PreparedTrigger:
    """A compiled TriggerSpec. A changed Trigger gets a new one for later records."""

    spec: TriggerSpec
    policies: DataPlanePolicies
    matches: Callable[[CloudEvent], bool]
    delivery: DeliveryPlan

    @classmethod
    def of(cls, spec: TriggerSpec, policies: DataPlanePolicies) -> "PreparedTrigger":
        """Compile filters and delivery.

        Raises:
            ValueError: A filter or delivery is not supported; the text says which and why.
        """
        return cls(spec, policies, policies.matcher.compile(spec), DeliveryPlan.of(spec.delivery))


class Dispatcher:
    """The dispatcher of one Trigger."""

    def __init__(
        self,
        plan: PreparedTrigger,
        cluster: Cluster,
        outlet: Outlet,
        earlier: Callable[["Dispatcher"], Iterable["Dispatcher"]],
    ) -> None:
        """Prepare the dispatcher; `start` begins.

        Args:
            plan: The compiled Trigger.
            cluster: The Kafka that holds its topic.
            outlet: The outputs of deliveries.
            earlier: The function that returns the older Triggers of the same Broker.
        """
        self.plan = plan
        self.on_death: Callable[[], None] = lambda: None
        """Called when the dispatcher has done with an event of which its process ends."""
        self._outlet = outlet
        self._earlier = earlier
        ordered = plan.policies.is_ordered(plan.spec)
        self._lane: Callable[[int], Hashable] = (lambda partition: partition) if ordered else (lambda _: None)
        self._lanes = Lanes(1 if ordered else MAX_IN_FLIGHT, self._handle)
        self._feed = Feed(
            cluster, plan.spec.topic, plan.spec.group, self._take, separately=ordered, progress=plan.policies.progress()
        )

    @property
    def spec(self) -> TriggerSpec:
        """The current spec of the Trigger."""
        return self.plan.spec

    def matches(self, event: CloudEvent) -> bool:
        """Return whether the Trigger's filter lets the event through."""
        return self.plan.matches(event)

    async def start(self, *, resume: bool) -> None:
        """Begin to consume; events acknowledged after this returned will be seen.

        Args:
            resume: False to ignore the offsets that the group has from a deleted Trigger.

        Raises:
            NoTopicError, KafkaException: The topic cannot be consumed.
        """
        await self._feed.open("latest", resume=resume, begin=self.plan.policies.begin)

    async def restart(self, killed: "Dispatcher") -> None:
        """Begin in the place of a dispatcher that was killed: it has left nothing but the offsets that it committed.

        Raises:
            NoTopicError, KafkaException: The topic cannot be consumed.
        """
        policies, taken = self.plan.policies, killed.taken
        await self._feed.open(
            "latest",
            begin=policies.begin,
            resumed=lambda committed, ends: policies.resumed(committed, taken, ends),
        )

    @property
    def taken(self) -> Mapping[int, int]:
        """The offsets behind the last record that it has taken up, by partition."""
        return self._feed.taken

    async def stop(self) -> None:
        """Deliver nothing more; records in flight are cut off and stay uncommitted."""
        self._feed.close()
        await self._lanes.stop()

    async def give_up(self, seconds: float = _GIVE_UP) -> None:
        """Begin no other record, let those in flight end, commit, and stop: the partitions go to another consumer.

        Args:
            seconds: The time for what is in flight, and then for its commit.
        """
        await self.finish(seconds)
        if not self.plan.policies.hands_on:
            await self._lanes.stop()
        await self._feed.flush(seconds)
        await self.stop()
        await self.stopped()

    async def finish(self, seconds: float) -> None:
        """Begin no other record, and return when nothing is in flight, or after so many seconds."""
        self._feed.hold()
        await self._lanes.finish(seconds)

    async def drained(self, seconds: float) -> None:
        """Return when nothing is in flight, or after so many seconds."""
        await self._lanes.drain(seconds)

    async def use_up(self, seconds: float) -> None:
        """Take up nothing more, but deliver for so many seconds what was taken up, and stop: faulty policies do so."""
        self._feed.hold()
        await self.drained(seconds)
        await self.stop()
        await self.stopped()

    async def stopped(self) -> None:
        """Return once the consumer is closed as well."""
        await self._feed.closed()

    def _take(self, record: Record) -> None:
        self._lanes.put(self._lane(record.partition or 0), record)

    async def _handle(self, record: Record) -> None:
        try:
            await self._process(record)
        except StandstillError as error:
            _log.error("Trigger %s/%s never ends a record: %s", self.spec.namespace, self.spec.name, error)
            await asyncio.Event().wait()  # `stop` ends it
        except asyncio.CancelledError:
            if not self.plan.policies.hands_on:
                self._feed.done(record)
            raise
        except Exception:  # noqa: BLE001 - a fault of ours with one record must show, and must not stop the others
            _log.exception("Trigger %s/%s gives up a record", self.spec.namespace, self.spec.name)
        # Not in a `finally`: a record that was cut off is not done.
        self._feed.done(record)

    async def _process(self, record: Record) -> None:
        plan = self.plan
        try:
            event = plan.policies.from_record(record)
        except NotAnEventError as error:
            _log.warning(
                "%s[%s]@%d is not a CloudEvent and is skipped: %s",
                plan.spec.topic,
                record.partition,
                record.offset,
                error,
            )
            return
        if not plan.matches(event) or not plan.policies.takes(self, event, self._earlier(self)):
            return
        trace = tracing.extract(record.headers)
        await Delivery(plan.spec, plan.policies, plan.delivery, self._outlet).run(event, trace)
        if plan.policies.fatal("dispatcher", event):
            self.on_death()
