"""What a stream server decides, each decision a policy (see `embedded.dataplane.policies`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from embedded.dataplane.cloudevents import Record
from embedded.streaming.requests import read_json, read_message


def key_of(record: Record) -> bytes | None:
    """Return the key of a record's answer: its own. The key is all that pairs the two (executor worker.go:58)."""
    return record.key


async def before(finish: Callable[[], None]) -> None:
    """Do what comes before the work on a record: nothing. `finish` would let its offset be committed."""


async def answer(content: bytes) -> bytes:
    """Return what is written of the model's answer: all of it, as it is."""
    return content


@dataclass(frozen=True, kw_only=True)
class StreamPolicies:
    """All decisions of a stream server.

    Attributes:
        read_rest: record to request, for transport rest.
        read_grpc: record to request, for transport grpc.
        key: record to its answer's key.
        before: what is done first.
        answer: model's answer to record value.
        copies: how often an answer is written.
    """

    read_rest: Callable[[Record], bytes] = read_json
    read_grpc: Callable[[Record], bytes] = read_message
    key: Callable[[Record], bytes | None] = key_of
    before: Callable[[Callable[[], None]], Awaitable[None]] = before
    answer: Callable[[bytes], Awaitable[bytes]] = answer
    copies: int = 1


HONEST = StreamPolicies()
