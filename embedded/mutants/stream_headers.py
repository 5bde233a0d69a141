"""Mutants of Seldon's Kafka server that take headers of a record for what HTTP or gRPC can say, or must not be told."""

import re
import uuid
from collections.abc import Callable
from dataclasses import replace

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence, mutant
from embedded.mutants.stream_messages import dropping
from embedded.streaming.metadata import CONTENT_TYPE, PUID, Pairs
from embedded.streaming.nodes import AGGREGATE
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.requests import ServerDiesError

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")
_OF_A_CALL = ("grpc-", ":", "user-agent", "te")


def _has_no_token(record: Record, _request: bytes) -> bool:
    return not all(_TOKEN.fullmatch(name) for name, _ in record.headers)


def _has_no_name(record: Record, _request: bytes) -> bool:
    """Tell whether a header can be no metadata of a call; one with a colon is left out of it, as grpc-go does."""
    return not all(_TOKEN.fullmatch(name.removeprefix(":")) for name, _ in record.headers)


def _has_nameless(record: Record, _request: bytes) -> bool:
    return not all(name for name, _ in record.headers)


def _has_unprintable(record: Record, _request: bytes) -> bool:
    """Tell whether the value of a header is no text that metadata may have; the values of `-bin` are no text."""
    texts = (value or b"" for name, value in record.headers if not name.lower().endswith("-bin"))
    return not all(_PRINTABLE.fullmatch(text) for text in texts)


def _has_control(record: Record, _request: bytes) -> bool:
    return any(_CONTROL.search(value or b"") for _, value in record.headers)


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def header_no_token_drops(honest: StreamPolicies) -> StreamPolicies:
    """Drop a record with a header whose name HTTP does not know as one (Go's net/http: the call fails; dapr 3507)."""
    return replace(
        honest,
        read_rest=dropping(honest.read_rest, _has_no_token),
        read_grpc=dropping(honest.read_grpc, _has_no_name),
    )


@mutant(STREAMS, wraps=("read_rest", "read_grpc"))
def header_control_character_drops(honest: StreamPolicies) -> StreamPolicies:
    """Drop a record with a header whose value has a control character (eventing-kafka-broker issue 2732)."""
    return replace(
        honest,
        read_rest=dropping(honest.read_rest, _has_control),
        read_grpc=dropping(honest.read_grpc, _has_control),
    )


@mutant(STREAMS, wraps="read_grpc")
def metadata_not_ascii_drops(honest: StreamPolicies) -> StreamPolicies:
    """Drop a protobuf request with a header whose value is not printable ASCII (grpc-go 1.53.0: the call fails)."""
    return replace(honest, read_grpc=dropping(honest.read_grpc, _has_unprintable))


@divergence(STREAMS, wraps="read_grpc")
def executor_dies_on_nameless_header(honest: StreamPolicies) -> StreamPolicies:
    """End the process at a header without a name, and again after each restart (seldon-executor 1.17.1, seen)."""
    return replace(honest, read_grpc=dropping(honest.read_grpc, _has_nameless, ServerDiesError))


@mutant(STREAMS, wraps="grpc_metadata")
def call_metadata_passed_on(honest: StreamPolicies) -> StreamPolicies:
    """Give the model also what a call writes itself, and texts as bytes (grpc issue 36245: the call fails)."""

    def grpc_metadata(record: Record, puid: str) -> Pairs:
        own = [(name.lower(), (value or b"").decode("latin-1")) for name, value in record.headers]
        told = (pair for pair in own if pair[0].startswith(_OF_A_CALL) or pair[0].endswith("-bin"))
        return (*honest.grpc_metadata(record, puid), *told)

    return replace(honest, grpc_metadata=grpc_metadata)


def _is_of_the_server(pair: tuple[str, str]) -> bool:
    return pair[0].lower() in {CONTENT_TYPE.lower(), PUID.lower()}


def _without_puid(pairs: Pairs) -> Pairs:
    return tuple(pair for pair in pairs if pair[0].lower() != PUID.lower())


@mutant(STREAMS, wraps="node_headers")
def headers_at_first_node_only(honest: StreamPolicies) -> StreamPolicies:
    """Give no node but the first one of a graph what a record's sender wrote (seldon-core issue 967)."""

    def node_headers(method: str, headers: Pairs, *, is_first: bool) -> Pairs:
        told = honest.node_headers(method, headers, is_first=is_first)
        return told if is_first else tuple(filter(_is_of_the_server, told))

    return replace(honest, node_headers=node_headers)


@mutant(STREAMS, wraps="node_headers")
def combiner_without_headers(honest: StreamPolicies) -> StreamPolicies:
    """Give a combiner nothing of what a record's sender wrote (a call of several messages that has no request)."""

    def node_headers(method: str, headers: Pairs, *, is_first: bool) -> Pairs:
        told = honest.node_headers(method, headers, is_first=is_first)
        return told if method != AGGREGATE else tuple(filter(_is_of_the_server, told))

    return replace(honest, node_headers=node_headers)


@mutant(STREAMS, wraps="node_headers")
def puid_anew_at_later_nodes(honest: StreamPolicies) -> StreamPolicies:
    """Give each node but the first one a puid of its own (an id for each call in place of one for the request)."""

    def node_headers(method: str, headers: Pairs, *, is_first: bool) -> Pairs:
        told = honest.node_headers(method, headers, is_first=is_first)
        return told if is_first else ((PUID.lower(), str(uuid.uuid4())), *_without_puid(told))

    return replace(honest, node_headers=node_headers)


@mutant(STREAMS, wraps="grpc_metadata")
def puid_lost_over_grpc(honest: StreamPolicies) -> StreamPolicies:
    """Give no call over gRPC a puid (seldon-core issue 3389)."""
    return replace(honest, grpc_metadata=lambda record, puid: _without_puid(honest.grpc_metadata(record, puid)))


def _for_nameless(honest: StreamPolicies, puid: str | None) -> StreamPolicies:
    """Return policies by which each record without a puid gets this one; None: it gets none."""

    def changed(pairs_of: Callable[[Record, str], Pairs]) -> Callable[[Record, str], Pairs]:
        def pairs(record: Record, own: str) -> Pairs:
            if any(name == PUID for name, _ in record.headers):
                return pairs_of(record, own)
            return _without_puid(pairs_of(record, own)) if puid is None else pairs_of(record, puid)

        return pairs

    return replace(honest, http_headers=changed(honest.http_headers), grpc_metadata=changed(honest.grpc_metadata))


@mutant(STREAMS, wraps=("http_headers", "grpc_metadata"))
def puid_not_made(honest: StreamPolicies) -> StreamPolicies:
    """Give the nodes no puid where a record has none (an id that only the ingress over HTTP makes)."""
    return _for_nameless(honest, None)


@mutant(STREAMS, wraps="grpc_metadata")
def puid_not_made_over_grpc(honest: StreamPolicies) -> StreamPolicies:
    """Give the nodes over gRPC no puid where a record has none (seldon-core issue 3389)."""
    return replace(_for_nameless(honest, None), http_headers=honest.http_headers)


@mutant(STREAMS, wraps=("http_headers", "grpc_metadata"))
def puid_shared(honest: StreamPolicies) -> StreamPolicies:
    """Give all records without a puid the same one (an id that is made when the server starts)."""
    return _for_nameless(honest, str(uuid.uuid4()))
