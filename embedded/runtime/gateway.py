"""The inference ingress: requests for an InferenceService's hosts go to its first component, as Istio routes them.

An InferenceService `n` in `ns` has the host of its `status.url` (`n-ns.example.com`) and its cluster-local names.
The request goes to the transformer, or to the predictor where there is none, and a `:explain` call to the explainer,
with the component's own name as Host and the headers `KServe-Isvc-Name` and `KServe-Isvc-Namespace`. Unknown hosts get
404, services without a ready pod 503.

Nothing is buffered: bodies pass in chunks both ways. Nothing is retried, and no connection is used again: who serves
may close it behind an error without a word, as uvicorn does, and what is sent at that moment would be reset.
"""

import re
from collections.abc import Callable, Mapping
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
COMPONENTS = ("transformer", "predictor", "explainer")
EXPLAIN = re.compile(r"/v1/models/[^/]+:explain")
Routing = Callable[[Mapping[str, Any]], str]
"""A function from an InferenceService to the component that calls of it go to."""


def external_host(name: str, namespace: str) -> str:
    """Return the host in `status.url` of an InferenceService or of one of its components."""
    return f"{name}-{namespace}.{DOMAIN}"


def entry_component(service: Mapping[str, Any]) -> str:
    """Return the component that requests enter first."""
    return "transformer" if "transformer" in service["spec"] else "predictor"


def explaining_component(service: Mapping[str, Any]) -> str:
    """Return the component that `:explain` calls go to: the explainer, where there is one."""
    return "explainer" if "explainer" in service["spec"] else entry_component(service)


class Gateway:
    """The inference ingress. `start` is called before use and `stop` after it.

    Args:
        store: The store with the InferenceServices.
        resolve: Cluster DNS.
        entry: The function from an InferenceService to the component that requests enter first.
        explaining: The function from an InferenceService to the component that its `:explain` calls go to.
    """

    def __init__(
        self,
        store: Store,
        resolve: Resolve,
        entry: Routing = entry_component,
        explaining: Routing = explaining_component,
    ) -> None:
        self._store, self._resolve, self._entry, self._explaining = store, resolve, entry, explaining
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
        self._runner, self.port = await listen(
            app, port, "the inference ingress", "--inference-port", follows_caller=True
        )
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, force_close=True)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=TIMEOUT,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop listening; requests under way are cut off."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def component(self, host: str, path: str = "/") -> tuple[str, str, str] | None:
        """Return the (namespace, InferenceService, component) of a request, or None when nobody has that host.

        Args:
            host: The Host header.
            path: The path.
        """
        host = host.partition(":")[0].lower().rstrip(".")
        local = LOCAL.fullmatch(host)
        if local:
            return self._routed(local["namespace"], local["name"], path)
        label = host.removesuffix(f".{DOMAIN}")
        if label == host:
            return None
        # `a-b-c` may be a in b-c or a-b in c: the one that exists is meant.
        parts = label.split("-")
        for cut in range(1, len(parts)):
            route = self._routed("-".join(parts[cut:]), "-".join(parts[:cut]), path)
            if route:
                return route
        return None

    def _routed(self, namespace: str, name: str, path: str) -> tuple[str, str, str] | None:
        service = self._store.find(INFERENCESERVICE, namespace, name)
        if service is not None:
            explains = EXPLAIN.fullmatch(path) is not None
            return namespace, name, (self._explaining if explains else self._entry)(service)
        for component in COMPONENTS:
            owner = name.removesuffix(f"-{component}")
            service = self._store.find(INFERENCESERVICE, namespace, owner) if owner != name else None
            if service is not None and component in service["spec"]:
                return namespace, owner, component
        return None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        route = self.component(host, request.path)
        if route is None:
            return web.Response(status=404, text=f"no InferenceService has the host {host[:256]!r}\n")
        namespace, name, component = route
        authority = f"{name}-{component}.{namespace}.svc.cluster.local"
        endpoint = self._resolve(authority, 80)
        if endpoint is None:
            return web.Response(status=503, text=f"no ready pod behind {authority}\n")
        headers = passed_on(request.headers)
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
                    status=answer.status, reason=answer.reason, headers=passed_on(answer.headers)
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


def passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers that a proxy hands on: all but those of the connection, and Host."""
    passed: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP:
            passed.add(name, value)
    return passed
