"""A predictor's Kafka server: it sends each input record through the graph and writes the answer under the same key.

It follows the documentation, not the executor's faults (seldon-core v1.18.2): an offset is committed once the answer is
acknowledged, in order (the executor commits what it has polled, or what it has only enqueued); a record that cannot be
read or answered is dropped with a log line (the executor dies of some); the consumer outlives brokers that go away (the
executor's ends for good); records of one key are answered in order; an answer says in its headers which message it is,
and of which request. As there, the group is `<predictor>.<deployment>.<namespace>`, it begins at the earliest record,
and `KAFKA_WORKERS` records are worked on at once.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from embedded.dataplane.cloudevents import Record
from embedded.dataplane.feed import Cluster, Feed, KafkaException, NoTopicError
from embedded.dataplane.producer import NotStoredError, Producer
from embedded.streaming.graph import Graph
from embedded.streaming.metadata import puid_of
from embedded.streaming.models import REQUEST_TYPES, RESPONSE_TYPES, Model, ModelError, connect
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import NotARequestError, ServerDiesError, reader_of
from embedded.streaming.specs import StreamSpec
from embedded.streaming.workers import Workers
from embedded.types import Composition

_log = logging.getLogger(__name__)

_AGAIN = 1.0
_FLUSH = 5.0
_RESTART, _RESTART_KILLED = 1.0, 0.2

STAGES = ("consumed", "predicted", "produced", "committed")
"""The stages of a record, at which a server can be killed: read, answered, its answer stored, its offset committed."""


class StreamServer:
    """Seldon's Kafka server for one predictor. It is made and run on one loop."""

    def __init__(self, spec: StreamSpec, cluster: Cluster) -> None:
        """Prepare the server; `start` begins.

        Args:
            spec: The specification of the stream.
            cluster: What its feed shares with others.

        Raises:
            ValueError: The number of workers is below one.
        """
        if spec.workers < 1:
            raise ValueError(f"KAFKA_WORKERS is {spec.workers}, not a number from 1")
        self.spec = spec
        self.group = f"{spec.predictor}.{spec.deployment}.{spec.namespace}"
        self._cluster = cluster
        self._protocol = spec.policies.compose().protocol(spec.protocol)
        self._policies = _composed(spec, self._protocol)
        self._is_grpc = is_grpc = spec.transport == "grpc"
        self._read = self._policies.read_grpc if is_grpc else self._policies.read_rest
        self._headers = self._policies.grpc_metadata if is_grpc else self._policies.http_headers
        self._answer_type = RESPONSE_TYPES.get(self._protocol) if is_grpc else None
        self._workers = Workers(self._policies.width(spec.workers), self._handle)
        self._in_work: dict[int, Callable[[], None]] = {}
        self._model: Model | None = None
        self._graph: Graph | None = None
        self._producer: Producer | None = None
        self._feed: Feed | None = None
        self._restart: asyncio.Task[None] | None = None
        self._doomed: str | None = None
        self._killed: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Begin to consume: every request in the input topic that the group has not answered, and every later one.

        Raises:
            ValueError: The protocol or transport is not served here.
            NoTopicError, KafkaException: The input topic cannot be consumed.
        """
        self._model = connect(replace(self.spec, protocol=self._protocol))
        self._graph = Graph(self.spec.graph, self._model, self._policies, is_grpc=self._is_grpc)
        self._producer = Producer(self._cluster.kafka)
        try:
            await self._consume()
        except BaseException:
            await self.stop()
            raise

    async def _consume(self) -> None:
        spec, policies = self.spec, self._policies

        def is_ours(partition: int) -> bool:
            return policies.is_read(partition, spec.replica, spec.replicas)

        self._feed = Feed(self._cluster, spec.input_topic, self.group, self._take, partitions=is_ours)
        await self._feed.open("earliest", resume=policies.resumes)

    def kill(self, stage: str) -> asyncio.Future[None]:
        """Let the server die, as a process does, at the next record that comes to a stage; it begins again after that.

        Args:
            stage: One of `STAGES`.

        Returns:
            A future that is done once the server is at work again.
        """
        self._doomed, self._killed = stage, asyncio.get_running_loop().create_future()
        return self._killed

    def lose_kafka(self) -> None:
        """Take note that Kafka goes away. An honest consumer waits for it, and an honest producer tries again."""
        if not self._policies.outlives_kafka and self._feed is not None:
            self._feed.hold()

    async def stop(self) -> None:
        """Take nothing more, finish the records at work (for 5 s at most), and end. The rest stays uncommitted."""
        if self._restart is not None:
            self._restart.cancel()
            await asyncio.wait([self._restart])
        if self._feed is not None:
            self._feed.hold()
            await self._workers.drain(self._policies.drain)
            self._policies.abandon(list(self._in_work.values()))
            await self._feed.flush(_FLUSH)
            self._feed.close()
            await self._feed.closed()
        await self._workers.stop()
        if self._killed is not None:
            self._killed.cancel()
        if self._producer is not None:
            await self._producer.stop()
        if self._model is not None:
            await self._model.close()

    def _take(self, record: Record) -> None:
        self._workers.put(self._policies.lane(record), record)

    async def _handle(self, record: Record) -> None:
        if self._feed is None or self._restart is not None:
            return  # a record of a process that has died
        feed, number, finished = self._feed, id(record), False

        def finish() -> None:
            nonlocal finished
            if not finished:
                finished = True
                feed.done(record)

        self._in_work[number] = finish
        try:
            if self._policies.is_in_share(record, self.spec.share):
                await self._work(record, finish)
        except ServerDiesError as error:
            self._die(error)
            return
        except (NotARequestError, ModelError, NotStoredError) as error:
            position = f"{self.spec.input_topic}[{record.partition}]@{record.offset}"
            _log.warning("%s: %s dropped: %s: %s", self.group, position, type(error).__name__, error)
        except Exception:  # noqa: BLE001 - a fault of ours with one record must show, and must not stop the others
            _log.exception("%s: %s[%s]@%d dropped", self.group, self.spec.input_topic, record.partition, record.offset)
        finally:
            del self._in_work[number]
        # Not in the `finally`: a record that was cut off is not done.
        finish()
        if self._doomed == "committed":
            self._die(ServerDiesError("killed when an offset was committed"))

    def _die(self, error: ServerDiesError) -> None:
        """Drop everything at once, as a process that dies does, and begin again behind what is committed."""
        is_killed, self._doomed = self._doomed is not None, None
        _log.error("%s: the server dies and is restarted: %s", self.group, error)
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.hold()
            self._restart = asyncio.create_task(self._begin_again(feed, is_killed=is_killed))

    async def _begin_again(self, feed: Feed, *, is_killed: bool) -> None:
        """Cut off what is in work, and consume again.

        Args:
            feed: The feed of the process that has died.
            is_killed: True if it was killed on order. What it had let be committed is committed then: a kill that came
                before Kafka's answer would show nothing of a commit that was too early.
        """
        try:
            await self._workers.stop()
            if is_killed:
                await feed.flush(_FLUSH)
        finally:
            feed.close()
        await feed.closed()
        await asyncio.sleep(_RESTART_KILLED if is_killed else _RESTART)
        self._restart = None
        try:
            await self._consume()
        except (NoTopicError, KafkaException):
            _log.exception("%s: the server does not come back", self.group)
            return
        if self._killed is not None and not self._killed.done():
            self._killed.set_result(None)

    async def _work(self, record: Record, finish: Callable[[], None]) -> None:
        """Read a record, have it answered, and write the answer.

        Raises:
            NotARequestError, ModelError, NotStoredError: There is no answer; the record is to be dropped.
            ServerDiesError: The server is to die.
        """
        assert self._graph is not None
        graph, policies = self._graph, self._policies
        request, puid = self._read(record), puid_of(record)
        await policies.before(finish)
        self._reach("consumed")

        async def predict(content: bytes) -> bytes:
            return await graph.answer(content, self._headers(record, puid))

        content = await policies.answer(await policies.ask(record, request, predict))

        async def write() -> None:
            self._reach("predicted")
            for _ in range(policies.copies if policies.is_told(self.spec.shadow) else 0):
                headers = policies.headers(puid, self._answer_type)
                await self._store(Record(policies.key(record), headers, policies.value(content)))

        await policies.store(record, write, finish)
        self._reach("produced")

    def _reach(self, stage: str) -> None:
        if self._doomed == stage:
            raise ServerDiesError(f"killed when a record was {stage}")

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


def _composed(spec: StreamSpec, protocol: str) -> StreamPolicies:
    """Return the policies of a stream, where the honest ones read the messages of the protocol that it speaks."""
    policies = spec.policies
    if protocol in REQUEST_TYPES:
        honest = replace(policies.honest, read_grpc=reader_of(REQUEST_TYPES[protocol]))
        policies = Composition(honest, policies.changes)
    return policies.compose()
