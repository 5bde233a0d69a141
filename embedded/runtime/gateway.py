"""The inference ingress: requests for an InferenceService's hosts go to its first component, as Istio routes them.

An InferenceService `n` in `ns` has the host of its `status.url` (`n-ns.example.com`) and its cluster-local names.
The request goes to the transformer, or to the predictor where there is none, with the component's own name as Host and
the headers `KServe-Isvc-Name` and `KServe-Isvc-Namespace`. Unknown hosts get 404, services without a ready pod 503.

Nothing is buffered: bodies pass in chunks both ways. Nothing is retried.
"""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from embedded.api.resources import INFERENCESERVICE
from embedded.api.store import Store
from embedded.runtime.web import listen
from embedded.types import Resolve

DOMAIN = "example.com"
CONNECTIONS = 256
TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=5)
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade", "host"}
    | {"transfer-encoding"}
)
LOCAL = re.compile(r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(\.svc(\.cluster\.local)?)?")
COMPONENTS = ("transformer", "predictor")


def external_host(name: str, namespace: str) -> str:
    """Return the host in `status.url` of an InferenceService or of one of its components."""
    return f"{name}-{namespace}.{DOMAIN}"


class Gateway:
    """The inference ingress. `start` is called before use and `stop` after it."""

    def __init__(self, store: Store, resolve: Resolve) -> None:
        self._store, self._resolve = store, resolve
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> str:
        """Listen on loopback and return the URL.

        Raises:
            PortTakenError: The port is taken.
        """
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner, self.port = await listen(app, port, "the inference ingress", "--inference-port")
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=TIMEOUT, auto_decompress=False, skip_auto_headers=("User-Agent", "Accept")
        )
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop listening; requests under way are cut off."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def component(self, host: str) -> tuple[str, str, str] | None:
        """Return the (namespace, InferenceService, component) of a Host header, or None when nobody has that host."""
        host = host.partition(":")[0].lower().rstrip(".")
        local = LOCAL.fullmatch(host)
        if local:
            return self._routed(local["namespace"], local["name"])
        label = host.removesuffix(f".{DOMAIN}")
        if label == host:
            return None
        # `a-b-c` may be a in b-c or a-b in c: the one that exists is meant.
        parts = label.split("-")
        for cut in range(1, len(parts)):
            route = self._routed("-".join(parts[cut:]), "-".join(parts[:cut]))
            if route:
                return route
        return None

    def _routed(self, namespace: str, name: str) -> tuple[str, str, str] | None:
        service = self._store.find(INFERENCESERVICE, namespace, name)
        if service is not None:
            return namespace, name, entry_component(service)
        for component in COMPONENTS:
            owner = name.removesuffix(f"-{component}")
            service = self._store.find(INFERENCESERVICE, namespace, owner) if owner != name else None
            if service is not None and component in service["spec"]:
                return namespace, owner, component
        return None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        route = self.component(host)
        if route is None:
            return web.Response(status=404, text=f"no InferenceService has the host {host[:256]!r}\n")
        namespace, name, component = route
        authority = f"{name}-{component}.{namespace}.svc.cluster.local"
        endpoint = self._resolve(authority, 80)
        if endpoint is None:
            return web.Response(status=503, text=f"no ready pod behind {authority}\n")
        headers = _passed_on(request.headers)
        headers["Host"] = endpoint.authority
        headers["KServe-Isvc-Name"], headers["KServe-Isvc-Namespace"] = name, namespace
        url = f"http://{endpoint.host}:{endpoint.port}{request.rel_url.raw_path_qs}"
        return await self._forward(request, url, headers)

    async def _forward(self, request: web.Request, url: str, headers: CIMultiDict[str]) -> web.StreamResponse:
        if self._session is None:
            raise AssertionError("started before it serves")
        body = request.content if request.body_exists else None
        try:
            async with self._session.request(
                request.method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as answer:
                response = web.StreamResponse(
                    status=answer.status, reason=answer.reason, headers=_passed_on(answer.headers)
                )
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except aiohttp.ClientConnectorError as error:
            return web.Response(status=503, text=f"upstream connect error: {error}\n")
        except TimeoutError:
            return web.Response(status=504, text="upstream request timeout\n")
        except aiohttp.ClientError as error:
            return web.Response(status=502, text=f"upstream error: {error}\n")


def entry_component(service: Mapping[str, Any]) -> str:
    """Return the component that requests enter first."""
    return "transformer" if "transformer" in service["spec"] else "predictor"


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    passed: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP:
            passed.add(name, value)
    return passed
