"""Requests that are in work at once, or are large, or have no key: each is answered, and keeps what is its own."""

import json
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    offset_after_answer,
    stream_answer,
    stream_header,
    stream_in_order,
    stream_key_kept,
)
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.oracles.messages import SELDON_MESSAGE, numbered
from suites.oracles.tensorflow import octets
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
AT_ONCE = 12
LONG = 2.0  # seconds that the model takes for a request, in which it answers many others
HELD = 6.5  # seconds; a consumer that commits what it has taken up, answered or not, does so every five by default
LARGE = 500_000  # bytes; Kafka takes twice as many by default


def text(value: str, **tags: Any) -> bytes:
    """Return a request in Seldon's protocol: a text, and what is wished of the model."""
    return json.dumps({"meta": {"tags": tags}, "strData": value}).encode()


@pytest.mark.requirement("STR-HDR-009")
def test_requests_at_once_reach_the_model_each_with_its_own_headers(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-seldon-rest")
    # Every third one has no such header, so that it shows what another one leaves behind, too.
    headers = [[("X-Caller", fresh("caller"))] if number % 3 else [] for number in range(AT_ONCE)]
    value = text("", show="x-caller")
    asked = produce.many(
        stream.input,
        [{"value": value, "key": fresh("key"), "headers": pairs, "partition": 0} for pairs in headers],
    )
    wanted = [{"strData": json.dumps([[name.lower(), caller] for name, caller in pairs])} for pairs in headers]
    expect(
        *(
            stream_answer(request, stream.output, group=stream.group, json=answer)
            for request, answer in zip(asked, wanted, strict=True)
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-WRK-001")
@pytest.mark.parametrize(
    ("variables", "count"),
    [({}, 4), ({"KAFKA_WORKERS": "2"}, 2), ({"KAFKA_WORKERS": "6"}, 6)],
    ids=["default", "two", "six"],
)
def test_so_many_requests_are_at_the_model_as_there_are_workers(
    echoes: SeldonStreams, produce: Produce, variables: dict[str, Any], count: int
) -> None:
    stream = echoes.another("echo-seldon-rest", **variables)
    # The first ones wait for each other; behind them are so many that one too many would be seen.
    values = [*[text("", least=count, most=count)] * count, *[text("", most=count)] * 2 * count]
    asked = produce.many(stream.input, [{"value": value, "key": fresh("key"), "partition": 0} for value in values])
    answer = {"strData": "as wished"}
    expect(
        *(stream_answer(request, stream.output, group=stream.group, json=answer) for request in asked), within=WITHIN
    )


@pytest.mark.requirement("STR-WRK-002")
def test_a_request_that_takes_long_holds_up_none_behind_it(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes.another("echo-seldon-rest")
    values = [text("held", delay=LONG), *(text(fresh("quick")) for _ in range(AT_ONCE // 2))]
    held, *quick = produce.many(
        stream.input, [{"value": value, "key": fresh("key"), "partition": 0} for value in values]
    )
    expect(*(stream_in_order([each, held], stream.output) for each in quick), within=LONG + WITHIN)


@pytest.mark.requirement("STR-HDR-010")
def test_the_answers_of_requests_at_once_name_each_its_own_puid(echoes: SeldonStreams, produce: Produce) -> None:
    stream, puids = echoes("echo-seldon-rest"), [fresh("puid") for _ in range(AT_ONCE)]
    value = text("x")
    asked = produce.many(
        stream.input,
        [{"value": value, "key": fresh("key"), "headers": [("Seldon-Puid", puid)], "partition": 0} for puid in puids],
    )
    terms: dict[str, Any] = {"group": stream.group, "name": "Seldon-Puid"}
    expect(
        *(
            stream_header(request, stream.output, value=puid, **terms)
            for request, puid in zip(asked, puids, strict=True)
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-HDR-011")
def test_requests_at_once_that_share_a_puid_are_answered_each(echoes: SeldonStreams, produce: Produce) -> None:
    stream, texts = echoes("echo-seldon-rest"), [fresh("text") for _ in range(AT_ONCE)]
    shared: dict[str, Any] = {"headers": [("Seldon-Puid", fresh("puid"))], "partition": 0}
    values = [text(each, delay=0.1) for each in texts]
    asked = produce.many(stream.input, [{"value": value, "key": fresh("key"), **shared} for value in values])
    expect(
        *(
            stream_answer(request, stream.output, group=stream.group, json=json.loads(value))
            for request, value in zip(asked, values, strict=True)
        ),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-KEY-003")
def test_requests_without_a_key_are_answered_also_at_once(echoes: SeldonStreams, produce: Produce) -> None:
    stream, texts = echoes("echo-seldon-rest"), [fresh("text") for _ in range(AT_ONCE)]
    asked = produce.many(stream.input, [{"value": text(each), "key": None, "partition": 0} for each in texts])
    wanted = [json.loads(text(each)) for each in texts]
    expect(
        *(
            stream_key_kept(request, stream.output, group=stream.group, json=answer)
            for request, answer in zip(asked, wanted, strict=True)
        ),
        within=WITHIN,
    )


def committed_after_answers(
    stream: SeldonStream, produce: Produce, held: bytes, quick: bytes, **terms: Any
) -> Expectation:
    """Send many requests of which the first is held; return the expectation that no offset precedes its answer."""
    values = [held, *[quick] * AT_ONCE]
    asked = produce.many(
        stream.input, [{"value": value, "key": fresh("key"), "partition": 0} | terms for value in values]
    )
    return offset_after_answer(asked, stream.output, group=stream.group)


@pytest.mark.requirement("STR-OFF-001")
def test_offsets_are_committed_after_an_answer_that_takes_long(echoes: SeldonStreams, produce: Produce) -> None:
    held = text("held", delay=HELD)
    expect(committed_after_answers(echoes("echo-seldon-rest"), produce, held, text("quick")), within=HELD + WITHIN)


@pytest.mark.requirement("STR-OFF-002")
def test_offsets_are_committed_after_a_message_that_takes_long(echoes: SeldonStreams, produce: Produce) -> None:
    held = numbered("delay", HELD) + octets(5, b"held")
    stream, quick, named = echoes("echo-seldon-grpc"), octets(5, b"quick"), [("proto-name", SELDON_MESSAGE)]
    expect(committed_after_answers(stream, produce, held, quick, headers=named), within=HELD + WITHIN)


@pytest.mark.requirement("STR-SIZ-002")
def test_a_large_answer_that_kafka_takes_is_written_whole(echoes: SeldonStreams, produce: Produce) -> None:
    stream = echoes("echo-seldon-rest")
    asked = produce(stream.input, text("", size=LARGE), key=fresh("key"))
    expect(stream_answer(asked, stream.output, group=stream.group, json={"strData": "x" * LARGE}), within=WITHIN)
