"""A Kafka producer for asyncio: `send` returns once the record is acknowledged by all in-sync replicas."""

import asyncio
import logging
import threading
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as _Producer

from embedded.dataplane.cloudevents import Record
from embedded.types import MOST_TOPICS, KafkaSettings

_log = logging.getLogger(__name__)

# While Kafka is away a sender waits so long for its refusal; on a busy machine a Kafka that is there may need seconds.
_TIMEOUT_MS = 10_000
# The default `message.max.bytes` of a Kafka broker. It is set here because the mock itself accepts any size.
_MAX_RECORD = 1_048_588


class NotStoredError(Exception):
    """A record that Kafka did not acknowledge.

    Attributes:
        too_large: True if Kafka, or the client in its place, refused the size of the record, and would again.
    """

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


class _Client:
    """A client of Kafka and the thread that gives it time to report."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.topics: set[str] = set()
        self.producer = _Producer(
            {
                "message.timeout.ms": _TIMEOUT_MS,
                **kafka.client,
                "bootstrap.servers": kafka.bootstrap,
                "acks": "all",
                "linger.ms": 0,
                # One request in flight keeps the order through retries; an idempotent producer could fail for good.
                "max.in.flight.requests.per.connection": 1,
                "message.max.bytes": _MAX_RECORD,
                # The partition that a Java producer would choose.
                "partitioner": "murmur2_random",
            }
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="kafka-producer", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the thread end, and give up records that are not acknowledged; does not wait."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until the thread has ended. Blocks."""
        self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self.producer.poll(0.2)
        self.producer.purge()
        if left := self.producer.flush(1.0):
            _log.warning("%d records were given up unacknowledged", left)


class Producer:
    """One Kafka client, shared by all who produce. It is made on a running loop; `stop` ends its thread.

    The client is exchanged for a new one when it has written to many topics and nothing is under way.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._kafka = kafka
        self._client = _Client(kafka)
        self._under_way = 0

    async def send(self, topic: str, record: Record) -> None:
        """Produce one record; return when Kafka has acknowledged it.

        Raises:
            NotStoredError: Kafka refused the record, or gave no answer (in 10 s, or as `kafka.client` says).
        """
        stored: asyncio.Future[None] = self._loop.create_future()
        client = self._client_for(topic)

        def settle(error: KafkaError | None) -> None:
            if stored.done():
                return
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(NotStoredError(error.str(), too_large=_is_size(error)))

        def report(error: KafkaError | None, _: Any) -> None:
            # After `stop` the loop may be closed, and nobody waits any more.
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(settle, error)

        options: dict[str, Any] = {} if record.partition is None else {"partition": record.partition}
        try:
            client.producer.produce(
                topic, record.value, record.key, headers=list(record.headers), on_delivery=report, **options
            )
        except KafkaException as error:
            raise NotStoredError(error.args[0].str(), too_large=_is_size(error.args[0])) from error
        except BufferError as error:
            raise NotStoredError("too many records wait for Kafka already") from error
        self._under_way += 1
        # Also where the sender is cancelled, Kafka's answer is awaited: the record is under way until then.
        stored.add_done_callback(self._settled)
        await asyncio.shield(stored)

    async def stop(self) -> None:
        """End the client and give up records that are not acknowledged yet."""
        self._client.end()
        await asyncio.to_thread(self._client.join)

    def _client_for(self, topic: str) -> _Client:
        client = self._client
        if topic not in client.topics and len(client.topics) >= MOST_TOPICS and not self._under_way:
            client.end()
            client = self._client = _Client(self._kafka)
        client.topics.add(topic)
        return client

    def _settled(self, stored: asyncio.Future[None]) -> None:
        self._under_way -= 1
        if not stored.cancelled():
            stored.exception()  # taken, whether somebody waits for it or not


def _is_size(error: KafkaError) -> bool:
    return bool(error.code() == KafkaError.MSG_SIZE_TOO_LARGE)
