"""Keys, headers, order and number of records: an answer is found by its key, and there is exactly one."""

from typing import Any

import pytest

from evidence.expectations import one_stream_answer, stream_holds, stream_in_order
from fixtures import MLServerStream, Produce, expect, seed
from suites.oracles.sums import answer, request, rows
from suites.wire import fresh

Headers = list[tuple[str, str | bytes | None]]
NAMED: Headers = [("mlserver-model", "sums")]
WITHIN = 3.0  # seconds; an answer counts as missing only after them
BURST = 120
SLOW = 0.6
READABLE: dict[str, Headers] = {
    "many": [(f"x-number-{number}", str(number)) for number in range(50)],
    "repeated": [("x-same", "1"), ("x-same", "2")],
    "empty": [("x-empty", "")],
    "text": [("x-text", "Grüße, 東京")],
    "long": [("x-long", "a" * 4096)],
    "events": [("ce_id", "1"), ("ce_type", "touchstone.test"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")],
}
UNREADABLE: dict[str, Headers] = {"null": [("x-null", None)], "binary": [("x-binary", b"\xff\xfe\x80")]}


@pytest.mark.requirement("STR-MLS-011")
def test_headers_of_others_keep_nothing_from_its_answer(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    sent = produce.many(
        mlserver.input,
        [{"value": request(values), "key": fresh(name), "headers": [*more, *NAMED]} for name, more in READABLE.items()],
    )
    terms: dict[str, Any] = {"json": answer(values), "control": mlserver.control}
    expect(*[stream_holds(each, mlserver.output, **terms) for each in sent], within=WITHIN)


@pytest.mark.requirement("STR-MLS-012")
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_header_that_is_no_text_keeps_nothing_from_its_answer(
    mlserver: MLServerStream, produce: Produce, name: str
) -> None:
    values = rows(seed())
    asked = produce(mlserver.input, request(values), key=fresh(name), headers=[*UNREADABLE[name], *NAMED])
    expect(stream_holds(asked, mlserver.output, json=answer(values), control=mlserver.control), within=WITHIN)


@pytest.mark.requirement("STR-MLS-013")
def test_keys_of_text_are_kept(mlserver: MLServerStream, produce: Produce) -> None:
    values, unique = rows(seed()), fresh("key")
    keys = [
        f" {unique} ",
        f"Grüße €{unique}",
        f'{{"id": "{unique}"}}',
        f"{unique}\x00/%2F?&=\r\n",
        unique.ljust(1024, "k"),
    ]
    records = [{"value": request(values), "key": key, "headers": NAMED} for key in keys]
    terms: dict[str, Any] = {"json": answer(values), "control": mlserver.control}
    sent = produce.many(mlserver.input, records)
    expect(*[stream_holds(each, mlserver.output, **terms) for each in sent], within=WITHIN)


@pytest.mark.requirement("STR-MLS-014")
def test_a_key_of_bytes_is_kept(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    key = b"\xff\x00\xfe" + fresh().encode()
    asked = produce(mlserver.input, request(values), key=key, headers=NAMED)
    expect(stream_holds(asked, mlserver.output, json=answer(values), control=mlserver.control), within=WITHIN)


@pytest.mark.requirement("STR-MLS-015")
def test_a_request_is_answered_once(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    records = [{"value": request(values), "key": fresh("key"), "headers": NAMED, "partition": 0} for _ in range(8)]
    *sent, last = produce.many(mlserver.input, records)
    expect(*[one_stream_answer(each, mlserver.output, fence=last) for each in sent], within=WITHIN)


@pytest.mark.requirement("STR-MLS-016")
def test_each_of_many_requests_is_answered(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    records = [{"value": request(values), "key": fresh("key"), "headers": NAMED, "partition": 0} for _ in range(BURST)]
    sent = produce.many(mlserver.input, records)
    terms: dict[str, Any] = {"json": answer(values), "control": mlserver.control}
    expect(*[stream_holds(each, mlserver.output, **terms) for each in sent], within=15.0)


@pytest.mark.requirement("STR-MLS-017")
def test_requests_of_a_partition_are_answered_in_their_order(mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    bodies = [request(values, pause=SLOW), request(values)]
    records = [{"value": body, "key": fresh("key"), "headers": NAMED, "partition": 0} for body in bodies]
    expect(stream_in_order(produce.many(mlserver.input, records), mlserver.output), within=WITHIN)
