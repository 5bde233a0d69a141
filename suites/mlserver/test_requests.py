"""V2 requests from topic to topic: the model that the header names answers, and what it cannot stops no other."""

import json
import sys
from typing import Any

import pytest

from evidence.expectations import Expectation, no_prediction, stream_error, stream_holds
from evidence.refs import ProducedRef
from fixtures import MLServerStream, Produce, expect, seed
from suites.oracles.sums import answer, request, rows
from suites.wire import fresh

Headers = list[tuple[str, str | bytes | None]]
NAMED: Headers = [("mlserver-model", "sums")]
WITHIN = 3.0  # seconds; an answer counts as missing only after them
LARGEST = sys.float_info.max
GOOD = 4  # requests behind what is bad: a server that dies of it, or passes over what it has read, loses them


def records(*values: bytes | None, headers: Headers = NAMED) -> list[dict[str, object]]:
    """Return records with these values, each under a key of its own."""
    return [{"value": value, "key": fresh("key"), "headers": headers, "partition": 0} for value in values]


def beside(stream: MLServerStream, produce: Produce, bad: list[dict[str, object]]) -> list[Expectation]:
    """Send bad records and good ones behind them; return the expectations of predictions for the good ones alone."""
    values = rows(seed())
    sent = produce.many(stream.input, [*bad, *records(*[request(values)] * GOOD)])
    refused, answered = sent[: len(bad)], sent[len(bad) :]
    terms: dict[str, Any] = {"json": answer(values), "control": stream.control}
    return [
        *[stream_holds(each, stream.output, **terms) for each in answered],
        *[no_prediction(each, stream.output, fence=answered[-1]) for each in refused],
    ]


def errors(stream: MLServerStream, sent: list[ProducedRef]) -> list[Expectation]:
    """Return the expectations that each record is answered with an error."""
    return [stream_error(each, stream.output, control=stream.control) for each in sent]


@pytest.mark.requirement("STR-MLS-001")
@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT64", "UINT8"])
def test_a_request_is_answered_by_the_model_that_it_names(
    mlserver: MLServerStream, produce: Produce, datatype: str
) -> None:
    values = rows(seed(), count=3)
    [asked] = produce.many(mlserver.input, records(request(values, datatype=datatype)))
    expect(stream_holds(asked, mlserver.output, json=answer(values), control=mlserver.control), within=WITHIN)


@pytest.mark.requirement("STR-MLS-020")
def test_the_texts_of_an_answer_are_texts(mlserver: MLServerStream, produce: Produce) -> None:
    texts = ["Grüße, 東京", "", ' "\\\n', "AAH/", fresh("text")]
    tensor = {"name": "texts", "datatype": "BYTES", "shape": [len(texts)], "data": texts}
    value = json.dumps({"inputs": [tensor]}).encode()
    [asked] = produce.many(mlserver.input, records(value, headers=[("mlserver-model", "texts")]))
    wanted = {"model_name": "texts", "outputs": [tensor]}
    expect(stream_holds(asked, mlserver.output, json=wanted, control=mlserver.control), within=WITHIN)


@pytest.mark.requirement("STR-MLS-002")
def test_the_key_is_the_id_of_the_answer_whatever_the_body_says(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    sent = produce.many(mlserver.input, records(request(values), request(values, id=fresh("body"))))
    expect(
        *[stream_holds(each, mlserver.output, json={"id": each.key}, control=mlserver.control) for each in sent],
        within=WITHIN,
    )


@pytest.mark.requirement("STR-MLS-003")
def test_the_model_of_a_request_is_not_guessed(mlserver: MLServerStream, produce: Produce) -> None:
    value = request(rows(seed()))
    unnamed: list[Headers] = [
        [],
        [("MLServer-Model", "sums")],
        [("mlserver-version", "1")],
        [("mlserver_model", "sums")],
    ]
    bad = [record for headers in unnamed for record in records(value, headers=headers)]
    expect(*beside(mlserver, produce, bad), within=WITHIN)


@pytest.mark.requirement("STR-MLS-004")
def test_a_model_or_version_that_is_not_there_is_not_replaced(mlserver: MLServerStream, produce: Produce) -> None:
    value = request(rows(seed()))
    wrong: list[Headers] = [
        [("mlserver-model", name)] for name in ("no-such-model", "Sums", " sums", "sums/versions/1")
    ]
    wrong += [[*NAMED, ("mlserver-version", version)] for version in ("3", "v1", "latest")]
    bad = [record for headers in wrong for record in records(value, headers=headers)]
    expect(*beside(mlserver, produce, bad), within=WITHIN)


@pytest.mark.requirement("STR-MLS-005")
def test_the_version_of_a_model_is_chosen_by_its_header(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    chosen = {version: records(request(values), headers=[*NAMED, ("mlserver-version", version)]) for version in "12"}
    first, second, newest = produce.many(mlserver.input, [*chosen["1"], *chosen["2"], *records(request(values))])
    expect(
        stream_holds(first, mlserver.output, json=answer(values, "1"), control=mlserver.control),
        stream_holds(second, mlserver.output, json=answer(values, "2"), control=mlserver.control),
        stream_holds(newest, mlserver.output, json=answer(values, "2"), control=mlserver.control),
        within=WITHIN,
    )


def unreadable(value: bytes) -> list[bytes]:
    """Return values that are no V2 request, made of one that is."""
    body = json.loads(value)
    inputs = [{**body["inputs"][0], "datatype": "FP65"}], [{"name": "rows"}], "rows"
    wrong = [{}, [], [body], 5, None, "text", {"instances": [[1.0]]}, *({"inputs": each} for each in inputs)]
    return [b"", b"{", b"\xff\xfe", value[:-1], value + b"}", *(json.dumps(each).encode() for each in wrong)]


@pytest.mark.requirement("STR-MLS-006")
def test_a_value_that_is_no_v2_request_stops_no_other(mlserver: MLServerStream, produce: Produce) -> None:
    expect(*beside(mlserver, produce, records(*unreadable(request(rows(seed()))))), within=WITHIN)


@pytest.mark.requirement("STR-MLS-007")
def test_a_null_value_stops_no_other_request(mlserver: MLServerStream, produce: Produce) -> None:
    expect(*beside(mlserver, produce, records(None)), within=WITHIN)


def refused_by_the_model() -> list[bytes]:
    """Return V2 requests that the model cannot answer."""
    good = json.loads(request([[1.0, 2.0]]))
    tensor = good["inputs"][0]
    wrong = [
        {**tensor, "name": "columns"},
        {**tensor, "shape": [2], "data": [1.0, 2.0]},
        {**tensor, "datatype": "BYTES", "data": ["a", "b"]},
        {**tensor, "shape": [3, 5]},
    ]
    return [json.dumps({"inputs": [each]}).encode() for each in wrong]


@pytest.mark.requirement("STR-MLS-008")
def test_a_request_that_the_model_refuses_stops_no_other(mlserver: MLServerStream, produce: Produce) -> None:
    expect(*beside(mlserver, produce, records(*refused_by_the_model())), within=WITHIN)


@pytest.mark.requirement("STR-MLS-009")
@pytest.mark.parametrize("why", ["unreadable", "refused by the model"])
def test_the_sender_of_a_refused_request_is_told(mlserver: MLServerStream, produce: Produce, why: str) -> None:
    value = b"{" if why == "unreadable" else refused_by_the_model()[0]
    expect(*errors(mlserver, produce.many(mlserver.input, records(value))), within=WITHIN)


@pytest.mark.requirement("STR-MLS-021")
def test_an_answer_that_json_cannot_say_is_an_error(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    first: Headers = [*NAMED, ("mlserver-version", "1")]
    beyond = [
        *records(request([[1e200, 1.0]])),
        *records(request([[LARGEST, LARGEST]]), request([[-LARGEST, -LARGEST]]), headers=first),
    ]
    *refused, good = produce.many(mlserver.input, [*beyond, *records(request(values))])
    expect(
        stream_holds(good, mlserver.output, json=answer(values), control=mlserver.control),
        *errors(mlserver, refused),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-MLS-010")
def test_the_method_that_there_is_may_be_named(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    [asked] = produce.many(mlserver.input, records(request(values), headers=[*NAMED, ("mlserver-method", "infer")]))
    expect(stream_holds(asked, mlserver.output, json=answer(values), control=mlserver.control), within=WITHIN)
