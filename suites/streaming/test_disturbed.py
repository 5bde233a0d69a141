"""A server is killed, replaced, or has no Kafka or no model: nothing is lost, and nothing committed comes again."""

import json
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    condition,
    no_stream_answer,
    one_stream_answer,
    stream_answer,
    stream_holds,
    stream_survived,
)
from evidence.refs import ProducedRef
from fixtures import Faults, Kube, Produce, SeldonStream, SeldonStreams, expect
from fixtures.plugin.faults import Stage
from suites.wire import fresh

WITHIN = 10.0  # seconds; a server begins again, and reads what it had read
IN_WORK = 6
FIRST, APART = 0.5, 0.1
"""The seconds that the first of several records takes, in which all of them are read, and those between two answers."""


def slow(number: int, delay: float) -> dict[str, Any]:
    """Return a record whose answer takes a while, under a key of its own."""
    body = {"meta": {"tags": {"delay": delay}}, "strData": str(number)}
    return {"value": json.dumps(body).encode(), "key": fresh("key"), "partition": 0}


def answer_to(number: int) -> dict[str, Any]:
    """Return the answer to such a record that takes no time."""
    return {"meta": {"tags": {"delay": 0}}, "strData": str(number)}


def survives(stage: Stage, stream: SeldonStream, produce: Produce, faults: Faults) -> Expectation:
    """Kill the server when one of several records in work is at a stage.

    Args:
        stage: The stage.
        stream: The stream.
        produce: The function that writes records.
        faults: What kills.

    Returns:
        The expectation that each request is answered, those from before the kill included.
    """
    earlier = produce.many(stream.input, [slow(number, 0) for number in range(3)])
    expect(*answers(stream, earlier))
    with faults.killed_when(stage, of=stream):
        # The answers come one after the other: when the first record is at its stage, others are in work.
        asked = produce.many(stream.input, [slow(number, FIRST + APART * number) for number in range(IN_WORK)])
    place = {"namespace": stream.namespace, "deployment": stream.name}
    return stream_survived([*earlier, *asked], stream.output, group=stream.group, **place)


def answers(stream: SeldonStream, asked: list[ProducedRef]) -> list[Expectation]:
    """Return the expectations that each request is answered once, and its offset committed."""
    return [one_stream_answer(one, stream.output, group=stream.group) for one in asked]


@pytest.mark.requirement("STR-KIL-001")
def test_a_server_killed_when_it_has_read_a_record_loses_nothing(
    graphs: SeldonStreams, produce: Produce, faults: Faults
) -> None:
    expect(survives("consumed", graphs("disturbed"), produce, faults), within=WITHIN)


@pytest.mark.requirement("STR-KIL-002")
def test_a_server_killed_when_the_model_has_answered_loses_nothing(
    graphs: SeldonStreams, produce: Produce, faults: Faults
) -> None:
    expect(survives("predicted", graphs("disturbed"), produce, faults), within=WITHIN)


@pytest.mark.requirement("STR-KIL-003")
def test_a_server_killed_when_an_answer_is_stored_loses_nothing(
    graphs: SeldonStreams, produce: Produce, faults: Faults
) -> None:
    expect(survives("produced", graphs("disturbed"), produce, faults), within=WITHIN)


@pytest.mark.requirement("STR-KIL-004")
def test_a_server_killed_when_an_offset_is_committed_loses_and_repeats_nothing(
    graphs: SeldonStreams, produce: Produce, faults: Faults
) -> None:
    expect(survives("committed", graphs("disturbed"), produce, faults), within=WITHIN)


@pytest.mark.requirement("STR-DRN-001")
def test_a_server_that_is_replaced_finishes_what_it_has_begun(
    graphs: SeldonStreams, produce: Produce, kube: Kube
) -> None:
    stream = graphs("disturbed")
    quick, *asked = produce.many(stream.input, [slow(0, 0), *(slow(number, 1.8) for number in range(IN_WORK))])
    # Its answer is there: the slow ones behind it are in work.
    terms: dict[str, Any] = {"group": stream.group}
    expect(stream_answer(quick, stream.output, json=answer_to(0), **terms))
    kube.patch(stream.object, stream.changed(KAFKA_WORKERS="5"), check=True)
    expect(*answers(stream, asked), within=WITHIN)
    # A server that had begun anew would have answered the first of the partition again before the last.
    last = produce.many(stream.input, [slow(IN_WORK, 0)])
    expect(*answers(stream, last), within=WITHIN)
    expect(*answers(stream, [quick]))


@pytest.mark.requirement("STR-MOD-001")
def test_a_stream_whose_model_ended_answers_what_comes_when_it_is_back(
    graphs: SeldonStreams, produce: Produce, kube: Kube
) -> None:
    stream = graphs("disturbed")
    terms: dict[str, Any] = {"group": stream.group}
    [before] = produce.many(stream.input, [slow(0, 0)])
    expect(stream_answer(before, stream.output, json=answer_to(0), **terms))
    with stream.restarting():
        last = produce(stream.input, b'{"meta": {"tags": {"exit": true}}, "strData": "last"}', key=fresh("key"))
    expect(condition(kube.get(stream.object), "Ready", "True"), no_stream_answer(last, stream.output, **terms))
    later = produce.many(stream.input, [slow(number, 0) for number in range(IN_WORK)])
    expect(
        *(
            stream_answer(one, stream.output, json=answer_to(number), control=before, **terms)
            for number, one in enumerate(later)
        ),
        within=WITHIN,
    )


@pytest.mark.alone
@pytest.mark.requirement("STR-KFA-001")
def test_a_stream_whose_kafka_was_away_answers_what_it_had_and_what_comes(
    graphs: SeldonStreams, produce: Produce, kube: Kube, faults: Faults
) -> None:
    stream = graphs("disturbed")
    earlier = produce.many(stream.input, [slow(number, 0) for number in range(2)])
    expect(*(one_stream_answer(request, stream.output, group=stream.group) for request in earlier))
    in_work = produce.many(stream.input, [slow(number, 0.3) for number in range(IN_WORK)])
    with faults.kafka_away(of=stream):
        kube.get(stream.object, check=True)
    expect(condition(kube.get(stream.object), "Ready", "True"))
    later = produce.many(stream.input, [slow(IN_WORK, 0)])
    expect(stream_holds(later[0], stream.output, json={"strData": str(IN_WORK)}, control=earlier[0]), within=WITHIN)
    place = {"namespace": stream.namespace, "deployment": stream.name}
    asked = [*earlier, *in_work, *later]
    expect(stream_survived(asked, stream.output, group=stream.group, **place), within=WITHIN)


@pytest.mark.alone
@pytest.mark.requirement("STR-KFA-002")
def test_a_stream_whose_kafka_is_away_is_not_ready(graphs: SeldonStreams, kube: Kube, faults: Faults) -> None:
    stream = graphs("disturbed")
    with faults.kafka_away(of=stream):
        expect(condition(kube.get(stream.object), "Ready", "False"), within=5.0)
    expect(condition(kube.get(stream.object), "Ready", "True"))
