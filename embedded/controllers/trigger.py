"""Triggers: subscriber, dead letter sink, consumer group, and delivery (theirs or the Broker's)."""

from collections.abc import Callable, Iterable
from typing import Any

from embedded.api.resources import BROKER, INFERENCESERVICE, SERVICE, TRIGGER, Resource
from embedded.api.store import Store
from embedded.controllers.broker import CLASSES, class_of, is_opaque, topic_name
from embedded.controllers.conditions import (
    TRUE,
    Conditions,
    ConditionState,
    condition_of,
    fails,
    holds,
    is_ready,
    unknown,
)
from embedded.controllers.controller import Controller, drop_finalizer, set_finalizer
from embedded.controllers.destinations import UnresolvedDestinationError, authorities_of, refers
from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.types import Composition, Key

ORDER = "kafka.eventing.knative.dev/delivery.order"
FINALIZER = "kafka.triggers.eventing.knative.dev"
IDENTITY_OFF = holds("authentication-oidc feature disabled")
LIVING = (
    "BrokerReady",
    "DependencyReady",
    "SubscriberResolved",
    "DeadLetterSinkResolved",
    "OIDCIdentityCreated",
    "SubscriptionReady",
)
NO_SINK = holds("DeadLetterSinkNotConfigured", "No dead letter sink is configured.")


class TriggerController(Controller):
    """The reconciler of Triggers whose Broker is of a class that this platform runs, or does not exist."""

    resource = TRIGGER
    also = (BROKER, SERVICE, INFERENCESERVICE)

    def __init__(
        self,
        store: Store,
        plane: DataPlaneApi,
        policies: Callable[[str], ControlPlanePolicies],
        plane_policies: Callable[[str], Composition[DataPlanePolicies]],
    ) -> None:
        super().__init__(store)
        self._plane, self._policies, self._plane_policies = plane, policies, plane_policies
        self._served: dict[Key, TriggerSpec] = {}
        self._brokers: dict[Key, str] = {}
        """The uids of the Brokers that they were served with."""
        self._labels: dict[Key, list[dict[str, str]]] = {}
        """Their labels, and those of their Brokers, when they were looked at last."""
        self._waiting: set[Key] = set()
        """The Triggers that were served until their subscriber led nowhere."""
        self._orphans: set[Key] = set()
        """The Triggers that have lost their Broker, where policies never take them back."""

    def concerned(self, resource: Resource, obj: dict[str, Any]) -> Iterable[Key]:
        """Yield the Triggers of a Broker, and those that refer to an object."""
        metadata = obj["metadata"]
        if resource not in self._policies(metadata["namespace"]).follows:
            return
        if resource is BROKER:
            for trigger in self.store.list(TRIGGER, metadata["namespace"]):
                if trigger["spec"].get("broker") == metadata["name"]:
                    yield trigger["metadata"]["namespace"], trigger["metadata"]["name"]
            for key, spec in self._served.items():
                if (key[0], spec.broker) == (metadata["namespace"], metadata["name"]):
                    yield key
        for trigger in self.store.list(TRIGGER):
            namespace = trigger["metadata"]["namespace"]
            spec = trigger["spec"]
            destinations = (spec.get("subscriber"), (spec.get("delivery") or {}).get("deadLetterSink"))
            if any(refers(destination, namespace, resource, obj) for destination in destinations):
                yield namespace, trigger["metadata"]["name"]

    async def reconcile(self, namespace: str, name: str) -> None:
        """Reconcile one Trigger."""
        key = (namespace, name)
        trigger = self.store.find(TRIGGER, namespace, name)
        if trigger is None or "deletionTimestamp" in trigger["metadata"]:
            await self._forget(key)
            if trigger is not None and self._may_go(trigger):
                drop_finalizer(self.store, TRIGGER, trigger, FINALIZER)
            return
        policies, before = self._policies(namespace), trigger.get("status") or {}
        broker = self.store.find(BROKER, namespace, trigger["spec"]["broker"])
        if broker is not None and not policies.is_ours(class_of(broker), CLASSES):
            return
        going = broker is None or "deletionTimestamp" in broker["metadata"]
        if going and not policies.tells_without_broker:
            await self._withdraw(key)
            return
        if key in self._brokers and (broker is None or broker["metadata"]["uid"] != self._brokers.get(key)):
            # The one that it was served with is gone, though there may be another one of that name by now.
            await self._withdraw(key)
            if not policies.takes_orphans_back:
                self._orphans.add(key)
        if broker is not None and key in self._orphans:
            return
        trigger = set_finalizer(self.store, TRIGGER, trigger, FINALIZER)
        conditions = Conditions(before.get("conditions"))
        generation = policies.observed(TRIGGER, trigger["metadata"]["generation"])
        status: dict[str, Any] = {"observedGeneration": generation}
        conditions.set("OIDCIdentityCreated", IDENTITY_OFF)
        conditions.set("SubscriptionReady", TRUE)
        conditions.set("BrokerReady", self._broker_verdict(trigger, broker))
        spec = self._resolve(trigger, broker, conditions, status)
        labels = [each["metadata"].get("labels") or {} for each in (trigger, broker) if each is not None]
        if policies.begins_anew(self._labels.get(key, labels), labels):
            await self._withdraw(key)
        self._labels[key] = labels
        trouble: Exception | None = None
        if conditions.sum_up(LIVING) and spec is not None:
            trouble = await self._serve(spec)
            if trouble is None and broker is not None:
                self._brokers[key] = broker["metadata"]["uid"]
            if trouble is not None:
                why = fails("FailedToServe", str(trouble) or type(trouble).__name__)
                conditions.set("DependencyReady", why)
                conditions.sum_up(LIVING)
        elif spec is None and broker is not None and policies.pauses_unresolved:
            if self._served.pop(key, None) is not None:
                self._waiting.add(key)
                await self._plane.pause_trigger(*key)
        elif broker is None or spec is None:
            await self._withdraw(key)
        elif key in self._served and not policies.changes_when_ready_again:
            self._served[key] = spec
        status["conditions"] = policies.told_conditions(conditions.as_list())
        self.store.patch_status(TRIGGER, namespace, name, policies.told_status(before, status))
        # Only faults of Kafka are tried again; an unsupported filter stays unsupported.
        if trouble is not None and not isinstance(trouble, ValueError):
            raise trouble

    def _may_go(self, trigger: dict[str, Any]) -> bool:
        namespace = trigger["metadata"]["namespace"]
        has_broker = self.store.find(BROKER, namespace, trigger["spec"]["broker"]) is not None
        return has_broker or self._policies(namespace).deletes_without_broker

    def _broker_verdict(self, trigger: dict[str, Any], broker: dict[str, Any] | None) -> ConditionState:
        if broker is None or "deletionTimestamp" in broker["metadata"]:
            policies = self._policies(trigger["metadata"]["namespace"])
            return policies.without_broker(trigger["spec"]["broker"])
        if is_ready(broker):
            return TRUE
        ready = condition_of(broker)
        if not ready or ready["status"] == "Unknown":
            return unknown("BrokerNotReady", f'Broker "{broker["metadata"]["name"]}" is not ready yet')
        return fails(ready.get("reason") or "BrokerNotReady", ready.get("message") or "")

    def _resolve(
        self, trigger: dict[str, Any], broker: dict[str, Any] | None, conditions: Conditions, status: dict[str, Any]
    ) -> TriggerSpec | None:
        """Return what the data plane needs, or None when something is missing; the conditions say what."""
        namespace, name = trigger["metadata"]["namespace"], trigger["metadata"]["name"]
        policies = self._policies(namespace)
        annotations = trigger["metadata"].get("annotations") or {}
        order = annotations.get(ORDER, "unordered")
        is_ordered = policies.is_ordered(order)
        if is_ordered is not None:
            conditions.set("DependencyReady", TRUE)
        else:
            why = f"invalid annotation {ORDER} value: {order}. Allowed values [ordered | unordered]"
            conditions.set("DependencyReady", fails("InvalidDeliveryOrder", why))
        try:
            status["subscriberUri"] = policies.resolve(self.store, trigger["spec"]["subscriber"], namespace)
            status |= policies.told_authorities("subscriberCACerts", authorities_of(trigger["spec"]["subscriber"]))
            conditions.set("SubscriberResolved", TRUE)
        except UnresolvedDestinationError as error:
            why = f"unable to get the Subscriber's URI: {error}"
            conditions.set("SubscriberResolved", fails(error.reason, why))
        delivery = policies.effective_delivery(
            trigger["spec"].get("delivery"), ((broker or {}).get("spec") or {}).get("delivery")
        )
        sink = None
        conditions.set("DeadLetterSinkResolved", NO_SINK)
        if delivery.get("deadLetterSink"):
            try:
                sink = policies.resolve(self.store, delivery["deadLetterSink"], namespace)
                status |= policies.told_dead_letter_sink(sink)
                status |= policies.told_authorities("deadLetterSinkCACerts", authorities_of(delivery["deadLetterSink"]))
                conditions.set("DeadLetterSinkResolved", TRUE)
            except UnresolvedDestinationError as error:
                why = f"unable to get the dead letter sink's URI: {error}"
                conditions.set("DeadLetterSinkResolved", fails(error.reason, why))
        if broker is None:
            return None
        group = f"knative-trigger-{namespace}-{name}"
        if is_opaque(broker):
            group = f"reader-{trigger['metadata']['uid']}"
        else:
            status["annotations"] = {"group.id": policies.annotated_group(group, annotations.get(ORDER, ""))}
        if "subscriberUri" not in status:
            return None
        filters = trigger["spec"].get("filters")
        return TriggerSpec(
            namespace=namespace,
            name=name,
            broker=trigger["spec"]["broker"],
            topic=topic_name(broker, policies)[0],
            group=group,
            subscriber=status["subscriberUri"],
            filter=trigger["spec"].get("filter"),
            filters=None if filters is None else tuple(filters),
            delivery=delivery,
            dead_letter=sink,
            subscriber_authorities=authorities_of(trigger["spec"]["subscriber"]),
            dead_letter_authorities=authorities_of(delivery.get("deadLetterSink") or {}),
            ordered=bool(is_ordered),
            policies=self._plane_policies(namespace),
        )

    async def _serve(self, spec: TriggerSpec) -> Exception | None:
        """Make the data plane serve a Trigger as it is now; return the fault, if there is one."""
        key = (spec.namespace, spec.name)
        before = self._served.get(key)
        policies = self._policies(spec.namespace)
        if before is not None:
            spec = policies.changed_trigger(before, spec)
        if before == spec:
            return None
        try:
            serve = policies.serve_trigger if before is None else policies.change_trigger
            await serve(self._plane, spec)
        except Exception as error:  # noqa: BLE001 -- it goes into the status, and is raised again from there
            return error
        self._served[key] = spec
        self._waiting.discard(key)
        return None

    async def _withdraw(self, key: Key) -> None:
        self._brokers.pop(key, None)
        was_served = self._served.pop(key, None) is not None
        if was_served or key in self._waiting:
            self._waiting.discard(key)
            await self._plane.remove_trigger(*key)

    async def _forget(self, key: Key) -> None:
        self._orphans.discard(key)
        self._labels.pop(key, None)
        if key in self._waiting:
            await self._withdraw(key)
        spec = self._served.get(key)
        if spec is None:
            return
        if self.store.find(BROKER, key[0], spec.broker) is None:
            await self._withdraw(key)
            return
        # A mutant may not forget a Trigger; the Trigger is then kept here, so that it ends with its Broker.
        if await self._policies(key[0]).forget_trigger(self._plane, *key):
            del self._served[key]
            self._brokers.pop(key, None)
