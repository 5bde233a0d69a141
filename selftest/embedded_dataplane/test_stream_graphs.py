"""Streams in every protocol, through graphs, by several servers, in order, and across a kill at each stage."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format

from embedded.dataplane.cloudevents import Record
from embedded.streaming import messages
from embedded.streaming.metadata import grpc_metadata, http_headers
from embedded.streaming.nodes import Node
from embedded.streaming.server import STAGES
from selftest.embedded_dataplane.streams import Model, Stream, graph_of, seldon, stream
from selftest.embedded_dataplane.world import World, until_true

pytestmark = pytest.mark.anyio


def asked(key: str, **body: Any) -> Record:
    return Record(key.encode(), [], json.dumps(body).encode(), partition=0)


async def test_a_graph_is_walked(world: World, model: Model) -> None:
    requests = [
        asked("chain", predictions=["x"], route=[0]),
        asked("join", predictions=["x"], route=[[1]]),
        asked("none", predictions=["x"], route=[-2]),
        asked("beyond", predictions=["x"], route=[7]),
        asked("empty", predictions=["x"], route=[]),
    ]
    async with stream(world, model, protocol="seldon", graph=graph_of(model)) as running:
        await running.ask(*requests)
        assert await running.answers(5) == {
            b"chain": [["x/first/second"]],
            b"join": [["x/left+x/right"]],
            b"none": [["x"]],
        }


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ({"ndarray": [0]}, {"data": {"ndarray": [0.0]}}),
        ({"ndarray": [[1]]}, {"strData": "2"}),
        ({"tensor": {"shape": [1, 1], "values": [1]}}, {"strData": "2"}),
        ({"tftensor": {"intVal": [1]}}, {"strData": "2"}),
        ({"ndarray": [-1]}, {"data": {"ndarray": [-1.0]}}),
        ({"ndarray": [-2]}, {"data": {"ndarray": [-2.0]}}),
        ({"ndarray": [7]}, None),
        ({"ndarray": []}, None),
        ({"ndarray": [{}]}, None),
        ({"tensor": {"values": ["Infinity"]}}, None),
        ({"tensor": {"values": ["NaN"]}}, None),
        ({}, None),
    ],
    ids=["first", "nested", "tensor", "tftensor", "all", "none", "beyond", "empty", "object", "inf", "nan", "no-data"],
)
async def test_a_graph_is_walked_over_grpc(
    world: World, model: Model, data: dict[str, Any], answer: dict[str, Any] | None
) -> None:
    graph = graph_of(model, "grpc")
    if data == {"ndarray": [-1]}:  # the third child has transformers, which this model is not
        graph = replace(graph, children=graph.children[:2])
    request = Record(b"k", [("proto-name", messages.SELDON_MESSAGE.encode())], seldon(data=data))
    async with stream(world, model, "grpc", protocol="seldon", graph=graph) as running:
        await running.ask(request)
        await committed(running, 1)
        found = await world.records(
            running.server.spec.output_topic, await world.count(running.server.spec.output_topic, 2)
        )
    got = [messages.TYPES[messages.SELDON_MESSAGE].FromString(record.value or b"") for record in found]
    assert [json_format.MessageToDict(message) for message in got] == ([] if answer is None else [answer])


@pytest.mark.parametrize("protocol", ["seldon", "v2"])
async def test_a_message_of_each_protocol_is_passed_on_and_named(world: World, model: Model, protocol: str) -> None:
    name = {"seldon": messages.SELDON_MESSAGE, "v2": messages.INFER_REQUEST}[protocol]
    answer = {"seldon": messages.SELDON_MESSAGE, "v2": messages.INFER_RESPONSE}[protocol]
    value = b"\x2a\x01x\xc8\x3e\x01" if protocol == "seldon" else b"\x0a\x01m\x3a\x02\xff\xfe"
    headers = [("proto-name", name.encode()), ("Seldon-Puid", b"p1")]
    async with stream(world, model, "grpc", protocol=protocol) as running:
        await running.ask(Record(b"k", headers, value), Record(b"x", [("proto-name", b"x")], value))
        await committed(running, 2)
        [record] = await world.records(running.server.spec.output_topic, 1)
    assert (record.key, record.value) == (b"k", value)
    assert list(record.headers) == [("Seldon-Puid", b"p1"), ("proto-name", answer.encode())]


async def committed(running: Stream, count: int) -> None:
    async def is_done() -> bool:
        return await running.world.committed(running.server.spec.input_topic, running.server.group) == count

    await until_true(is_done)


async def test_each_request_is_answered_by_one_of_two_predictors_or_replicas(world: World, model: Model) -> None:
    async with stream(world, model, share=(0, 40)) as first:
        same = {name: getattr(first.server.spec, name) for name in ("input_topic", "output_topic", "deployment")}
        async with stream(world, model, share=(40, 100), predictor="q", **same) as second:
            await first.ask(*(numbered(number) for number in range(30)))
            await committed(first, 30)
            await committed(second, 30)
            assert await counts(first) == Counter({1: 30})
    async with stream(world, model, replica=0, replicas=2) as first:
        same = {name: getattr(first.server.spec, name) for name in ("input_topic", "output_topic", "deployment")}
        async with stream(world, model, replica=1, replicas=2, **same):
            for partition in (0, 1):
                for number in range(5):
                    record = replace(numbered(10 * partition + number), partition=partition)
                    await world.producer.send(first.server.spec.input_topic, record)
            await committed(first, 10)
            assert await counts(first) == Counter({1: 10})


def numbered(number: int) -> Record:
    return asked(f"k{number}", instances=[number])


async def counts(running: Stream) -> Counter[int]:
    """Return how many keys have how many answers."""
    output = running.server.spec.output_topic
    records = await running.world.records(output, await running.world.count(output, 2))
    return Counter(Counter(record.key for record in records).values())


async def test_records_of_one_key_are_answered_in_order(world: World, model: Model) -> None:
    requests = [asked("same", predictions=[str(number)], delay=0.1 if number == 0 else 0) for number in range(4)]
    async with stream(world, model, protocol="seldon", graph=Node("n", "MODEL", graph_of(model).endpoint)) as running:
        await running.ask(*requests)
        assert await running.answers(4) == {b"same": [[f"{number}/switch"] for number in range(4)]}


@pytest.mark.parametrize("stage", STAGES)
async def test_a_kill_at_any_stage_loses_nothing(world: World, model: Model, stage: str) -> None:
    async with stream(world, model) as running:
        over = running.server.kill(stage)
        await running.ask(*(numbered(number) for number in range(6)))
        async with asyncio.timeout(30):
            await over
        answers = await running.answers(6)
    assert {key: value[0] for key, value in answers.items()} == {f"k{n}".encode(): [2 * n] for n in range(6)}
    assert sum(map(len, answers.values())) < 6 + 5, "not more than what was in work comes again"


def test_headers_go_on_as_far_as_the_transport_can_carry_them() -> None:
    headers: list[tuple[str, bytes | None]] = [
        ("X-Caller", "Grüße".encode()),
        ("x-null", None),
        ("x-binary", b"\xff"),
        ("x line", b"1"),
        ("x-break", b"1\r\nInjected: 1"),
        ("Host", b"elsewhere"),
        ("Content-Length", b"7"),
        ("Content-Type", b"application/x-own"),
        ("Seldon-Puid", b"p1"),
        ("grpc-timeout", b"1n"),
        ("x-data-bin", b"1"),
    ]
    record = Record(b"k", headers, b"{}")
    assert http_headers(record, "p1") == (
        ("Content-Type", "application/x-own"),
        ("Seldon-Puid", "p1"),
        ("X-Caller", "Grüße"),
        ("x-null", ""),
        ("grpc-timeout", "1n"),
        ("x-data-bin", "1"),
    )
    assert grpc_metadata(record, "p1") == (("seldon-puid", "p1"), ("x-null", ""))
    assert http_headers(Record(b"k", [("content-type", b"text/plain")], b""), "p")[0] == (
        "Content-Type",
        "application/json",
    )
