"""What the nodes of a graph hand on: a payload of each kind as it is, and what they add to `meta` of a message."""

import math
import struct
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pytest

from fixtures import Produce, SeldonStreams, expect
from suites.oracles.messages import typed
from suites.oracles.tensorflow import octets
from suites.seldon import GRPC, REST, Message, answered, send
from suites.tensors import DOUBLE_NAN, DOUBLE_PAYLOAD
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
JOIN, CHILDREN = 1, (0, 1)
"""The combiner, and its children."""

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


@pytest.mark.requirement("STR-GRF-011")
@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_payload_of_each_kind_is_handed_on_as_it_is(graphs: SeldonStreams, produce: Produce, kind: str) -> None:
    stream, each = graphs(REST), list(product(enumerate(BRANCHES), PAYLOADS[kind]))
    asked = [{"meta": {"tags": {"route": route, "sign": True}}, **payload} for (route, _), payload in each]
    wanted = [
        {"meta": signed(methods, route=route), **(joined(payload) if route == JOIN else payload)}
        for (route, methods), payload in each
    ]
    expect(*answered(stream, send(stream, produce, *asked), wanted), within=WITHIN)


NOT_FINITE = [*struct.unpack("<2d", struct.pack("<2Q", DOUBLE_NAN, DOUBLE_PAYLOAD)), math.inf, -math.inf, -0.0, 1.5]
MESSAGES: dict[str, list[dict[str, Any]]] = PAYLOADS | {
    "not-finite": [
        {"data": {"ndarray": [NOT_FINITE[:3], NOT_FINITE[3:]]}},
        {"data": {"tensor": {"shape": [2, 3], "values": NOT_FINITE}}},
        {"jsonData": {"scores": NOT_FINITE}},
    ],
    "tftensor": [{"protobuf": octets(3, octets(1, b"a") + octets(4, typed("INT64", [2**53 + 1, -1], 1, 2)))}],
    "customData": [{"protobuf": octets(7, octets(1, b"type.googleapis.com/a.B") + octets(2, b"\xff\xfe"))}],
}


@pytest.mark.requirement("STR-GRF-012")
@pytest.mark.parametrize("kind", MESSAGES)
def test_a_payload_of_each_kind_is_handed_on_as_it_is_over_grpc(
    graphs: SeldonStreams, produce: Produce, kind: str
) -> None:
    stream, each = graphs(GRPC), list(product(enumerate(BRANCHES), CHILDREN, MESSAGES[kind]))
    tags = [{"route": route, "child": child} for (route, _), child, _ in each]
    asked = [
        {"meta": {"tags": {"sign": True, **tag}}, **payload} for tag, (_, _, payload) in zip(tags, each, strict=True)
    ]
    wanted = [
        {"meta": signed(methods, **tag), **payload} for tag, ((_, methods), _, payload) in zip(tags, each, strict=True)
    ]
    expect(*answered(stream, send(stream, produce, *asked), wanted), within=WITHIN)


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(REST, marks=pytest.mark.requirement("STR-GRF-009"), id="rest"),
        pytest.param(GRPC, marks=pytest.mark.requirement("STR-GRF-013"), id="grpc"),
    ],
)
def test_what_nodes_add_to_meta_comes_to_the_answer(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    stream, puids = graphs(graph), [fresh("puid") for _ in BRANCHES]
    tags = [{"route": route, "sign": True, "measure": True, "customer": "17"} for route in range(len(BRANCHES))]
    asked: list[Message] = [
        {"meta": {"puid": puid, "tags": each}, "strData": "a"} for puid, each in zip(puids, tags, strict=True)
    ]
    wanted: list[Message] = [
        {"meta": {"puid": puid, "metrics": counted(methods), **signed(methods, **each)}, "strData": text}
        for puid, methods, each, text in zip(puids, BRANCHES, tags, TEXTS, strict=True)
    ]
    expect(*answered(stream, send(stream, produce, *asked), wanted), within=WITHIN)
