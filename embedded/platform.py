"""The whole embedded platform: its parts, started in order and stopped in reverse order."""

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

from embedded import cluster, kafka, mutants
from embedded.agents import Agent, AgentSpec
from embedded.api.certificate import Certificate
from embedded.api.rights import Rights, RoleError
from embedded.api.server import ApiServer
from embedded.api.store import Store
from embedded.controllers.admission import Admission
from embedded.controllers.agents import Agents
from embedded.controllers.broker import BrokerController
from embedded.controllers.deployment import DeploymentController
from embedded.controllers.inferenceservice import InferenceServiceController
from embedded.controllers.parts import PartController
from embedded.controllers.readiness import READINESS, Readiness
from embedded.controllers.seldondeployment import SeldonDeploymentController
from embedded.controllers.topics import Topics
from embedded.controllers.trigger import TriggerController
from embedded.dataplane import DataPlane
from embedded.private import private_folder, write_privately
from embedded.runtime.addresses import Addresses
from embedded.runtime.admin import AdminServer
from embedded.runtime.gateway import Gateway
from embedded.runtime.images import Images, build_all
from embedded.runtime.installing import Progress
from embedded.runtime.names import ClusterNames
from embedded.runtime.pods import Kubelet
from embedded.runtime.web import LOOPBACK, listening
from embedded.streaming import StreamServer
from embedded.streaming.specs import StreamSpec
from embedded.types import KafkaSettings
from embedded.versions import version, versions

PROJECT = Path(__file__).resolve().parents[1]
CONSOLE_TOOLS = "/opt/kafka/bin"
"""The folder of the console tools in Kafka's image."""
POD_GRACE = 1.0
"""The time, in seconds, that pods get to end by themselves when the platform stops."""

MutantError, mutants_by_host, PERSONALITIES = mutants.MutantError, mutants.by_host, mutants.PERSONALITIES
"""For the command line: this module is the only one that knows the mutants."""
READINESS_NAMES = tuple(READINESS)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a platform. A port of 0 means any free one.

    Attributes:
        state: The folder for the kubeconfig, logs and Kafka's data.
        kafka: The Kafka to use: `mock`, `apache` or `HOST:PORT`.
        images: The folder of the images.
        cache: The folder for built environments.
        api_port: The port of the Kubernetes API.
        broker_port: The port of the broker ingress.
        inference_port: The port of the inference ingress.
        resolver_port: The port of the resolver and of topic creation.
        build_images: True to build the usual images at start, False to build each when a pod needs it.
        requested_images: The names of images that are built at start beside the usual ones.
        packages: The versions of packages that images use instead of their usual ones, by package.
        mutants: The mutants of every namespace, in the order in which they are applied.
        personality: The real product to behave as, by name; its divergences come before the mutants.
        readiness: The times that the control plane takes, by name.
        rights: The file of roles that a second kubeconfig has the rights of; None: there is no such kubeconfig.

    Raises:
        MutantError: The personality or the mutants are unknown, or cannot be combined.
    """

    state: Path
    kafka: str = "mock"
    images: Path = PROJECT / "images"
    cache: Path = PROJECT / ".touchstone"
    api_port: int = 0
    broker_port: int = 0
    inference_port: int = 0
    resolver_port: int = 0
    build_images: bool = True
    requested_images: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    mutants: tuple[str, ...] = ()
    personality: str | None = None
    readiness: str = READINESS_NAMES[0]
    rights: Path | None = None

    def __post_init__(self) -> None:
        """Refuse invalid mutants before anything starts."""
        mutants.combined(self.everywhere)

    @property
    def everywhere(self) -> tuple[str, ...]:
        """The divergences and mutants of every namespace, innermost first."""
        divergences = mutants.find_personality(self.personality).divergences if self.personality else ()
        return (*divergences, *self.mutants)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The URLs under which the platform is reached, except the Kubernetes API's.

    Attributes:
        broker: The URL of the broker ingress.
        inference: The URL of the inference ingress.
        admin: The URL of the resolver and of topic creation.
        admin_token: The bearer token that `admin` asks for.
    """

    broker: str
    inference: str
    admin: str
    admin_token: str = field(repr=False)


class Platform:
    """One platform. `start` is called once, `stop` always, even after a `start` that failed or was cancelled."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._options, self._progress = options, progress
        self._stack = AsyncExitStack()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """The reason, once a part that all others need is gone."""

    async def start(self) -> dict[str, Any]:
        """Bring everything up; return what others need to reach it (the info file's content).

        Raises:
            PortTakenError, KafkaError, ImageError, NoAddressError, NotPrivateError: A part cannot start.
        """
        private_folder(self._options.state)
        certificate = asyncio.create_task(asyncio.to_thread(Certificate))  # while Kafka starts
        addresses = Addresses()
        self._stack.callback(addresses.close)
        images = await self._provide_images()
        running = await self._start_kafka(images)
        store = Store()
        selection = mutants.Selection(store, self._options.everywhere)
        readiness = READINESS[self._options.readiness]
        kubelet = Kubelet(
            store,
            images,
            addresses,
            state=self._options.state,
            progress=self._progress,
            backoff=readiness.backoff,
        )
        plane = DataPlane(_settings(running), kubelet.names.resolve, selection.unclaimed())
        gateway = _gateway(store, kubelet.names, selection)
        listeners = await self._open_listeners(plane, gateway, kubelet.names, running)
        pinned = versions(images, self._options.requested_images)
        description = _description(running, listeners, pinned, self._options.personality)
        _furnish(store, kubelet.names, listeners, running, description)
        self._run_controllers(store, kubelet, plane, selection, running=running, readiness=readiness)
        server, api_url = await self._open_api(store, kubelet, await certificate, readiness.call)
        kubeconfig = self._options.state / "kubeconfig"
        write_privately(kubeconfig, yaml.safe_dump(server.kubeconfig()).encode())
        limited: dict[str, str] = {}
        if server.limited_token is not None:
            limited["kubeconfigLimited"] = str(self._options.state / "kubeconfig-limited")
            write_privately(
                Path(limited["kubeconfigLimited"]), yaml.safe_dump(server.kubeconfig(server.limited_token)).encode()
            )
        return description | {
            "pid": os.getpid(),
            "kubeconfig": str(kubeconfig),
            **limited,
            "api": api_url,
            "brokerIngress": listeners.broker,
            "inferenceIngress": listeners.inference,
            "kafka": description["kafka"] | {"bootstrap": running.bootstrap, "client": dict(running.client)},
        }

    async def _provide_images(self) -> Images:
        """Open the images' folder, and build what is missing unless pods build on demand."""
        images = Images(self._options.images, self._options.cache, self._options.packages)
        self._stack.push_async_callback(images.close)
        requested = self._options.requested_images
        if self._options.build_images:
            await build_all(images, self._progress, sorted({*images.usual(), *requested}))
        elif requested:
            await build_all(images, self._progress, requested)
        return images

    async def _start_kafka(self, images: Images) -> kafka.Kafka:
        """Start Kafka; its own console tools, where it has them, take the place of the stand-ins."""
        self._progress(f"starting Kafka ({self._options.kafka})")
        running = await kafka.start(self._options.kafka, self._options.state)
        self._stack.push_async_callback(running.stop)
        if running.tools is not None:
            images.replace_folder(CONSOLE_TOOLS, running.tools)
        return running

    async def _open_listeners(
        self, plane: DataPlane, gateway: Gateway, names: ClusterNames, running: kafka.Kafka
    ) -> Listeners:
        """Open the ingresses and the admin server; the Kubernetes API opens last, once all is ready."""
        broker = await listening(
            plane.start(LOOPBACK, self._options.broker_port),
            self._options.broker_port,
            "the broker ingress",
            "--broker-port",
        )
        self._stack.push_async_callback(plane.stop)
        self._stack.push_async_callback(gateway.stop)
        inference = await gateway.start(self._options.inference_port)
        admin_token = secrets.token_urlsafe(32)
        admin = AdminServer(names.resolve, running.create_topic, admin_token)
        self._stack.push_async_callback(admin.stop)
        return Listeners(broker, inference, await admin.start(self._options.resolver_port), admin_token)

    def _run_controllers(
        self,
        store: Store,
        kubelet: Kubelet,
        plane: DataPlane,
        selection: mutants.Selection,
        *,
        running: kafka.Kafka,
        readiness: Readiness,
    ) -> None:
        """Start admission, the controllers and the kubelet with the policies of each namespace."""

        def make_stream(spec: StreamSpec) -> StreamServer:
            return StreamServer(spec, plane.cluster)

        def make_agent(spec: AgentSpec) -> Agent:
            return Agent(spec, kubelet.names.resolve)

        settings = _settings(running)
        store.admission.extend((selection.admit, Admission(selection.control_plane)))
        topics = Topics(settings)
        self._stack.push_async_callback(topics.close)
        seldon = SeldonDeploymentController(store, make_stream, topics, kubelet.names.resolve, selection)
        agents = Agents(store, make_agent, selection.agents)
        self._stack.push_async_callback(_together, lambda: kubelet.stop(POD_GRACE), seldon.stop, agents.stop)
        brokers = BrokerController(store, plane, topics, selection.control_plane, selection.data_plane)
        pods = PartController(store, plane)
        plane.on_death = pods.note_death
        self._supervise(plane.cluster.watch())
        self._supervise(kubelet.run())
        for controller in (
            pods,
            DeploymentController(store),
            brokers,
            TriggerController(store, plane, selection.control_plane, selection.data_plane),
            InferenceServiceController(store, topics, agents, selection.control_plane),
            seldon,
        ):
            controller.readiness = readiness
            self._supervise(controller.run())
        self._supervise(self._watch_kafka(running, topics, brokers))

    async def _open_api(
        self, store: Store, kubelet: Kubelet, certificate: Certificate, pause: float
    ) -> tuple[ApiServer, str]:
        """Open the Kubernetes API; return the server and its URL."""
        server = ApiServer(
            store,
            certificate,
            logs=kubelet.logs,
            execute=kubelet.execute,
            resolve=kubelet.names.resolve,
            pause=pause,
            rights=_rights(self._options.rights),
        )
        url = await listening(
            server.start(LOOPBACK, self._options.api_port), self._options.api_port, "the Kubernetes API", "--api-port"
        )
        self._stack.push_async_callback(server.stop)
        return server, url

    async def stop(self) -> None:
        """Stop everything that was started, even if a part fails to stop."""
        await self._stack.aclose()

    def _supervise(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a part for as long as the platform lives; report its failure as the platform's."""
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


def write_info(path: Path, info: dict[str, Any]) -> None:
    """Write the info file."""
    write_privately(path, orjson.dumps(info, option=orjson.OPT_INDENT_2) + b"\n")


def _rights(file: Path | None) -> Rights | None:
    """Return the rights of a file's roles.

    Raises:
        RoleError: The file cannot be read, or holds no role.
    """
    if file is None:
        return None
    try:
        return Rights(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError, RoleError) as error:
        raise RoleError(f"--rights {file}: {error}") from error


def _gateway(store: Store, names: ClusterNames, selection: mutants.Selection) -> Gateway:
    """Return the inference ingress, with the policies of each namespace."""

    def entry(service: Mapping[str, Any]) -> str:
        return selection.control_plane(service["metadata"]["namespace"]).entry_component(service)

    def explaining(service: Mapping[str, Any]) -> str:
        return selection.control_plane(service["metadata"]["namespace"]).explaining_component(service)

    return Gateway(store, names.resolve, entry, explaining)


def _settings(running: kafka.Kafka) -> KafkaSettings:
    return KafkaSettings(
        running.bootstrap,
        running.kind,
        running.create_topic,
        running.delete_topic,
        running.client,
        running.set_away,
        running.set_refusing,
    )


def _description(
    running: kafka.Kafka, listeners: Listeners, pinned: Mapping[str, str], personality: str | None
) -> dict[str, Any]:
    """Return the description of the platform that the cluster holds."""
    played = mutants.find_personality(personality) if personality else None
    product = {} if played is None else {played.product: played.version, "personality": played.name}
    return {
        "resolver": f"{listeners.admin}/resolve",
        "adminToken": listeners.admin_token,
        "kafka": {
            "kind": running.kind,
            "version": running.version,
            "topics": f"{listeners.admin}/topics",
            "bootstrap": cluster.KAFKA_INSIDE,
        },
        "versions": {"touchstone-embedded": version(PROJECT), **pinned, **product},
    }


def _furnish(
    store: Store, names: ClusterNames, listeners: Listeners, running: kafka.Kafka, description: dict[str, Any]
) -> None:
    """Create the objects of a fresh cluster, and map their names to the listeners."""
    kafka_host, kafka_port = _host_port(running.bootstrap)
    broker_port, inference_port = _host_port(listeners.broker)[1], _host_port(listeners.inference)[1]
    cluster.furnish(store, broker_port, inference_port, kafka_port)
    cluster.describe(store, description)
    names.serve(*cluster.KAFKA, kafka_host, kafka_port)
    names.serve(*cluster.BROKER_INGRESS, LOOPBACK, broker_port)
    names.serve(*cluster.INFERENCE_INGRESS, LOOPBACK, inference_port)
    names.serve(*cluster.LOCAL_GATEWAY, LOOPBACK, inference_port)


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("http://").partition(",")[0].rpartition(":")
    return host, int(port)


async def _together(*stops: Callable[[], Awaitable[None]]) -> None:
    """Stop parts at the same time, each even if another one fails."""
    for outcome in await asyncio.gather(*(stop() for stop in stops), return_exceptions=True):
        if outcome is not None:
            _log.error("a part of the platform did not stop well", exc_info=outcome)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
