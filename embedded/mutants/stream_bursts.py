"""Mutants of Seldon's Kafka server that show only where several requests are in work, or one is unlike the others."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import mutant
from embedded.streaming.metadata import RESERVED, Pairs, puid_of
from embedded.streaming.models import ModelError
from embedded.streaming.policies import Predict, StreamPolicies, Write
from embedded.streaming.requests import NotARequestError

_TOGETHER = 0.05
"""The seconds in which those that came with a record are in work, too."""
_BEHIND = 0.5
_LARGE = 256 * 1024


class _Company:
    """The records that are in work, in the order in which they came."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    def join(self, record: Record) -> None:
        self._records.append(record)

    def leave(self, record: Record) -> None:
        self._records = [other for other in self._records if other is not record]

    def latest(self) -> Record | None:
        """Return the record that came last, where there are several."""
        return self._records[-1] if len(self._records) > 1 else None


class _Round:
    """Records that are at work together; who comes when the first of them is done waits until all are."""

    def __init__(self) -> None:
        self.members, self.is_closed, self.over = 0, False, asyncio.Event()

    def leave(self) -> None:
        """Take one of them for done."""
        self.members, self.is_closed = self.members - 1, True
        if not self.members:
            self.over.set()


@mutant(STREAMS, wraps="ask")
def stream_works_in_rounds(honest: StreamPolicies) -> StreamPolicies:
    """Take up records together, and others when all of these are done (modelled: a poll's records are awaited)."""
    current = _Round()

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        nonlocal current
        while current.is_closed:
            await current.over.wait()
            current = _Round() if current.over.is_set() else current
        mine = current
        mine.members += 1
        try:
            return await honest.ask(record, request, predict)
        finally:
            mine.leave()

    return replace(honest, ask=ask)


@mutant(STREAMS, wraps=("ask", "http_headers", "grpc_metadata"))
def stream_headers_mixed(honest: StreamPolicies) -> StreamPolicies:
    """Give the model the headers of the latest record in work (headers on an object that all requests share)."""
    company = _Company()

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        company.join(record)
        try:
            await asyncio.sleep(_TOGETHER)
            return await honest.ask(record, request, predict)
        finally:
            company.leave(record)

    def mixed(pairs_of: Callable[[Record, str], Pairs]) -> Callable[[Record, str], Pairs]:
        return lambda record, puid: pairs_of(company.latest() or record, puid)

    return replace(honest, ask=ask, http_headers=mixed(honest.http_headers), grpc_metadata=mixed(honest.grpc_metadata))


@mutant(STREAMS, wraps=("ask", "store", "headers"))
def stream_puids_mixed(honest: StreamPolicies) -> StreamPolicies:
    """Name the puid of the latest record in work in an answer (as above; MLServer issue 777: answers of a batch)."""
    company = _Company()

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        company.join(record)
        try:
            await asyncio.sleep(_TOGETHER)
            return await honest.ask(record, request, predict)
        except BaseException:
            company.leave(record)
            raise

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        try:
            await honest.store(record, write, finish)
        finally:
            company.leave(record)

    def headers(puid: str, message_type: str | None) -> Sequence[tuple[str, bytes]]:
        latest = company.latest()
        return honest.headers(puid if latest is None else puid_of(latest), message_type)

    return replace(honest, ask=ask, store=store, headers=headers)


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def stream_keyless_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop a record without a key that comes right behind another one (a table of requests in work, by their keys)."""
    before = 0.0

    def alone(read: Callable[[Record], bytes]) -> Callable[[Record], bytes]:
        def reading(record: Record) -> bytes:
            nonlocal before
            request = read(record)
            if record.key is None:
                before, gap = record.time, record.time - before
                if gap < _BEHIND:
                    raise NotARequestError("another record without a key is in work")
            return request

        return reading

    return replace(honest, read_rest=alone(honest.read_rest), read_grpc=alone(honest.read_grpc))


@mutant(STREAMS, wraps="answer")
def stream_large_answers_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop answers of more than 256 KiB (seldon-core issue 5125: what is too large for a part is dropped unseen)."""

    async def answer(content: bytes) -> bytes:
        if len(content) > _LARGE:
            raise ModelError(f"an answer of {len(content)} bytes")
        return await honest.answer(content)

    return replace(honest, answer=answer)


@mutant(STREAMS, wraps="http_headers")
def header_underscores_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop headers whose names have an underscore (as nginx does; CloudEvents on Kafka begin with `ce_`)."""
    return replace(
        honest,
        http_headers=lambda record, puid: tuple(
            pair for pair in honest.http_headers(record, puid) if "_" not in pair[0]
        ),
    )


@mutant(STREAMS, wraps="http_headers")
def connection_headers_passed_on(honest: StreamPolicies) -> StreamPolicies:
    """Give the model also the headers by which two ends of a connection agree where a message ends."""

    def http_headers(record: Record, puid: str) -> Pairs:
        own = [(name, (value or b"").decode("latin-1")) for name, value in record.headers]
        return (*honest.http_headers(record, puid), *(pair for pair in own if pair[0].lower() in RESERVED))

    return replace(honest, http_headers=http_headers)


@mutant(STREAMS, wraps="grpc_metadata")
def metadata_collapsed(honest: StreamPolicies) -> StreamPolicies:
    """Give the model the last value alone of a header that a record has several times (metadata as a dictionary)."""
    return replace(honest, grpc_metadata=lambda record, puid: tuple(dict(honest.grpc_metadata(record, puid)).items()))
