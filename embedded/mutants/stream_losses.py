"""Mutants of Seldon's Kafka server that lose requests because of another record: a *poison*.

The real executor *stalls* after some of these faults: it dies and restarts at the same record. That is what the
divergences `executor-dies-on-...` do. A pipeline does not survive it, and a proof has one for all tests of a mutant. So
the mutants model these faults as a restart that loses what was polled: the next records are dropped too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.streaming.models import ModelError, UnreachableError
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import (
    NotAnObjectError,
    NotARequestError,
    UndecodableError,
    UnknownTypeError,
)

_LOST = 3
_RESTART = 1.0
_IN_WORK = 0.1
_EARLIER = 1.0


class Losses:
    """The records that a poison makes a partition lose: the next ones.

    Next are those that were made within a second of it, by the times of the records and not by our clock: a server that
    is slow to read loses the same ones, and none of a later test.
    """

    def __init__(self) -> None:
        self._dead: dict[int | None, tuple[int, float]] = {}

    def begin(self, poison: Record) -> None:
        """Lose the records behind this one."""
        self._dead[poison.partition] = (_LOST, poison.time + _RESTART)

    def check(self, record: Record) -> None:
        """Let a record pass, unless it is lost.

        Raises:
            NotARequestError: The record is lost.
        """
        left, until = self._dead.get(record.partition, (0, 0.0))
        if left and record.time < until:
            self._dead[record.partition] = (left - 1, until)
            raise NotARequestError("lost in a restart")


class InWork:
    """The requests in work of each partition, by their offsets."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int | None, int], asyncio.Future[None]] = {}

    def begin(self, record: Record) -> None:
        """Count a request among those in work."""
        self._ends[record.partition, record.offset] = asyncio.get_running_loop().create_future()

    def end(self, record: Record) -> None:
        """Count it no longer."""
        end = self._ends.pop((record.partition, record.offset), None)
        if end is not None:
            end.set_result(None)

    async def earlier(self, record: Record) -> None:
        """Wait until no request in front of this one is in work any more, for a second at most."""
        ends = [
            end
            for (partition, offset), end in self._ends.items()
            if partition == record.partition and offset < record.offset
        ]
        if ends:
            await asyncio.wait(ends, timeout=_EARLIER)


def losing(read: Callable[[Record], bytes], poison: type[NotARequestError]) -> Callable[[Record], bytes]:
    """Return a reader that drops the next records of a partition after one that fails with `poison`."""
    losses = Losses()

    def losing_read(record: Record) -> bytes:
        try:
            request = read(record)
        except poison:
            losses.begin(record)
            raise
        losses.check(record)
        return request

    return losing_read


@mutant(STREAMS, wraps="read_rest")
def stream_dies_on_non_object(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after JSON that is not an object (executor rest/tensorflow.go:19, unchecked assertion)."""
    return replace(honest, read_rest=losing(honest.read_rest, NotAnObjectError))


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def stream_dies_on_undecodable(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after bytes that cannot be decoded (the class of seldon-core issue 4789)."""
    return replace(
        honest,
        read_rest=losing(honest.read_rest, UndecodableError),
        read_grpc=losing(honest.read_grpc, UndecodableError),
    )


@mutant(STREAMS, wraps="read_grpc")
def unknown_proto_name_kills(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after an unknown `proto-name` (executor server.go:166-171; seldon-core issue 4789)."""
    return replace(honest, read_grpc=losing(honest.read_grpc, UnknownTypeError))


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def tombstone_kills(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after a null value (the executor asks the model with GET; rest/client.go:189)."""

    def losing(read: Callable[[Record], bytes]) -> Callable[[Record], bytes]:
        losses = Losses()

        def losing_read(record: Record) -> bytes:
            if record.value is None:
                losses.begin(record)
                return read(record)
            request = read(record)
            losses.check(record)
            return request

        return losing_read

    return replace(honest, read_rest=losing(honest.read_rest), read_grpc=losing(honest.read_grpc))


@mutant(STREAMS, wraps="ask")
def refused_request_kills(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after a request that the model refuses (an answer that is not 200; worker.go:48)."""
    losses, in_work = Losses(), InWork()

    async def ask(record: Record, request: bytes, predict: Callable[[bytes], Awaitable[bytes]]) -> bytes:
        in_work.begin(record)
        try:
            content = await honest.ask(record, request, predict)
            # Those behind a poison are in work beside it: let it be refused first, and count them in their order.
            await in_work.earlier(record)
            losses.check(record)
        except ModelError:
            losses.begin(record)
            raise
        finally:
            in_work.end(record)
        return content

    return replace(honest, ask=ask)


@mutant(STREAMS, wraps=("read_rest", "read_grpc", "ask"))
def poison_drops_in_work(honest: StreamPolicies) -> StreamPolicies:
    """Lose what is in work when a later record of the partition cannot be read (a panic ends all workers)."""
    poisons: dict[int | None, Record] = {}

    def noting(read: Callable[[Record], bytes]) -> Callable[[Record], bytes]:
        def noting_read(record: Record) -> bytes:
            try:
                return read(record)
            except NotARequestError:
                poisons[record.partition] = record
                raise

        return noting_read

    async def ask(record: Record, request: bytes, predict: Callable[[bytes], Awaitable[bytes]]) -> bytes:
        await asyncio.sleep(_IN_WORK)
        poison = poisons.get(record.partition)
        if poison is not None and poison.offset > record.offset and poison.time < record.time + _RESTART:
            raise NotARequestError("lost with all that was in work")
        return await honest.ask(record, request, predict)

    return replace(honest, read_rest=noting(honest.read_rest), read_grpc=noting(honest.read_grpc), ask=ask)


@mutant(STREAMS, wraps="ask")
def stream_ends_with_model(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records, whenever they come, once the model was not there (seldon-core issue 1584).

    There the consumer stops for good, unseen; here it does until so many are lost, so that later tests are spared.
    """
    left = 0

    async def ask(record: Record, request: bytes, predict: Callable[[bytes], Awaitable[bytes]]) -> bytes:
        nonlocal left
        if left:
            left -= 1
            raise NotARequestError("nobody reads any more")
        try:
            return await honest.ask(record, request, predict)
        except UnreachableError:
            left = _LOST
            raise

    return replace(honest, ask=ask)


@mutant(STREAMS, wraps="ask")
def model_away_answered(honest: StreamPolicies) -> StreamPolicies:
    """Answer a request whose model is not there with the request (seldon-core issue 4130: an error is swallowed)."""

    async def ask(record: Record, request: bytes, predict: Callable[[bytes], Awaitable[bytes]]) -> bytes:
        try:
            return await honest.ask(record, request, predict)
        except UnreachableError:
            return request

    return replace(honest, ask=ask)
