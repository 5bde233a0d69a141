"""KServe's agent as the platform plays it: what callers are answered and what is logged, honestly and by mutants."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from embedded.agents import AGENT_PORT, HONEST, Agent, AgentSpec, BatcherSpec, LoggerSpec
from embedded.agents.batches import Batcher
from embedded.agents.policies import Answer
from embedded.controllers.components import SpecError, batcher_of, logger_of
from embedded.mutants.hosts import AGENTS
from embedded.mutants.registry import composition, names
from embedded.types import Endpoint

pytestmark = pytest.mark.anyio

HOST = f"127.251.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
"""An address of this process's own, as the port of an agent is always the same."""
PORT = 8080
LOG = "http://log.ns.svc.cluster.local/events"
PREDICT = "/v1/models/m:predict"
BEYOND_DOUBLES = 2**53 + 1


class Scene:
    """A component, a log and the agent between them.

    Attributes:
        asked: The instances of each request that the component got.
        logged: The headers and the body of each event that the log got.
    """

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.logged: asyncio.Queue[tuple[Mapping[str, str], bytes]] = asyncio.Queue()
        self.log_port = 0
        self.session: aiohttp.ClientSession | None = None

    async def predict(self, request: web.Request) -> web.Response:
        """Answer as the model of `images/serving/counting.py` does."""
        instances = (await request.json())["instances"]
        self.asked.append(instances)
        if any(isinstance(instance, str) for instance in instances):
            return web.json_response({"error": "no number"}, status=400)
        return web.json_response({"predictions": instances})

    async def log(self, request: web.Request) -> web.Response:
        """Keep an event."""
        self.logged.put_nowait((request.headers, await request.read()))
        return web.Response(status=202)

    def resolve(self, _host: str, _port: int) -> Endpoint | None:
        """Return where the log is."""
        return Endpoint("127.0.0.1", self.log_port, "log") if self.log_port else None

    async def post(
        self, body: bytes, media_type: str = "application/json", path: str = PREDICT
    ) -> tuple[int, Any, str]:
        """Return the status, the JSON value and the media type of an answer."""
        headers = {"Content-Type": media_type, "Ce-Id": "c1"}
        assert self.session is not None
        async with self.session.post(f"http://{HOST}:{AGENT_PORT}{path}", data=body, headers=headers) as got:
            return got.status, json.loads(await got.read()), got.headers["Content-Type"]

    async def ask(self, *instances: Any) -> tuple[int, Any]:
        """Return the status and the predictions of an answer, or the message of one without."""
        status, told, _ = await self.post(json.dumps({"instances": instances}).encode())
        return status, told.get("predictions") or told.get("error")

    async def events(self, count: int) -> list[tuple[Mapping[str, str], bytes]]:
        """Return so many events, in the order in which they came."""
        async with asyncio.timeout(10):
            return [await self.logged.get() for _ in range(count)]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Yield a component and a log, without an agent."""
    made, component, log = Scene(), web.Application(), web.Application()
    component.router.add_post("/v1/models/{verb}", made.predict)
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
    agent = Agent(AgentSpec("ns", "s", "predictor", "p", HOST, batcher, logger, policies=policies), PORT, scene.resolve)
    await agent.start()
    try:
        return await look(scene)
    finally:
        await agent.stop()


FULL = BatcherSpec(most=4, latency=60.0)
ALL = LoggerSpec(LOG)


async def shares(scene: Scene) -> Any:
    """Return what three callers of one batch are answered."""
    return await asyncio.gather(scene.ask(1), scene.ask(2, 3), scene.ask(4))


async def batches(scene: Scene) -> Any:
    """Return how many instances the component was asked about at once."""
    await asyncio.gather(*(scene.ask(number) for number in range(4)))
    return sorted(map(len, scene.asked))


async def lone(scene: Scene) -> Any:
    """Return the status of a call that waits in vain for others."""
    return (await scene.ask(1))[0]


async def refusals(scene: Scene) -> Any:
    """Return the statuses of a batch in which the instance of the second caller is wrong."""
    answers = await asyncio.gather(scene.ask(1), scene.ask("x"), scene.ask(2, 3))
    return [status for status, _ in answers]


async def wrong(scene: Scene) -> Any:
    """Return the status of a batch of one caller that is wrong."""
    return (await scene.ask(1, "x", 2, 3))[0]


async def no_instances(scene: Scene) -> Any:
    """Return the statuses of bodies that are no requests."""
    bodies = (b'{"instances": [', b"{}", b'{"instances": {}}', b"[1]")
    return [(await scene.post(body))[0] for body in bodies]


async def numbers(scene: Scene) -> Any:
    """Return an integer that no double is."""
    return (await scene.ask(BEYOND_DOUBLES, 1, 2, 3))[1][0]


async def media_type(scene: Scene) -> Any:
    """Return the media type of an answer."""
    return (await scene.post(b'{"instances": [1, 2, 3, 4]}'))[2]


async def pair(scene: Scene) -> Any:
    """Return the ids of the two events of a call."""
    await scene.ask(1, 2, 3, 4)
    return [headers["ce-id"] for headers, _ in await scene.events(2)]


async def sources(scene: Scene) -> Any:
    """Return the sources of the two events of a call."""
    await scene.ask(1)
    return [headers["ce-source"] for headers, _ in await scene.events(2)]


async def payload(scene: Scene) -> Any:
    """Return the data of a request's event."""
    await scene.post(b'{"instances":  [1]}')
    return (await scene.events(1))[0][1]


async def owner(scene: Scene) -> Any:
    """Return the attributes that say whose call it was."""
    await scene.ask(1)
    [(headers, _)] = await scene.events(1)
    return [headers[f"ce-{name}"] for name in ("inferenceservicename", "namespace", "component", "endpoint")]


async def kinds(scene: Scene) -> Any:
    """Return the types of the events of two calls: of what is logged twice, or all."""
    await scene.ask(1)
    await scene.ask(1)
    return [headers["ce-type"].rpartition(".")[2] for headers, _ in await scene.events(2)]


async def types(scene: Scene) -> Any:
    """Return the media types of the data of a call's events."""
    await scene.post(b'{"instances": [1]}', "text/plain")
    return [headers["content-type"] for headers, _ in await scene.events(2)]


async def unheard(scene: Scene) -> Any:
    """Return the status of a call whose log is away."""
    scene.log_port = 0
    return (await scene.ask(1))[0]


async def batched(scene: Scene) -> Any:
    """Return what is logged of a batched call, and of one after it that is not batched."""
    await scene.ask(1, 2, 3, 4)
    await scene.post(b'{"instances": [5]}', path="/v1/models/m:other")
    events = await scene.events(1)
    return json.loads(events[0][1])["predictions"]


@dataclass(frozen=True)
class Row:
    """What a mutant is seen to do.

    Attributes:
        look: How it is looked at.
        honest: What an honest agent shows.
        faulty: What the mutant shows.
        batcher: The batcher.
        logger: The logger.
    """

    look: Callable[[Scene], Awaitable[Any]]
    honest: Any
    faulty: Any
    batcher: BatcherSpec | None = None
    logger: LoggerSpec | None = None


OWNER = ["s", "ns", "predictor", "default"]
JSON, PLAIN = "application/json; charset=utf-8", "text/plain; charset=utf-8"
ROWS = {
    "batch-answers-rotated": Row(
        shares, [(200, [1]), (200, [2, 3]), (200, [4])], [(200, [2, 3]), (200, [4]), (200, [1])], FULL
    ),
    "batch-first-takes-all": Row(
        shares, [(200, [1]), (200, [2, 3]), (200, [4])], [(200, [1, 2, 3, 4]), (200, None), (200, None)], FULL
    ),
    "batcher-idle": Row(batches, [4], [1, 1, 1, 1], FULL),
    "batch-unfilled-dropped": Row(lone, 200, 500, BatcherSpec(most=4, latency=0.01)),
    "batch-failure-as-200": Row(wrong, 400, 200, FULL),
    "batch-failure-shared": Row(refusals, [200, 400, 200], [400, 400, 400], FULL),
    "batch-takes-anything": Row(no_instances, [400] * 4, [400, 200, 200, 200], BatcherSpec(most=1)),
    "batch-numbers-as-doubles": Row(numbers, BEYOND_DOUBLES, BEYOND_DOUBLES - 1, FULL),
    "batch-media-type-plain": Row(media_type, "application/json", PLAIN, FULL),
    "log-without-batched": Row(batched, [1, 2, 3, 4], [5], FULL, LoggerSpec(LOG, "response")),
    "log-pair-broken": Row(pair, ["c1", "c1"], ["c1", "c1-r"], FULL, ALL),
    "log-data-printed-again": Row(payload, b'{"instances":  [1]}', b'{\n "instances": [\n  1\n ]\n}', None, ALL),
    "log-names-lost": Row(owner, OWNER, ["default"] * 4, None, LoggerSpec(LOG, "request")),
    "log-mode-ignored": Row(
        kinds, ["response", "response"], ["request", "response"], None, LoggerSpec(LOG, "response")
    ),
    "log-failure-fails-call": Row(unheard, 200, 500, None, ALL),
    "log-media-type-of-request": Row(types, ["text/plain", JSON], ["text/plain", "text/plain"], None, ALL),
    "log-source-shared": Row(sources, ["p/request", "p/response"], ["p/call", "p/call"], None, ALL),
}


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
    agent = Agent(AgentSpec("ns", "s", "predictor", "p", HOST, FULL, None, policies=policies), 1, scene.resolve)
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
    ],
    ids=["size", "latency", "url", "mode"],
)
def test_a_wrong_batcher_or_logger_is_refused(described: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        [read(described) for read in (batcher_of, logger_of)]


def test_a_batcher_has_kserves_values_where_it_gives_none() -> None:
    assert batcher_of({"batcher": {}}) == BatcherSpec(most=32, latency=5.0)
    assert batcher_of({"batcher": {"maxBatchSize": 4, "maxLatency": 2000}}) == BatcherSpec(4, 2.0)
    assert batcher_of({}) is None
