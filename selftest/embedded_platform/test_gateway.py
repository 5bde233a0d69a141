"""The inference ingress: which host leads where, and that requests and answers pass unchanged."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from embedded.api.resources import INFERENCESERVICE, NAMESPACE
from embedded.api.store import Store
from embedded.mutants.selection import Selection
from embedded.runtime.gateway import Gateway
from embedded.runtime.web import listen
from embedded.types import Endpoint

pytestmark = pytest.mark.anyio

CONTAINERS = {"containers": [{"name": "c", "image": "i"}]}
ANSWER = bytes(range(256)) * 4096


class Backend:
    """Where all names lead; `port` 0 means nowhere, `port` 1 that nobody listens."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.callers: list[int] = []

    def resolve(self, host: str, _port: int) -> Endpoint | None:
        """One endpoint for all."""
        return Endpoint("127.0.0.1", self.port, host) if self.port else None

    async def answer(self, request: web.Request) -> web.Response:
        """Note the request, and the port from which it comes."""
        assert request.transport is not None
        self.callers.append(request.transport.get_extra_info("peername")[1])
        self.asked.append((request.method, request.raw_path, dict(request.headers), await request.read()))
        return web.Response(status=418, body=ANSWER, headers={"X-Theirs": "1", "Content-Type": "application/weird"})


@pytest.fixture
def store() -> Store:
    """`plain` has a predictor only, `both` a transformer too; one has hyphens in its name and in its namespace's."""
    store = Store()
    store.create(NAMESPACE, {"metadata": {"name": "name-space"}})
    for name, namespace, spec in (
        ("plain", "default", {"predictor": CONTAINERS}),
        ("both", "default", {"predictor": CONTAINERS, "transformer": CONTAINERS}),
        ("explained", "default", {"predictor": CONTAINERS, "explainer": CONTAINERS}),
        ("with-hyphens", "name-space", {"predictor": CONTAINERS}),
    ):
        store.create(INFERENCESERVICE, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})
    return store


@pytest.mark.parametrize(
    ("path", "component", "faulty"),
    [
        ("/v1/models/m:explain", "explainer", "predictor"),
        ("/v1/models/m:predict", "predictor", "predictor"),
        ("/v1/models/m", "predictor", "predictor"),
        ("/v2/models/m/infer", "predictor", "predictor"),
    ],
)
def test_only_explanations_go_to_the_explainer(store: Store, path: str, component: str, faulty: str) -> None:
    def gateway(*mutants: str) -> Gateway:
        selection = Selection(store, mutants)
        policies = selection.control_plane("default")
        return Gateway(store, lambda _host, _port: None, policies.entry_component, policies.explaining_component)

    host = "explained.default.svc.cluster.local"
    assert gateway().component(host, path) == ("default", "explained", component)
    assert gateway("explain-goes-to-predictor").component(host, path) == ("default", "explained", faulty)


def test_without_an_explainer_explanations_go_where_predictions_go(store: Store) -> None:
    gateway = Gateway(store, lambda _host, _port: None)
    assert gateway.component("both.default.svc", "/v1/models/m:explain") == ("default", "both", "transformer")


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("plain-default.example.com", ("default", "plain", "predictor")),
        ("both-default.example.com", ("default", "both", "transformer")),
        ("both-predictor-default.example.com", ("default", "both", "predictor")),
        ("with-hyphens-name-space.example.com", ("name-space", "with-hyphens", "predictor")),
        ("both.default.svc.cluster.local", ("default", "both", "transformer")),
        ("BOTH.default.svc.cluster.local:80", ("default", "both", "transformer")),
        ("both.default.svc", ("default", "both", "transformer")),
        ("both.default", ("default", "both", "transformer")),
        ("both-predictor.default.svc.cluster.local", ("default", "both", "predictor")),
        ("plain-transformer.default.svc.cluster.local", None),
        ("plain.other.svc.cluster.local", None),
        ("plain-other.example.com", None),
        ("plain-default.example.org", None),
        ("127.0.0.1:8080", None),
        ("", None),
    ],
)
def test_host_leads_to_a_component(store: Store, host: str, found: Any) -> None:
    assert Gateway(store, lambda _host, _port: None).component(host) == found


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    """Return a server that notes what it is asked."""
    backend = Backend()
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", backend.answer)
    runner, backend.port = await listen(app, 0, "a test", "")
    yield backend
    await runner.cleanup()


@pytest.fixture
async def ingress(store: Store, backend: Backend) -> AsyncIterator[str]:
    """URL of a gateway before the backend."""
    gateway = Gateway(store, backend.resolve)
    yield await gateway.start()
    await gateway.stop()


async def post(url: str, host: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
    headers = {"Host": host, **more.pop("headers", {})}
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, **more) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def test_request_and_answer_pass_unchanged(ingress: str, backend: Backend) -> None:
    body = ANSWER[: 512 * 1024]
    headers = {"Ce-Id": "a b%20c", "Content-Type": "application/json", "Authorization": "Bearer x"}
    status, answered, data = await post(
        f"{ingress}/v1/m%2Fx:predict?q=%20", "both-default.example.com", data=body, headers=headers
    )
    assert (status, answered["X-Theirs"], answered["Content-Type"], data) == (418, "1", "application/weird", ANSWER)
    method, path, seen, received = backend.asked[0]
    assert (method, path, received) == ("POST", "/v1/m%2Fx:predict?q=%20", body)
    assert headers.items() <= seen.items()
    assert seen["Host"] == "both-transformer.default.svc.cluster.local"
    assert (seen["KServe-Isvc-Name"], seen["KServe-Isvc-Namespace"]) == ("both", "default")


async def test_no_connection_to_a_pod_is_used_again(ingress: str, backend: Backend) -> None:
    for _ in range(2):
        await post(ingress, "plain-default.example.com", data=b"1")
    assert len(set(backend.callers)) == len(backend.callers) == 2


async def test_unknown_host_is_404(ingress: str) -> None:
    assert (await post(ingress, "nobody.example.com"))[0] == 404


async def test_service_without_a_ready_pod_is_503(ingress: str, backend: Backend) -> None:
    backend.port = 0
    assert (await post(ingress, "plain-default.example.com"))[0] == 503


async def test_pod_that_does_not_listen_is_503(ingress: str, backend: Backend) -> None:
    backend.port = 1
    assert (await post(ingress, "plain-default.example.com"))[0] == 503
