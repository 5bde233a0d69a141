"""The service proxy: what comes through it to a workload, and back."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
from aiohttp import web

from embedded.types import Endpoint

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

HOST = "s.default.svc.cluster.local"
SERVICES = "/api/v1/namespaces/default/services"
S = f"{SERVICES}/http:s:80/proxy"


class Workload:
    """A server behind the Service `s`."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.came = threading.Semaphore(0)
        self.callers = set[object]()
        self.left = asyncio.Event()

    async def echo(self, request: web.Request) -> web.Response:
        """Return what was asked, as it arrived."""
        self.callers.add(request.transport)
        seen = [request.method, request.path_qs, (await request.read()).decode()]
        return web.json_response(
            {"seen": seen, "headers": dict(request.headers)}, status=418, headers={"X-Seen": "yes"}
        )

    async def wait(self, _request: web.Request) -> web.Response:
        """Return an answer that comes when it is told to."""
        self.came.release()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return web.Response(text="went")

    async def count(self, request: web.Request) -> web.Response:
        """How many bytes came, without keeping them."""
        size = 0
        async for piece in request.content.iter_any():
            size += len(piece)
        return web.json_response(size)

    async def parts(self, request: web.Request) -> web.StreamResponse:
        """Return a part at once, the other when it is told to."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await self.go.wait()
        await response.write(b"second")
        return response

    async def broken(self, request: web.Request) -> web.StreamResponse:
        """Return an answer that ends before it should."""
        response = web.StreamResponse(headers={"Content-Length": str(10**6)})
        await response.prepare(request)
        await response.write(b"first")
        assert request.transport is not None
        request.transport.close()
        return response

    async def start(self) -> tuple[web.AppRunner, int]:
        """Listen; the port."""
        app = web.Application(client_max_size=2**30)
        for name in ("wait", "count", "parts", "broken"):
            app.router.add_route("*", f"/{name}", getattr(self, name))
        app.router.add_route("*", "/{path:.*}", self.echo)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]


@pytest.fixture
def workload(api: "Api") -> Iterator[Workload]:
    """Yield the server, and its Service."""
    workload = api.do(Workload)
    runner, port = asyncio.run_coroutine_threadsafe(workload.start(), api.loop).result(10)
    api.endpoints[HOST, 80] = Endpoint("127.0.0.1", port, HOST)
    spec = {"ports": [{"name": "http", "port": 80}]}
    api.request("POST", SERVICES, {"metadata": {"name": "s"}, "spec": spec})
    yield workload
    api.do(workload.go.set)
    asyncio.run_coroutine_threadsafe(runner.cleanup(), api.loop).result(10)


@pytest.mark.usefixtures("workload")
@pytest.mark.parametrize("target", ["s", "s:80", "s:http", "http:s:http", "http:s:80"])
def test_the_proxy_leads_to_the_workload(api: "Api", target: str) -> None:
    answer = api.request("POST", f"{SERVICES}/{target}/proxy/v1/models/a%2Fb:predict?x=1", b"body")
    assert (answer.status_code, answer.headers["X-Seen"]) == (418, "yes")
    assert answer.json()["seen"] == ["POST", "/v1/models/a%2Fb:predict?x=1", "body"]
    assert answer.json()["headers"]["Host"] == HOST


@pytest.mark.usefixtures("workload")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_every_method_passes(api: "Api", method: str) -> None:
    answer = api.client.request(method, f"{S}/x")
    assert answer.status_code == 418
    assert int(answer.headers["Content-Length"]) > 0
    assert method == "HEAD" or answer.json()["seen"] == [method, "/x", ""]


@pytest.mark.usefixtures("workload")
@pytest.mark.parametrize(("tail", "path"), [("", "/"), ("/", "/"), ("?a=b", "/?a=b"), ("/proxy/x", "/proxy/x")])
def test_path_begins_behind_the_proxy(api: "Api", tail: str, path: str) -> None:
    assert api.client.get(S + tail).json()["seen"][1] == path


@pytest.mark.usefixtures("workload")
def test_headers_pass_but_for_those_of_the_connection(api: "Api") -> None:
    given = {"X-Touchstone-Token": "t", "Keep-Alive": "1", "Accept": "x/y", "TE": "z"}
    answer = api.client.get(S, headers=given)
    assert "Authorization" in answer.request.headers
    seen = answer.json()["headers"]
    assert (seen["X-Touchstone-Token"], seen["Accept"]) == ("t", "x/y")
    assert not {"Authorization", "Keep-Alive", "TE"} & set(seen)


@pytest.mark.usefixtures("workload")
@pytest.mark.parametrize("length", ["told", "not told"])
def test_large_bodies_pass(api: "Api", length: str) -> None:
    size = 20 * 1024 * 1024
    pieces = (b"x" * 2**20 for _ in range(20))
    headers = {"Content-Length": str(size)} if length == "told" else {}
    assert api.client.post(f"{S}/count", content=pieces, headers=headers).json() == size


def test_answer_comes_in_the_pieces_in_which_it_is_sent(api: "Api", workload: Workload) -> None:
    with api.client.stream("GET", f"{S}/parts") as answer:
        pieces = answer.iter_bytes()
        assert next(pieces) == b"first"
        api.do(workload.go.set)
        assert b"".join(pieces) == b"second"


@pytest.mark.usefixtures("workload")
def test_answer_that_is_cut_off_is_cut_off_here_too(api: "Api") -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        api.client.get(f"{S}/broken")


def test_many_long_polls_wait_at_a_time(api: "Api", workload: Workload) -> None:
    answers: list[str] = []
    limits = httpx.Limits(max_connections=150)
    with api.connect(timeout=60, limits=limits) as client:
        polls = [threading.Thread(target=lambda: answers.append(client.get(f"{S}/wait").text)) for _ in range(120)]
        for poll in polls:
            # One after the other: many threads at once leave the server's thread no turn for their handshakes.
            poll.start()
            assert workload.came.acquire(timeout=30)
        assert api.client.get(f"{S}/x").status_code == 418
        api.do(workload.go.set)
        for poll in polls:
            poll.join(60)
    assert answers == ["went"] * 120


def test_client_that_leaves_takes_its_question_along(api: "Api", workload: Workload) -> None:
    url = httpx.URL(api.url)
    with (
        socket.create_connection((url.host, url.port or 0)) as plain,
        api.trust.wrap_socket(plain, server_hostname=url.host) as connection,
    ):
        head = f"GET {S}/wait HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {api.server.token}\r\n\r\n"
        connection.sendall(head.encode())
        assert workload.came.acquire(timeout=30)
    asyncio.run_coroutine_threadsafe(asyncio.wait_for(workload.left.wait(), 30), api.loop).result(40)


def test_calls_one_after_another_share_a_connection_to_the_workload(api: "Api", workload: Workload) -> None:
    for _ in range(20):
        assert api.client.get(f"{S}/x").status_code == 418
    assert len(workload.callers) == 1


def test_no_answer_is_told(api: "Api", free_tcp_port: int) -> None:
    api.endpoints[HOST, 80] = Endpoint("127.0.0.1", free_tcp_port, HOST)
    api.request("POST", SERVICES, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    answer = api.client.get(S)
    assert answer.status_code == 503
    assert answer.json()["message"].startswith("error trying to reach service: ")


def test_the_proxy_says_when_nobody_is_there(api: "Api") -> None:
    api.request("POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "s"}, "spec": {}})
    for target, code in (("s:80", 503), ("s:81", 503), ("absent:80", 404), ("a:b:c:d", 400)):
        answer = api.client.get(f"/api/v1/namespaces/default/services/{target}/proxy/")
        assert (answer.status_code, answer.json()["kind"]) == (code, "Status")


def test_nobody_ready_is_told_in_the_words_of_the_real_api(api: "Api") -> None:
    api.request("POST", SERVICES, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    said = {"reason": "ServiceUnavailable", "message": 'no endpoints available for service "http:s:80"', "code": 503}
    assert said.items() <= api.client.get(S).json().items()
