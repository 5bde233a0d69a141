"""Brokers: a topic, an address at the ingress, and the conditions of the real controller.

Class Kafka is the Kafka Broker's contract. Class Opaque is any other broker, as its users see it: it takes no
configuration, and neither a status nor a name tells which topic and which consumer groups serve it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded.api.resources import BROKER, CONFIGMAP, INFERENCESERVICE, NAMESPACE, SECRET, SERVICE, Resource
from embedded.api.store import Store
from embedded.controllers import parts
from embedded.controllers.conditions import TRUE, Conditions, ConditionState, fails, holds
from embedded.controllers.controller import Controller, RetryError, drop_finalizer, set_finalizer
from embedded.controllers.destinations import UnresolvedDestinationError, refers
from embedded.controllers.faults import FAULT, KAFKA_AWAY, KAFKA_BACK, ordered
from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.controllers.topics import KAFKA_HOST, Topics
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import BrokerSpec
from embedded.types import Composition, Key

CLASS = "eventing.knative.dev/broker.class"
KAFKA_CLASS = "Kafka"
OPAQUE_CLASS = "Opaque"
CLASSES = (KAFKA_CLASS, OPAQUE_CLASS)
OPAQUE_PARTITIONS = 3
EXTERNAL_TOPIC = "kafka.eventing.knative.dev/external.topic"
FINALIZER = "brokers.eventing.knative.dev"
DEFAULT_CONFIG = {"kind": "ConfigMap", "name": "kafka-broker-config", "namespace": "knative-eventing"}
PARTITIONS, REPLICATION, BOOTSTRAP = (
    "default.topic.partitions",
    "default.topic.replication.factor",
    "bootstrap.servers",
)
CREDENTIALS = "auth.secret.ref.name"
INGRESS = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local"
AUTHORIZATION_OFF = holds(
    "OIDCDisabled",
    'Feature "authentication-oidc" must be enabled to support Authorization',
)
LIVING = (
    "ConfigParsed",
    "DataPlaneAvailable",
    "TopicReady",
    "ConfigMapUpdated",
    "ProbeSucceeded",
    "Addressable",
    "EventPoliciesReady",
)


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The settings of a topic in a Broker's ConfigMap, whose data may hold more."""

    partitions: int
    replication: int
    bootstrap: str
    data: Mapping[str, str] = field(default_factory=dict)

    def annotations(self) -> dict[str, str]:
        """Return the annotations that copy the settings to the Broker's status."""
        return {PARTITIONS: str(self.partitions), REPLICATION: str(self.replication), BOOTSTRAP: self.bootstrap}


class ConfigError(Exception):
    """A fault in a Broker's configuration; the message names the part."""


class BrokerController(Controller):
    """The reconciler of Brokers of the known classes; those of another class are another controller's business."""

    resource = BROKER
    also = (CONFIGMAP, SECRET, SERVICE, INFERENCESERVICE, BROKER)

    def __init__(
        self,
        store: Store,
        plane: DataPlaneApi,
        topics: Topics,
        policies: Callable[[str], ControlPlanePolicies],
        plane_policies: Callable[[str], Composition[DataPlanePolicies]],
    ) -> None:
        super().__init__(store)
        self._plane, self._topics, self._policies, self._plane_policies = plane, topics, policies, plane_policies
        self._served: dict[Key, BrokerSpec] = {}
        self._cut_off: set[str] = set()
        """The namespaces whose Brokers find no Kafka, as a fault has it."""

    def concerned(self, resource: Resource, obj: dict[str, Any]) -> Iterable[Key]:
        """Yield the Brokers that a ConfigMap or Secret configures, and those whose dead letter sink is the object."""
        metadata = obj["metadata"]
        for broker in self.store.list(BROKER):
            key = (broker["metadata"]["namespace"], broker["metadata"]["name"])
            if resource is CONFIGMAP:
                reference = config_reference(broker)
                if (reference["namespace"], reference["name"]) == (metadata["namespace"], metadata["name"]):
                    yield key
            elif resource is SECRET:
                if (metadata["namespace"], metadata["name"]) == self._secret_of(broker):
                    yield key
            elif refers((broker["spec"].get("delivery") or {}).get("deadLetterSink"), key[0], resource, obj):
                yield key

    async def reconcile(self, namespace: str, name: str) -> None:
        """Reconcile one Broker."""
        broker = self.store.find(BROKER, namespace, name)
        if broker is None:
            await self._withdraw((namespace, name))
            return
        if "deletionTimestamp" in broker["metadata"]:
            await self._finish(broker)
            return
        if not self._policies(namespace).is_ours(class_of(broker), CLASSES):
            return
        obeyed = await self._obey(broker)
        if namespace in self._cut_off and obeyed and not self._policies(namespace).notices_outage:
            return  # like a controller that does not ask Kafka again as long as nothing of the Broker changes
        policies, before = self._policies(namespace), broker.get("status") or {}
        conditions = Conditions(before.get("conditions"))
        generation = policies.observed(BROKER, broker["metadata"]["generation"])
        status: dict[str, Any] = {"observedGeneration": generation}
        if obeyed:
            status["annotations"] = {FAULT: obeyed}
        broker = set_finalizer(self.store, BROKER, broker, FINALIZER)
        trouble: Exception | None = None
        try:
            await self._provide(broker, conditions, status)
        except RetryError as error:
            trouble = error
            status = _kept(before, status)
        for kind in LIVING:
            if kind not in {condition["type"] for condition in conditions.as_list()}:
                conditions.set(kind, ConditionState(status=None))
        conditions.sum_up(LIVING)
        status["conditions"] = policies.told_conditions(conditions.as_list())
        self.store.patch_status(BROKER, namespace, name, policies.told_status(before, status))
        if trouble and policies.retries_kafka:
            raise trouble

    async def _provide(self, broker: dict[str, Any], conditions: Conditions, status: dict[str, Any]) -> None:
        namespace, name = broker["metadata"]["namespace"], broker["metadata"]["name"]
        policies = self._policies(namespace)
        conditions.set("EventPoliciesReady", AUTHORIZATION_OFF)
        conditions.set("DataPlaneAvailable", TRUE)
        try:
            config = self._config(broker, policies.without_config())
            sink = (broker["spec"].get("delivery") or {}).get("deadLetterSink")
            if sink:
                status |= policies.told_dead_letter_sink(policies.resolve(self.store, sink, namespace))
        except UnresolvedDestinationError as error:
            conditions.set("ConfigParsed", fails("FailedToGetDeadLetterSink", str(error)))
            await self._withdraw((namespace, name))
            return
        except ConfigError as error:
            conditions.set("ConfigParsed", fails("FailedToResolveConfig", str(error)))
            await self._withdraw((namespace, name))
            return
        conditions.set("ConfigParsed", TRUE)
        self._check_owner(broker, conditions)
        topic, partitions = await self._topic(broker, config, conditions)
        if not partitions:
            await self._withdraw((namespace, name))
            return
        conditions.set("TopicReady", holds(f"Topic {topic} created"))
        parts.ensure(self.store, namespace)
        await self._serve(BrokerSpec(namespace, name, topic, partitions, policies=self._plane_policies(namespace)))
        conditions.set("ConfigMapUpdated", TRUE)
        conditions.set("ProbeSucceeded", TRUE)
        conditions.set("Addressable", TRUE)
        if not is_opaque(broker):
            told = policies.told_config(config.annotations(), config.data)
            named = {"default.topic": policies.annotated_topic(topic), **told}
            status["annotations"] = {**status.get("annotations", {}), **named}
        status |= policies.address_of_broker(f"{INGRESS}/{namespace}/{name}")

    async def _obey(self, broker: dict[str, Any]) -> str:
        """Make the fault that the Broker's annotation names, once, and say so in the status at once; return it.

        Raises:
            RetryError: Kafka cannot be taken away, or does not come back.
        """
        namespace, name = broker["metadata"]["namespace"], broker["metadata"]["name"]
        wanted, fault = ordered(broker)
        status = broker.get("status") or {}
        told = status.get("annotations") or {}
        if fault not in {"consumers", KAFKA_AWAY, KAFKA_BACK}:
            return ""
        if told.get(FAULT) == wanted:
            return wanted
        if fault == "consumers":
            await self._plane.rebalance(namespace, name)
        else:
            await self._topics.set_away(self._topic_name(broker)[0], away=fault == KAFKA_AWAY)
            self._cut(namespace, away=fault == KAFKA_AWAY)
        self.store.patch_status(BROKER, namespace, name, {**status, "annotations": {**told, FAULT: wanted}})
        return wanted

    def _cut(self, namespace: str, *, away: bool) -> None:
        """Let no Broker of a namespace find Kafka, or all of them find it again, and look at them."""
        (self._cut_off.add if away else self._cut_off.discard)(namespace)
        if not away and self._policies(namespace).retries_kafka:
            for other in self.store.list(BROKER, namespace):
                self._ask((namespace, other["metadata"]["name"]))

    async def _topic(self, broker: dict[str, Any], config: TopicConfig, conditions: Conditions) -> tuple[str, int]:
        """Return the name and the partition count of the Broker's topic, or ("", 0) when it cannot be used.

        Raises:
            RetryError: Kafka cannot create the topic, or does not show it yet.
        """
        if not self._topics.is_ours(config.bootstrap):
            why = self._topics.unreachable(config.bootstrap)
            conditions.set("TopicReady", fails("FailedToCreateTopic", why))
            return "", 0
        policies = self._policies(broker["metadata"]["namespace"])
        topic, external = topic_name(broker, policies)
        try:
            self._expect_kafka(broker)
            if not external or policies.makes_external_topic:
                await self._topics.create(topic, policies.partitions(config.partitions))
            partitions = await self._topics.partitions(topic)
        except RetryError as error:
            conditions.set("TopicReady", fails("FailedToCreateTopic", str(error)))
            raise
        if not partitions:
            why = f"topic {topic}: not present, or not visible yet"
            conditions.set("TopicReady", fails("TopicNotPresent", why))
            raise RetryError(why)
        return topic, partitions

    def _check_owner(self, broker: dict[str, Any], conditions: Conditions) -> None:
        """Refuse a topic that another Broker has: names of Brokers and namespaces may join to the same name of a topic.

        Raises:
            RetryError: Another Broker has it, and may give it up.
        """
        key = (broker["metadata"]["namespace"], broker["metadata"]["name"])
        topic, external = self._topic_name(broker)
        others = [
            f"{other[0]}/{other[1]}" for other, spec in self._served.items() if spec.topic == topic and other != key
        ]
        if external or not (owner := self._policies(key[0]).topic_owner(others)):
            return
        why = f"topic {topic} belongs to Broker {owner}: use another name for one of the two"
        conditions.set("TopicReady", fails("TopicOfAnotherBroker", why))
        raise RetryError(why)

    async def _serve(self, spec: BrokerSpec) -> None:
        key = (spec.namespace, spec.name)
        if self._served.get(key) == spec:
            return
        await self._withdraw(key)
        await self._policies(spec.namespace).serve_broker(self._plane, spec)
        self._served[key] = spec

    async def _withdraw(self, key: Key) -> None:
        if key in self._served:
            await self._plane.remove_broker(*key)
            del self._served[key]

    async def _finish(self, broker: dict[str, Any]) -> None:
        key = (broker["metadata"]["namespace"], broker["metadata"]["name"])
        if self._served.pop(key, None) is not None:
            await self._policies(key[0]).forget_broker(self._plane, *key)
        policies = self._policies(key[0])
        if policies.blocks_deletion(self._obstacle(broker)):
            return
        try:
            await self._delete_topic(broker)
        except RetryError:
            if policies.topic_before_finalizer:
                if policies.retries_kafka:
                    raise
                return
        drop_finalizer(self.store, BROKER, broker, FINALIZER)

    async def _delete_topic(self, broker: dict[str, Any]) -> None:
        """Delete the topic that was made for a Broker; one that never came so far left none.

        Raises:
            RetryError: Kafka cannot delete the topic now.
        """
        policies = self._policies(broker["metadata"]["namespace"])
        topic, external = self._topic_name(broker)
        made = bool((broker.get("status") or {}).get("address")) if is_opaque(broker) else _names_topic(broker)
        deletes = policies.deletes_external_topic if external else policies.deletes_topic
        if made and deletes:
            self._expect_kafka(broker)
            await self._topics.delete(topic)

    def _topic_name(self, broker: dict[str, Any]) -> tuple[str, bool]:
        return topic_name(broker, self._policies(broker["metadata"]["namespace"]))

    def _expect_kafka(self, broker: dict[str, Any]) -> None:
        if broker["metadata"]["namespace"] in self._cut_off:
            raise RetryError(f"Kafka does not answer: topic {self._topic_name(broker)[0]}")

    def _obstacle(self, broker: dict[str, Any]) -> str:
        """Return what stands between a Broker and its configuration: see `blocks_deletion`; empty where it has one."""
        namespace = self.store.find(NAMESPACE, None, broker["metadata"]["namespace"]) or {}
        if "deletionTimestamp" in namespace.get("metadata", {}):
            return "in a namespace that goes"
        if is_opaque(broker):
            return ""
        reference = config_reference(broker)
        if reference["kind"] != "ConfigMap":
            return "of another kind"
        try:
            source = self._config_map(reference)
        except ConfigError:
            return "missing"
        try:
            bootstrap = _read(*source).bootstrap
        except ConfigError:
            return "unreadable"
        if not self._topics.is_ours(bootstrap):
            return "unreachable"
        return "" if self._has_secret(self._secret_of(broker)) else "without its Secret"

    def _config(self, broker: dict[str, Any], fallback: Mapping[str, str] | None) -> TopicConfig:
        if is_opaque(broker):
            return TopicConfig(OPAQUE_PARTITIONS, 1, KAFKA_HOST)
        try:
            config = _read(*self._config_map(config_reference(broker)))
        except ConfigError:
            if fallback is None:
                raise
            config = _read("the defaults", fallback)
        if self._policies(broker["metadata"]["namespace"]).needs_secret:
            self._check_secret(self._secret_of(broker))
        return config

    def _secret_of(self, broker: dict[str, Any]) -> Key | None:
        """Return the namespace and name of the Secret that a Broker's configuration names for Kafka's credentials."""
        reference, policies = config_reference(broker), self._policies(broker["metadata"]["namespace"])
        config_map = self.store.find(CONFIGMAP, reference["namespace"], reference["name"]) or {}
        name: str | None = (config_map.get("data") or {}).get(CREDENTIALS)
        if name is None or not (name or policies.reads_empty_name):
            return None
        return reference["namespace"], name

    def _has_secret(self, secret: Key | None) -> bool:
        return secret is None or self.store.find(SECRET, *secret) is not None

    def _check_secret(self, secret: Key | None) -> None:
        """Refuse a configuration whose Secret is missing. What it says does not matter: this Kafka asks for nothing."""
        if secret is not None and not self._has_secret(secret):
            raise ConfigError(f'failed to get secret {secret[0]}/{secret[1]}: secret "{secret[1]}" not found')

    def _config_map(self, reference: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        if reference["kind"] != "ConfigMap":
            raise ConfigError(f"spec.config must refer to a ConfigMap, not to a {reference['kind']}")
        source = f"{reference['namespace']}/{reference['name']}"
        config_map = self.store.find(CONFIGMAP, reference["namespace"], reference["name"])
        if config_map is None:
            raise ConfigError(f'failed to get configmap {source}: configmap "{reference["name"]}" not found')
        return source, config_map.get("data") or {}


def _kept(before: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    """Return a status with what the one before it told: it is served as it was, and its topic is still its own."""
    annotations = {**(before.get("annotations") or {}), **(status.get("annotations") or {})}
    return {**before, **status, **({"annotations": annotations} if annotations else {})}


def config_reference(broker: dict[str, Any]) -> dict[str, str]:
    """Return `spec.config`, or the platform's default; a missing namespace is the Broker's own."""
    given: dict[str, str] | None = broker["spec"].get("config")
    reference = given or DEFAULT_CONFIG
    return {
        "kind": reference.get("kind") or "ConfigMap",
        "name": reference.get("name") or "",
        "namespace": reference.get("namespace") or broker["metadata"]["namespace"],
    }


def class_of(broker: dict[str, Any]) -> str:
    """Return the class of a Broker; empty where it names none."""
    return str((broker["metadata"].get("annotations") or {}).get(CLASS, ""))


def is_opaque(broker: dict[str, Any]) -> bool:
    """Tell whether a Broker is of the class that shows nothing of its storage."""
    return class_of(broker) == OPAQUE_CLASS


def _names_topic(broker: dict[str, Any]) -> bool:
    return "default.topic" in ((broker.get("status") or {}).get("annotations") or {})


def topic_name(broker: dict[str, Any], policies: ControlPlanePolicies) -> tuple[str, bool]:
    """Return the Broker's topic, and whether it is external (made by somebody else)."""
    metadata = broker["metadata"]
    if is_opaque(broker):
        return f"store-{metadata['uid']}", False
    external = policies.external_topic((metadata.get("annotations") or {}).get(EXTERNAL_TOPIC, ""))
    return (external, True) if external else (f"knative-broker-{metadata['namespace']}-{metadata['name']}", False)


def _read(source: str, data: Mapping[str, str]) -> TopicConfig:
    bootstrap = data.get(BOOTSTRAP, "").strip()
    if not bootstrap:
        raise ConfigError(f"unable to build topic config from configmap {source}: {BOOTSTRAP} is missing or empty")
    return TopicConfig(_positive(data, PARTITIONS, source), _positive(data, REPLICATION, source), bootstrap, data)


def _positive(data: Mapping[str, str], key: str, source: str) -> int:
    text = data.get(key, "").strip()
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(
            f"unable to build topic config from configmap {source}: {key} must be a positive number, not {text!r}"
        )
    return int(text)
