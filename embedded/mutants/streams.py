"""Mutants of Seldon's Kafka server.

The real executor *stalls* after some of these faults: it dies and restarts at the same record. That is what the
divergences `executor-dies-on-...` do. A pipeline does not survive it, and a proof has one for all tests of a mutant. So
the mutants model these faults as a restart that loses what was polled: the next records are dropped too.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from google.protobuf.message import DecodeError

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence, mutant
from embedded.streaming import tensorflow
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import (
    NotAnObjectError,
    NotARequestError,
    ProtoNameError,
    ServerDiesError,
    UndecodableError,
    UnknownTypeError,
    decode,
)

_LOST = 3
_RESTART = 1.0
_ALONE = 0.1
_QUIET = 1.0
_LATE = 0.3


def _losing(read: Callable[[Record], bytes], poison: type[NotARequestError]) -> Callable[[Record], bytes]:
    """Return a reader that drops the next records of a partition after one that fails with `poison`.

    Next are those that were made within a second of it, by the times of the records and not by our clock: a server that
    is slow to read loses the same ones, and none of a later test.
    """
    dead: dict[int | None, tuple[int, float]] = {}

    def losing(record: Record) -> bytes:
        left, until = dead.get(record.partition, (0, 0.0))
        if left and record.time < until:
            dead[record.partition] = (left - 1, until)
            raise NotARequestError("lost in a restart")
        try:
            return read(record)
        except poison:
            dead[record.partition] = (_LOST, record.time + _RESTART)
            raise

    return losing


@mutant(STREAMS, wraps="read_rest")
def stream_dies_on_non_object(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after JSON that is not an object (executor rest/tensorflow.go:19, unchecked assertion)."""
    return replace(honest, read_rest=_losing(honest.read_rest, NotAnObjectError))


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def stream_dies_on_undecodable(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after bytes that cannot be decoded (the class of seldon-core issue 4789)."""
    return replace(
        honest,
        read_rest=_losing(honest.read_rest, UndecodableError),
        read_grpc=_losing(honest.read_grpc, UndecodableError),
    )


@mutant(STREAMS, wraps="read_grpc")
def unknown_proto_name_kills(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after an unknown `proto-name` (executor server.go:166-171; seldon-core issue 4789)."""
    return replace(honest, read_grpc=_losing(honest.read_grpc, UnknownTypeError))


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


@mutant(STREAMS, replaces="read_grpc")
def proto_name_ignored(honest: StreamPolicies) -> StreamPolicies:
    """Decode values as PredictResponse whatever `proto-name` says, and chain them.

    The executor does so: grpc/tensorflow/client.go:70.
    """

    def read_grpc(record: Record) -> bytes:
        response, request = (
            tensorflow.TYPES[f"tensorflow.serving.Predict{kind}"]() for kind in ("Response", "Request")
        )
        try:
            response.ParseFromString(record.value or b"")
        except DecodeError as error:
            raise UndecodableError(str(error)) from error
        request.model_spec.CopyFrom(response.model_spec)
        for name, tensor in response.outputs.items():
            request.inputs[name].CopyFrom(tensor)
        content: bytes = request.SerializeToString()
        return content

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="read_grpc")
def missing_proto_name_guessed(honest: StreamPolicies) -> StreamPolicies:
    """Assume PredictRequest when there is not exactly one `proto-name` (the executor has no default)."""

    def read_grpc(record: Record) -> bytes:
        try:
            return honest.read_grpc(record)
        except ProtoNameError:
            return decode(tensorflow.PREDICT_REQUEST, record.value or b"")

    return replace(honest, read_grpc=read_grpc)


@mutant(STREAMS, wraps="answer")
def stream_answer_constant(honest: StreamPolicies) -> StreamPolicies:
    """Give every JSON request the same answer (a model that does not look at its input)."""
    constant = b'{"predictions": [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]}'

    async def answer(content: bytes) -> bytes:
        return constant if content.lstrip().startswith(b"{") else await honest.answer(content)

    return replace(honest, answer=answer)


@mutant(STREAMS, wraps="answer")
def stream_answers_mispaired(honest: StreamPolicies) -> StreamPolicies:
    """Exchange two different answers that are at work at once (workers share state; executor client.go:223).

    After an exchange the server is honest until it had nothing to answer for a second. Otherwise the requests that a
    failed test leaves in work would be exchanged with those of the next test, which the mutant must spare.
    """
    waiting: list[tuple[bytes, asyncio.Future[bytes]]] = []
    exchanged = False
    latest = 0.0

    async def answer(content: bytes) -> bytes:
        nonlocal exchanged, latest
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


@mutant(STREAMS, replaces="before")
def commits_before_answer(honest: StreamPolicies) -> StreamPolicies:
    """Commit the offset when the record is polled, before its answer (seldon-core issue 4097)."""

    async def before(finish: Callable[[], None]) -> None:
        finish()
        await asyncio.sleep(_LATE)

    return replace(honest, before=before)
