"""Any Seldon graph, from topic to topic: a chain, a combiner, a router; and who shares the requests of a topic."""

from typing import Any

import pytest

from evidence.expectations import Expectation, no_stream_answer, one_stream_answer, stream_answer, streamed_in_order
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.seldon import GRPC, OVER_BOTH, REST, Message, answered, record, send
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
CHAIN, JOIN, AROUND = 0, 1, 2  # the children of the router; the last one is an output transformer
ALL, NONE = -1, -2  # what else a router may answer
BEHIND = {"second": CHAIN, "left": JOIN, "right": JOIN, "join": JOIN, "in": AROUND, "model": AROUND, "out": AROUND}
"""The nodes behind others, and the child of the router that leads to each."""


def text(value: str, **tags: Any) -> Message:
    """Return a request in Seldon's protocol: a text, and what is wished of the nodes."""
    return {"meta": {"tags": tags}, "strData": value}


@pytest.mark.requirement("STR-GRF-001")
def test_a_chain_hands_each_answer_to_the_next_model(graphs: SeldonStreams, produce: Produce) -> None:
    stream = graphs("graph")
    asked = send(stream, produce, text("a", route=CHAIN), text("b", route=CHAIN))
    wanted = [{"meta": {"tags": {"route": CHAIN}}, "strData": f"{name}/first/second"} for name in "ab"]
    expect(*answered(stream, asked, wanted), within=WITHIN)


@pytest.mark.requirement("STR-GRF-002")
@OVER_BOTH
def test_a_combiner_gets_the_answers_of_all_children_in_order(
    graphs: SeldonStreams, produce: Produce, graph: str
) -> None:
    stream = graphs(graph)
    late = text("c", route=JOIN, delay=0.2, at="left")  # the first child is the last to answer
    asked = send(stream, produce, text("a", route=JOIN), text("b", route=JOIN), late)
    expect(*answered(stream, asked, [{"strData": f"{name}/left+{name}/right"} for name in "abc"]), within=WITHIN)


@pytest.mark.requirement("STR-GRF-003")
@OVER_BOTH
def test_a_router_chooses_the_child(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    stream = graphs(graph)
    asked = send(stream, produce, text("a", route=JOIN), text("b", route=CHAIN))
    chained = {"meta": {"tags": {"route": CHAIN}}, "strData": "b/first/second"}
    expect(*answered(stream, asked, [{"strData": "a/left+a/right"}, chained]), within=WITHIN)


@pytest.mark.requirement("STR-GRF-006")
@OVER_BOTH
def test_a_route_is_read_in_each_form_of_numbers(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    stream = graphs(graph)
    forms = ["plain", "nested", "tensor"]
    asked = send(stream, produce, *[text(form, route=JOIN, form=form) for form in forms])
    expect(*answered(stream, asked, [{"strData": f"{form}/left+{form}/right"} for form in forms]), within=WITHIN)


@pytest.mark.requirement("STR-GRF-007")
@OVER_BOTH
def test_a_router_may_choose_all_children_or_none(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    stream = graphs(graph)
    asked = send(stream, produce, text("a", route=ALL), text("b", route=NONE))
    # Nothing joins the answers of all: the first child's is the answer.
    wanted = {"meta": {"tags": {"route": ALL}}, "strData": "a/first/second"}
    expect(*answered(stream, asked, [wanted, text("b", route=NONE)]), within=WITHIN)


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(REST, marks=pytest.mark.requirement("STR-GRF-008"), id="rest"),
        pytest.param(GRPC, marks=pytest.mark.requirement("STR-GRF-010"), id="grpc"),
    ],
)
def test_a_model_is_between_its_transformers(graphs: SeldonStreams, produce: Produce, graph: str) -> None:
    stream = graphs(graph)
    asked = send(stream, produce, text("a", route=AROUND), text("b", route=AROUND, named=True))
    called = "b/in:transform-input/model:predict/out:transform-output"
    wanted = [text("a/in/model/out", route=AROUND), text(called, route=AROUND, named=True)]
    expect(*answered(stream, asked, wanted), within=WITHIN)


def around(stream: SeldonStream, produce: Produce, *bad: Message) -> list[Expectation]:
    """Send bad requests between good ones, of which the first has been answered before.

    Returns:
        The expectations that the good ones behind are answered, and the bad ones not.
    """
    good, wanted = text("good", route=JOIN), {"strData": "good/left+good/right"}
    [before] = send(stream, produce, good)
    expect(*answered(stream, [before], [wanted]), within=WITHIN)
    asked = send(stream, produce, *bad, *[good] * 6)
    refused = [no_stream_answer(one, stream.output, group=stream.group) for one in asked[: len(bad)]]
    return [*answered(stream, asked[len(bad) :], [wanted] * 6, control=before), *refused]


@pytest.mark.requirement("STR-GRF-004")
@pytest.mark.destructive
@pytest.mark.parametrize("route", [7, None], ids=["beyond", "empty"])
@OVER_BOTH
def test_a_route_that_no_child_has_stops_no_other_request(
    graphs: SeldonStreams, produce: Produce, graph: str, route: int | None
) -> None:
    expect(*around(graphs(graph), produce, text("bad", route=route)), within=WITHIN)


@pytest.mark.requirement("STR-GRF-005")
def test_a_node_that_fails_makes_no_answer_and_stops_no_other(graphs: SeldonStreams, produce: Produce) -> None:
    first = [text("bad", route=route, status=500) for route in (CHAIN, JOIN, AROUND)]
    later = [text("bad", route=route, status=500, at=node) for node, route in BEHIND.items()]
    expect(*around(graphs("graph"), produce, *first, *later), within=WITHIN)


@pytest.mark.requirement("STR-CAN-001")
def test_two_predictors_share_the_requests(graphs: SeldonStreams, produce: Produce) -> None:
    main, canary = graphs("canary"), graphs("canary", predictor=1)
    asked = produce.many(main.input, [{**record(main, text("x")), "partition": number % 4} for number in range(24)])
    groups = (main.group, canary.group)
    expect(*[one_stream_answer(one, main.output, group=group) for one in asked for group in groups], within=WITHIN)


@pytest.mark.requirement("STR-CAN-002")
def test_each_of_two_predictors_answers_some_of_the_requests(graphs: SeldonStreams, produce: Produce) -> None:
    main, canary, name = graphs("canary"), graphs("canary", predictor=1), fresh("text")
    # So many that, three to one, neither gets none by chance (less than one in 10^11).
    records = [{**record(main, text(name)), "partition": number % 4} for number in range(96)]
    *_, last = produce.many(main.input, records)
    answers = {main.group: name, canary.group: f"{name}/canary"}
    expect(
        *(
            stream_answer(last, main.output, group=group, json=text(said), keyed=False)
            for group, said in answers.items()
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-CAN-003")
@pytest.mark.parametrize(("traffic", "by"), [((100, 0), ""), ((0, 100), "/canary")], ids=["main", "canary"])
def test_a_predictor_without_traffic_answers_no_request(
    graphs: SeldonStreams, produce: Produce, traffic: tuple[int, int], by: str
) -> None:
    stream = graphs.another("canary", traffic=traffic)
    names = [fresh("text") for _ in range(24)]
    asked = send(stream, produce, *map(text, names))
    terms: dict[str, Any] = {"group": stream.group}
    expect(
        *(
            stream_answer(one, stream.output, json=text(f"{name}{by}"), **terms)
            for one, name in zip(asked, names, strict=True)
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-CAN-004")
def test_the_answers_of_a_shadow_are_thrown_away(graphs: SeldonStreams, produce: Produce) -> None:
    stream, name = graphs.another("canary", traffic=(100, 0), shadow=True), fresh("text")
    asked = send(stream, produce, *[text(name)] * 4)
    expect(*answered(stream, asked, [text(name)] * 4), within=WITHIN)
    expect(
        *(one_stream_answer(one, stream.output, group=group) for one in asked for group in stream.groups), within=WITHIN
    )


@pytest.mark.requirement("STR-RPL-001")
def test_two_replicas_share_the_partitions(graphs: SeldonStreams, produce: Produce) -> None:
    stream = graphs("shared")
    asked = produce.many(stream.input, [{**record(stream, text("x")), "partition": number % 4} for number in range(24)])
    expect(*[one_stream_answer(one, stream.output, group=stream.group) for one in asked], within=WITHIN)


@pytest.mark.requirement("STR-ORD-001")
def test_the_answers_under_one_key_keep_the_order_of_the_requests(graphs: SeldonStreams, produce: Produce) -> None:
    stream, key, count = graphs("shared"), fresh("key"), 8
    values = [text(f"{number}", delay=0.3 if number == 0 else 0) for number in range(count)]
    asked = produce.many(stream.input, [{**record(stream, value), "key": key, "partition": 1} for value in values])
    expect(streamed_in_order(asked, stream.output, group=stream.group, json=values), within=WITHIN)


@pytest.mark.requirement("STR-SIZ-001")
def test_an_answer_that_kafka_does_not_take_stops_no_other(graphs: SeldonStreams, produce: Produce) -> None:
    stream = graphs("shared")
    [before] = send(stream, produce, text("before"))
    expect(*answered(stream, [before], [text("before")]), within=WITHIN)
    late = text("good", delay=0.5)  # behind the large one, which is in work beside them
    large, *good = send(stream, produce, text("large", size=1_100_000), *[late] * 3)
    expect(*answered(stream, good, [late] * 3, control=before), within=WITHIN)
    expect(no_stream_answer(large, stream.output, group=stream.group), within=WITHIN)
