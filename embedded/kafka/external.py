"""An external Kafka at an address. It is neither started, stopped nor watched here."""

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
    """A Kafka that exists before the platform and stays after it."""

    kind = "external"
    version = "external"
    client = CLIENT

    def __init__(self, bootstrap: str, admin: TopicAdmin) -> None:
        self.bootstrap = bootstrap
        self._admin = admin

    async def create_topic(self, name: str, partitions: int) -> bool:
        """Create a topic; see `Kafka`."""
        return await self._admin.create_topic(name, partitions)

    async def delete_topic(self, name: str) -> bool:
        """Delete a topic; see `Kafka`."""
        return await self._admin.delete_topic(name)

    async def died(self) -> str:
        """Wait for ever: an external Kafka may come back, and its clients report when it is away."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def stop(self) -> None:
        """Do nothing: the Kafka belongs to somebody else."""


def bootstrap_servers(text: str) -> str:
    """Read `HOST[:PORT]{,HOST[:PORT]}` and return the servers; the default port is 9092.

    Raises:
        KafkaError: The text is not in this form.
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
    """Connect to the Kafka at `bootstrap`.

    Raises:
        KafkaError: The text is not an address, or nobody answers there.
    """
    servers = bootstrap_servers(bootstrap)
    admin = TopicAdmin(servers, CLIENT)
    await admin.reachable(_REACH_SECONDS)
    return ExternalKafka(servers, admin)
