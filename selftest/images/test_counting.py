"""The model that counts what it is asked at once, and its explainer: `images/serving/counting.py`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

Use = Callable[[TestClient[Any, Any], TestClient[Any, Any]], Awaitable[None]]
EXPLAIN = "/v1/models/m:explain"


def both(serving: Any, use: Use, kind: Any = None) -> None:
    """Use a predictor, and an explainer that asks it."""

    async def run() -> None:
        counting = serving("counting")
        made = kind or counting.Counting
        async with TestClient(TestServer(made("m").application())) as predictor:
            asked = f"{predictor.host}:{predictor.port}"
            async with TestClient(TestServer(made("m", asked).application())) as explainer:
                await use(predictor, explainer)

    asyncio.run(run())


def test_a_model_answers_with_its_instances_and_another_one_with_how_many_there_are(serving: Any) -> None:
    async def use(predictor: TestClient[Any, Any], explainer: TestClient[Any, Any]) -> None:
        told = await (await predictor.post("/v1/models/m:predict", json={"instances": [[2**53 + 1], []]})).json()
        assert told == {"predictions": [[2**53 + 1], []]}
        sizes = await (await predictor.post("/v1/models/m-sizes:predict", json={"instances": [[1], []]})).json()
        assert sizes == {"predictions": [2, 2]}
        explained = await (await explainer.post(EXPLAIN, json={"instances": [[7]]})).json()
        assert explained == {"explanations": [{"instance": [7], "prediction": [7]}]}
        for often in (1, 2):
            asked = await (await predictor.post("/v1/models/m-asked:predict", json={"instances": [[7]]})).json()
            assert asked == {"predictions": [often]}
        short = await (await predictor.post("/v1/models/m-short:predict", json={"instances": [[1], [2]]})).json()
        assert short == {"predictions": [[1]]}
        told = [("Authorization", "Bearer a"), ("X-Heard-Twice", "1"), ("Accept", "*/*"), ("X-Heard-Twice", "2")]
        heard = await predictor.post("/v1/models/m-heard:predict", json={"instances": [[1]]}, headers=told)
        assert await heard.json() == {"predictions": [[["authorization", "Bearer a"], ["x-heard-twice", "1, 2"]]]}
        assert heard.headers["X-Said-By"] == "m"
        inferred = await (await predictor.post("/v2/models/m/infer", json={"inputs": [1]})).json()
        assert inferred == {"model_name": "m", "outputs": [1]}
        length = {"Inference-Header-Content-Length": "15"}
        packed = await predictor.post("/v2/models/m/infer", data=b'{"inputs": [1]}\xff', headers=length)
        assert await packed.json() == inferred
        assert (await predictor.post("/v1/models/m-busy:predict", json={"instances": [[1]]})).status == 503
        assert (await predictor.get("/v1/models/m")).status == 200
        assert (await predictor.post(EXPLAIN, json={"instances": [[7]]})).status == 404
        assert (await explainer.post("/v1/models/m:predict", json={"instances": [[7]]})).status == 404

    both(serving, use)


@pytest.mark.parametrize(("taken", "coding"), [("gzip", "gzip"), ("identity", None)])
def test_an_answer_is_packed_where_its_caller_takes_that(serving: Any, taken: str, coding: str | None) -> None:
    async def use(predictor: TestClient[Any, Any], _: TestClient[Any, Any]) -> None:
        headers = {"Accept-Encoding": taken}
        answer = await predictor.post("/v1/models/m:predict", json={"instances": [[7]]}, headers=headers)
        assert (answer.headers.get("Content-Encoding"), await answer.json()) == (coding, {"predictions": [[7]]})

    both(serving, use)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"instances": {}}', b'{"instances": [1]}', b'{"instances": [["x"]]}']
)
def test_what_is_no_list_of_numbers_is_refused(serving: Any, body: bytes) -> None:
    async def use(predictor: TestClient[Any, Any], explainer: TestClient[Any, Any]) -> None:
        answers = [await predictor.post("/v1/models/m:predict", data=body), await explainer.post(EXPLAIN, data=body)]
        assert [answer.status for answer in answers] == [400, 400]
        assert all([(await answer.json())["error"] for answer in answers])

    both(serving, use)


def test_an_explainer_returns_no_headers_and_its_mutant_does(serving: Any) -> None:
    returned: list[bool] = []

    async def use(_: TestClient[Any, Any], explainer: TestClient[Any, Any]) -> None:
        headers = {"Authorization": "Bearer secret"}
        answer = await explainer.post(EXPLAIN, json={"instances": [[7]]}, headers=headers)
        assert answer.status == 200
        returned.append("Authorization" in answer.headers)

    both(serving, use)
    both(serving, use, serving("mutants.explainer_returns_headers").Mutant)
    assert returned == [False, True]
