"""The admin server for programs outside the cluster: it resolves cluster names and creates topics."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from embedded.api.access import Access
from embedded.api.errors import ApiError
from embedded.runtime.web import LOOPBACK, listen
from embedded.types import Resolve

CreateTopic = Callable[[str, int], Awaitable[bool]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MOST_PARTITIONS = 1024


class AdminServer:
    """A server for `GET /resolve?host=&port=` and `POST /topics {"name", "partitions"}` on one loopback port.

    Args:
        resolve: The function from a cluster name to an endpoint.
        create_topic: The function that creates a topic and returns whether it is new.
        token: The bearer token that every request must have.
    """

    def __init__(self, resolve: Resolve, create_topic: CreateTopic, token: str) -> None:
        self._resolve, self._create_topic = resolve, create_topic
        self._access = Access(token)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> str:
        """Listen and return the URL.

        Raises:
            PortTakenError: The port is taken.
        """
        app = web.Application(client_max_size=64 * 1024, middlewares=[self._guard()])
        app.router.add_get("/resolve", self._answer_resolve)
        app.router.add_post("/topics", self._answer_topics)
        self._runner, chosen = await listen(app, port, "the resolver", "--resolver-port")
        return f"http://{LOOPBACK}:{chosen}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _guard(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                self._access.check(request.headers)
            except ApiError as error:
                return web.json_response(error.status(), status=error.code)
            return await handler(request)

        return guard

    async def _answer_resolve(self, request: web.Request) -> web.Response:
        host, port = request.query.get("host", ""), request.query.get("port", "80")
        if not host or not port.isdecimal():
            return _refused(400, "resolve needs host and a numeric port")
        endpoint = self._resolve(host, int(port))
        if endpoint is None:
            return _refused(
                404, f"nobody answers to {host}:{port} (no such Service or port, or no ready pod behind it)"
            )
        return web.json_response({"host": endpoint.host, "port": endpoint.port, "authority": endpoint.authority})

    async def _answer_topics(self, request: web.Request) -> web.Response:
        try:
            topic: Any = await request.json()
            name, partitions = topic["name"], topic.get("partitions", 1)
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
            return _refused(400, 'topics needs {"name": str, "partitions": int}')
        if not isinstance(name, str) or not isinstance(partitions, int) or not 1 <= partitions <= MOST_PARTITIONS:
            return _refused(400, f"a topic needs a name and 1 to {MOST_PARTITIONS} partitions")
        try:
            new = await self._create_topic(name, partitions)
        except Exception as error:  # noqa: BLE001 -- the client gets the reason, whatever Kafka it is
            return _refused(502, str(error))
        return web.json_response({"name": name, "partitions": partitions}, status=201 if new else 200)


def _refused(code: int, message: str) -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(status, status=code)
