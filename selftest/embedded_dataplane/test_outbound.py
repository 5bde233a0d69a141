"""The data plane's HTTP client: connections that who serves may be about to close are not used again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from embedded.dataplane import outbound
from embedded.dataplane.outbound import Outbound
from embedded.runtime.web import listen
from embedded.types import Endpoint

pytestmark = pytest.mark.anyio

UVICORN = 5.0
"""The seconds after which KServe's SDK closes an idle connection."""


class Backend:
    """A server that notes from which port each request comes."""

    def __init__(self) -> None:
        self.port = 0
        self.callers: list[int] = []

    def resolve(self, host: str, _port: int) -> Endpoint:
        """Return its endpoint, for every name."""
        return Endpoint("127.0.0.1", self.port, host)

    async def answer(self, request: web.Request) -> web.Response:
        """Note the caller."""
        assert request.transport is not None
        self.callers.append(request.transport.get_extra_info("peername")[1])
        return web.Response()


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    """Yield the server."""
    backend, app = Backend(), web.Application()
    app.router.add_route("*", "/{path:.*}", backend.answer)
    runner, backend.port = await listen(app, 0, "a test", "")
    yield backend
    await runner.cleanup()


@pytest.mark.parametrize(("idle", "connections"), [(60.0, 1), (0.05, 2)], ids=["short", "long"])
async def test_a_delivery_uses_no_connection_that_was_idle_for_long(
    monkeypatch: pytest.MonkeyPatch, backend: Backend, idle: float, connections: int
) -> None:
    monkeypatch.setattr(outbound, "_IDLE", idle)
    client = Outbound(backend.resolve)
    await client.post("http://sink.ns.svc.cluster.local/", [], b"1", 30.0)
    await asyncio.sleep(0.2)  # longer than the one, and shorter than the other, on every machine
    await client.post("http://sink.ns.svc.cluster.local/", [], b"1", 30.0)
    await client.close()
    assert len(backend.callers) == 2
    assert len(set(backend.callers)) == connections


def test_a_delivery_gives_a_connection_up_long_before_servers_do() -> None:
    assert outbound._IDLE <= UVICORN / 2
