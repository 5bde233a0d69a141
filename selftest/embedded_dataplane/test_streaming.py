"""Seldon's Kafka server against a model that is a little function of its input, over REST and gRPC."""

import struct
import time
from dataclasses import replace

import pytest

from embedded.dataplane import NoTopicError
from embedded.dataplane.cloudevents import Record
from embedded.mutants import find_personality
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import composition
from embedded.streaming import StreamServer, messages
from embedded.streaming.models import why_not_walked
from embedded.streaming.nodes import Node
from embedded.types import Endpoint
from selftest.embedded_dataplane.stream_observations import answered_at_the_stop
from selftest.embedded_dataplane.streams import NAMED, PREDICT, Model, protobuf, rest, stream
from selftest.embedded_dataplane.world import World

pytestmark = pytest.mark.anyio

SAME = ("deployment", "input_topic", "output_topic")


def test_the_golden_message() -> None:
    """The bytes that the real stubs give for model m, version 3, x = float [1.5, -2]."""
    golden = bytes.fromhex("0a070a016d1202080312170a0178121208011204120208022a080000c03f000000c0")
    message = messages.TYPES[PREDICT]()
    message.ParseFromString(golden)
    assert (message.model_spec.name, message.model_spec.version.value) == ("m", 3)
    tensor = message.inputs["x"]
    assert (tensor.dtype, [dim.size for dim in tensor.tensor_shape.dim], list(tensor.float_val)) == (1, [2], [1.5, -2])
    assert message.SerializeToString(deterministic=True) == golden
    assert golden.endswith(struct.pack("<2f", 1.5, -2))


async def test_json_requests_are_answered_under_their_keys(world: World, model: Model) -> None:
    async with stream(world, model) as running:
        await running.ask(*(rest(f"k{number}", number) for number in range(20)))
        assert await running.answers(20) == {f"k{number}".encode(): [[2 * number]] for number in range(20)}


async def test_protobuf_requests_are_answered_under_their_keys(world: World, model: Model) -> None:
    async with stream(world, model, "grpc") as running:
        await running.ask(*(protobuf(f"k{number}", number) for number in range(5)))
        assert await running.answers(5) == {f"k{number}".encode(): [[2.0 * number]] for number in range(5)}


@pytest.mark.parametrize(
    "bad",
    [
        *[rest("bad", value=value) for value in (b"[1]", b"5", b"null", b'"x"', b"\xff", b"{", b"", b"[" * 100_000)],
        Record(b"bad", [], None),
        rest("bad", value=b"{}"),
    ],
    ids=["array", "number", "null", "text", "bytes", "cut", "empty", "deep", "tombstone", "refused-by-the-model"],
)
async def test_a_bad_json_record_is_dropped_and_others_go_on(world: World, model: Model, bad: Record) -> None:
    async with stream(world, model) as running:
        await running.ask(rest("a", 1), bad, rest("b", 2))
        assert await running.answers(3) == {b"a": [[2]], b"b": [[4]]}


@pytest.mark.parametrize(
    "bad",
    [
        protobuf("bad", 1, headers=[]),
        protobuf("bad", 1, headers=NAMED + NAMED),
        protobuf("bad", 1, headers=[("Proto-Name", PREDICT.encode())]),
        protobuf("bad", 1, headers=[("proto-name", b"tensorflow.serving.Nope")]),
        protobuf("bad", 1, headers=[("proto-name", b"")]),
        protobuf("bad", 1, headers=[("proto-name", None)]),
        protobuf("bad", 1, headers=[("proto-name", b"tensorflow.serving.PredictResponse")]),
        protobuf("bad", value=b"\xff\xff"),
        protobuf("bad", value=b""),
    ],
    ids=["missing", "twice", "other-case", "unknown", "empty", "null", "a-response", "bytes", "refused-by-the-model"],
)
async def test_a_bad_protobuf_record_is_dropped_and_others_go_on(world: World, model: Model, bad: Record) -> None:
    async with stream(world, model, "grpc") as running:
        await running.ask(protobuf("a", 1), bad, protobuf("b", 2))
        assert await running.answers(3) == {b"a": [[2]], b"b": [[4]]}


async def test_a_model_that_is_away_drops_the_request(world: World, model: Model) -> None:
    nowhere = Node("double", "MODEL", Endpoint("127.0.0.1", 9, "x"))
    for transport, ask in (("rest", rest), ("grpc", protobuf)):
        async with stream(world, model, transport, graph=nowhere) as running:
            await running.ask(ask("a", 1))
            assert await running.answers(1) == {}


async def test_a_stream_that_ends_finishes_what_it_began_and_resumes(world: World, model: Model) -> None:
    async with stream(world, model) as running:
        await running.ask(rest("a", 1), rest("b", 2))
        await running.answers(2)
    async with stream(
        world,
        model,
        input_topic=running.server.spec.input_topic,
        output_topic=running.server.spec.output_topic,
        deployment=running.server.spec.deployment,
    ) as resumed:
        await resumed.ask(rest("c", 3))
        assert await resumed.answers(3) == {b"a": [[2]], b"b": [[4]], b"c": [[6]]}


@pytest.mark.parametrize(
    ("protocol", "transport", "nodes", "why"),
    [
        ("seldon", "rest", 3, None),
        ("seldon", "grpc", 3, None),
        ("tensorflow", "grpc", 1, None),
        ("tensorflow", "grpc", 2, "in protocol seldon, not in tensorflow over grpc"),
    ],
    ids=["rest", "grpc", "one", "chain"],
)
def test_a_graph_that_is_not_walked_is_said(protocol: str, transport: str, nodes: int, why: str | None) -> None:
    said = why_not_walked(protocol, transport, nodes)
    assert said is None if why is None else why in str(said)


async def test_what_cannot_be_served_is_said(world: World, model: Model) -> None:
    async with stream(world, model) as running:
        spec = running.server.spec
    with pytest.raises(ValueError, match="KAFKA_WORKERS is 0"):
        StreamServer(replace(spec, workers=0), world.plane.cluster)
    with pytest.raises(ValueError, match="protocol 'alibi'"):
        await StreamServer(replace(spec, protocol="alibi"), world.plane.cluster).start()
    with pytest.raises(ValueError, match="transport 'soap'"):
        await StreamServer(replace(spec, transport="soap"), world.plane.cluster).start()
    with pytest.raises(NoTopicError, match="no-such-topic"):
        async with stream(world, model, input_topic="no-such-topic"):
            pass


# Measured on the executor 1.17.1, and right: one call of the model, no output, the offset is committed, and it goes on.
@pytest.mark.parametrize("status", [201, 202, 204, 301, 400, 404, 429, 500, 503])
async def test_an_answer_that_is_not_200_is_dropped_and_committed(world: World, model: Model, status: int) -> None:
    async with stream(world, model) as running:
        model.status, model.asked = status, 0
        try:
            await running.ask(rest("a", 1))
            assert await running.answers(1) == {}
        finally:
            model.status = 200
        assert model.asked == 1
        await running.ask(rest("b", 2))
        assert await running.answers(2) == {b"b": [[4]]}


async def test_a_tombstone_is_dropped_and_the_next_request_answered(world: World, model: Model) -> None:
    async with stream(world, model) as running:
        model.asked = 0
        await running.ask(Record(b"a", [], None), rest("b", 2))
        assert await running.answers(2) == {b"b": [[4]]}
        assert model.asked == 1


async def test_what_was_in_work_is_lost_at_the_stop_of_a_server_like_the_executor(world: World, model: Model) -> None:
    lossy = composition(STREAMS, find_personality("seldon-executor-1.17.1").divergences)
    async with stream(world, model, policies=lossy) as running:
        assert await answered_at_the_stop(running) == 0
    spec = running.server.spec
    async with stream(world, model, **{name: getattr(spec, name) for name in SAME}) as resumed:
        await resumed.ask(rest("b", 2))
        assert await resumed.answers(2) == {b"b": [[4]]}, "the first one was committed without an answer"


async def test_a_record_knows_when_it_was_made(world: World, model: Model) -> None:
    before, seen = time.time(), []
    async with stream(world, model) as running:
        read = running.server._read

        def reading(record: Record) -> bytes:
            seen.append(record.time)
            return read(record)

        running.server._read = reading
        await running.ask(rest("a", 1))
        await running.answers(1)
    [made] = seen
    assert before - 1 < made < time.time() + 1
