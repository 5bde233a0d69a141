"""What an agent of KServe is seen to do, honestly and by each mutant."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from embedded.agents import AGENT_PORT, BatcherSpec, LoggerSpec
from embedded.types import Endpoint

HOST = f"127.251.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
"""An address of this process's own, as the port of an agent is always the same."""
LOG = "http://log.ns.svc.cluster.local/events"
PREDICT, OTHER, SHORT, PACKED = (f"/v1/models/{name}:predict" for name in ("m", "other", "short", "packed"))
V2 = "/v2/models/m/infer"
BEYOND_DOUBLES = 2**53 + 1


class Scene:
    """A component, a log and the agent between them.

    Attributes:
        asked: The instances of each request that the component got.
        heard: The headers of the last one.
        logged: The headers and the body of each event that the log got.
        answers: Set while the log answers.
    """

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.heard: Mapping[str, str] = {}
        self.logged: asyncio.Queue[tuple[Mapping[str, str], bytes]] = asyncio.Queue()
        self.log_port = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.session: aiohttp.ClientSession | None = None

    async def predict(self, request: web.Request) -> web.Response:
        """Answer as the models of `images/serving/counting.py` do."""
        instances = (await request.json())["instances"]
        self.asked.append(instances)
        self.heard = request.headers
        if "busy" in instances:
            return web.json_response({"error": "too much to do"}, status=503)
        if any(isinstance(instance, str) for instance in instances):
            return web.json_response({"error": "no number"}, status=400)
        predictions = instances[:-1] if request.path == SHORT else instances
        answer = web.json_response({"predictions": predictions}, headers={"X-Said-By": "m"})
        if request.path == PACKED:
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def infer(self, request: web.Request) -> web.Response:
        """Answer the inputs of a V2 request."""
        return web.json_response({"outputs": json.loads((await request.read()).partition(b"\xff")[0])["inputs"]})

    async def ready(self, _: web.Request) -> web.Response:
        """Answer that the model is ready."""
        return web.json_response({"name": "m", "ready": True})

    async def log(self, request: web.Request) -> web.Response:
        """Keep an event."""
        await self.answers.wait()
        self.logged.put_nowait((request.headers, await request.read()))
        return web.Response(status=202)

    def resolve(self, _host: str, _port: int) -> Endpoint | None:
        """Return where the log is."""
        return Endpoint("127.0.0.1", self.log_port, "log") if self.log_port else None

    async def post(
        self, body: bytes, media_type: str = "application/json", path: str = PREDICT, call: str | None = "c1"
    ) -> tuple[int, Any, str]:
        """Return the status, the JSON value and the media type of an answer."""
        headers = {"Content-Type": media_type, **({"Ce-Id": call} if call else {})}
        assert self.session is not None
        async with self.session.post(f"http://{HOST}:{AGENT_PORT}{path}", data=BytesIO(body), headers=headers) as got:
            return got.status, json.loads(await got.read()), got.headers["Content-Type"]

    async def ask(self, *instances: Any) -> tuple[int, Any]:
        """Return the status and the predictions of an answer, or the message of one without."""
        status, told, _ = await self.post(json.dumps({"instances": instances}).encode())
        return status, told.get("predictions") or told.get("error")

    async def status(self, path: str, body: bytes) -> int:
        """Return the status of an answer."""
        return (await self.post(body, path=path))[0]

    async def events(self, count: int) -> list[tuple[Mapping[str, str], bytes]]:
        """Return so many events, in the order in which they came."""
        async with asyncio.timeout(10):
            return [await self.logged.get() for _ in range(count)]


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
    """Return the status of a call of which an instance is wrong."""
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


def both(name: str) -> Callable[[Scene], Awaitable[Any]]:
    """Return a look at what the two events of a call have in a header."""

    async def look(scene: Scene) -> Any:
        await scene.ask(1)
        return [headers[name] for headers, _ in await scene.events(2)]

    return look


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


async def full(scene: Scene) -> Any:
    """Return the status of a call that makes a batch full; None: there is no answer after a while."""
    call = asyncio.create_task(scene.ask(1))
    await asyncio.wait([call], timeout=1)
    if not call.done():
        call.cancel()
        return None
    return call.result()[0]


async def patience(scene: Scene) -> Any:
    """Return whether a lone call is answered before three quarters of a second are over."""
    began = time.monotonic()
    await scene.ask(1)
    return "late" if time.monotonic() - began >= 0.75 else "early"


async def paths(scene: Scene) -> Any:
    """Return how many instances the component was asked about at once, by calls of two paths."""
    await asyncio.gather(*(scene.post(b'{"instances": [1]}', path=path) for path in (PREDICT, OTHER)))
    return sorted(map(len, scene.asked))


async def inferred(scene: Scene) -> Any:
    """Return the status of a V2 request."""
    return await scene.status(V2, b'{"inputs": []}')


async def too_few(scene: Scene) -> Any:
    """Return the statuses of a batch of which the component answers one instance too few."""
    return await asyncio.gather(*(scene.status(SHORT, b'{"instances": [1]}') for _ in range(4)))


async def leaving(scene: Scene) -> Any:
    """Return the status of a call whose batch another caller has left."""
    left, stays = (asyncio.create_task(scene.ask(number)) for number in (1, 2))
    for _ in range(2):  # both calls are there, and then one of them is gone
        await asyncio.wait([left, stays], timeout=0.4)
        left.cancel()
    return (await asyncio.gather(stays, scene.ask(3, 4, 5, 6)))[0][0]


async def packed(scene: Scene) -> Any:
    """Return the coding of an answer."""
    assert scene.session is not None
    url = f"http://{HOST}:{AGENT_PORT}{PACKED}"
    async with scene.session.post(url, data=b'{"instances": [1]}') as got:
        assert await got.json() == {"predictions": [1]}
        return got.headers.get("Content-Encoding")


async def failed(scene: Scene) -> Any:
    """Return the instances of the first request that is logged, of a call that is refused and one that is not."""
    await scene.ask("x")
    await scene.ask(1)
    return json.loads((await scene.events(1))[0][1])["instances"]


async def nameless(scene: Scene) -> Any:
    """Return whether the events of a call without an id have one, and how many ids two such calls have."""
    for _ in range(2):
        await scene.post(b'{"instances": [1]}', call=None)
    ids = [headers["ce-id"] for headers, _ in await scene.events(4)]
    return ids[:2] == [ids[0]] * 2, len(set(ids))


async def twice_logged(scene: Scene) -> Any:
    """Return the types of the first two events of a call."""
    await scene.ask(1)
    return [headers["ce-type"].rpartition(".")[2] for headers, _ in await scene.events(2)]


async def asked(scene: Scene) -> Any:
    """Return what the component was asked of a call."""
    await scene.ask(1)
    return scene.asked


async def heard(scene: Scene) -> Any:
    """Return the headers of its own with which a call reaches the component, and those of the answer."""
    assert scene.session is not None
    own = {"Authorization": "Bearer a", "X-Own": "1", "Content-Type": "application/json"}
    url = f"http://{HOST}:{AGENT_PORT}{PREDICT}"
    async with scene.session.post(url, data=b'{"instances": [1]}', headers=own) as got:
        return [name for name in own if name in scene.heard], got.headers.get("X-Said-By")


async def asked_of_status(scene: Scene) -> Any:
    """Return the status of a question for what a model's status is."""
    assert scene.session is not None
    async with scene.session.get(f"http://{HOST}:{AGENT_PORT}/v1/models/m") as got:
        return got.status


async def century(scene: Scene) -> Any:
    """Return the first two digits of the year that an event states."""
    await scene.ask(1)
    [(headers, _)] = await scene.events(1)
    return headers["ce-time"][:2]


async def twice(scene: Scene) -> Any:
    """Return the values of a header that comes twice, as they reach the component."""
    assert scene.session is not None
    own = [("X-Own", "1"), ("X-Own", "2"), ("Content-Type", "application/json")]
    url = f"http://{HOST}:{AGENT_PORT}{PREDICT}"
    async with scene.session.post(url, data=b'{"instances": [1]}', headers=CIMultiDict(own)) as got:
        assert got.status == 200
    return [value for name, value in scene.heard.items() if name.lower() == "x-own"]


async def busy(scene: Scene) -> Any:
    """Return the status of a call whose model takes no more."""
    return (await scene.ask("busy"))[0]


async def octets(scene: Scene) -> Any:
    """Return the payload, as it is logged, of a call whose body is no text."""
    await scene.post(b'{"inputs": []}\xff\x00', path=V2)
    return (await scene.events(1))[0][1]


async def whole(scene: Scene) -> Any:
    """Return how many bytes of a payload of 70,000 bytes are logged."""
    await scene.post(b'{"instances": [1]}'.ljust(70_000))
    return len((await scene.events(1))[0][1])


async def large(scene: Scene) -> Any:
    """Return the status of a call of more than 1 MiB."""
    assert scene.session is not None
    body = BytesIO(b'{"instances": [%s1]}' % (b" " * (1 << 20)))
    async with scene.session.post(f"http://{HOST}:{AGENT_PORT}{PREDICT}", data=body) as got:
        return got.status


async def beyond(scene: Scene) -> Any:
    """Return the status of a call that makes a batch more than full; None: there is no answer after a while."""
    call = asyncio.create_task(scene.ask(*range(9)))
    await asyncio.wait([call], timeout=1)
    return call.result()[0] if call.done() else call.cancel() and None


async def unanswered(scene: Scene) -> Any:
    """Return how many of 105 calls are answered while their log answers nothing."""
    scene.answers.clear()
    calls = [asyncio.create_task(scene.ask(number)) for number in range(105)]
    done, _ = await asyncio.wait(calls, timeout=3)
    scene.answers.set()
    await asyncio.gather(*calls)
    return len(done)


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
TELLING = LoggerSpec(LOG, headers=("Ce-Id", "Content-Type", "Absent"))
FIRST, TOLD = "{%22Ce-Id%22:[%22c1%22]}", "{%22Ce-Id%22:[%22c1%22],%22Content-Type%22:[%22application/json%22]}"
ROWS = {
    "batch-answers-rotated": Row(
        shares, [(200, [1]), (200, [2, 3]), (200, [4])], [(200, [2, 3]), (200, [4]), (200, [1])], FULL
    ),
    "batch-first-takes-all": Row(
        shares, [(200, [1]), (200, [2, 3]), (200, [4])], [(200, [1, 2, 3, 4]), (200, None), (200, None)], FULL
    ),
    "batcher-idle": Row(batches, [4], [1, 1, 1, 1], FULL),
    "batch-beyond-full-waits": Row(beyond, 200, None, FULL),
    "agent-asks-twice": Row(asked, [[1]], [[1], [1]]),
    "agent-takes-posts-only": Row(asked_of_status, 200, 405, FULL, ALL),
    "agent-drops-own-headers": Row(
        heard, (["Authorization", "X-Own", "Content-Type"], "m"), (["Content-Type"], "m"), None, ALL
    ),
    "agent-first-of-same-headers": Row(twice, ["1", "2"], ["1"], None, ALL),
    "agent-tells-503-as-500": Row(busy, 503, 500, None, ALL),
    "agent-drops-headers-of-answers": Row(
        heard,
        (["Authorization", "X-Own", "Content-Type"], "m"),
        (["Authorization", "X-Own", "Content-Type"], None),
        None,
        ALL,
    ),
    "agent-refuses-1-mib": Row(large, 200, 413),
    "log-posts-twice": Row(twice_logged, ["request", "response"], ["request", "request"], None, ALL),
    "log-ids-made-apart": Row(nameless, (True, 2), (False, 4), None, ALL),
    "log-id-made-once": Row(nameless, (True, 2), (True, 1), None, ALL),
    "log-queue-blocks": Row(unanswered, 105, 101, None, LoggerSpec(LOG, "request")),
    "batch-unfilled-dropped": Row(lone, 200, 500, BatcherSpec(most=4, latency=0.01)),
    "batch-settings-ignored": Row(full, 200, None, BatcherSpec(most=1, latency=60.0)),
    "batch-window-short": Row(patience, "late", "early", BatcherSpec(most=4, latency=0.8)),
    "batch-across-models": Row(paths, [1, 1], [2], BatcherSpec(most=2, latency=0.1)),
    "batch-refuses-v2": Row(inferred, 200, 400, FULL),
    "batch-count-unchecked": Row(too_few, [502] * 4, [200] * 4, FULL),
    "batch-ends-with-caller": Row(leaving, 200, 500, FULL),
    "batch-failure-as-200": Row(wrong, 400, 200, FULL),
    "batch-failure-shared": Row(refusals, [200, 400, 200], [400, 400, 400], FULL),
    "batch-takes-anything": Row(no_instances, [400] * 4, [400, 200, 200, 200], BatcherSpec(most=1)),
    "batch-numbers-as-doubles": Row(numbers, BEYOND_DOUBLES, BEYOND_DOUBLES - 1, FULL),
    "batch-media-type-plain": Row(media_type, "application/json", PLAIN, FULL),
    "log-errors-as-200": Row(wrong, 400, 200, None, ALL),
    "log-answer-unpacked": Row(packed, "gzip", None, None, ALL),
    "log-only-success-requests": Row(failed, ["x"], [1], None, ALL),
    "log-without-batched": Row(batched, [1, 2, 3, 4], [5], FULL, LoggerSpec(LOG, "response")),
    "log-pair-broken": Row(both("ce-id"), ["c1", "c1"], ["c1", "c1-r"], None, ALL),
    "log-data-printed-again": Row(payload, b'{"instances":  [1]}', b'{\n "instances": [\n  1\n ]\n}', None, ALL),
    "log-data-as-text": Row(
        octets, b'{"inputs": []}\xff\x00', '{"inputs": []}\ufffd\x00'.encode(), None, LoggerSpec(LOG, "request")
    ),
    "log-data-cut": Row(whole, 70_000, 65_536, None, LoggerSpec(LOG, "request")),
    "log-time-never-set": Row(century, "20", "00", None, LoggerSpec(LOG, "request")),
    "log-names-lost": Row(owner, OWNER, ["default"] * 4, None, LoggerSpec(LOG, "request")),
    "log-metadata-first-only": Row(both("ce-metadata"), [TOLD, TOLD], [FIRST, FIRST], None, TELLING),
    "log-metadata-request-only": Row(both("ce-metadata"), [TOLD, TOLD], [TOLD, "{}"], None, TELLING),
    "log-mode-ignored": Row(
        kinds, ["response", "response"], ["request", "response"], None, LoggerSpec(LOG, "response")
    ),
    "log-failure-fails-call": Row(unheard, 200, 500, None, ALL),
    "log-media-type-of-request": Row(types, ["text/plain", JSON], ["text/plain", "text/plain"], None, ALL),
    "log-source-shared": Row(both("ce-source"), ["p/request", "p/response"], ["p/call", "p/call"], None, ALL),
}
