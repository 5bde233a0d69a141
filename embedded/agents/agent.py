"""The agent of one pod: a proxy at a port of the pod's address, before the component's own port.

It runs in the platform's process, and stands for the container that KServe adds to the pod. Bodies are read whole,
since a log holds them and a batch is made of them.
"""

import uuid
from io import BytesIO

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from embedded.agents.batches import BAD_GATEWAY, INTERNAL_ERROR, NOT_ALLOWED, Batcher, refusal
from embedded.agents.logs import Entry, Logger
from embedded.agents.policies import REQUEST, RESPONSE, Answer
from embedded.agents.specs import AgentSpec
from embedded.runtime.gateway import TIMEOUT, passed_on
from embedded.types import Resolve

AGENT_PORT = 9081
"""The port that a component's Service leads to where an agent stands before it."""
ID = "Ce-Id"
OK = 200


class Agent:
    """An agent. `start` is called before use and `stop` after it, even after a `start` that failed.

    Args:
        spec: The agent as it is wanted.
        resolve: Cluster DNS, for the URL of the log.
    """

    def __init__(self, spec: AgentSpec, resolve: Resolve) -> None:
        self._spec, self._resolve = spec, resolve
        self._policies = spec.policies.compose()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._batcher: Batcher | None = None
        self._logger: Logger | None = None

    async def start(self) -> None:
        """Listen at the pod's address.

        Raises:
            OSError: The port is taken.
        """
        spec = self._spec
        session = self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),  # as the gateway, for the same reason
            timeout=TIMEOUT,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        if spec.batcher is not None:
            self._batcher = Batcher(spec.batcher, self._policies, self._ask)
        if spec.logger is not None:
            self._logger = Logger(spec, spec.logger, self._policies, session, self._resolve)
            self._logger.start()
        app = web.Application(client_max_size=self._policies.most_bytes)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, spec.host, AGENT_PORT).start()

    async def stop(self) -> None:
        """Stop listening, and end what is under way."""
        if self._batcher is not None:
            await self._batcher.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._logger is not None:
            await self._logger.stop()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.Response:
        """Answer a call, and log it."""
        if not self._policies.takes(request.method):
            return _response(refusal(NOT_ALLOWED, f"{request.method} is not taken here"))
        body, asked = await request.read(), request.headers.get("Content-Type", "")
        call, made = request.headers.get(ID, ""), str(uuid.uuid4())
        names = self._spec.logger.headers if self._spec.logger else ()
        told = {name: request.headers.getall(name) for name in names if name in request.headers}
        about = Entry(REQUEST, call, made, asked, asked, body, told)
        if self._policies.logs_failed and not await self._log(about):
            return _response(refusal(INTERNAL_ERROR, "the request cannot be logged"))
        batcher = self._batcher if self._policies.is_batched(request.path) else None
        answer = await (self._passed(request, body) if batcher is None else batcher.predict(request.raw_path, body))
        if not self._policies.logs_failed and answer.status == OK:
            await self._log(about)
        own = CIMultiDict(answer.headers).get("Content-Type", "")
        logged = answer.status == OK and (batcher is None or self._policies.logs_batched)
        if logged and not await self._log(Entry(RESPONSE, call, made, asked, own, answer.body, told)):
            return _response(refusal(INTERNAL_ERROR, "the response cannot be logged"))
        return _response(answer)

    async def _log(self, entry: Entry) -> bool:
        return self._logger is None or await self._logger.log(entry)

    async def _passed(self, request: web.Request, body: bytes) -> Answer:
        """Hand a request on as it came, and its answer back."""
        headers = self._policies.headers(passed_on(request.headers))
        headers["Host"] = request.host
        return self._policies.passed(await self._send(request.method, request.raw_path, headers, body))

    async def _ask(self, path: str, body: bytes) -> Answer:
        """Send a batch to the component."""
        headers = CIMultiDict({"Content-Type": "application/json"})
        return await self._send("POST", path, headers, body)

    async def _send(self, method: str, path: str, headers: CIMultiDict[str], body: bytes) -> Answer:
        """Return what the component answers to a call."""
        return await self._policies.ask(lambda: self._request(method, path, headers, body))

    async def _request(self, method: str, path: str, headers: CIMultiDict[str], body: bytes) -> Answer:
        """Return what the component answers to a request."""
        if self._session is None:
            raise AssertionError("started before it serves")
        headers.popall("Content-Length", None)
        url = URL(f"http://{self._spec.host}:{self._spec.port}{path}", encoded=True)
        try:
            # As a file: aiohttp warns of bytes of more than 1 MiB.
            data = BytesIO(body) if body else None
            async with self._session.request(method, url, headers=headers, data=data, allow_redirects=False) as got:
                return Answer(got.status, passed_on(got.headers), await got.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return refusal(BAD_GATEWAY, f"the component does not answer: {error or type(error).__name__}")


def _response(answer: Answer) -> web.Response:
    headers = CIMultiDict(answer.headers)
    headers.popall("Content-Length", None)
    return web.Response(status=answer.status, headers=headers, body=answer.body)
