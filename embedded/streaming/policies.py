"""The decisions of a stream server as policies (see `embedded.dataplane.policies`)."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from embedded.dataplane.cloudevents import Record
from embedded.streaming.metadata import PUID, Pairs, grpc_metadata, http_headers
from embedded.streaming.nodes import PREDICT, TRANSFORM_INPUT, TRANSFORM_OUTPUT, Node
from embedded.streaming.requests import PROTO_NAME, read_json, read_message
from embedded.streaming.routes import listed, read_message_route, read_route

Predict = Callable[[bytes], Awaitable[bytes]]
Write = Callable[[], Awaitable[None]]
Store = Callable[[Record, Write, Callable[[], None]], Awaitable[None]]
Visit = Callable[[], Awaitable[bytes]]


class NodeHeaders(Protocol):
    """The headers of the call of a node; see `node_headers`."""

    def __call__(self, method: str, headers: Pairs, *, is_first: bool) -> Pairs:
        """Return the headers."""


def protocol(named: str) -> str:
    """Return the protocol that a stream speaks for the one that its SeldonDeployment names: an older name means v2."""
    return "v2" if named == "kfserving" else named


def key_of(record: Record) -> bytes | None:
    """Return the key of a record's answer: the record's own, which alone pairs the two (executor worker.go:58)."""
    return record.key


def width(workers: int) -> int:
    """Return how many records are at work at once for the number in `KAFKA_WORKERS`: so many (executor server.go)."""
    return workers


def lane_of(record: Record) -> Hashable | None:
    """Return what a record must wait for: earlier records of its partition with its key; None: for nothing."""
    return None if record.key is None else (record.partition, record.key)


def is_in_share(record: Record, share: tuple[int, int]) -> bool:
    """Tell whether a record is a predictor's to answer: each record is that of one predictor, by its place."""
    slot = zlib.crc32(f"{record.partition}/{record.offset}".encode()) % 100
    return share[0] <= slot < share[1]


def is_told(shadow: bool) -> bool:  # noqa: FBT001 - the one thing that is known of a predictor here
    """Tell whether a predictor's answers are written: those of a shadow are thrown away."""
    return not shadow


def is_read(partition: int, replica: int, replicas: int) -> bool:
    """Tell whether a replica reads a partition: each partition has one reader."""
    return partition % replicas == replica


def answer_headers(puid: str, message_type: str | None) -> Sequence[tuple[str, bytes]]:
    """Return the headers of an answer: the id of its request and, of a message, its type."""
    typed = [] if message_type is None else [(PROTO_NAME, message_type.encode())]
    return [(PUID, puid.encode()), *typed]


def children(of_a_node: Sequence[Node]) -> Sequence[Node]:
    """Return the children of a node that are visited: all."""
    return of_a_node


def called_before(kind: str) -> str | None:
    """Return the method by which a node of a kind is called before its children; None: it is not."""
    return {"MODEL": PREDICT, "TRANSFORMER": TRANSFORM_INPUT}.get(kind)


def called_after(kind: str) -> str | None:
    """Return the method by which a node of a kind is called with what its children answered; None: it is not."""
    return {"OUTPUT_TRANSFORMER": TRANSFORM_OUTPUT}.get(kind)


def handed(request: bytes, content: bytes) -> bytes:
    """Return what the next node gets of an answer: the answer as it is.

    Args:
        request: The request of the stream.
        content: The answer of the node before, or the request itself.
    """
    del request
    return content


def node_headers(method: str, headers: Pairs, *, is_first: bool) -> Pairs:
    """Return the headers, or the metadata, of the call of a node: those of the request, at every node.

    Args:
        method: The method of the call.
        headers: The headers of the request.
        is_first: True for the node with which the graph begins.
    """
    del method, is_first
    return headers


def route(chosen: int) -> int:
    """Return the route that is taken for the one that a router chose: that one."""
    return chosen


async def gathered(kind: str, content: bytes, visits: Sequence[Visit]) -> Sequence[bytes]:
    """Return the answers of a node's children, in the order of the children; all are asked at once.

    Args:
        kind: The kind of the node.
        content: The request that the children get.
        visits: The visit of each child.
    """
    del kind, content
    return await asyncio.gather(*(visit() for visit in visits))


def combined(answers: Sequence[bytes]) -> Sequence[bytes]:
    """Return the answers that a combiner gets: all, in the order of the children."""
    return answers


def abandon(finishes: Sequence[Callable[[], None]]) -> None:
    """Leave what is in work at a stop: uncommitted, so that it is read again. A call would let it be committed."""
    del finishes


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
    """Return what is written of a model's answer: the answer as it is."""
    return content


def value(content: bytes) -> bytes | None:
    """Return the value of a record for its content: the content, which may be empty; None is a null value."""
    return content


@dataclass(frozen=True, kw_only=True)
class StreamPolicies:
    """All decisions of a stream server.

    Attributes:
        protocol: The function from the protocol that a SeldonDeployment names to the one that its stream speaks.
        read_rest: The function from a record to a request, for transport rest.
        read_grpc: The function from a record to a request, for transport grpc.
        http_headers: The function from a record and its puid to the headers of a call by HTTP.
        grpc_metadata: The function from a record and its puid to the metadata of a call by gRPC.
        width: The function from the number of workers to that of the records at work at once.
        lane: The function from a record to what it must wait for.
        is_in_share: The function from a record and a predictor's share to whether that predictor answers it.
        is_read: The function from a partition, a replica and the number of replicas to whether the replica reads it.
        resumes: True to begin behind what is committed, False to begin at the earliest record.
        children: The function from a node's children to those that are visited.
        called_before: The function from a node's kind to the method by which it is called before its children.
        called_after: The function from a node's kind to the method by which it is called behind its children.
        handed: The function from the stream's request and a node's answer to what the next node gets of it.
        node_headers: The function from a call's method, a request's headers and whether the node is the first to the
            headers of the call.
        route: The function from the route that a router chose to the one that is taken.
        read_route: The function from a router's answer over REST to the route that it names.
        read_message_route: The function from a router's answer over gRPC to the route that it names.
        gathered: The function from a node's kind, its children's request and the visits of them to their answers.
        combined: The function from the children's answers to those that a combiner gets.
        listed: The function from those to the one message that says them, over gRPC.
        key: The function from a record to its answer's key.
        headers: The function from a puid and the type of the answer's message to the answer's headers.
        before: The action before the work on a record.
        ask: The function from a record, its request and the model's predict call to the model's answer.
        answer: The function from a model's answer to what is written of it.
        value: The function from that to the value of the answer's record.
        store: The action that writes the answer to a record, given the write itself.
        copies: The number of times that an answer is written.
        is_told: The function from whether a predictor is a shadow to whether its answers are written.
        tells_kafka: True if the status says that Kafka cannot be reached.
        outlives_kafka: True if the server reads on once a Kafka that went away is back.
        drain: The seconds that the work on records gets to end where the server is stopped.
        abandon: The action on the records that are in work still after that.
    """

    protocol: Callable[[str], str] = protocol
    read_rest: Callable[[Record], bytes] = read_json
    read_grpc: Callable[[Record], bytes] = read_message
    http_headers: Callable[[Record, str], Pairs] = http_headers
    grpc_metadata: Callable[[Record, str], Pairs] = grpc_metadata
    width: Callable[[int], int] = width
    lane: Callable[[Record], Hashable | None] = lane_of
    is_in_share: Callable[[Record, tuple[int, int]], bool] = is_in_share
    is_read: Callable[[int, int, int], bool] = is_read
    resumes: bool = True
    children: Callable[[Sequence[Node]], Sequence[Node]] = children
    called_before: Callable[[str], str | None] = called_before
    called_after: Callable[[str], str | None] = called_after
    handed: Callable[[bytes, bytes], bytes] = handed
    node_headers: NodeHeaders = node_headers
    route: Callable[[int], int] = route
    read_route: Callable[[bytes], int] = read_route
    read_message_route: Callable[[bytes], int] = read_message_route
    gathered: Callable[[str, bytes, Sequence[Visit]], Awaitable[Sequence[bytes]]] = gathered
    combined: Callable[[Sequence[bytes]], Sequence[bytes]] = combined
    listed: Callable[[Sequence[bytes]], bytes] = listed
    key: Callable[[Record], bytes | None] = key_of
    headers: Callable[[str, str | None], Sequence[tuple[str, bytes]]] = answer_headers
    before: Callable[[Callable[[], None]], Awaitable[None]] = before
    ask: Callable[[Record, bytes, Predict], Awaitable[bytes]] = ask
    answer: Callable[[bytes], Awaitable[bytes]] = answer
    value: Callable[[bytes], bytes | None] = value
    store: Store = store
    copies: int = 1
    is_told: Callable[[bool], bool] = is_told
    tells_kafka: bool = True
    outlives_kafka: bool = True
    drain: float = 5.0
    abandon: Callable[[Sequence[Callable[[], None]]], None] = abandon


HONEST = StreamPolicies()
