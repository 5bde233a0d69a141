"""Somebody's Kafka, at an address. Nothing of it is started or stopped here, and nobody watches its health."""

import asyncio
import re
from collections.abc import Mapping

from embedded.kafka.admin import TopicAdmin
from embedded.kafka.kafka import Kafka, KafkaError

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^\s:,/]+)(?::(?P<port>\d{1,5}))?")
_DEFAULT_PORT = "9092"
_REACH_SECONDS = 10.0

CLIENT: Mapping[str, str | int] = {"linger.ms": 0, "log_level": 0}


class ExternalKafka(Kafka):
    """A Kafka that was there before and stays afterwards."""

    kind = "external"
    version = "external"
    client = CLIENT

    def __init__(self, bootstrap: str, admin: TopicAdmin) -> None:
        self.bootstrap = bootstrap
        self._admin = admin

    async def create_topic(self, name: str, partitions: int) -> bool:
        """See `Kafka`."""
        return await self._admin.create_topic(name, partitions)

    async def delete_topic(self, name: str) -> bool:
        """See `Kafka`."""
        return await self._admin.delete_topic(name)

    async def died(self) -> str:
        """Never returns: an external Kafka may come back, and its clients say when it is away."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def stop(self) -> None:
        """Leave it as it is."""


def bootstrap_servers(text: str) -> str:
    """Read `HOST[:PORT]{,HOST[:PORT]}`, the port being 9092 unless said.

    Raises:
        KafkaError: it reads otherwise.
    """
    servers = []
    for part in text.split(","):
        match = _ADDRESS.fullmatch(part.strip())
        port = (match["port"] or _DEFAULT_PORT) if match else "0"
        if match is None or not 1 <= int(port) <= 65535:
            raise KafkaError(f"--kafka is 'mock', 'apache' or HOST:PORT[,HOST:PORT]; {text!r} is none of them")
        servers.append(f"{match['host']}:{port}")
    return ",".join(servers)


async def connect_external(bootstrap: str) -> ExternalKafka:
    """Reach the Kafka at `bootstrap`.

    Raises:
        KafkaError: not an address, or nobody answers there.
    """
    servers = bootstrap_servers(bootstrap)
    admin = TopicAdmin(servers, CLIENT)
    await admin.reachable(_REACH_SECONDS)
    return ExternalKafka(servers, admin)
