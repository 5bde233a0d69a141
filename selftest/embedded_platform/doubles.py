"""All controllers on a store, with a data plane, topics and streams that only note what they are told."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from embedded.agents import AgentSpec
from embedded.api.resources import (
    BROKER,
    CONFIGMAP,
    NAMESPACE,
    POD,
    TRIGGER,
    Resource,
)
from embedded.api.store import Store
from embedded.controllers.agents import Agents
from embedded.controllers.broker import BrokerController
from embedded.controllers.conditions import is_ready
from embedded.controllers.controller import RetryError
from embedded.controllers.deployment import DeploymentController
from embedded.controllers.inferenceservice import InferenceServiceController
from embedded.controllers.parts import PartController
from embedded.controllers.seldondeployment import SeldonDeploymentController
from embedded.controllers.topics import KAFKA_HOST, Topics
from embedded.controllers.trigger import TriggerController
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.mutants.selection import LABEL, Selection
from embedded.streaming.specs import StreamSpec
from embedded.types import Endpoint

URI = "http://sink.example.com/"
KAFKA = {"eventing.knative.dev/broker.class": "Kafka"}
CONFIG = {
    "default.topic.partitions": "10",
    "default.topic.replication.factor": "1",
    "bootstrap.servers": f"{KAFKA_HOST}:9092",
}
REFERENCE = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kafka-broker-config", "namespace": "knative-eventing"}


class Plane:
    """A data plane that notes what it is told."""

    def __init__(self) -> None:
        self.brokers: dict[tuple[str, str], BrokerSpec] = {}
        self.triggers: dict[tuple[str, str], TriggerSpec] = {}
        self.removed: list[tuple[str, str]] = []
        self.paused: list[tuple[str, str]] = []
        self.faults: list[tuple[str, str, str]] = []

    async def add_broker(self, spec: BrokerSpec) -> None:
        """Note it."""
        self.brokers[spec.namespace, spec.name] = spec

    async def remove_broker(self, namespace: str, name: str) -> None:
        """Note it."""
        del self.brokers[namespace, name]

    async def add_trigger(self, spec: TriggerSpec) -> None:
        """Note it, or refuse what it filters by."""
        if spec.filter and "unsupported" in (spec.filter.get("attributes") or {}):
            raise ValueError("no such filter")
        self.triggers[spec.namespace, spec.name] = spec

    async def pause_trigger(self, namespace: str, name: str) -> None:
        """Note it."""
        self.paused.append((namespace, name))

    async def remove_trigger(self, namespace: str, name: str) -> None:
        """Note it."""
        del self.triggers[namespace, name]
        self.removed.append((namespace, name))

    async def kill_dispatcher(self, namespace: str, broker: str) -> None:
        """Note it."""
        self.faults.append(("dispatcher", namespace, broker))

    async def kill_ingress(self, namespace: str, broker: str) -> None:
        """Note it."""
        self.faults.append(("ingress", namespace, broker))

    async def end_dispatcher(self, namespace: str, broker: str, grace: float) -> None:
        """Note it."""
        self.faults.append((f"dispatcher in {grace:g} s", namespace, broker))

    async def end_ingress(self, namespace: str, broker: str, grace: float) -> None:
        """Note it."""
        self.faults.append((f"ingress in {grace:g} s", namespace, broker))

    async def rebalance(self, namespace: str, broker: str) -> None:
        """Note it."""
        self.faults.append(("consumers", namespace, broker))


class KafkaTopics(Topics):
    """Topics in a dictionary."""

    def __init__(self) -> None:
        self.made: dict[str, int] = {}
        self.went: list[tuple[str, bool]] = []
        self.refused: list[tuple[str, bool]] = []

    async def set_away(self, name: str, *, away: bool) -> None:
        """Note it."""
        self.went.append((name, away))

    async def set_refusing(self, name: str, *, refusing: bool) -> None:
        """Note it."""
        self.refused.append((name, refusing))

    def is_ours(self, bootstrap: str) -> bool:
        """Only the documented address is."""
        return bootstrap == f"{KAFKA_HOST}:9092"

    async def create(self, name: str, partitions: int) -> None:
        """Make it, once."""
        self.made.setdefault(name, partitions)

    async def delete(self, name: str) -> None:
        """Drop it."""
        self.made.pop(name, None)

    async def partitions(self, name: str) -> int:
        """0 when there is none."""
        return self.made.get(name, 0)


class Stream:
    """A stream server that is only started and stopped."""

    running: dict[tuple[str, str], StreamSpec] = {}  # noqa: RUF012 -- emptied by the fixture
    started: list[StreamSpec] = []  # noqa: RUF012 -- emptied by the fixture
    stopped: list[StreamSpec] = []  # noqa: RUF012 -- emptied by the fixture
    killed: list[str] = []  # noqa: RUF012 -- emptied by the fixture

    def __init__(self, spec: StreamSpec) -> None:
        self.spec = spec

    async def start(self) -> None:
        """Run, or be refused."""
        if self.spec.input_topic == "refused":
            raise RetryError("not authorised")
        self.running[self.spec.namespace, self.spec.deployment] = self.spec
        self.started.append(self.spec)

    async def stop(self) -> None:
        """Run no more."""
        self.running.pop((self.spec.namespace, self.spec.deployment), None)
        self.stopped.append(self.spec)

    @classmethod
    def at_work(cls) -> list[StreamSpec]:
        """Return the specifications of those that run."""
        return [spec for spec in cls.started if all(spec is not other for other in cls.stopped)]

    def lose_kafka(self) -> None:
        """Take note that Kafka goes away."""

    def kill(self, stage: str) -> "asyncio.Future[None]":
        """Die, and be there again at once."""
        self.killed.append(stage)
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        over.set_result(None)
        return over


class Agent:
    """An agent that notes what it stands before."""

    running: ClassVar[list[AgentSpec]] = []

    def __init__(self, spec: AgentSpec) -> None:
        self._spec = spec

    async def start(self) -> None:
        """Note it."""
        self.running.append(self._spec)

    async def stop(self) -> None:
        """Note it."""
        self.running.remove(self._spec)


class Cluster:
    """All controllers on one store."""

    def __init__(self) -> None:
        self.store, self.plane, self.topics = Store(), Plane(), KafkaTopics()
        selection = Selection(self.store)
        Agent.running.clear()
        Stream.running.clear()
        Stream.killed.clear()
        Stream.started.clear()
        Stream.stopped.clear()

        turns, self._addresses = itertools.count(), itertools.count(3)

        def resolve(host: str, port: int) -> Endpoint:
            namespace = host.split(".")[1]
            found = [pod["status"]["podIP"] for pod in self.store.list(POD, namespace) if is_ready(pod)]
            return Endpoint(found[next(turns) % len(found)], port, host)

        self.parts = PartController(self.store, self.plane)
        self.agents = Agents(self.store, Agent, selection.agents)
        self.controllers = [
            self.parts,
            BrokerController(self.store, self.plane, self.topics, selection.control_plane, selection.data_plane),
            TriggerController(self.store, self.plane, selection.control_plane, selection.data_plane),
            DeploymentController(self.store),
            InferenceServiceController(self.store, self.topics, self.agents, selection.control_plane),
            SeldonDeploymentController(self.store, Stream, self.topics, resolve, selection),
        ]
        for name in ("knative-eventing", "ns"):
            self.store.create(NAMESPACE, {"metadata": {"name": name}})
        self.create(CONFIGMAP, "kafka-broker-config", "knative-eventing", data=CONFIG)

    def create(self, resource: Resource, name: str, namespace: str = "ns", **parts: Any) -> dict[str, Any]:
        """Create an object; `parts` are its top-level fields, and its annotations."""
        metadata = {"name": name, "namespace": namespace, "annotations": parts.pop("annotations", {})}
        return self.store.create(resource, {"metadata": metadata, **parts})

    def config(self, namespace: str, changes: dict[str, str]) -> dict[str, str]:
        """Create a configuration of Brokers of its own, with changes; return the reference to it."""
        self.create(CONFIGMAP, "own", namespace, data={**CONFIG, **changes})
        return {**REFERENCE, "name": "own", "namespace": namespace}

    def broker(self, namespace: str = "ns", annotations: Any = None, **spec: Any) -> None:
        """Create a Broker."""
        spec = {"config": REFERENCE, **spec}
        self.create(BROKER, "broker", namespace, annotations={**KAFKA, **(annotations or {})}, spec=spec)

    def trigger(self, name: str = "trigger", namespace: str = "ns", annotations: Any = None, **spec: Any) -> None:
        """Create a Trigger."""
        spec = {"broker": "broker", "subscriber": {"uri": URI}, **spec}
        self.create(TRIGGER, name, namespace, annotations=annotations or {}, spec=spec)

    def faulty(self, mutant: str) -> str:
        """Return a namespace with a mutant, or several: `a.b`."""
        self.store.create(NAMESPACE, {"metadata": {"name": "faulty", "labels": {LABEL: mutant}}})
        return "faulty"

    async def until(
        self, resource: Resource, name: str, check: Callable[[dict[str, Any]], Any], namespace: str = "ns"
    ) -> dict[str, Any]:
        """Return the object's status, with its conditions by type, once `check` of it is true."""
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(60), self.store.watch([resource]) as changes:
                async for _, _, obj in changes:
                    if (obj["metadata"]["namespace"], obj["metadata"]["name"]) == (namespace, name):
                        status = dict(obj.get("status") or {})
                        status["conditions"] = {c["type"]: c for c in status.get("conditions") or ()}
                        if check(status):
                            return status
        except TimeoutError:
            pytest.fail(f"{resource.kind} {name} did not come so far; its status: {status}")
        raise AssertionError("a watch ends with its reader")

    async def lose_broker(self, namespace: str = "ns") -> None:
        """Make a Broker and a Trigger that is Ready, and delete the Broker; return once it is gone."""
        self.broker(namespace)
        self.trigger(namespace=namespace)
        await self.until(TRIGGER, "trigger", is_true(), namespace)
        self.store.delete(BROKER, namespace, "broker")
        await self.gone(BROKER, "broker", namespace)

    async def gone(self, resource: Resource, name: str, namespace: str = "ns") -> None:
        """Return once the object is gone."""
        async with asyncio.timeout(60), self.store.watch([resource]) as changes:
            if self.store.find(resource, namespace, name) is None:
                return
            async for change, _, obj in changes:
                if change == "DELETED" and obj["metadata"]["name"] == name:
                    return

    def pods_are_ready(self, namespace: str = "ns", labels: dict[str, str] | None = None) -> int:
        """Say that all pods of a namespace run, or those with some labels, as the node's agent would."""
        pods = self.store.list(POD, namespace, labels)
        for pod in pods:
            address = (pod.get("status") or {}).get("podIP") or f"127.1.2.{next(self._addresses)}"
            conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
            status = {"phase": "Running", "podIP": address, "conditions": conditions}
            self.store.patch_status(POD, namespace, pod["metadata"]["name"], status)
        return len(pods)


async def eventually(check: Callable[[], Any]) -> None:
    """Let everybody else work until `check` is true."""
    async with asyncio.timeout(60):
        while not check():  # noqa: ASYNC110 -- some of what is looked at gives no sign
            await asyncio.sleep(0)


def says(status: dict[str, Any], kind: str = "Ready") -> tuple[str, str]:
    """Return a condition's status and reason."""
    condition = status["conditions"].get(kind, {})
    return condition.get("status", ""), condition.get("reason", "")


def is_true(kind: str = "Ready") -> Callable[[dict[str, Any]], bool]:
    return lambda status: says(status, kind)[0] == "True"


def is_false(kind: str = "Ready") -> Callable[[dict[str, Any]], bool]:
    return lambda status: says(status, kind)[0] == "False"
