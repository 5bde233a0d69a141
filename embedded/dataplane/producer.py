"""A Kafka producer for asyncio: `send` returns once the record is acknowledged by all in-sync replicas."""

import asyncio
import logging
import threading
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as _Producer

from embedded.dataplane.cloudevents import Record
from embedded.types import KafkaSettings

_log = logging.getLogger(__name__)

_TIMEOUT_MS = 10_000
# A broker's default (`message.max.bytes`): what the client lets pass, any Kafka takes, and the mock, which takes all,
# is no different from it.
_MAX_RECORD = 1_048_588


class NotStoredError(Exception):
    """Kafka did not acknowledge a record.

    Attributes:
        too_large: Kafka (or the client, for it) refused the record's size, and would again.
    """

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


class Producer:
    """One client, shared by all who produce. Made on a running loop; `stop` ends its thread."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = _Producer(
            {
                "message.timeout.ms": _TIMEOUT_MS,
                **kafka.client,
                "bootstrap.servers": kafka.bootstrap,
                "acks": "all",
                "linger.ms": 0,
                # Order survives a retry only so (an idempotent producer could fail for good, and need another).
                "max.in.flight.requests.per.connection": 1,
                "message.max.bytes": _MAX_RECORD,
                # The partition that a Java producer would choose.
                "partitioner": "murmur2_random",
            }
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="kafka-producer", daemon=True)
        self._thread.start()

    async def send(self, topic: str, record: Record) -> None:
        """Produce one record; return when Kafka has it.

        Raises:
            NotStoredError: it has not (no answer for 10 s, unless `kafka.client` says otherwise, or a refusal).
        """
        stored: asyncio.Future[None] = self._loop.create_future()

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
            self._client.produce(
                topic, record.value, record.key, headers=list(record.headers), on_delivery=report, **options
            )
        except KafkaException as error:
            raise NotStoredError(error.args[0].str(), too_large=_is_size(error.args[0])) from error
        except BufferError as error:
            raise NotStoredError("too many records wait for Kafka already") from error
        await stored

    async def stop(self) -> None:
        """End the client. Records not yet acknowledged are given up."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._client.poll(0.2)
        self._client.purge()
        if left := self._client.flush(1.0):
            _log.warning("%d records were given up unacknowledged", left)


def _is_size(error: KafkaError) -> bool:
    return bool(error.code() == KafkaError.MSG_SIZE_TOO_LARGE)
