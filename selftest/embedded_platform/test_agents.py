"""KServe's agent as the platform plays it: what callers are answered and what is logged, honestly and by mutants."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from embedded.agents import HONEST, Agent, AgentSpec, BatcherSpec, LoggerSpec
from embedded.agents.batches import Batcher
from embedded.agents.policies import MOST_BYTES, Answer
from embedded.controllers.components import SpecError, batcher_of, logger_of
from embedded.mutants.hosts import AGENTS
from embedded.mutants.registry import composition, names
from selftest.embedded_platform.agent_rows import FULL, HOST, PREDICT, ROWS, V2, Scene

pytestmark = pytest.mark.anyio

PORT = 8080


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Yield a component and a log, without an agent."""
    made, component, log = Scene(), web.Application(client_max_size=MOST_BYTES), web.Application()
    component.router.add_post("/v1/models/{verb}", made.predict)
    component.router.add_get("/v1/models/m", made.ready)
    component.router.add_post(V2, made.infer)
    log.router.add_post("/events", made.log)
    runners = [web.AppRunner(application, access_log=None) for application in (component, log)]
    for runner, (host, port) in zip(runners, ((HOST, PORT), ("127.0.0.1", 0)), strict=True):
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
    made.log_port = runners[1].addresses[0][1]
    async with aiohttp.ClientSession() as session:
        made.session = session
        yield made
    for runner in runners:
        await runner.cleanup()


async def before(
    scene: Scene,
    look: Callable[[Scene], Awaitable[Any]],
    *,
    mutant: str | None = None,
    batcher: BatcherSpec | None = None,
    logger: LoggerSpec | None = None,
) -> Any:
    """Return what a look sees through an agent."""
    policies = composition(AGENTS, [mutant] if mutant else [])
    agent = Agent(
        AgentSpec("ns", "s", "predictor", "p", HOST, batcher, logger, port=PORT, policies=policies), scene.resolve
    )
    await agent.start()
    try:
        return await look(scene)
    finally:
        await agent.stop()


def test_each_mutant_of_an_agent_has_a_row() -> None:
    assert sorted(ROWS) == names(AGENTS)


@pytest.mark.parametrize("name", ROWS)
async def test_an_agent_is_honest_and_its_mutant_is_not(scene: Scene, name: str) -> None:
    row = ROWS[name]
    assert await before(scene, row.look, batcher=row.batcher, logger=row.logger) == row.honest
    scene.asked.clear()
    while not scene.logged.empty():
        scene.logged.get_nowait()
    assert await before(scene, row.look, mutant=name, batcher=row.batcher, logger=row.logger) == row.faulty


async def test_what_is_no_prediction_passes_a_batcher(scene: Scene) -> None:
    async def look(scene: Scene) -> Any:
        status, told, _ = await scene.post(b'{"instances": [1]}', path="/v1/models/m:explain")
        return status, told

    assert await before(scene, look, batcher=FULL) == (200, {"predictions": [1]})


async def test_a_batch_is_told_as_kserve_tells_it(scene: Scene) -> None:
    async def look(scene: Scene) -> Any:
        return (await scene.post(b'{"instances": [1, 2, 3, 4]}'))[1]

    told = await before(scene, look, batcher=FULL)
    assert told.pop("batchId")
    assert told == {"message": "", "predictions": [1, 2, 3, 4]}


async def test_who_waits_in_a_batch_is_told_that_it_ends() -> None:
    asked: list[bytes] = []

    async def ask(_: str, body: bytes) -> Answer:
        asked.append(body)
        return Answer(200, {}, b"{}")

    batcher = Batcher(FULL, HONEST, ask)
    waiting = asyncio.create_task(batcher.predict(PREDICT, b'{"instances": [1]}'))
    await asyncio.sleep(0)
    await batcher.stop()
    assert (await waiting).status == 502
    assert asked == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'{"predictions": [1]}', "the model answered 1 predictions to 4 instances"),
        (b'{"outputs": []}', "the model answered no list of predictions to 4 instances"),
        (b"{", "the model's answer: the body is no JSON"),
    ],
    ids=["too-few", "none", "no-json"],
)
async def test_an_answer_that_is_none_is_told(answer: bytes, told: str) -> None:
    async def ask(_path: str, _body: bytes) -> Answer:
        return Answer(200, {}, answer)

    got = await Batcher(FULL, HONEST, ask).predict(PREDICT, b'{"instances": [1, 2, 3, 4]}')
    assert (got.status, told in json.loads(got.body)["error"]) == (502, True)


async def test_a_component_that_is_away_is_told(scene: Scene) -> None:
    policies = composition(AGENTS, [])
    agent = Agent(AgentSpec("ns", "s", "predictor", "p", HOST, FULL, None, port=1, policies=policies), scene.resolve)
    await agent.start()
    status, told = await scene.ask(1, 2, 3, 4)
    await agent.stop()
    assert (status, "the component does not answer" in told) == (502, True)


@pytest.mark.parametrize(
    ("described", "told"),
    [
        ({"batcher": {"maxBatchSize": 0}}, "batcher.maxBatchSize: expected a positive number, got 0"),
        ({"batcher": {"maxLatency": "5"}}, "batcher.maxLatency: expected a positive number, got '5'"),
        ({"logger": {}}, "logger.url: expected a URL that begins with http://, got None"),
        ({"logger": {"url": "http://x", "mode": "none"}}, "logger.mode: expected one of all, request, response"),
        ({"logger": {"url": "http://x", "metadataHeaders": [1]}}, "logger.metadataHeaders: expected a list of names"),
    ],
    ids=["size", "latency", "url", "mode", "headers"],
)
def test_a_wrong_batcher_or_logger_is_refused(described: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        [read(described) for read in (batcher_of, logger_of)]


def test_a_batcher_has_kserves_values_where_it_gives_none() -> None:
    assert batcher_of({"batcher": {}}) == BatcherSpec(most=32, latency=5.0)
    assert batcher_of({"batcher": {"maxBatchSize": 4, "maxLatency": 2000}}) == BatcherSpec(4, 2.0)
    assert batcher_of({}) is None
