"""The stand-in for TensorFlow Serving: its function against its README, its two interfaces, its refusals."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from math import exp, sin
from typing import Any

import grpc
import pytest
from aiohttp.test_utils import TestClient, TestServer
from google.protobuf import json_format

GOLDEN = "0a070a016d1202080312170a0178121208011204120208022a080000c03f000000c0"

Image = list[list[list[float]]]


def image(seed: int) -> Image:
    dice = random.Random(seed)
    return [[[dice.random() for _ in range(3)] for _ in range(32)] for _ in range(32)]


def expected(picture: Image) -> list[float]:
    x = [value for row in picture for column in row for value in column]
    scores = [sum(v * sin(k * n) for n, v in enumerate(x, 1)) / 64 for k in range(1, 11)]
    weights = [exp(score) for score in scores]
    return [weight / sum(weights) for weight in weights]


def rest(serving: Any, use: Callable[[TestClient[Any, Any]], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with TestClient(TestServer(serving("server").Rest("resnet32").application())) as client:
            await use(client)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("request_of", "answer"),
    [
        (lambda images: {"instances": images}, "predictions"),
        (lambda images: {"instances": [{"images": each} for each in images]}, "predictions"),
        (lambda images: {"inputs": images}, "outputs"),
        (lambda images: {"inputs": {"images": images}, "signature_name": "serving_default"}, "outputs"),
    ],
    ids=["rows", "named rows", "columns", "named columns"],
)
def test_rest_computes_the_documented_function_in_every_format(serving: Any, request_of: Any, answer: str) -> None:
    images = [image(1), image(2)]

    async def use(client: TestClient[Any, Any]) -> None:
        response = await client.post("/v1/models/resnet32:predict", json=request_of(images))
        assert response.status == 200
        (rows,) = [(await response.json())[answer]]
        for row, picture in zip(rows, images, strict=True):
            assert row == pytest.approx(expected(picture), abs=1e-9)

    rest(serving, use)


@pytest.mark.parametrize(
    "body",
    [
        "{", "[1]", "{}",
        '{"instances": []}', '{"instances": [1]}', '{"instances": ["x"]}', '{"instances": [[1], [1, 2]]}',
        '{"instances": [null]}', '{"instances": [{"x": 1}]}', '{"instances": [], "inputs": []}',
        '{"instances": [1], "signature_name": "other"}',
        '{"inputs": {}}', '{"inputs": [[[[1e999, 1, 1]]]]}',
    ],
)  # fmt: skip
def test_rest_refuses_with_the_servers_error_object(serving: Any, body: str) -> None:
    async def use(client: TestClient[Any, Any]) -> None:
        response = await client.post("/v1/models/resnet32:predict", data=body)
        assert response.status == 400
        assert set(await response.json()) == {"error"}

    rest(serving, use)


def test_rest_knows_its_model_and_no_other(serving: Any) -> None:
    async def use(client: TestClient[Any, Any]) -> None:
        known = await client.get("/v1/models/resnet32")
        assert (await known.json())["model_version_status"][0]["state"] == "AVAILABLE"
        for method, path in [("GET", "/v1/models/other"), ("POST", "/v1/models/other:predict")]:
            unknown = await client.request(method, path, data=b"{}")
            assert (unknown.status, set(await unknown.json())) == (404, {"error"})
        assert (await client.get("/v1/models/resnet32:predict")).status == 405

    rest(serving, use)


def test_messages_are_tensorflow_servings_on_the_wire(serving: Any) -> None:
    messages = serving("messages")
    request = messages.PredictRequest.FromString(bytes.fromhex(GOLDEN))
    assert (request.model_spec.name, request.model_spec.version.value) == ("m", 3)
    assert list(request.inputs["x"].float_val) == [1.5, -2]
    assert request.SerializeToString(deterministic=True).hex() == GOLDEN
    assert messages.PredictRequest.DESCRIPTOR.full_name == "tensorflow.serving.PredictRequest"


def predict(serving: Any, request: Any) -> Any:
    async def scenario() -> Any:
        messages = serving("messages")
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((serving("server").Predict("resnet32").handler(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                call = channel.unary_unary(
                    "/tensorflow.serving.PredictionService/Predict",
                    request_serializer=messages.PredictRequest.SerializeToString,
                    response_deserializer=messages.PredictResponse.FromString,
                )
                return await call(request, timeout=10)
        finally:
            await server.stop(None)

    return asyncio.run(scenario())


def grpc_request(serving: Any, pictures: list[Image], dtype: str) -> Any:
    messages, numpy = serving("messages"), pytest.importorskip("numpy")
    request = messages.PredictRequest()
    request.model_spec.name = "resnet32"
    tensor = request.inputs["images"]
    for size in (len(pictures), 32, 32, 3):
        tensor.tensor_shape.dim.add(size=size)
    values = numpy.array(pictures)
    if dtype == "content":
        tensor.dtype, tensor.tensor_content = messages.DT_FLOAT, values.astype("<f4").tobytes()
    elif dtype == "float":
        tensor.dtype = messages.DT_FLOAT
        tensor.float_val.extend(values.ravel().tolist())
    else:
        tensor.dtype = messages.DT_DOUBLE
        tensor.double_val.extend(values.ravel().tolist())
    return request


@pytest.mark.parametrize("dtype", ["content", "float", "double"])
def test_grpc_computes_the_documented_function_however_the_tensor_is_filled(serving: Any, dtype: str) -> None:
    pictures = [image(3), image(4)]
    response = predict(serving, grpc_request(serving, pictures, dtype))
    tensor = response.outputs["probabilities"]
    assert [dimension.size for dimension in tensor.tensor_shape.dim] == [2, 10]
    assert list(tensor.float_val) == pytest.approx([p for picture in pictures for p in expected(picture)], abs=1e-6)
    assert response.model_spec.name == "resnet32"


def test_grpc_answers_an_empty_batch_with_an_empty_tensor(serving: Any) -> None:
    request = serving("messages").PredictRequest()
    request.model_spec.name = "resnet32"
    tensor = request.inputs["images"]
    tensor.dtype = serving("messages").DT_FLOAT
    for size in (0, 32, 32, 3):
        tensor.tensor_shape.dim.add(size=size)
    [output] = predict(serving, request).outputs.values()
    assert [dimension.size for dimension in output.tensor_shape.dim] == [0, 10]
    assert list(output.float_val) == []


def other_model(request: Any) -> None:
    request.model_spec.name = "other"


def other_version(request: Any) -> None:
    request.model_spec.version.value = 9


def other_signature(request: Any) -> None:
    request.model_spec.signature_name = "other"


def other_type(request: Any) -> None:
    request.inputs["images"].dtype = 9


def no_input(request: Any) -> None:
    request.inputs.clear()


def short_content(request: Any) -> None:
    request.inputs["images"].tensor_content = b"123"


def endless_shape(request: Any) -> None:
    request.inputs["images"].tensor_shape.dim[0].size = 1 << 62


def negative_shape(request: Any) -> None:
    request.inputs["images"].tensor_shape.dim[0].size = -1


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (other_model, "NOT_FOUND"),
        (other_version, "NOT_FOUND"),
        (other_signature, "INVALID_ARGUMENT"),
        (other_type, "INVALID_ARGUMENT"),
        (no_input, "INVALID_ARGUMENT"),
        (short_content, "INVALID_ARGUMENT"),
        (endless_shape, "INVALID_ARGUMENT"),
        (negative_shape, "INVALID_ARGUMENT"),
    ],
)
def test_grpc_refuses_with_a_code(serving: Any, spoil: Callable[[Any], None], code: str) -> None:
    request = grpc_request(serving, [image(5)], "content")
    spoil(request)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        predict(serving, request)
    assert caught.value.code().name == code
    assert json.dumps(caught.value.details())


def test_a_node_answers_what_it_is_asked_and_what_it_got(serving: Any) -> None:
    async def scenario() -> None:
        async with TestClient(TestServer(serving("node").Rest("n", "/n").application())) as client:

            async def ask(path: str, body: Any, **headers: str) -> Any:
                response = await client.post(path, json=body, headers=headers)
                return response.status, await response.json()

            assert await ask("/predict", {"strData": "x"}) == (200, {"strData": "x/n"})
            assert await ask("/predict", {"data": {"ndarray": [1]}}) == (200, {"data": {"ndarray": [1]}})
            assert await ask("/route", {"meta": {"tags": {"route": 1}}}) == (200, {"data": {"ndarray": [1]}})
            assert await ask("/route", {"meta": {"tags": {"route": None}}}) == (200, {"data": {"ndarray": []}})
            assert await ask("/aggregate", [{"strData": "x"}, {"strData": "y"}]) == (200, {"strData": "x+y"})
            named = {"meta": {"tags": {"named": True}}, "strData": "x"}
            assert await ask("/transform-input", named) == (200, named | {"strData": "x/n:transform-input"})
            signs = [{"meta": {"tags": {"sign": True, name: 1}, "requestPath": {name: "i"}}} for name in "ab"]
            tags, path = {"sign": True, "a": 1, "n": "predict"}, {"a": "i", "n": "serving"}
            assert await ask("/predict", signs[0]) == (200, {"meta": {"tags": tags, "requestPath": path}})
            _, joined = await ask("/aggregate", signs)
            assert joined["meta"]["tags"] == {"sign": True, "a": 1, "b": 1, "n": "aggregate"}
            assert joined["meta"]["requestPath"] == {"a": "i", "b": "i", "n": "serving"}
            _, joined = await ask("/aggregate", [{"meta": {}, "binData": "AA=="}, {"strData": "x"}])
            assert joined == {"jsonData": [{"binData": "AA=="}, {"strData": "x"}]}
            own = {"key": "n", "type": "COUNTER", "value": 1}
            metas = [{"puid": name, "tags": {"sign": True, "measure": True}, "metrics": [name]} for name in "ab"]
            _, joined = await ask("/aggregate", [{"meta": meta, "strData": "x"} for meta in metas])
            assert (joined["meta"]["puid"], joined["meta"]["metrics"]) == ("a", ["a", "b", own])
            _, told = await ask("/predict", {"meta": {"tags": {"show": "x-caller,x-none"}}}, **{"X-Caller": "a"})
            assert json.loads(told["strData"]) == [["x-caller", "a"]]
            status, _ = await ask("/predict", {"meta": {"tags": {"status": 503}}})
            assert status == 503
            inputs = [{"name": "x", "datatype": "INT64", "shape": [1], "data": [9007199254740993]}]
            answer = {"model_name": "n", "id": "i", "outputs": inputs}
            assert await ask("/v2/models/n/infer", {"id": "i", "inputs": inputs}) == (200, answer)
            for body in (b"{", b"[1]", b"", b"null"):
                assert (await client.post("/predict", data=body)).status == 400

    asyncio.run(scenario())


def test_a_node_signs_a_message_over_grpc_too(serving: Any) -> None:
    message = serving("node_messages").SeldonMessage(strData="")
    message.meta.tags["sign"].bool_value = message.meta.tags["measure"].bool_value = True
    answer = asyncio.run(serving("node").Rpc("n", "/n").echo("predict")(message, None))
    assert (answer.meta.tags["n"].string_value, dict(answer.meta.requestPath)) == ("predict", {"n": "serving"})
    assert [(metric.key, metric.value) for metric in answer.meta.metrics] == [("n", 1)]
    assert answer.SerializeToString().endswith(b"\x2a\x00"), "an empty text is a text"


def test_a_node_routes_and_combines_over_grpc_too(serving: Any) -> None:
    messages, rpc = serving("node_messages"), serving("node").Rpc("n", "/n")

    def message(**tags: Any) -> Any:
        return json_format.ParseDict({"meta": {"tags": tags}}, messages.SeldonMessage())

    def routed(**tags: Any) -> Any:
        return json_format.MessageToDict(asyncio.run(rpc.route(message(**tags), None)))["data"]

    def combined(*parts: bytes, **tags: Any) -> Any:
        asked = [message(**tags, **{name: name}) for name in "ab"]
        for each, part in zip(asked, parts, strict=True):
            each.MergeFromString(part)
        return asyncio.run(rpc.aggregate(messages.SeldonMessageList(seldonMessages=asked), None))

    assert routed(route=1) == {"ndarray": [1.0]}
    assert routed(route=-2, form="nested") == {"ndarray": [[-2.0]]}
    assert routed(route=1, form="tensor") == {"tensor": {"shape": [1, 1], "values": [1.0]}}
    assert routed(route=None) == {"ndarray": []}
    assert combined(b"\x2a\x01x", b"\x2a\x01y").SerializeToString() == b"\x2a\x03x+y"
    assert combined(b"\x22\x01\xff", b"\x22\x01\xfe", child=1).SerializeToString() == b"\x22\x01\xfe"
    puids = [b"\x12\x03\x0a\x01" + name for name in (b"p", b"q")]
    meta = json_format.MessageToDict(combined(*puids, sign=True, measure=True, child=0))["meta"]
    own = {"key": "n", "value": 1.0}
    tags = {"sign": True, "measure": True, "child": 0.0, "a": "a", "b": "b", "n": "aggregate"}
    assert meta == {"puid": "p", "tags": tags, "requestPath": {"n": "serving"}, "metrics": [own]}


@pytest.mark.parametrize(
    ("guests", "least", "most", "told"),
    [(2, 2, 2, "as wished"), (1, 1, 1, "as wished"), (1, 2, 2, "fewer"), (3, 1, 2, "more")],
    ids=["two", "alone", "too-few", "too-many"],
)
def test_a_node_tells_how_many_requests_were_there_at_once(
    serving: Any, monkeypatch: pytest.MonkeyPatch, *, guests: int, least: int, most: int, told: str
) -> None:
    module = serving("company")
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.1)

    async def scenario() -> list[str]:
        company = module.Company()
        answers = await asyncio.gather(*(company.kept(least, most) for _ in range(guests)))
        assert await company.kept(1, 1) == "as wished", "who has gone does not count"
        return answers

    assert asyncio.run(scenario()) == [told] * guests
