"""The headers of a record at the nodes of a graph: each node is told what the first one is."""

import json

import pytest

from evidence.expectations import Expectation, stream_id_told
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.seldon import GRPC, OVER_BOTH, REST, Message, answered, is_grpc, record
from suites.wire import Headers, fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
BRANCHES = {
    "a/first/second": ["first", "second"],
    "a/left+a/right": ["left", "right", "join"],
    "a/in/model/out": ["in", "model", "out"],
}
"""The answer to `a` of each child of the router, in their order, and the nodes that make it."""
CALLER, TWICE, PUID = "x-caller", "x-twice", "Seldon-Puid"


def told(headers: Headers) -> str:
    """Return what a node shows of headers: sorted pairs as a JSON text, the names in small letters."""
    return json.dumps(sorted([name.lower(), value] for name, value in headers))


def asking(route: int, *names: str) -> Message:
    """Return a request whose nodes, behind a route, all add the headers of these names to `meta`."""
    return {"meta": {"tags": {"route": route, "sign": True, "show": ",".join(names)}}, "strData": "a"}


def at_nodes(stream: SeldonStream, produce: Produce, *each: Headers) -> list[Expectation]:
    """Ask each branch, with headers of its own; return the expectations that all its nodes got these."""
    messages = [asking(route, *sorted({name.lower() for name, _ in headers})) for route, headers in enumerate(each)]
    records = [record(stream, message, *headers) for message, headers in zip(messages, each, strict=True)]
    wanted = [
        {
            "meta": {
                "tags": message["meta"]["tags"] | dict.fromkeys(nodes, told(headers)),
                "requestPath": dict.fromkeys(nodes, "serving"),
            },
            "strData": text,
        }
        for message, headers, (text, nodes) in zip(messages, each, BRANCHES.items(), strict=True)
    ]
    return answered(stream, produce.many(stream.input, records), wanted)


def nameless(stream: SeldonStream, produce: Produce, route: int) -> Expectation:
    """Ask a branch twice, without an id; return the expectation that all its nodes got one, and each time another."""
    message, nodes = asking(route, PUID), list(BRANCHES.values())[route]
    asked = produce.many(stream.input, [record(stream, message) for _ in range(2)])
    return stream_id_told(asked, stream.output, group=stream.group, nodes=nodes, typed=is_grpc(stream))


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(REST, marks=pytest.mark.requirement("STR-HDR-003"), id="rest"),
        pytest.param(GRPC, marks=pytest.mark.requirement("STR-HDR-004"), id="grpc"),
    ],
)
def test_the_headers_of_a_record_reach_every_node(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    headers = [(CALLER, fresh("caller")), (TWICE, "1"), (TWICE, "2")]
    expect(*at_nodes(graphs(graph), produce, *[headers] * len(BRANCHES)), within=WITHIN)


@pytest.mark.requirement("STR-HDR-005")
@OVER_BOTH
def test_the_puid_of_a_record_reaches_every_node(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    expect(*at_nodes(graphs(graph), produce, *[[(PUID, fresh("puid"))] for _ in BRANCHES]), within=WITHIN)


@pytest.mark.requirement("STR-HDR-016")
@OVER_BOTH
def test_a_record_without_a_puid_has_one_at_every_node(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    expect(*(nameless(graphs(graph), produce, route) for route in range(len(BRANCHES))), within=WITHIN)
