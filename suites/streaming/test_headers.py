"""The headers of records: those of a request reach the model, and those of an answer say what it is."""

import json
from typing import Any

import pytest

from evidence.expectations import Expectation, stream_answer, stream_header
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.oracles.messages import SELDON_MESSAGE, tagged
from suites.oracles.tensorflow import octets
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
EVENT = [("ce_type", "touchstone.test"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")]
"""Headers of an event on Kafka, whose names have an underscore, and of a trace."""


OF_A_CONNECTION = [
    ("Host", "nowhere.invalid"),
    ("Content-Length", "1"),
    ("content-length", "999999"),
    ("Transfer-Encoding", "chunked"),
    ("Trailer", "x-own"),
    ("Connection", "close"),
    ("Keep-Alive", "timeout=1"),
    ("TE", "trailers"),
    ("Upgrade", "h2c"),
]
"""Fields by which two ends of an HTTP connection agree where a message ends and what follows it."""
OF_A_CALL = [
    ("x-bin", "$$$"),
    ("grpc-timeout", "1n"),
    ("grpc-encoding", "gzip"),
    ("grpc-status", "5"),
    (":authority", "nowhere.invalid"),
    (":path", "/nowhere"),
    ("user-agent", "touchstone"),
    ("Content-Type", "text/plain"),
    ("te", "trailers"),
]
"""Metadata that whoever makes a gRPC call writes itself, and metadata that would have to be Base64."""


def shown(*pairs: tuple[str, str]) -> dict[str, str]:
    """Return the answer of a model in Seldon's protocol that shows headers: sorted, the names in small letters."""
    return {"strData": json.dumps(sorted(map(list, pairs)))}


def showing(*names: str) -> bytes:
    """Return a request in Seldon's protocol to show headers."""
    return json.dumps({"meta": {"tags": {"show": ",".join(names)}}, "strData": ""}).encode()


def answered(
    stream: SeldonStream, produce: Produce, value: bytes, headers: list[tuple[str, str]], **terms: Any
) -> Expectation:
    """Send a request with headers; return the expectation of its answer."""
    asked = produce(stream.input, value, key=fresh("key"), headers=headers)
    return stream_answer(asked, stream.output, group=stream.group, **terms)


@pytest.mark.requirement("STR-HDR-003")
def test_the_headers_of_a_record_reach_a_model_over_rest(echoes: SeldonStreams, produce: Produce) -> None:
    headers = [("X-Caller", "a"), ("x-empty", ""), ("X-Twice", "1"), ("X-Twice", "2"), *EVENT]
    names = {name.lower() for name, _ in headers}
    value, wanted = showing(*names), shown(*((name.lower(), text) for name, text in headers))
    expect(answered(echoes("echo-seldon-rest"), produce, value, headers, json=wanted), within=WITHIN)
    infer = json.dumps({"inputs": [], "parameters": {"show": "x-caller"}})
    data = [json.dumps([["x-caller", "a"]])]
    outputs = [{"name": "headers", "datatype": "BYTES", "shape": [1], "data": data}]
    answer = {"model_name": "echo", "outputs": outputs}
    expect(answered(echoes("echo-v2-rest"), produce, infer.encode(), headers, json=answer), within=WITHIN)


@pytest.mark.requirement("STR-HDR-012")
def test_headers_that_belong_to_a_connection_keep_nothing_from_its_answer(
    echoes: SeldonStreams, produce: Produce
) -> None:
    stream, value = echoes("echo-seldon-rest"), showing("x-own")
    records = [[("x-own", f"{name}: {text}"), (name, text)] for name, text in OF_A_CONNECTION]
    records.append([("x-own", "all"), *OF_A_CONNECTION])
    expect(*(answered(stream, produce, value, headers, json=shown(headers[0])) for headers in records), within=WITHIN)


@pytest.mark.requirement("STR-HDR-004")
def test_the_headers_of_a_record_reach_a_model_over_grpc(echoes: SeldonStreams, produce: Produce) -> None:
    headers = [("proto-name", SELDON_MESSAGE), ("x-caller", "a"), ("X-Case", "b"), ("x-twice", "1"), ("x-twice", "2")]
    shown_pairs = [["x-caller", "a"], ["x-case", "b"], ["x-twice", "1"], ["x-twice", "2"]]
    wanted = octets(5, json.dumps(shown_pairs).encode())
    value = tagged("show", "x-caller,x-case,x-twice")
    expect(
        answered(echoes("echo-seldon-grpc"), produce, value, headers, message=(SELDON_MESSAGE, wanted)), within=WITHIN
    )


@pytest.mark.requirement("STR-HDR-015")
def test_metadata_that_belongs_to_a_call_keeps_nothing_from_its_answer(echoes: SeldonStreams, produce: Produce) -> None:
    stream, named, value = echoes("echo-seldon-grpc"), ("proto-name", SELDON_MESSAGE), tagged("show", "x-own")
    records = [[named, ("x-own", f"{name}: {text}"), (name, text)] for name, text in OF_A_CALL]
    records.append([named, ("x-own", "all"), *OF_A_CALL])
    wanted = [octets(5, json.dumps([headers[1]]).encode()) for headers in records]
    expect(
        *(
            answered(stream, produce, value, headers, message=(SELDON_MESSAGE, told))
            for headers, told in zip(records, wanted, strict=True)
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-HDR-005")
def test_the_puid_of_a_record_reaches_the_model(echoes: SeldonStreams, produce: Produce) -> None:
    stream, puid = echoes("echo-seldon-rest"), fresh("puid")
    value, wanted = showing("seldon-puid"), shown(("seldon-puid", puid))
    expect(answered(stream, produce, value, [("Seldon-Puid", puid)], json=wanted), within=WITHIN)


@pytest.mark.requirement("STR-HDR-006")
def test_the_content_type_of_a_record_is_that_of_the_call(echoes: SeldonStreams, produce: Produce) -> None:
    stream, own = echoes("echo-seldon-rest"), "application/json; charset=utf-8"
    expect(
        answered(stream, produce, showing("content-type"), [("Content-Type", own)], json=shown(("content-type", own))),
        within=WITHIN,
    )
    expect(
        answered(stream, produce, showing("content-type"), [], json=shown(("content-type", "application/json"))),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-HDR-007")
def test_an_answer_names_the_puid_of_its_request(echoes: SeldonStreams, produce: Produce) -> None:
    stream, puid = echoes("echo-seldon-rest"), fresh("puid")
    asked = produce(stream.input, b'{"strData": "x"}', key=fresh("key"), headers=[("Seldon-Puid", puid)])
    expect(stream_header(asked, stream.output, group=stream.group, name="Seldon-Puid", value=puid), within=WITHIN)


@pytest.mark.requirement("STR-HDR-008")
def test_an_answer_in_protobuf_names_its_type(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-seldon-grpc")
    asked = produce(stream.input, octets(5, b"x"), key=fresh("key"), headers=[("proto-name", SELDON_MESSAGE)])
    expect(
        stream_header(asked, stream.output, group=stream.group, name="proto-name", value=SELDON_MESSAGE), within=WITHIN
    )
