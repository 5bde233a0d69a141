"""The embedded platform, whole: composes its parts, brings them up in order and ends them in the opposite one."""

import asyncio
import logging
import os
import re
import tomllib
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from embedded import cluster, kafka, mutants
from embedded.api.resources import NAMESPACE
from embedded.api.server import ApiServer
from embedded.api.store import Store
from embedded.controllers.admission import Admission
from embedded.controllers.broker import BrokerController
from embedded.controllers.deployment import DeploymentController
from embedded.controllers.inferenceservice import InferenceServiceController
from embedded.controllers.policies import HONEST, MUTANT_LABEL, Policies
from embedded.controllers.seldondeployment import SeldonDeploymentController
from embedded.controllers.topics import Topics
from embedded.controllers.trigger import TriggerController
from embedded.dataplane import DataPlane
from embedded.mutants.control_plane import CONTROL_PLANE
from embedded.runtime.addresses import Addresses
from embedded.runtime.admin import Admin
from embedded.runtime.gateway import Gateway
from embedded.runtime.images import Images, Progress
from embedded.runtime.pods import Kubelet
from embedded.runtime.web import LOOPBACK, PortTakenError
from embedded.streaming import StreamServer
from embedded.types import KafkaSettings, StreamSpec

PROJECT = Path(__file__).resolve().parents[1]
POD_GRACE = 1.0
"""Seconds that pods get to end by themselves when the whole platform stops."""
REPORTED_PACKAGES = ("kserve", "cloudevents", "confluent-kafka")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How to bring the platform up. Port 0 takes any free one."""

    state: Path
    kafka: str = "mock"
    images: Path = PROJECT / "images"
    cache: Path = PROJECT / ".touchstone"
    api_port: int = 0
    broker_port: int = 0
    inference_port: int = 0
    resolver_port: int = 0
    build_images: bool = True


class Platform:
    """One platform. `start` once, `stop` always, also after a `start` that failed or was cancelled."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._options, self._progress = options, progress
        self._stack = AsyncExitStack()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Says so when a part that everything stands on is gone."""

    async def start(self) -> dict[str, Any]:
        """Bring everything up; returns what others need to reach it (the info file's content).

        Raises:
            PortTakenError, KafkaError, ImageError, NoAddressError: a text for the person who started it.
        """
        options, keep = self._options, self._stack
        addresses = Addresses()
        keep.callback(addresses.close)
        images = Images(options.images, options.cache)
        keep.push_async_callback(images.close)
        if options.build_images:
            await build_all(images, self._progress)
        self._progress(f"starting Kafka ({options.kafka})")
        running = await kafka.start(options.kafka, options.state)
        keep.push_async_callback(running.stop)
        settings = KafkaSettings(
            running.bootstrap, running.kind, running.create_topic, running.delete_topic, running.client
        )

        store = Store()
        kubelet = Kubelet(store, images, addresses, state=options.state, progress=self._progress)
        names = kubelet.names
        plane = DataPlane(settings, names.resolve)
        broker_url = await listening(
            plane.start(LOOPBACK, options.broker_port), options.broker_port, "the broker ingress", "--broker-port"
        )
        keep.push_async_callback(plane.stop)
        gateway = Gateway(store, names.resolve)
        keep.push_async_callback(gateway.stop)
        inference_url = await gateway.start(options.inference_port)
        admin = Admin(names.resolve, running.create_topic)
        keep.push_async_callback(admin.stop)
        admin_url = await admin.start(options.resolver_port)

        kafka_host, kafka_port = _host_port(running.bootstrap)
        broker_port, inference_port = _host_port(broker_url)[1], _host_port(inference_url)[1]
        cluster.furnish(store, broker_port, inference_port, kafka_port)
        kafka_itself = {"kind": running.kind, "version": running.version, "topics": f"{admin_url}/topics"}
        described: dict[str, Any] = {
            "resolver": f"{admin_url}/resolve",
            "kafka": kafka_itself | {"bootstrap": cluster.KAFKA_INSIDE},
            "versions": {"touchstone-embedded": version(), **versions(images)},
        }
        cluster.describe(store, described)
        names.serve(*cluster.KAFKA, kafka_host, kafka_port)
        names.serve(*cluster.BROKER_INGRESS, LOOPBACK, broker_port)
        names.serve(*cluster.INFERENCE_INGRESS, LOOPBACK, inference_port)
        names.serve(*cluster.LOCAL_GATEWAY, LOOPBACK, inference_port)

        def mutant(namespace: str) -> str | None:
            return mutant_of(store, namespace)

        def policies(namespace: str) -> Policies:
            return CONTROL_PLANE.get(mutant(namespace) or "", HONEST)

        def make_stream(spec: StreamSpec) -> StreamServer:
            return StreamServer(spec, settings)

        store.admission.append(Admission(policies, mutants.names))
        topics = Topics(settings)
        seldon = SeldonDeploymentController(store, make_stream, topics, names.resolve, mutant)
        keep.push_async_callback(_together, lambda: kubelet.stop(POD_GRACE), seldon.stop)
        brokers = BrokerController(store, plane, topics, policies, mutant)
        for part in (
            kubelet,
            DeploymentController(store),
            brokers,
            TriggerController(store, plane, policies, mutant),
            InferenceServiceController(store),
            seldon,
        ):
            self._tend(part.run())
        self._tend(self._watch_kafka(running, topics, brokers))
        # No token: kubectl sends none without TLS. The server refuses what is not from a program on this machine.
        server = ApiServer(store, logs=kubelet.logs, resolve=names.resolve)
        api_url = await listening(
            server.start(LOOPBACK, options.api_port), options.api_port, "the Kubernetes API", "--api-port"
        )
        keep.push_async_callback(server.stop)
        kubeconfig = options.state / "kubeconfig"
        write_privately(kubeconfig, yaml.safe_dump(server.kubeconfig()).encode())
        return described | {
            "pid": os.getpid(),
            "kubeconfig": str(kubeconfig),
            "api": api_url,
            "brokerIngress": broker_url,
            "inferenceIngress": inference_url,
            "kafka": kafka_itself | {"bootstrap": running.bootstrap, "client": dict(running.client)},
        }

    async def stop(self) -> None:
        """End everything that was started, whatever part of it fails to."""
        await self._stack.aclose()

    def _tend(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a part for as long as the platform lives; its failure is the platform's."""
        task = asyncio.create_task(work)

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() and not self.lost.done():
                _log.error("a part of the platform failed", exc_info=task.exception())
                self.lost.set_result(f"a part of the platform failed: {task.exception()!r}")

        task.add_done_callback(ended)
        self._stack.push_async_callback(_cancelled, task)

    async def _watch_kafka(self, running: kafka.Kafka, topics: Topics, brokers: BrokerController) -> None:
        topics.lost = reason = await running.died()
        brokers.ask_all()
        if not self.lost.done():
            self.lost.set_result(reason)


async def build_all(images: Images, progress: Progress, names: Collection[str] = ()) -> None:
    """Build the environments of these images, or all, that are not there yet; two at a time.

    Raises:
        ImageError: one cannot be built.
    """
    turn = asyncio.Semaphore(2)

    async def build(name: str) -> None:
        async with turn:
            await images.build(images.resolve(name), progress)

    for outcome in await asyncio.gather(*map(build, names or images.names()), return_exceptions=True):
        if outcome is not None:
            raise outcome


async def listening(starting: Coroutine[Any, Any, str], port: int, what: str, option: str) -> str:
    """Await a server's start; a taken port becomes a clear word. Raises PortTakenError."""
    try:
        return await starting
    except OSError as error:
        raise PortTakenError(
            f"cannot listen on {LOOPBACK}:{port} for {what}: {error.strerror}. "
            f"Choose another one with {option}, 0 for any."
        ) from error


def mutant_of(store: Store, namespace: str) -> str | None:
    """The mutant that a namespace is labelled with."""
    found = store.find(NAMESPACE, None, namespace)
    return ((found or {}).get("metadata", {}).get("labels") or {}).get(MUTANT_LABEL) or None


def write_privately(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read, so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


def write_info(path: Path, info: dict[str, Any]) -> None:
    """Write the info file."""
    write_privately(path, orjson.dumps(info, option=orjson.OPT_INDENT_2) + b"\n")


def version() -> str:
    """Of the project."""
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])


def versions(images: Images) -> dict[str, str]:
    """The versions of what the images' lists pin and reports name."""
    found: dict[str, str] = {}
    for name in images.names():
        for line in images.resolve(name).requirements.read_text().splitlines():
            pinned = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;#]+).*", line.strip())
            if pinned and pinned[1].lower() in REPORTED_PACKAGES:
                found[pinned[1].lower()] = pinned[2]
    return found


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("http://").partition(",")[0].rpartition(":")
    return host, int(port)


async def _together(*stops: Callable[[], Awaitable[None]]) -> None:
    """Stop parts at the same time, all of them whatever one does."""
    for outcome in await asyncio.gather(*(stop() for stop in stops), return_exceptions=True):
        if outcome is not None:
            _log.error("a part of the platform did not stop well", exc_info=outcome)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
