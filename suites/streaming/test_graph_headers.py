"""The headers of a record at the nodes of a graph: each node is told what the first one is."""

import json
from typing import Any

import pytest

from evidence.expectations import Expectation, stream_answer, stream_id_told
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.oracles.messages import SELDON_MESSAGE, tagged
from suites.oracles.tensorflow import octets
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
BRANCHES = {
    "a/first/second": ["first", "second"],
    "a/left+a/right": ["left", "right", "join"],
    "a/in/model/out": ["in", "model", "out"],
}
"""The answer to `a` of each child of the router, in their order, and the nodes that make it."""
AROUND = ["in", "model", "out"]
"""The nodes over gRPC, in the order of their calls."""
CALLER, TWICE, PUID = "x-caller", "x-twice", "Seldon-Puid"

Headers = list[tuple[str, str]]


def told(headers: Headers) -> str:
    """Return what a node shows of headers: sorted pairs as a JSON text, the names in small letters."""
    return json.dumps(sorted([name.lower(), value] for name, value in headers))


def asking(route: int, *names: str) -> dict[str, Any]:
    """Return a request whose nodes, behind a route, all add the headers of these names to `meta`."""
    return {"meta": {"tags": {"route": route, "sign": True, "show": ",".join(names)}}, "strData": "a"}


def at_nodes(stream: SeldonStream, produce: Produce, *each: Headers) -> list[Expectation]:
    """Ask each branch over REST, with headers of its own; return the expectations that all its nodes got these."""
    bodies = [asking(route, *sorted({name.lower() for name, _ in headers})) for route, headers in enumerate(each)]
    asked = produce.many(
        stream.input,
        [
            {"value": json.dumps(body), "key": fresh("key"), "headers": headers, "partition": 0}
            for body, headers in zip(bodies, each, strict=True)
        ],
    )
    wanted = [
        {
            "meta": {
                "tags": body["meta"]["tags"] | dict.fromkeys(nodes, told(headers)),
                "requestPath": dict.fromkeys(nodes, "serving"),
            },
            "strData": text,
        }
        for body, headers, (text, nodes) in zip(bodies, each, BRANCHES.items(), strict=True)
    ]
    return [
        stream_answer(one, stream.output, group=stream.group, json=answer)
        for one, answer in zip(asked, wanted, strict=True)
    ]


def at_nodes_over_grpc(stream: SeldonStream, produce: Produce, *each: Headers) -> list[Expectation]:
    """Ask for each node over gRPC, with headers of its own; return the expectations that it got these."""
    wishes = [tagged("show", ",".join(sorted({name.lower() for name, _ in headers}))) for headers in each]
    asked = produce.many(
        stream.input,
        [
            {
                "value": wish + tagged("at", node) + octets(5, b"a"),
                "key": fresh("key"),
                "headers": [("proto-name", SELDON_MESSAGE), *headers],
                "partition": 0,
            }
            for wish, node, headers in zip(wishes, AROUND, each, strict=True)
        ],
    )
    # What a node shows is handed to those behind it, which add their suffixes.
    texts = ["/".join([told(headers), *AROUND[place:]]) for place, headers in enumerate(each, 1)]
    return [
        stream_answer(one, stream.output, group=stream.group, message=(SELDON_MESSAGE, octets(5, text.encode())))
        for one, text in zip(asked, texts, strict=True)
    ]


def nameless(stream: SeldonStream, produce: Produce, route: int) -> Expectation:
    """Ask a branch twice, without an id; return the expectation that all its nodes got one, and each time another."""
    value, nodes = json.dumps(asking(route, PUID)), list(BRANCHES.values())[route]
    asked = produce.many(stream.input, [{"value": value, "key": fresh("key"), "partition": 0} for _ in range(2)])
    return stream_id_told(asked, stream.output, group=stream.group, nodes=nodes)


def puids() -> list[Headers]:
    """Return three lists of headers, each with a puid of its own."""
    return [[(PUID, fresh("puid"))] for _ in range(3)]


@pytest.mark.requirement("STR-HDR-003")
def test_the_headers_of_a_record_reach_every_node_over_rest(graphs: SeldonStreams, produce: Produce) -> None:
    headers = [(CALLER, fresh("caller")), (TWICE, "1"), (TWICE, "2")]
    expect(*at_nodes(graphs("graph"), produce, *[headers] * 3), within=WITHIN)


@pytest.mark.requirement("STR-HDR-004")
def test_the_headers_of_a_record_reach_every_node_over_grpc(graphs: SeldonStreams, produce: Produce) -> None:
    headers = [(CALLER, fresh("caller")), (TWICE, "1"), (TWICE, "2")]
    expect(*at_nodes_over_grpc(graphs("around-grpc"), produce, *[headers] * 3), within=WITHIN)


@pytest.mark.requirement("STR-HDR-005")
def test_the_puid_of_a_record_reaches_every_node_over_rest(graphs: SeldonStreams, produce: Produce) -> None:
    expect(*at_nodes(graphs("graph"), produce, *puids()), within=WITHIN)


@pytest.mark.requirement("STR-HDR-005")
def test_the_puid_of_a_record_reaches_every_node_over_grpc(graphs: SeldonStreams, produce: Produce) -> None:
    expect(*at_nodes_over_grpc(graphs("around-grpc"), produce, *puids()), within=WITHIN)


@pytest.mark.requirement("STR-HDR-016")
def test_a_record_without_a_puid_has_one_at_every_node(graphs: SeldonStreams, produce: Produce) -> None:
    expect(*(nameless(graphs("graph"), produce, route) for route in range(len(BRANCHES))), within=WITHIN)
