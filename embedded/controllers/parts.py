"""The pods of the Brokers' data plane, as a client of the API sees them: one of each part, for each namespace served.

The data plane runs inside the platform, so these pods stand for it: no process is behind them, and the node's agent
leaves them alone. To delete one ends that part for the Brokers of its namespace, and another one takes its place. With
a grace period of 0 the part is killed; else it may finish what it has in flight.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from embedded.api.resources import BROKER, POD, Resource
from embedded.api.store import Store, now
from embedded.controllers.controller import Controller, drop_finalizer
from embedded.controllers.policies import DataPlaneApi
from embedded.types import NODE_NAME, STAND_IN, Key

PLACE = "knative-eventing"
"""The namespace of the pods."""
SERVES = "touchstone.dev/serves"
"""The label that names the namespace whose Brokers a pod serves."""
APPS: Mapping[str, str] = {"dispatcher": "kafka-broker-dispatcher", "ingress": "kafka-broker-receiver"}
"""The label `app` that the Kafka Broker's pods have, by part."""
FINALIZER = "touchstone.dev/data-plane"


class PartController(Controller):
    """The reconciler of these pods."""

    resource = POD
    also = (BROKER,)

    def __init__(self, store: Store, plane: DataPlaneApi) -> None:
        super().__init__(store)
        self._plane = plane

    def concerned(self, resource: Resource, obj: dict[str, Any]) -> Iterable[Key]:  # noqa: ARG002 -- it is a Broker
        """Yield the pods that serve a Broker's namespace."""
        return [(PLACE, _name(part, obj["metadata"]["namespace"])) for part in APPS]

    async def reconcile(self, namespace: str, name: str) -> None:
        """Have the pod exist exactly as long as there are Brokers that it serves."""
        served = _served(name) if namespace == PLACE else None
        if served is None:
            return
        brokers = self.store.list(BROKER, served[1])
        pod = self.store.find(POD, namespace, name)
        if pod is not None and STAND_IN not in (pod["metadata"].get("labels") or {}):
            return
        if pod is not None and "deletionTimestamp" in pod["metadata"]:
            grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
            for broker in brokers:
                await self._end(served[0], served[1], broker["metadata"]["name"], grace)
            drop_finalizer(self.store, POD, pod, FINALIZER)
            pod = None
        if pod is None and brokers:
            _make(self.store, *served)
        elif pod is not None and not brokers:
            drop_finalizer(self.store, POD, pod, FINALIZER)
            self.store.delete(POD, namespace, name)

    async def _end(self, part: str, namespace: str, broker: str, grace: float) -> None:
        match part, grace > 0:
            case "dispatcher", True:
                await self._plane.end_dispatcher(namespace, broker, grace)
            case "dispatcher", _:
                await self._plane.kill_dispatcher(namespace, broker)
            case _, True:
                await self._plane.end_ingress(namespace, broker, grace)
            case _:
                await self._plane.kill_ingress(namespace, broker)

    def note_death(self, namespace: str, part: str) -> None:
        """Count that a part ended by itself, and was started again in its pod."""
        name = _name(part, namespace)
        pod = self.store.find(POD, PLACE, name)
        if pod is not None:
            restarts = pod["status"]["containerStatuses"][0]["restartCount"] + 1
            self.store.patch_status(POD, PLACE, name, _status(part, restarts))


def ensure(store: Store, namespace: str) -> None:
    """Make the pods of a namespace that has a Broker, where they are not there yet."""
    for part in APPS:
        if store.find(POD, PLACE, _name(part, namespace)) is None:
            _make(store, part, namespace)


def _make(store: Store, part: str, namespace: str) -> None:
    labels, name = {"app": APPS[part], SERVES: namespace, STAND_IN: "true"}, _name(part, namespace)
    metadata = {"name": name, "namespace": PLACE, "labels": labels, "finalizers": [FINALIZER]}
    spec = {"nodeName": NODE_NAME, "containers": [{"name": APPS[part], "image": APPS[part]}]}
    store.create(POD, {"metadata": metadata, "spec": spec})
    store.patch_status(POD, PLACE, name, _status(part, 0))


def _status(part: str, restarts: int) -> dict[str, Any]:
    died = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": now()}} if restarts else {}
    container = {
        "name": APPS[part],
        "image": APPS[part],
        "imageID": "",
        "ready": True,
        "started": True,
        "restartCount": restarts,
        "state": {"running": {"startedAt": now()}},
        "lastState": died,
    }
    ready = [{"type": kind, "status": "True", "lastTransitionTime": now()} for kind in ("ContainersReady", "Ready")]
    return {"phase": "Running", "conditions": ready, "containerStatuses": [container]}


def _name(part: str, namespace: str) -> str:
    return f"{APPS[part]}-{namespace}"


def _served(name: str) -> tuple[str, str] | None:
    """Return the part and the namespace that a pod serves, as its name says; None for any other pod."""
    return next(
        ((part, name.removeprefix(f"{app}-")) for part, app in APPS.items() if name.startswith(f"{app}-")), None
    )
