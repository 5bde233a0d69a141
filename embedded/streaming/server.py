"""A predictor's Kafka server: it sends each input record to the model and writes the answer under the same key.

It follows the documentation, not the executor's faults (seldon-core v1.18.2): an offset is committed once the answer is
acknowledged, in order (the executor commits what it has polled, or what it has only enqueued); a record that cannot be
read or answered is dropped with a log line (the executor dies of some); the consumer outlives brokers that go away (the
executor's ends for good). As there, the group is `<predictor>.<deployment>.<namespace>`, it begins at the earliest
record, `KAFKA_WORKERS` records are worked on at once, and answers carry no headers.
"""

import asyncio
import logging

from embedded.dataplane.cloudevents import Record
from embedded.dataplane.feed import Cluster, Feed
from embedded.dataplane.lanes import Lanes
from embedded.dataplane.producer import NotStoredError, Producer
from embedded.streaming.models import Model, ModelError, connect
from embedded.streaming.requests import NotARequestError
from embedded.streaming.specs import StreamSpec
from embedded.types import KafkaSettings

_log = logging.getLogger(__name__)

_AGAIN = 1.0
_DRAIN = 5.0


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

    async def start(self) -> None:
        """Begin to consume: every request in the input topic that the group has not answered, and every later one.

        Raises:
            ValueError: The protocol or transport is not served here.
            NoTopicError, KafkaException: The input topic cannot be consumed.
        """
        self._model = connect(self.spec)
        self._producer = Producer(self._kafka)
        self._feed = Feed(Cluster(self._kafka), self.spec.input_topic, self.group, self._take)
        try:
            await self._feed.open("earliest")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Take nothing more, finish the records at work (for 5 s at most), and end. The rest stays uncommitted."""
        if self._feed is not None:
            self._feed.hold()
            await self._lanes.drain(_DRAIN)
            await self._feed.flush(_DRAIN)
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
        assert self._feed is not None
        feed, finished = self._feed, False

        def finish() -> None:
            nonlocal finished
            if not finished:
                finished = True
                feed.done(record)

        try:
            await self._policies.before(finish)
            await self._answer(record)
        except (NotARequestError, ModelError, NotStoredError) as error:
            position = f"{self.spec.input_topic}[{record.partition}]@{record.offset}"
            _log.warning("%s: %s dropped: %s: %s", self.group, position, type(error).__name__, error)
        except Exception:  # noqa: BLE001 - a fault of ours with one record must show, and must not stop the others
            _log.exception("%s: %s[%s]@%d dropped", self.group, self.spec.input_topic, record.partition, record.offset)
        # Not in a `finally`: a record that was cut off is not done.
        finish()

    async def _answer(self, record: Record) -> None:
        assert self._model is not None
        content = await self._policies.answer(await self._model.predict(self._read(record)))
        for _ in range(self._policies.copies):
            await self._store(Record(self._policies.key(record), (), content))

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
