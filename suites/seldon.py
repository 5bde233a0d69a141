"""Messages of Seldon's protocol on the topics of a stream: in JSON over REST, in protobuf over gRPC."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evidence.expectations import Expectation, stream_answer
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream
from suites.oracles.messages import SELDON_MESSAGE, seldon_message
from suites.wire import Headers, fresh

Message = Mapping[str, Any]
"""A SeldonMessage as it is in JSON."""

REST, GRPC = "graph", "graph-grpc"
OVER_BOTH = pytest.mark.parametrize("graph", [REST, GRPC], ids=["rest", "grpc"])
"""The name of one graph over each transport: a router before a chain, a combiner and transformers."""


def is_grpc(stream: SeldonStream) -> bool:
    """Tell whether the nodes of a stream are called over gRPC, and its topics hold protobuf."""
    return bool(stream.manifest["spec"]["transport"] == "grpc")


def record(stream: SeldonStream, message: Message, *headers: tuple[str, str]) -> dict[str, Any]:
    """Return a record that asks a message, in the first partition, under a key of its own."""
    if not is_grpc(stream):
        return {"value": json.dumps(message).encode(), "headers": list(headers), "key": fresh("key"), "partition": 0}
    named: Headers = [("proto-name", SELDON_MESSAGE), *headers]
    return {"value": seldon_message(message), "headers": named, "key": fresh("key"), "partition": 0}


def send(stream: SeldonStream, produce: Produce, *messages: Message) -> list[ProducedRef]:
    """Send messages in one batch to one partition, each under a key of its own."""
    return produce.many(stream.input, [record(stream, message) for message in messages])


def answered(
    stream: SeldonStream, asked: Sequence[ProducedRef], wanted: Sequence[Message], **terms: Any
) -> list[Expectation]:
    """Return the expectations that each request has its answer."""

    def answer(message: Message) -> dict[str, Any]:
        return {"message": (SELDON_MESSAGE, seldon_message(message))} if is_grpc(stream) else {"json": message}

    terms = {"group": stream.group, **terms}
    return [
        stream_answer(one, stream.output, **answer(message), **terms)
        for one, message in zip(asked, wanted, strict=True)
    ]
