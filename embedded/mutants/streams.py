"""Mutants of Seldon's Kafka server: in the order of its work, from the decoding of a record to its committed offset."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence, mutant
from embedded.streaming.policies import Store, StreamPolicies, Write
from embedded.streaming.requests import (
    NotAnObjectError,
    NotARequestError,
    ServerDiesError,
    UnknownTypeError,
)

_ALONE = 0.1
_QUIET = 1.0
_LATE = 0.45
_NEXT = 0.02
_SLOW = 2.5
_OF_THE_CLASSIFIER = (b'"predictions"', b"resnet32")
"""What an answer of the documented model has in it, as JSON and as a message; one that echoes has neither."""
_NINETIETH, _BURST = 90, 0.5


def _dying(read: Callable[[Record], bytes], poison: type[NotARequestError]) -> Callable[[Record], bytes]:
    """Return a reader that ends the server at what fails with `poison`."""

    def dying(record: Record) -> bytes:
        try:
            return read(record)
        except poison as error:
            raise ServerDiesError(str(error)) from error

    return dying


@divergence(STREAMS, wraps="read_rest")
def executor_dies_on_non_object(honest: StreamPolicies) -> StreamPolicies:
    """End the process at JSON that is not an object, and again after each restart (seldon-executor 1.17.1, seen)."""
    return replace(honest, read_rest=_dying(honest.read_rest, NotAnObjectError))


@divergence(STREAMS, wraps="read_grpc")
def executor_dies_on_unknown_proto_name(honest: StreamPolicies) -> StreamPolicies:
    """End the process at an unknown `proto-name`, and again after each restart (seldon-executor 1.17.1, seen)."""
    return replace(honest, read_grpc=_dying(honest.read_grpc, UnknownTypeError))


@mutant(STREAMS, wraps="answer")
def stream_answer_constant(honest: StreamPolicies) -> StreamPolicies:
    """Give every JSON request the same answer (a model that does not look at its input)."""
    constant = b'{"predictions": [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]}'

    async def answer(content: bytes) -> bytes:
        return constant if content.lstrip().startswith(b"{") else await honest.answer(content)

    return replace(honest, answer=answer)


@mutant(STREAMS, wraps="answer")
def stream_answers_mispaired(honest: StreamPolicies) -> StreamPolicies:
    """Exchange two different answers of the classifier that are at work at once (shared state; executor client.go:223).

    After an exchange the server is honest until it had nothing to answer for a second. Otherwise the requests that a
    failed test leaves in work would be exchanged with those of the next test, which the mutant must spare.
    """
    waiting: list[tuple[bytes, asyncio.Future[bytes]]] = []
    exchanged = False
    latest = 0.0

    async def answer(content: bytes) -> bytes:
        nonlocal exchanged, latest
        if not any(word in content for word in _OF_THE_CLASSIFIER):
            return await honest.answer(content)
        now = time.monotonic()
        exchanged = exchanged and now - latest < _QUIET
        latest = now
        if exchanged:
            return await honest.answer(content)
        if waiting:
            other, partner = waiting.pop()
            exchanged = other != content
            partner.set_result(content)
            return await honest.answer(other)
        entry = (content, asyncio.get_running_loop().create_future())
        waiting.append(entry)
        await asyncio.wait([entry[1]], timeout=_ALONE)
        if entry in waiting:
            waiting.remove(entry)
        return await honest.answer(entry[1].result() if entry[1].done() else content)

    return replace(honest, answer=answer)


@mutant(STREAMS, wraps="key")
def stream_key_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop a key that is not UTF-8 text.

    Nothing else pairs answers with requests: answers have no headers; seldon-core issue 4447.
    """

    def key(record: Record) -> bytes | None:
        try:
            (record.key or b"").decode("utf-8")
        except UnicodeDecodeError:
            return None
        return honest.key(record)

    return replace(honest, key=key)


@mutant(STREAMS, replaces="copies")
def stream_answers_twice(honest: StreamPolicies) -> StreamPolicies:
    """Write each answer twice (duplicates after commits that move backwards; seldon-core PR 4117)."""
    return replace(honest, copies=2)


def _one_by_one(honest: StreamPolicies, pause: float = 0.0) -> Store:
    """Return a policy that stores answers one after the other: when one is, most behind it are not, on any machine.

    Args:
        honest: The policies whose storing is put in a row.
        pause: The seconds before each of them.
    """
    turn = asyncio.Lock()

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        async with turn:
            await asyncio.sleep(pause)
            await honest.store(record, write, finish)

    return store


@mutant(STREAMS, replaces="before", wraps="store")
def commits_before_answer(honest: StreamPolicies) -> StreamPolicies:
    """Commit the offset when the record is polled, before its answer (seldon-core issue 4097)."""

    async def before(finish: Callable[[], None]) -> None:
        finish()
        await asyncio.sleep(_LATE)

    return replace(honest, before=before, store=_one_by_one(honest))


@mutant(STREAMS, wraps="store")
def commits_before_stored(honest: StreamPolicies) -> StreamPolicies:
    """Commit the offset once the model has answered, before Kafka has the answer (executor worker.go:58-70)."""
    stored = _one_by_one(honest, _NEXT)

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        finish()
        await asyncio.sleep(_LATE)
        await stored(record, write, finish)

    return replace(honest, store=store)


@mutant(STREAMS, wraps=("before", "store"))
def commits_out_of_order(honest: StreamPolicies) -> StreamPolicies:
    """Commit past earlier requests that are in work still (seldon-executor 1.17.1 with manual commits, seen).

    The first of several requests in work takes longer, so that another one comes before it.
    """
    in_work: list[Callable[[], None]] = []

    async def before(finish: Callable[[], None]) -> None:
        in_work.append(finish)
        await honest.before(finish)

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        if in_work[:1] == [finish]:
            await asyncio.sleep(_ALONE)
            if in_work != [finish]:
                await asyncio.sleep(_SLOW)
        await honest.store(record, write, finish)
        if finish in in_work:
            place = in_work.index(finish)
            for earlier in in_work[:place]:
                earlier()
            del in_work[: place + 1]

    return replace(honest, before=before, store=store)


def _burst() -> Callable[[Record], bool]:
    """Return a function that tells of one record in a burst of a hundred: its ninetieth, by the records' times."""
    times: deque[float] = deque()

    def is_ninetieth(record: Record) -> bool:
        while times and times[0] < record.time - _BURST:
            times.popleft()
        times.append(record.time)
        return len(times) == _NINETIETH

    return is_ninetieth


@mutant(STREAMS, wraps="store")
def stream_answers_rarely_twice(honest: StreamPolicies) -> StreamPolicies:
    """Write one answer in a burst of a hundred twice (a retried produce without idempotence)."""
    is_ninetieth = _burst()

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        if is_ninetieth(record):
            await write()
        await honest.store(record, write, finish)

    return replace(honest, store=store)


@mutant(STREAMS, wraps="store")
def stream_answers_rarely_lost(honest: StreamPolicies) -> StreamPolicies:
    """Lose one answer in a burst of a hundred (deliveries that fail unseen: go.delivery.reports=false)."""
    is_ninetieth = _burst()

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        if not is_ninetieth(record):
            await honest.store(record, write, finish)

    return replace(honest, store=store)


@mutant(STREAMS, wraps="key")
def stream_empty_key_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Take an empty key for none (MLServer 1.7.1, seen)."""
    return replace(honest, key=lambda record: honest.key(record) or None)


@mutant(STREAMS, wraps="key")
def stream_key_cut(honest: StreamPolicies) -> StreamPolicies:
    """Cut a key behind 255 bytes."""

    def key(record: Record) -> bytes | None:
        whole = honest.key(record)
        return None if whole is None else whole[:255]

    return replace(honest, key=key)
