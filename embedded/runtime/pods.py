"""The node's agent: it runs the pods of the store as processes and keeps their status up to date.

A pod is started when it appears and stopped when it gets a deletionTimestamp; a finalizer holds it in the store until
its processes are gone. Controllers make the pods.
"""

import asyncio
import contextlib
import logging
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from embedded.api import errors
from embedded.api.remotecommand import ExecQuery, Execution
from embedded.api.resources import CONFIGMAP, POD, SECRET, SERVICE
from embedded.api.store import Store, now
from embedded.api.streams import LogQuery
from embedded.runtime.addresses import Addresses
from embedded.runtime.containers import Backoff, Container, ContainerPlan, RestartPolicy
from embedded.runtime.environment import Names, launch, still_true
from embedded.runtime.events import Recorder
from embedded.runtime.execution import execute
from embedded.runtime.image_folders import Image
from embedded.runtime.images import Images
from embedded.runtime.installing import Progress
from embedded.runtime.logs import ContainerLog
from embedded.runtime.names import ClusterNames
from embedded.runtime.probes import probe_of
from embedded.runtime.pulling import expect_allowed
from embedded.runtime.volumes import Volumes
from embedded.runtime.warm import ForkServers
from embedded.types import NODE_NAME, STAND_IN

FINALIZER = "touchstone.dev/processes"
DEFAULT_GRACE = 30.0

_log = logging.getLogger(__name__)


class RunningPod:
    """One pod: its address and its containers."""

    def __init__(self, obj: dict[str, Any], address: str, folder: Path, agent: "Kubelet") -> None:
        self.volumes = Volumes(obj, address, agent.volumes / folder.name, agent.store)
        self._metadata, self.spec, self.address, self._agent = obj["metadata"], obj["spec"], address, agent
        self.labels: Mapping[str, str] = self._metadata.get("labels") or {}
        self._started = now()
        self._conditions: dict[str, dict[str, Any]] = {}
        self.stopping: asyncio.Task[None] | None = None
        self._was_ready = False
        self.grace = float(self.spec.get("terminationGracePeriodSeconds") or DEFAULT_GRACE)
        self.containers = {
            container["name"]: Container(
                self._plan(obj, container), ContainerLog(folder / container["name"]), self.report
            )
            for container in self.spec["containers"]
        }

    @property
    def key(self) -> tuple[str, str]:
        """The namespace and the name of the pod."""
        return self._metadata["namespace"], self._metadata["name"]

    @property
    def uid(self) -> str:
        """The UID of the Pod object; a later pod of the same name has another."""
        return str(self._metadata["uid"])

    @property
    def ready(self) -> bool:
        """True if the pod may get requests."""
        return self.stopping is None and all(container.ready for container in self.containers.values())

    @property
    def going(self) -> bool:
        """True if the pod is being stopped."""
        return self.stopping is not None

    def report(self) -> None:
        """Write the status into the store, and tell the agent when readiness changed."""
        self._agent.store.patch_status(POD, *self.key, self._status())
        if self.ready != self._was_ready:
            self._was_ready = self.ready
            self._agent.changed()

    async def stop(self, grace: float) -> None:
        """End all containers; return when no process is left."""
        await asyncio.gather(*(container.stop(grace) for container in self.containers.values()))

    def _plan(self, obj: dict[str, Any], container: Mapping[str, Any]) -> ContainerPlan:
        agent = self._agent

        def resolve_image() -> Image:
            expect_allowed(container["image"], obj, agent.store)
            return agent.images.resolve(container["image"])

        async def build(image: Image) -> None:
            await agent.images.build(image, agent.progress)

        return ContainerPlan(
            name=container["name"],
            reference=container["image"],
            resolve_image=resolve_image,
            build=build,
            launch=lambda image: launch(
                obj,
                container,
                image=image,
                python_environment=agent.images.environment(image),
                pod_ip=self.address,
                store=agent.store,
                names=Names(agent.names.address, agent.names.exists),
                mounts=self.volumes.mounts(container, image.folders),
            ),
            probe=lambda image, launched: probe_of(container, image, launched, self.address),
            leads=agent.fork_servers.leads,
            record_event=lambda reason, message: agent.events.record(
                obj, reason, message, f"spec.containers{{{container['name']}}}"
            ),
            policy=RestartPolicy(self.spec.get("restartPolicy") or "Always"),
            backoff=agent.backoff,
        )

    def _status(self) -> dict[str, Any]:
        containers = list(self.containers.values())
        trouble = "; ".join(container.trouble for container in containers if container.trouble)
        unready = [container.plan.name for container in containers if not container.ready]
        finished = [container.finished for container in containers]
        if all(code == 0 for code in finished):
            phase = "Succeeded"
        elif all(code is not None for code in finished):
            phase = "Failed"
        else:
            started = any(container.pid is not None or container.status()["lastState"] for container in containers)
            phase = "Running" if started else "Pending"
        why = f"containers with unready status: [{' '.join(unready)}]" + (f": {trouble}" if trouble else "")
        reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")
        status: dict[str, Any] = {
            "phase": phase,
            "conditions": [
                self._condition("PodScheduled", holds=True),
                self._condition("Initialized", holds=True),
                self._condition("ContainersReady", holds=not unready, reason=reason, message=why),
                self._condition("Ready", holds=not unready, reason=reason, message=why),
            ],
            "hostIP": "127.0.0.1",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._started,
            "containerStatuses": [container.status() for container in containers],
            "qosClass": "BestEffort",
        }
        if trouble:
            status["message"] = trouble
        return status

    def _condition(self, kind: str, *, holds: bool, reason: str = "", message: str = "") -> dict[str, Any]:
        status = "True" if holds else "False"
        before = self._conditions.get(kind)
        since = before["lastTransitionTime"] if before and before["status"] == status else now()
        condition = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
        if not holds:
            condition |= {"reason": reason, "message": message}
        self._conditions[kind] = condition
        return condition


class Kubelet:
    """The node's agent. `run` works until cancelled; `stop` ends all processes."""

    def __init__(
        self,
        store: Store,
        images: Images,
        addresses: Addresses,
        *,
        state: Path,
        progress: Progress,
        backoff: Backoff | None = None,
    ) -> None:
        self.store, self.images, self.progress = store, images, progress
        self.backoff = backoff or Backoff()
        self.names = ClusterNames(store, self.pods)
        self.events = Recorder(store, "kubelet", NODE_NAME)
        self.fork_servers = ForkServers()
        self.volumes = state / "volumes"
        shutil.rmtree(self.volumes, ignore_errors=True)  # left by a platform that was killed
        self._addresses, self._logs = addresses, state / "logs"
        self._pods: dict[tuple[str, str], RunningPod] = {}
        self._by_namespace: defaultdict[str, dict[str, RunningPod]] = defaultdict(dict)
        self._check_names: asyncio.Handle | None = None
        self._stopping = False

    def pods(self, namespace: str) -> Iterable[RunningPod]:
        """Return the pods of a namespace that have an address."""
        return self._by_namespace.get(namespace, {}).values()

    async def run(self) -> None:
        """Follow the store until cancelled."""
        async with self.store.watch([POD, SERVICE, CONFIGMAP, SECRET]) as changes:
            async for change, resource, obj in changes:
                if resource is POD:
                    self._follow(change, obj)
                    continue
                if resource is not SERVICE and not self._stopping:
                    for pod in self.pods(obj["metadata"]["namespace"]):
                        if not pod.going:
                            pod.volumes.refresh()
                self.changed()

    async def stop(self, grace: float) -> None:
        """End every process: SIGTERM to all, SIGKILL after `grace` seconds. No pod is started any more."""
        self._stopping = True
        await asyncio.gather(*(self._stopped(pod, grace) for pod in self._pods.values()))
        await self.fork_servers.stop()

    def changed(self) -> None:
        """Check all pods soon, once: something changed that names lead to, or that a container may be waiting for."""
        if self._check_names is None:
            self._check_names = asyncio.get_running_loop().call_soon(self._look)

    async def logs(self, namespace: str, name: str, query: LogQuery) -> AsyncIterator[bytes]:
        """Yield what a container wrote.

        Raises:
            ApiError: The log is not available; the text is the real API's (400).
        """
        pod, container = self._pods.get((namespace, name)), query.container
        if pod is None:
            raise errors.bad_request(f'the pod "{name}" has not been started')
        if container not in pod.containers:
            raise errors.bad_request(f"container {container} is not valid for pod {name}")
        log = pod.containers[container].log
        run = log.previous if query.previous else log.current
        if run is None:
            if query.previous:
                raise errors.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
            waiting = pod.containers[container].status()["state"].get("waiting", {})
            why = waiting.get("reason", "ContainerCreating")
            raise errors.bad_request(
                f'container "{container}" in pod "{name}" is waiting to start: {waiting.get("message") or why}'
            )
        start = 0 if query.since is None else run.since(query.since)
        if query.follow:
            async for chunk in run.follow(query.tail, start):
                yield chunk
        else:
            yield run.tail(query.tail, start)

    async def execute(self, namespace: str, name: str, query: ExecQuery) -> Execution:
        """Start a command in a container.

        Raises:
            ApiError: The container does not run, or has no such command; the text is a kubelet's.
        """
        pod = self._pods.get((namespace, name))
        container = pod.containers.get(query.container) if pod else None
        return await execute(container, Names(self.names.address, self.names.exists), query)

    # From the store to processes.

    def _follow(self, change: str, obj: dict[str, Any]) -> None:
        metadata = obj["metadata"]
        if STAND_IN in (metadata.get("labels") or {}):
            return
        key = (metadata["namespace"], metadata["name"])
        pod = self._pods.get(key)
        going = change == "DELETED" or "deletionTimestamp" in metadata
        if pod is not None and (going or pod.uid != metadata["uid"]):
            self._end(pod)
        elif pod is None and not going and not self._stopping:
            self._start(key, obj)
        elif pod is None and "deletionTimestamp" in metadata and change != "DELETED":
            self._release(key, metadata["uid"])

    def _start(self, key: tuple[str, str], obj: dict[str, Any]) -> None:
        current = self.store.find(POD, *key)
        if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
            return
        if "deletionTimestamp" in current["metadata"]:
            return
        finalizers = current["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            current["metadata"]["finalizers"] = [*finalizers, FINALIZER]
            current["spec"].setdefault("nodeName", NODE_NAME)
            current = self.store.update(POD, current)
        # The successor of a pod (of the same Deployment) gets its address, so that configured addresses stay valid.
        owners = current["metadata"].get("ownerReferences") or [{"name": key[1]}]
        address = self._addresses.allocate(f"{key[0]}/{owners[0]['name']}")
        folder = self._logs / key[0] / f"{key[1]}-{current['metadata']['uid'][:8]}"
        pod = RunningPod(current, address, folder, self)
        self._pods[key] = pod
        self._by_namespace[key[0]][key[1]] = pod
        pod.report()
        self.changed()

    def _end(self, pod: RunningPod) -> None:
        if pod.stopping is None:
            pod.stopping = asyncio.create_task(self._stopped(pod, pod.grace))
            pod.stopping.add_done_callback(_report_crash)
            self.changed()

    async def _stopped(self, pod: RunningPod, grace: float) -> None:
        await pod.stop(grace)
        await asyncio.to_thread(pod.volumes.remove)
        if self._pods.get(pod.key) is not pod:
            return
        if not self._stopping:
            for container in pod.containers.values():
                container.log.remove()
        del self._pods[pod.key]
        self._by_namespace[pod.key[0]].pop(pod.key[1])
        self._addresses.release(pod.address)
        self._release(pod.key, pod.uid)
        successor = self.store.find(POD, *pod.key)
        if successor and successor["metadata"]["uid"] != pod.uid and not self._stopping:
            self._start(pod.key, successor)

    def _release(self, key: tuple[str, str], uid: str) -> None:
        """Remove our finalizer from a pod whose processes are gone, so that the store deletes it."""
        obj = self.store.find(POD, *key)
        if obj is None or obj["metadata"]["uid"] != uid:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            obj["metadata"]["finalizers"] = [name for name in finalizers if name != FINALIZER]
            self.store.update(POD, obj)

    def _look(self) -> None:
        self._check_names = None
        for pod in list(self._pods.values()):
            for container in pod.containers.values():
                container.retry()
                if container.launched and not still_true(container.launched, self.names.address):
                    container.replace()


def _report_crash(task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        error = task.exception()
        if error is not None:
            _log.error("stopping a pod failed", exc_info=error)
