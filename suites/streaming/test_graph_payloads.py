"""What the nodes of a graph hand on: a payload of each kind as it is, and what they add to `meta` of a message."""

import json
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pytest

from evidence.expectations import Expectation, stream_answer
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.oracles.messages import SELDON_MESSAGE, measured, passed, seldon_message, tagged, typed
from suites.oracles.tensorflow import octets
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
BRANCHES = [
    {"first": "predict", "second": "predict"},
    {"left": "predict", "right": "predict", "join": "aggregate"},
    {"in": "transform-input", "model": "predict", "out": "transform-output"},
]
"""The children of the router: the nodes of each in their order, and the method by which each is called."""
TEXTS = ["a/first/second", "a/left+a/right", "a/in/model/out"]
"""The answer to the text `a` of each."""
JOIN, AROUND = 1, 2

PAYLOADS: dict[str, list[dict[str, Any]]] = {
    "ndarray": [
        {"data": {"names": ["a", "b", "c"], "ndarray": [["text", 1, 2.5], ["Grüße, 東京", -3, None]]}},
        {"data": {"names": ["a"], "ndarray": [[[1], [2]], [[3], [4]]]}},
        {"data": {"ndarray": [True, "9", 9, [[]], []]}},
        {"data": {"ndarray": []}},
    ],
    "tensor": [
        {"data": {"names": ["a", "b", "c"], "tensor": {"shape": [2, 3], "values": [1.5, -2, 0, 3, 4, 0.25]}}},
        {"data": {"tensor": {"shape": [2, 1, 2], "values": [1, 2, 3, 4]}}},
        {"data": {"names": ["a"], "tensor": {"shape": [0, 1], "values": []}}},
    ],
    "binData": [{"binData": "AAH/"}, {"binData": "UVVKRA=="}, {"binData": ""}],  # the second one is Base64 twice over
    "jsonData": [
        {"jsonData": value}
        for value in ({"names": ["a"], "nested": [1, {"text": "Grüße"}, None]}, [1, "2", [3.5]], 7, '{"a": 1}', None)
    ],
}


def signed(methods: Mapping[str, str], **tags: Any) -> dict[str, Any]:
    """Return the `meta` of an answer: the tags of a request, and what nodes add, each with the method of its call."""
    return {"tags": {"sign": True, **tags, **methods}, "requestPath": dict.fromkeys(methods, "serving")}


def counted(nodes: Iterable[str]) -> list[dict[str, Any]]:
    """Return the metrics that nodes add, in their order."""
    return [{"key": node, "type": "COUNTER", "value": 1} for node in nodes]


def joined(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a combiner to a payload that both its children gave: it tells what it got."""
    return {"jsonData": [payload, payload]}


def through(
    stream: SeldonStream, produce: Produce, asked: list[dict[str, Any]], wanted: list[dict[str, Any]]
) -> list[Expectation]:
    """Send requests in JSON; return the expectations that each has its answer."""
    records = [{"value": json.dumps(each).encode(), "key": fresh("key"), "partition": 0} for each in asked]
    pairs = zip(produce.many(stream.input, records), wanted, strict=True)
    return [stream_answer(one, stream.output, group=stream.group, json=answer) for one, answer in pairs]


@pytest.mark.requirement("STR-GRF-011")
@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_payload_of_each_kind_is_handed_on_as_it_is(graphs: SeldonStreams, produce: Produce, kind: str) -> None:
    each = list(product(enumerate(BRANCHES), PAYLOADS[kind]))
    asked = [{"meta": {"tags": {"route": route, "sign": True}}, **payload} for (route, _), payload in each]
    wanted = [
        {"meta": signed(methods, route=route), **(joined(payload) if route == JOIN else payload)}
        for (route, methods), payload in each
    ]
    expect(*through(graphs("graph"), produce, asked, wanted), within=WITHIN)


@pytest.mark.requirement("STR-GRF-009")
def test_what_nodes_add_to_meta_comes_to_the_answer(graphs: SeldonStreams, produce: Produce) -> None:
    tags = [{"route": route, "sign": True, "measure": True} for route in range(len(BRANCHES))]
    puids = [fresh("puid") for _ in BRANCHES]
    asked = [{"meta": {"puid": puid, "tags": each}, "strData": "a"} for puid, each in zip(puids, tags, strict=True)]
    wanted = [
        {"meta": {"puid": puid, "metrics": counted(methods), **signed(methods, **each)}, "strData": text}
        for puid, methods, each, text in zip(puids, BRANCHES, tags, TEXTS, strict=True)
    ]
    expect(*through(graphs("graph"), produce, asked, wanted), within=WITHIN)


def told_over_grpc(
    stream: SeldonStream, produce: Produce, asked: list[bytes], wanted: list[bytes]
) -> list[Expectation]:
    """Send SeldonMessages; return the expectations that each has its answer."""
    named = [("proto-name", SELDON_MESSAGE)]
    records = [{"value": each, "key": fresh("key"), "headers": named, "partition": 0} for each in asked]
    pairs = zip(produce.many(stream.input, records), wanted, strict=True)
    return [
        stream_answer(one, stream.output, group=stream.group, message=(SELDON_MESSAGE, answer)) for one, answer in pairs
    ]


def signed_over_grpc() -> bytes:
    """Return what the nodes over gRPC add to `meta`: each its method to the tags, and itself to `requestPath`."""
    methods = BRANCHES[AROUND]
    return b"".join(tagged(node, method) + passed(node, "serving") for node, method in methods.items())


MESSAGES = {kind: [seldon_message(payload) for payload in payloads] for kind, payloads in PAYLOADS.items()} | {
    "tftensor": [octets(3, octets(1, b"a") + octets(4, typed("INT64", [2**53 + 1, -1], 1, 2)))],
    "customData": [octets(7, octets(1, b"type.googleapis.com/a.B") + octets(2, b"\xff\xfe"))],
}


@pytest.mark.requirement("STR-GRF-012")
@pytest.mark.parametrize("kind", MESSAGES)
def test_a_payload_of_each_kind_is_handed_on_as_it_is_over_grpc(
    graphs: SeldonStreams, produce: Produce, kind: str
) -> None:
    asked = [tagged("sign", "yes") + payload for payload in MESSAGES[kind]]
    wanted = [signed_over_grpc() + each for each in asked]
    expect(*told_over_grpc(graphs("around-grpc"), produce, asked, wanted), within=WITHIN)


@pytest.mark.requirement("STR-GRF-013")
def test_what_nodes_add_to_meta_comes_to_the_answer_over_grpc(graphs: SeldonStreams, produce: Produce) -> None:
    puid = octets(2, octets(1, fresh("puid").encode()))
    meta = puid + tagged("sign", "yes") + tagged("measure", "yes") + tagged("customer", "17")
    metrics = b"".join(measured(node, 1.0) for node in BRANCHES[AROUND])
    asked, wanted = meta + octets(5, b"a"), meta + signed_over_grpc() + metrics + octets(5, b"a/in/model/out")
    expect(*told_over_grpc(graphs("around-grpc"), produce, [asked], [wanted]), within=WITHIN)
