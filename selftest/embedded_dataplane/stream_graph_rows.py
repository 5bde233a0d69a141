"""What mutants do that walk a graph wrongly, or mix up what is told beside a payload."""

import json
from dataclasses import replace
from typing import Any

from google.protobuf import json_format

from embedded.streaming import messages
from embedded.streaming.models import ModelError, RestModel
from embedded.streaming.requests import NotARequestError
from embedded.types import Endpoint
from selftest.embedded_dataplane.stream_observations import (
    Observe,
    asking,
    headers_at,
    node,
    puids_made,
    raw,
    stands_still,
    told,
)
from selftest.embedded_dataplane.stream_row import NODE, WHOLE, Row
from selftest.embedded_dataplane.streams import Stream, seldon

NAMED: dict[str, Any] = {"names": ["x", "y"]}
ROWS_OF_TWO: dict[str, Any] = {"ndarray": [[1.5, "a"], [None]]}
META: dict[str, Any] = {"tags": {"asked": 1, "first": 1}, "requestPath": {"first": "x"}}


async def one_puid_at_once(running: Stream) -> int:
    """Return how many of three requests at once, all of one puid, are answered."""
    headers = [("Seldon-Puid", b"p")]
    await running.ask(*(replace(node(key, delay=0.2), headers=headers) for key in "abc"))
    return len(await running.answers(3))


async def handed_meta(running: Stream) -> Any:
    """Return the `meta` that a node gets of an answer to which another one added itself."""
    request = {"meta": {"tags": {"asked": 1}}}
    answer = {"meta": {"tags": {"asked": 1, "first": 1}, "requestPath": {"first": "x"}}}
    handed = running.server._policies.handed(json.dumps(request).encode(), json.dumps(answer).encode())
    return json.loads(handed)["meta"]


def handed_on(answer: dict[str, Any]) -> Observe:
    """Return an observation of what a node gets of an answer: in JSON, and in protobuf as JSON that was read of it."""

    async def observe(running: Stream) -> list[Any]:
        handed = running.server._policies.handed
        message = json_format.ParseDict(answer, messages.new(messages.SELDON_MESSAGE))
        got = messages.new(messages.SELDON_MESSAGE)
        got.ParseFromString(handed(b"", message.SerializeToString()))
        return [json.loads(handed(b"{}", json.dumps(answer).encode())), json_format.MessageToDict(got)]

    return observe


def asked_over_grpc(data: dict[str, Any]) -> Observe:
    """Return an observation of the answer to one message, which a router answers as it is; its data names a route."""

    async def observe(running: Stream) -> list[Any]:
        answers = await told(raw("a", messages.SELDON_MESSAGE, seldon(data=data)))(running)
        got = [messages.TYPES[messages.SELDON_MESSAGE].FromString(answer) for answer in answers]
        return [json_format.MessageToDict(message) for message in got]

    return observe


async def combined_tags(running: Stream) -> list[Any]:
    """Return the tags that a combiner gets of two answers, in JSON and in protobuf."""
    metas, combined = [{"tags": {name: 1}} for name in ("left", "right")], running.server._policies.combined
    answers = combined([json.dumps({"meta": meta}).encode() for meta in metas])
    got = map(messages.TYPES[messages.SELDON_MESSAGE].FromString, combined([seldon(meta=meta) for meta in metas]))
    told = [json_format.MessageToDict(message)["meta"].get("tags", {}) for message in got]
    return [*(json.loads(answer)["meta"]["tags"] for answer in answers), *told]


async def rows_in_turn(running: Stream) -> list[Any]:
    """Return what is made of three answers under one key, each of another number of rows."""

    async def answered(rows: list[int]) -> Any:
        async def predict(request: bytes) -> bytes:
            return request

        record = node("a", data={"ndarray": rows})
        return json.loads(await running.server._policies.ask(record, record.value or b"", predict))["data"]["ndarray"]

    return [await answered(rows) for rows in ([1, 2, 3], [4], [5, 6])]


def written(answer: bytes) -> Observe:
    """Return an observation of what is written of a model's answer."""

    async def observe(running: Stream) -> bytes:
        return await running.server._policies.answer(answer)

    return observe


async def model_away(running: Stream) -> list[bytes | None]:
    """Return the answers to a request while the model is away, and to one when it is back; None: there is none."""
    node_of, headers = running.server.spec.graph, [("Content-Type", "application/json")]

    async def answered(endpoint: Endpoint) -> bytes | None:
        async def predict(request: bytes) -> bytes:
            model = RestModel("seldon", {node_of.name: endpoint})
            try:
                return await model.call(node_of, "predict", request, headers)
            finally:
                await model.close()

        try:
            await running.server._policies.ask(node("a"), b"{}", predict)
        except (ModelError, NotARequestError):
            return None
        return b"{}"

    return [await answered(replace(node_of.endpoint, port=1)), await answered(node_of.endpoint)]


GRAPH_ROWS: dict[str, Row] = {
    "chain-stops-at-first": Row(
        asking(node("a", predictions=["x"], route=[0])),
        {b"a": [["x/first/second"]]},
        {b"a": [["x/first"]]},
        terms=WHOLE,
    ),
    "combiner-gets-first-answer": Row(
        asking(node("a", predictions=["x"], route=[1])), {b"a": [["x/left+x/right"]]}, {b"a": [["x/left"]]}, terms=WHOLE
    ),
    "router-is-not-asked": Row(
        asking(node("a", predictions=["x"], route=[1])),
        {b"a": [["x/left+x/right"]]},
        {b"a": [["x/first/second"]]},
        terms=WHOLE,
    ),
    # Measured on the executor 1.17.1: a router's index 7, or none, ends the process, and again after each restart.
    "executor-dies-on-bad-route": Row(
        lambda running: stands_still(
            running, node("x", predictions=["x"], route=[]), node("a", predictions=["x"], route=[0])
        ),
        honest=False,
        faulty=True,
        terms=WHOLE,
    ),
    "combiner-by-completion": Row(
        asking(node("a", predictions=["x"], route=[1], delay=0.2, at="left")),
        {b"a": [["x/left+x/right"]]},
        {b"a": [["x/right+x/left"]]},
        terms=WHOLE,
    ),
    "combiner-skips-failed": Row(
        asking(node("a", predictions=["x"], route=[1], fails="left")), {}, {b"a": [["x/right"]]}, terms=WHOLE
    ),
    "chain-falls-back": Row(
        asking(node("a", predictions=["x"], route=[0], fails="second")), {}, {b"a": [["x/first"]]}, terms=WHOLE
    ),
    "route-of-plain-array-only": Row(
        asking(node("a", predictions=["x"], route=[[1]])),
        {b"a": [["x/left+x/right"]]},
        {b"a": [["x/first/second"]]},
        terms=WHOLE,
    ),
    **{
        name: Row(asked_over_grpc(data), honest, faulty, "grpc", WHOLE)
        for name, data, honest, faulty in (
            ("message-route-of-array-only", {"tensor": {"shape": [1], "values": [1]}}, [{"strData": "2"}], []),
            ("message-route-empty-is-zero", {"ndarray": []}, [], [{"data": {"ndarray": []}}]),
            ("message-route-zero-is-unset", {"ndarray": [0]}, [{"data": {"ndarray": [0.0]}}], []),
            ("message-route-clamped", {"ndarray": [-4]}, [], [{"data": {"ndarray": [-4.0]}}]),
            ("combiner-list-has-last", {"ndarray": [[1]]}, [{"strData": "2"}], [{"strData": "1"}]),
        )
    },
    "route-counts-from-end": Row(
        asking(node("a", predictions=["x"], route=[-2])),
        {b"a": [["x"]]},
        {b"a": [["x/left+x/right"]]},
        terms=WHOLE,
    ),
    **{
        name: Row(
            asking(node("a", predictions=["x"], route=[2])),
            {b"a": [["x/in/transform-input/m/out/transform-output"]]},
            {b"a": [[f"x/{faulty}"]]},
            terms=WHOLE,
        )
        for name, faulty in {
            "output-transformer-skipped": "in/transform-input/m",
            "output-transformer-before": "out/transform-output/in/transform-input/m",
            "output-transformer-transforms-input": "in/transform-input/m/out/transform-input",
            "input-transformer-twice": "in/transform-input/m/in/transform-input/out/transform-output",
            "input-transformer-predicts": "in/m/out/transform-output",
        }.items()
    },
    "headers-at-first-node-only": Row(headers_at("predict"), ["seldon-puid", "x-caller"], ["seldon-puid"], terms=WHOLE),
    "combiner-without-headers": Row(headers_at("aggregate"), ["seldon-puid", "x-caller"], ["seldon-puid"], terms=WHOLE),
    "puid-anew-at-later-nodes": Row(
        headers_at("predict"), ["seldon-puid", "x-caller"], ["another seldon-puid", "x-caller"], terms=WHOLE
    ),
    "puid-lost-over-grpc": Row(puids_made("grpc_metadata", ("Seldon-Puid", b"p")), ["p1", "p2"], [], terms=NODE),
    "puid-not-made": Row(puids_made("http_headers"), ["p1", "p2"], [], terms=NODE),
    "puid-not-made-over-grpc": Row(puids_made("grpc_metadata"), ["p1", "p2"], [], terms=NODE),
    "puid-shared": Row(puids_made("grpc_metadata"), ["p1", "p2"], ["shared"], terms=NODE),
    "tags-replaced": Row(handed_meta, META, META | {"tags": {"asked": 1}}, terms=WHOLE),
    "request-path-lost": Row(handed_meta, META, {"tags": META["tags"]}, terms=WHOLE),
    **{
        name: Row(handed_on(answer), [answer, answer], [faulty, faulty], terms=WHOLE)
        for name, answer, faulty in (
            ("graph-names-lost", {"data": NAMED | ROWS_OF_TWO}, {"data": ROWS_OF_TWO}),
            ("graph-arrays-flattened", {"data": ROWS_OF_TWO}, {"data": {"ndarray": [1.5, "a", None]}}),
            (
                "graph-tensor-shape-lost",
                {"data": {"tensor": {"shape": [1, 2], "values": [1.5, 2.5]}}},
                {"data": {"tensor": {"shape": [2], "values": [1.5, 2.5]}}},
            ),
            ("graph-bytes-encoded-again", {"binData": "AAH/"}, {"binData": "QUFILw=="}),
            ("graph-json-as-text", {"jsonData": "a"}, {"jsonData": '"a"'}),
            (
                "graph-metrics-lost",
                {"meta": {"puid": "p", "metrics": [{"key": "first", "value": 1.0}]}},
                {"meta": {"puid": "p"}},
            ),
            ("graph-puid-lost", {"meta": {"puid": "p", "tags": {"a": "b"}}}, {"meta": {"tags": {"a": "b"}}}),
        )
    },
    "combiner-gets-one-meta": Row(combined_tags, [{"left": 1}, {"right": 1}] * 2, [{"left": 1}, {}] * 2, terms=WHOLE),
    "stream-puid-deduplicates": Row(one_puid_at_once, 3, 1, terms=NODE),
    "stream-meta-left-behind": Row(
        told(node("a", meta=1), node("a", x=2)),
        [b'{"predictions": [{"meta": 1}]}', b'{"predictions": [{"x": 2}]}'],
        [b'{"predictions": [{"meta": 1}]}', b'{"predictions": [{"x": 2, "meta": 1}]}'],
        terms=NODE,
    ),
    "stream-rows-left-behind": Row(
        rows_in_turn, [[1, 2, 3], [4], [5, 6]], [[1, 2, 3], [4, 2, 3], [5, 6, 3]], terms=NODE
    ),
    **{
        name: Row(
            told(node("a", jsonData=[9, 7668.0, True])),
            [b'{"predictions": [{"jsonData": [9, 7668.0, true]}]}'],
            [b'{"predictions": [{"jsonData": %s}]}' % faulty],
            terms=NODE,
        )
        for name, faulty in {
            "seldon-integers-as-fractions": b"[9.0, 7668.0, true]",
            "seldon-fractions-as-integers": b"[9, 7668, true]",
        }.items()
    },
    "seldon-data-fractions-lost": Row(
        told(node("a", data={"ndarray": [9, 7668.0]})),
        [b'{"predictions": [{"data": {"ndarray": [9, 7668.0]}}]}'],
        [b'{"predictions": [{"data": {"ndarray": [9, 7668]}}]}'],
        terms=NODE,
    ),
    "stream-floats-in-six-digits": Row(
        written(b'{"data":[1111111.5,1.5,1111111]}'),
        b'{"data":[1111111.5,1.5,1111111]}',
        b'{"data":[1111110.0,1.5,1111111]}',
        terms=NODE,
    ),
    "infer-outputs-reordered": Row(
        written(b'{"id":"i","outputs":[1,2]}'),
        b'{"id":"i","outputs":[1,2]}',
        b'{"id":"i","outputs":[2,1]}',
        terms=NODE,
    ),
    "stream-ends-with-model": Row(model_away, [None, b"{}"], [None, None], terms=NODE),
    "model-away-answered": Row(model_away, [None, b"{}"], [b"{}", b"{}"], terms=NODE),
}
