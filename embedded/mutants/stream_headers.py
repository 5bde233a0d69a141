"""Mutants of Seldon's Kafka server that take headers of a record for what HTTP or gRPC can say, or must not be told."""

import re
from dataclasses import replace

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence, mutant
from embedded.mutants.stream_messages import dropping
from embedded.streaming.metadata import Pairs
from embedded.streaming.policies import StreamPolicies

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OF_A_CALL = ("grpc-", ":", "user-agent", "te")


def _has_no_token(record: Record, _request: bytes) -> bool:
    return not all(_TOKEN.fullmatch(name) for name, _ in record.headers)


def _has_no_name(record: Record, _request: bytes) -> bool:
    """Tell whether a header can be no metadata of a call; one with a colon is left out of it, as grpc-go does."""
    return not all(_TOKEN.fullmatch(name.removeprefix(":")) for name, _ in record.headers)


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


@divergence(STREAMS, wraps="read_rest")
def rest_control_character_drops(honest: StreamPolicies) -> StreamPolicies:
    """Drop it over REST alone (seldon-executor 1.17.1: net/http refuses it, grpc-go 1.53.0 does not)."""
    return replace(honest, read_rest=dropping(honest.read_rest, _has_control))


@mutant(STREAMS, wraps="grpc_metadata")
def call_metadata_passed_on(honest: StreamPolicies) -> StreamPolicies:
    """Give the model also what a call writes itself, and texts as bytes (grpc issue 36245: the call fails)."""

    def grpc_metadata(record: Record, puid: str) -> Pairs:
        own = [(name.lower(), (value or b"").decode("latin-1")) for name, value in record.headers]
        told = (pair for pair in own if pair[0].startswith(_OF_A_CALL) or pair[0].endswith("-bin"))
        return (*honest.grpc_metadata(record, puid), *told)

    return replace(honest, grpc_metadata=grpc_metadata)
