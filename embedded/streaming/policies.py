"""The decisions of a stream server as policies (see `embedded.dataplane.policies`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from embedded.dataplane.cloudevents import Record
from embedded.streaming.requests import read_json, read_message

Predict = Callable[[bytes], Awaitable[bytes]]
Write = Callable[[], Awaitable[None]]


def key_of(record: Record) -> bytes | None:
    """Return the key of a record's answer: the record's own, which alone pairs the two (executor worker.go:58)."""
    return record.key


async def before(finish: Callable[[], None]) -> None:
    """Prepare the work on a record: do nothing. A call of `finish` would let its offset be committed."""


async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
    """Return the model's answer to a record's request."""
    del record
    return await predict(request)


async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
    """Write a record's answer, until Kafka has it. A call of `finish` would let the record's offset be committed."""
    del record, finish
    await write()


async def answer(content: bytes) -> bytes:
    """Return the record value for the model's answer: the answer as it is."""
    return content


@dataclass(frozen=True, kw_only=True)
class StreamPolicies:
    """All decisions of a stream server.

    Attributes:
        read_rest: The function from a record to a request, for transport rest.
        read_grpc: The function from a record to a request, for transport grpc.
        key: The function from a record to its answer's key.
        before: The action before the work on a record.
        ask: The function from a record, its request and the model's predict call to the model's answer.
        answer: The function from a model's answer to a record value.
        store: The action that writes the answer to a record, given the write itself.
        copies: The number of times that an answer is written.
        drain: The seconds that the work on records gets to end where the server is stopped.
    """

    read_rest: Callable[[Record], bytes] = read_json
    read_grpc: Callable[[Record], bytes] = read_message
    key: Callable[[Record], bytes | None] = key_of
    before: Callable[[Callable[[], None]], Awaitable[None]] = before
    ask: Callable[[Record, bytes, Predict], Awaitable[bytes]] = ask
    answer: Callable[[bytes], Awaitable[bytes]] = answer
    store: Callable[[Record, Write, Callable[[], None]], Awaitable[None]] = store
    copies: int = 1
    drain: float = 5.0


HONEST = StreamPolicies()
