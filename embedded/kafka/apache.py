"""A real Apache Kafka: one KRaft node (broker and controller) from jars, on loopback, with a data folder of its own."""

import asyncio
import base64
import contextlib
import os
import secrets
import socket
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import Producer

from embedded.kafka import leash
from embedded.kafka.admin import TopicAdmin
from embedded.kafka.jars import jars, java, kafka_version
from embedded.kafka.kafka import Kafka, KafkaError, log_tail
from embedded.kafka.process import Child, project_environment
from embedded.kafka.tools import write_tools

_HOST = "127.0.0.1"
_FORMAT_SECONDS = 60.0
_READY_SECONDS = 90.0
_STOP_SECONDS = 15.0
_CONFIGURED_SECONDS = 15.0
_LARGEST = "1048588"  # Kafka's default
_NEXT_CENTURY = 4_102_444_800_000
_LOGGING = Path(__file__).with_name("log4j2.properties")
# A small heap, and only the quick compiler: this broker lives for minutes.
_JVM = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")

CLIENT: Mapping[str, str | int] = {
    "session.timeout.ms": 2000,
    "heartbeat.interval.ms": 300,
    "linger.ms": 0,
    "log_level": 0,
}


class ApacheKafka(Kafka):
    """An Apache Kafka broker in a child JVM that ends with the platform."""

    kind = "apache"
    client = CLIENT

    def __init__(self, bootstrap: str, child: Child, tools: Path) -> None:
        self.bootstrap, self.tools = bootstrap, tools
        self.version = f"Apache Kafka {kafka_version()}"
        self._child = child
        self._admin = TopicAdmin(bootstrap, CLIENT)

    async def create_topic(self, name: str, partitions: int) -> bool:
        """Create a topic; see `Kafka`."""
        return await self._admin.create_topic(name, partitions)

    async def delete_topic(self, name: str) -> bool:
        """Delete a topic; see `Kafka`."""
        return await self._admin.delete_topic(name)

    async def set_away(self, topic: str, *, away: bool) -> None:  # noqa: ARG002 - it has no way to stop one topic
        """Stop the broker where it is, or let it go on; see `Kafka`. All its clients notice."""
        self._child.process.send_signal(leash.STOP if away else leash.GO_ON)

    async def set_refusing(self, topic: str, *, refusing: bool) -> None:
        """Let its records have no byte, or as many as ever; see `Kafka`."""
        await self._admin.configure_topic(topic, "max.message.bytes", "0" if refusing else _LARGEST)
        await asyncio.to_thread(self._until_refusing, topic, refusing)

    def _until_refusing(self, topic: str, refusing: bool) -> None:  # noqa: FBT001 - `to_thread` hands it on
        """Return once the configuration is in force: Kafka confirms it earlier.

        A record of the next century is refused in any case: for its size, and where that is right for its time.
        """
        wanted = ClientError.MSG_SIZE_TOO_LARGE if refusing else ClientError.INVALID_TIMESTAMP
        producer = Producer({**CLIENT, "bootstrap.servers": self.bootstrap, "retries": 0})
        codes: list[int | None] = []
        deadline = time.monotonic() + _CONFIGURED_SECONDS
        while codes[-1:] != [wanted]:
            if time.monotonic() > deadline:
                raise KafkaError(f"topic {topic!r} (refusing: {refusing}) does not obey; it answered {codes[-1:]}")
            producer.produce(
                topic,
                timestamp=_NEXT_CENTURY,
                on_delivery=lambda error, _: codes.append(error.code() if error else None),
            )
            producer.flush(_CONFIGURED_SECONDS)

    async def died(self) -> str:
        """Wait for the death of the broker; see `Kafka`."""
        return await self._child.died("Apache Kafka")

    async def stop(self) -> None:
        """Stop the broker; see `Kafka`."""
        await self._child.stop(_STOP_SECONDS)

    async def ready(self, seconds: float) -> None:
        """Return once the broker serves.

        Raises:
            KafkaError: The broker died, or does not serve in time.
        """
        death = asyncio.ensure_future(self.died())
        reachable = asyncio.ensure_future(self._admin.reachable(seconds))
        try:
            await asyncio.wait({death, reachable}, return_when=asyncio.FIRST_COMPLETED)
            problem = death.result() if death.done() else reachable.exception()
        finally:
            death.cancel()
            reachable.cancel()
        if problem is not None:
            raise KafkaError(f"Apache Kafka did not come up: {problem}\n{log_tail(self._child.log)}")


def settings(data: Path, broker: int, controller: int) -> str:
    """Return server.properties for a node that listens on these two loopback ports."""
    values: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{_HOST}:{controller}",
        "listeners": f"PLAINTEXT://{_HOST}:{broker},CONTROLLER://{_HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{_HOST}:{broker}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "num.partitions": 1,
        "default.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "num.network.threads": 2,
        "num.io.threads": 2,
        "background.threads": 2,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


async def start_apache(state: Path) -> ApacheKafka:
    """Start a node whose data is in a new folder under `state/kafka-data`; its output goes to `state/kafka.log`.

    Its console tools are written into `state/kafka-tools`.

    Raises:
        KafkaError: Java or the jars are missing, a port was taken meanwhile, or the node does not come up in time.
    """
    program = await java()
    libraries = await jars()
    data = state / "kafka-data" / uuid.uuid4().hex[:8]
    data.mkdir(parents=True)
    broker, controller = _free_ports(2)
    properties = data.with_suffix(".properties")
    properties.write_text(settings(data, broker, controller))
    run = [program, *_JVM, f"-Dlog4j2.configurationFile=file:{_LOGGING}", "-cp", f"{libraries}/*"]
    log = state / "kafka.log"
    await _format([*run, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(properties)], log)
    child = await _leashed([*run, "kafka.Kafka", str(properties)], log)
    kafka = ApacheKafka(f"{_HOST}:{broker}", child, write_tools(state / "kafka-tools", program, libraries))
    try:
        await kafka.ready(_READY_SECONDS)
    except BaseException:
        await kafka.stop()
        raise
    return kafka


async def _format(arguments: list[str], log: Path) -> None:
    child = await _leashed(arguments, log)
    try:
        code = await asyncio.wait_for(child.process.wait(), _FORMAT_SECONDS)
    except TimeoutError as error:
        raise KafkaError(f"formatting Kafka's data folder took longer than {_FORMAT_SECONDS:.0f} s") from error
    finally:
        await child.stop(_STOP_SECONDS)
    if code:
        raise KafkaError(f"formatting Kafka's data folder failed (exit code {code}):\n{log_tail(log)}")


async def _leashed(arguments: list[str], log: Path) -> Child:
    return await Child.start(
        [sys.executable, "-m", "embedded.kafka.leash", *arguments],
        cwd=Path(__file__).resolve().parents[2],
        log=log,
        environment=project_environment(),
    )


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "a", 1)


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, and that the kernel gives to no connection until Kafka does."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    ports: list[int] = []
    with contextlib.ExitStack() as held:  # together, so that the ports differ
        while len(ports) < count:
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            port = secrets.choice(range(1024, first) or range(1024, 2**16))
            with contextlib.suppress(OSError):
                listener.bind((_HOST, port))
                ports.append(port)
    return ports
