"""Topics by Kafka's admin protocol, for the Kafkas that speak it (the mock does not)."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.cimpl import NewTopic

from embedded.kafka.kafka import KafkaError, checked_topic

_SECONDS = 15.0


class TopicAdmin:
    """The creation, configuration and deletion of topics; every wait is off the event loop and bounded."""

    def __init__(self, bootstrap: str, client: Mapping[str, str | int]) -> None:
        self._bootstrap = bootstrap
        self._client = AdminClient({**client, "bootstrap.servers": bootstrap})

    async def reachable(self, seconds: float) -> None:
        """Return once the cluster gives its metadata.

        Raises:
            KafkaError: The cluster did not answer within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                # Short calls: a thread cannot be cancelled, and whoever waits here may give up early.
                await asyncio.to_thread(self._client.list_topics, timeout=1)
            except KafkaException as error:
                if time.monotonic() >= deadline:
                    raise KafkaError(f"no Kafka answers at {self._bootstrap}: {error.args[0].str()}") from error
            else:
                return

    async def create_topic(self, name: str, partitions: int) -> bool:
        """Create a topic as `Kafka.create_topic` says; the replication factor is the cluster's default."""
        topic = NewTopic(checked_topic(name, partitions), num_partitions=partitions)
        futures = self._client.create_topics([topic], operation_timeout=_SECONDS, request_timeout=_SECONDS)
        return await self._done(futures[name], f"create topic {name!r}", ClientError.TOPIC_ALREADY_EXISTS)

    async def delete_topic(self, name: str) -> bool:
        """Delete a topic as `Kafka.delete_topic` says."""
        futures = self._client.delete_topics(
            [checked_topic(name)], operation_timeout=_SECONDS, request_timeout=_SECONDS
        )
        return await self._done(futures[name], f"delete topic {name!r}", ClientError.UNKNOWN_TOPIC_OR_PART)

    async def configure_topic(self, name: str, setting: str, value: str) -> None:
        """Give a topic's configuration another value.

        Raises:
            KafkaError: Kafka refused, or did not answer in time.
        """
        entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, checked_topic(name), incremental_configs=[entry])
        futures = self._client.incremental_alter_configs([resource], request_timeout=_SECONDS)
        await self._done(futures[resource], f"set {setting}={value} of topic {name!r}")

    async def _done(self, future: Any, action: str, refusal: int | None = None) -> bool:
        try:
            await asyncio.wait_for(asyncio.wrap_future(future), 2 * _SECONDS)
        except KafkaException as error:
            if error.args[0].code() == refusal:
                return False
            raise KafkaError(f"Kafka at {self._bootstrap} did not {action}: {error.args[0].str()}") from error
        except TimeoutError as error:
            raise KafkaError(f"Kafka at {self._bootstrap} did not {action} within {2 * _SECONDS:.0f} s") from error
        return True
