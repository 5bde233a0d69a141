"""A predictor's Kafka server: it sends each input record to the model and writes the answer under the same key.

It follows the documentation, not the executor's faults (seldon-core v1.18.2): an offset is committed once the answer is
acknowledged, in order (the executor commits what it has polled, or what it has only enqueued); a record that cannot be
read or answered is dropped with a log line (the executor dies of some); the consumer outlives brokers that go away (the
executor's ends for good). As there, the group is `<predictor>.<deployment>.<namespace>`, it begins at the earliest
record, `KAFKA_WORKERS` records are worked on at once, and answers carry no headers.
"""

import asyncio
import logging
from collections.abc import Callable

from embedded.dataplane.cloudevents import Record
from embedded.dataplane.feed import Cluster, Feed, KafkaException, NoTopicError
from embedded.dataplane.lanes import Lanes
from embedded.dataplane.producer import NotStoredError, Producer
from embedded.streaming.models import Model, ModelError, connect
from embedded.streaming.requests import NotARequestError, ServerDiesError
from embedded.streaming.specs import StreamSpec
from embedded.types import KafkaSettings

_log = logging.getLogger(__name__)

_AGAIN = 1.0
_FLUSH = 5.0
_RESTART = 1.0


class StreamServer:
    """Seldon's Kafka server for one predictor. It is made and run on one loop."""

    def __init__(self, spec: StreamSpec, kafka: KafkaSettings) -> None:
        """Prepare the server; `start` begins.

        Raises:
            ValueError: The number of workers is below one.
        """
        if spec.workers < 1:
            raise ValueError(f"KAFKA_WORKERS is {spec.workers}, not a number from 1")
        self.spec = spec
        self.group = f"{spec.predictor}.{spec.deployment}.{spec.namespace}"
        self._kafka = kafka
        self._policies = spec.policies.compose()
        self._read = self._policies.read_grpc if spec.transport == "grpc" else self._policies.read_rest
        self._lanes = Lanes(spec.workers, self._handle)
        self._model: Model | None = None
        self._producer: Producer | None = None
        self._feed: Feed | None = None
        self._restart: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to consume: every request in the input topic that the group has not answered, and every later one.

        Raises:
            ValueError: The protocol or transport is not served here.
            NoTopicError, KafkaException: The input topic cannot be consumed.
        """
        self._model = connect(self.spec)
        self._producer = Producer(self._kafka)
        try:
            await self._consume()
        except BaseException:
            await self.stop()
            raise

    async def _consume(self) -> None:
        self._feed = Feed(Cluster(self._kafka), self.spec.input_topic, self.group, self._take)
        await self._feed.open("earliest")

    async def stop(self) -> None:
        """Take nothing more, finish the records at work (for 5 s at most), and end. The rest stays uncommitted."""
        if self._restart is not None:
            self._restart.cancel()
            await asyncio.wait([self._restart])
        if self._feed is not None:
            self._feed.hold()
            await self._lanes.drain(self._policies.drain)
            await self._feed.flush(_FLUSH)
            self._feed.close()
            await self._feed.closed()
        await self._lanes.stop()
        if self._producer is not None:
            await self._producer.stop()
        if self._model is not None:
            await self._model.close()

    def _take(self, record: Record) -> None:
        self._lanes.put(None, record)

    async def _handle(self, record: Record) -> None:
        if self._feed is None or self._restart is not None:
            return  # a record of a process that has died
        feed, finished = self._feed, False

        def finish() -> None:
            nonlocal finished
            if not finished:
                finished = True
                feed.done(record)

        try:
            request = self._read(record)
            await self._policies.before(finish)
            await self._answer(record, request, finish)
        except ServerDiesError as error:
            self._die(error)
            return
        except (NotARequestError, ModelError, NotStoredError) as error:
            position = f"{self.spec.input_topic}[{record.partition}]@{record.offset}"
            _log.warning("%s: %s dropped: %s: %s", self.group, position, type(error).__name__, error)
        except Exception:  # noqa: BLE001 - a fault of ours with one record must show, and must not stop the others
            _log.exception("%s: %s[%s]@%d dropped", self.group, self.spec.input_topic, record.partition, record.offset)
        # Not in a `finally`: a record that was cut off is not done.
        finish()

    def _die(self, error: ServerDiesError) -> None:
        """Drop everything at once, as a process that dies does, and begin again behind what is committed."""
        _log.error("%s: the server dies and is restarted: %s", self.group, error)
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()
            self._restart = asyncio.create_task(self._begin_again(feed))

    async def _begin_again(self, feed: Feed) -> None:
        await self._lanes.stop()
        await feed.closed()
        await asyncio.sleep(_RESTART)
        self._restart = None
        try:
            await self._consume()
        except (NoTopicError, KafkaException):
            _log.exception("%s: the server does not come back", self.group)

    async def _answer(self, record: Record, request: bytes, finish: Callable[[], None]) -> None:
        assert self._model is not None
        policies = self._policies
        content = await policies.answer(await policies.ask(record, request, self._model.predict))

        async def write() -> None:
            for _ in range(policies.copies):
                await self._store(Record(policies.key(record), (), content))

        await policies.store(record, write, finish)

    async def _store(self, record: Record) -> None:
        """Write an answer, and retry until Kafka has it: its request is not committed before.

        Raises:
            NotStoredError: Kafka will never accept the answer.
        """
        assert self._producer is not None
        while True:
            try:
                await self._producer.send(self.spec.output_topic, record)
            except NotStoredError as error:
                if error.too_large:
                    raise
                _log.warning("%s: answer not stored, trying again: %s", self.group, error)
                await asyncio.sleep(_AGAIN)
            else:
                return
