"""The HTTP face of the store: a Kubernetes API server for kubectl and the Python client, on loopback, without TLS.

Why our own and not a library's: kmock 0.8 (its KubernetesEmulator) was looked at first. It keeps objects as plain JSON
documents without uids, resourceVersion conflicts, validation, status subresources, server-side apply and field owners,
tables, finalizers or an OpenAPI, and says itself that it "only modifies the objects as simple JSON structures";
kubectl needs all of these. What it would have given, paths and watch streams, is the small part.

Safety: pods are processes on this machine, so a web page must not be able to create one. Requests need a loopback Host
and a Kubernetes content type, and no Origin; with a `token` also that token.

Not here: TLS, users, rate limits, lists in pages (`limit` is taken as a wish and not followed).
"""

import asyncio
import hashlib
import hmac
import logging
import re
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from embedded.api import discovery, errors, openapi, proxy, streams, verbs
from embedded.api.errors import ApiError
from embedded.api.kinds import Kinds
from embedded.api.requests import BODY_LIMIT, JSON, Call, media_type, parse_path
from embedded.api.store import Store
from embedded.types import Resolve

_log = logging.getLogger(__name__)
_LOOPBACK = re.compile(r"(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?")
_OPEN = frozenset({"/healthz", "/readyz", "/livez", "/version"})
_WRITERS = {"POST": verbs.create, "PUT": verbs.update, "PATCH": verbs.patch_, "DELETE": verbs.delete}


class ApiServer:
    """Serves a `Store`. `logs` gives pod logs, `resolve` leads from a Service's cluster name to an endpoint."""

    def __init__(
        self,
        store: Store,
        *,
        logs: streams.Logs = streams.no_logs,
        resolve: Resolve = lambda _host, _port: None,
        token: str | None = None,
    ) -> None:
        self.store = store
        self.url = ""
        self._logs = logs
        self._resolve = resolve
        self._token = token
        self._streams: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the URL. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._session = proxy.session()
        bound = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound}"
        return self.url

    async def stop(self) -> None:
        """End all streams and stop listening. Harmless when not started."""
        for task in list(self._streams):
            task.cancel()
        if self._session:
            await self._session.close()
        if self._runner:
            await self._runner.cleanup()

    def kubeconfig(self) -> dict[str, Any]:
        """A kubeconfig (v1 Config) whose current context is this server."""
        user = {"token": self._token} if self._token else {}
        name = "touchstone"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": self.url}}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
            "current-context": name,
        }

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_sender(request)
            return await self._answer(request)
        except ApiError as error:
            return _refused(error)
        except web.HTTPRequestEntityTooLarge:
            return _refused(errors.too_large(BODY_LIMIT))
        except RecursionError:
            return _refused(errors.bad_request("the object is nested too deeply"))
        except ConnectionError:
            raise  # the client went away
        except Exception as fault:  # noqa: BLE001 - a fault of ours: logged whole, and answered as the real API does
            _log.exception("%s %s", request.method, request.path)
            return _refused(ApiError(500, "InternalError", f"Internal error occurred: {fault!r}"))

    def _check_sender(self, request: web.Request) -> None:
        if not _LOOPBACK.fullmatch(request.headers.get("Host", "")) or "Origin" in request.headers:
            raise ApiError(403, "Forbidden", "forbidden: requests come from this machine, and not from a web page")
        if self._token and request.path not in _OPEN:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise ApiError(401, "Unauthorized", "Unauthorized")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        headers = request.headers
        call = parse_path(
            self.store.kinds, parts, request.query, headers.get("Accept", ""), headers.get("User-Agent", "")
        )
        if call is not None:
            return await self._answer_call(call, request)
        if request.method == "GET":
            return _document(self.store.kinds, request, tuple(parts))
        raise errors.no_such_path()

    async def _answer_call(self, call: Call, request: web.Request) -> web.StreamResponse:
        if call.subresource == "proxy":
            assert self._session is not None
            return await proxy.forward(self.store, self._resolve, self._session, call, request)
        if request.method == "GET" and "get" in call.resource.verbs:
            if call.subresource == "log":
                return await self._stream(streams.pod_log(self.store, self._logs, call, request))
            if call.query.get("watch") in ("true", "1"):
                return await self._stream(streams.watch(self.store, call, request))
            return _answered(verbs.get(self.store, call) if call.name else verbs.list_(self.store, call))
        body, given = await request.read(), media_type(request.headers.get("Content-Type", ""))
        if request.method == "DELETE" and call.name is None:
            return _answered(verbs.delete_collection(self.store, call, body, given))
        writer = _WRITERS.get(request.method)
        misplaced = (call.name is None) != (request.method == "POST") or (
            call.subresource and request.method == "DELETE"
        )
        review = call.resource.verbs == ("create",) and request.method != "POST"
        if writer is None or misplaced or review or call.subresource == "log":
            raise errors.method_not_allowed()
        if request.method == "POST" and call.resource.namespaced and call.namespace is None:
            raise errors.method_not_allowed()
        return _answered(writer(self.store, call, body, given))

    async def _stream(self, answer: Any) -> web.StreamResponse:
        """Run an answer that may go on for long, so that `stop` can end it."""
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            response: web.StreamResponse = await answer
        finally:
            self._streams.discard(task)
        return response


def _answered(answer: verbs.Answer) -> web.Response:
    response = _json(answer.code, answer.body)
    for warning in answer.warnings:
        text = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{text}"')
    return response


def _refused(error: ApiError) -> web.Response:
    return _json(error.code, orjson.dumps(error.status()))


def _json(code: int, body: bytes, content_type: str = JSON) -> web.Response:
    return web.Response(
        status=code, body=body, headers={"Content-Type": content_type, "Cache-Control": "no-cache, private"}
    )


def _document(kinds: Kinds, request: web.Request, parts: tuple[str, ...]) -> web.Response:
    """Health, version, discovery and OpenAPI."""
    accept = request.headers.get("Accept", "")
    match parts:
        case ("healthz" | "readyz" | "livez", *_):
            return web.Response(text="ok")
        case ("api" | "apis" as root,) if "as=APIGroupDiscoveryList" in accept:
            return _cacheable(request, orjson.dumps(discovery.aggregated(kinds, root)), discovery.AGGREGATED)
        case ("openapi", "v3"):
            return _cacheable(request, openapi.index(kinds), JSON)
        case ("openapi", "v3", "api", version) if (found := openapi.document(kinds, "", version)) is not None:
            return _cacheable(request, found, JSON)
        case ("openapi", "v3", "apis", group, version) if (
            found := openapi.document(kinds, group, version)
        ) is not None:
            return _cacheable(request, found, JSON)
        case ("openapi", "v2"):
            wanted = "protobuf" in accept
            return _cacheable(request, openapi.v2(protobuf=wanted), openapi.V2_PROTOBUF if wanted else JSON)
    found_document = discovery.answer(kinds, parts)
    if found_document is None:
        raise errors.no_such_path()
    return _json(200, orjson.dumps(found_document))


def _cacheable(request: web.Request, body: bytes, content_type: str) -> web.Response:
    tag = f'"{hashlib.sha256(body).hexdigest().upper()}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"Etag": tag})
    response = _json(200, body, content_type)
    response.headers["Etag"] = tag
    response.headers["Vary"] = "Accept"
    return response
