"""The HTTP server of the store: a Kubernetes API server for kubectl and the Python client, on loopback.

A library does not suffice: kmock 0.8 (its KubernetesEmulator) keeps objects as plain JSON documents without uids,
resourceVersion conflicts, validation, status subresources, server-side apply, field owners, tables, finalizers or an
OpenAPI, and says itself that it "only modifies the objects as simple JSON structures". kubectl needs all of these;
paths and watch streams, which kmock has, are the small part.

Safety: pods are processes of the user who started the platform, so no other user and no web page may create one. The
server uses HTTPS with its own certificate and a bearer token, both made at start; it requires a loopback Host, no
Origin, and a Kubernetes content type. Every path asks for the token, /healthz too, as a real API server with
`--anonymous-auth=false` does.

Not supported: users but one with limited rights, rate limits, and lists in pages (`limit` is accepted and ignored).
"""

import asyncio
import base64
import hashlib
import logging
import secrets
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from embedded.api import discovery, errors, openapi, proxy, remotecommand, streams, verbs
from embedded.api.access import Access
from embedded.api.certificate import Certificate
from embedded.api.errors import ApiError
from embedded.api.kinds import Kinds
from embedded.api.requests import BODY_LIMIT, JSON, Call, media_type, parse_path
from embedded.api.resources import ACCESSREVIEW
from embedded.api.rights import Rights
from embedded.api.store import Store
from embedded.types import Resolve

_log = logging.getLogger(__name__)
_MAX_FIELD = 64 * 1024
"""The most bytes of a header field; a request with a longer one is answered 400."""
_MAX_LINE = 256 * 1024
"""The most bytes of a request's first line: the command of an exec is a part of it."""
MOST_WARNED = 4 * 1024
"""The most bytes of warnings in an answer, as in the real API: clients limit the size of headers."""
MOST_OF_A_WARNING = 256
_WRITERS = {"POST": verbs.create, "PUT": verbs.update, "PATCH": verbs.patch_, "DELETE": verbs.delete}


class ApiServer:
    """A server of one `Store`.

    Args:
        store: The objects.
        certificate: The certificate of the server.
        logs: The source of pod logs.
        execute: The function that starts a command in a container.
        resolve: The function from a Service's cluster name to an endpoint.
        handshake: The time that a client has for the TLS handshake, in seconds.
        idle: The time that a connection may be without a request, in seconds; the default is the real API server's.
        pause: The time before each answer, in seconds.
        rights: The rights of a second token; None: there is only the one that may do everything.

    Attributes:
        token: The bearer token of who may do everything.
        limited_token: The bearer token of who has the rights that were given; None: none were.
        url: The base URL, once it listens.
    """

    def __init__(
        self,
        store: Store,
        certificate: Certificate,
        *,
        logs: streams.Logs = streams.no_logs,
        execute: remotecommand.Execute = remotecommand.no_execution,
        resolve: Resolve = lambda _host, _port: None,
        handshake: float = 10.0,
        idle: float = 90.0,
        pause: float = 0.0,
        rights: Rights | None = None,
    ) -> None:
        self.store = store
        self.token = secrets.token_urlsafe(32)
        self.url = ""
        self._certificate = certificate
        self.limited_token = secrets.token_urlsafe(32) if rights is not None else None
        self._rights = rights
        self._access = Access(self.token, self.limited_token)
        self._logs = logs
        self._commands = remotecommand.RemoteCommands(store, execute)
        self._resolve = resolve
        self._handshake, self._idle, self._pause = handshake, idle, pause
        self._streams: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the URL.

        Raises:
            OSError: The port is taken.
        """
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app,
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=2.0,
            keepalive_timeout=self._idle,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_FIELD,
        )
        await self._runner.setup()
        assert self._runner.server is not None
        # aiohttp's TCPSite would give a silent client a minute for its handshake.
        self._server = await asyncio.get_running_loop().create_server(
            self._runner.server,
            host,
            port,
            ssl=self._certificate.context(),
            ssl_handshake_timeout=self._handshake,
            ssl_shutdown_timeout=1.0,
        )
        self._session = proxy.session()
        self.url = f"https://{host}:{self._server.sockets[0].getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        """End all streams and stop listening; do nothing when not started."""
        for task in list(self._streams):
            task.cancel()
        if self._session:
            await self._session.close()
        if self._server:
            self._server.close()
        if self._runner:
            open_ = [handler.transport for handler in self._runner.server.connections] if self._runner.server else []
            await self._runner.cleanup()
            # TLS waits for the client's close notification, which an idle client does not send.
            for transport in filter(None, open_):
                transport.abort()

    def kubeconfig(self, token: str | None = None) -> dict[str, Any]:
        """Return a kubeconfig (v1 Config) whose current context is this server.

        Args:
            token: The token that it holds; None: that of who may do everything.
        """
        name = "touchstone"
        authority = base64.b64encode(self._certificate.authority).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token or self.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
            "current-context": name,
        }

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            rights = None if self._access.check(request.headers) else self._rights
            if self._pause:
                await asyncio.sleep(self._pause)
            return await self._answer(request, rights)
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

    async def _answer(self, request: web.Request, rights: Rights | None) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        headers = request.headers
        call = parse_path(
            self.store.kinds, parts, request.query, headers.get("Accept", ""), headers.get("User-Agent", "")
        )
        if call is not None:
            if rights is not None:
                exists = call.name is None or self.store.find(call.resource, call.namespace, call.name) is not None
                rights.check(call, request.method, media_type(request.headers.get("Content-Type", "")), exists=exists)
            return await self._answer_call(call, request, rights)
        if request.method == "GET":
            return _document(self.store.kinds, request, tuple(parts))
        raise errors.no_such_path()

    async def _answer_call(self, call: Call, request: web.Request, rights: Rights | None) -> web.StreamResponse:
        if call.subresource == "proxy":
            assert self._session is not None
            return await proxy.forward(self.store, self._resolve, self._session, call, request)
        if call.subresource == "exec":
            if request.method not in ("GET", "POST"):
                raise errors.method_not_allowed()
            return await self._stream(self._commands.serve(call, request))
        if request.method == "GET" and "get" in call.resource.verbs:
            if call.subresource == "log":
                return await self._stream(streams.pod_log(self.store, self._logs, call, request))
            if call.query.get("watch") in ("true", "1"):
                return await self._stream(streams.watch(self.store, call, request))
            return _answered(verbs.get(self.store, call) if call.name else verbs.list_(self.store, call))
        body, content_type = await request.read(), media_type(request.headers.get("Content-Type", ""))
        if request.method == "DELETE" and call.name is None:
            return _answered(verbs.delete_collection(self.store, call, body, content_type))
        writer = _WRITERS.get(request.method)
        misplaced = (call.name is None) != (request.method == "POST") or (
            call.subresource and request.method == "DELETE"
        )
        review = call.resource.verbs == ("create",) and request.method != "POST"
        if writer is None or misplaced or review or call.subresource == "log":
            raise errors.method_not_allowed()
        if request.method == "POST" and call.resource.namespaced and call.namespace is None:
            raise errors.method_not_allowed()
        if rights is not None and call.resource is ACCESSREVIEW:
            return _answered(verbs.review(call, body, content_type, rights))
        return _answered(writer(self.store, call, body, content_type))

    async def _stream(self, answer: Any) -> web.StreamResponse:
        """Run a long answer, so that `stop` can end it."""
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            response: web.StreamResponse = await answer
        finally:
            self._streams.discard(task)
        return response


def _answered(answer: verbs.ApiAnswer) -> web.Response:
    response = _json(answer.code, answer.body)
    left = MOST_WARNED
    for warning in answer.warnings:
        text = warning[:MOST_OF_A_WARNING].replace("\\", "\\\\").replace('"', '\\"')
        text = "".join(letter if letter.isprintable() else " " for letter in text)
        left -= len(text.encode())
        if left < 0:
            break
        response.headers.add("Warning", f'299 - "{text}"')
    return response


def _refused(error: ApiError) -> web.Response:
    return _json(error.code, orjson.dumps(error.status()))


def _json(code: int, body: bytes, content_type: str = JSON) -> web.Response:
    return web.Response(
        status=code, body=body, headers={"Content-Type": content_type, "Cache-Control": "no-cache, private"}
    )


def _document(kinds: Kinds, request: web.Request, parts: tuple[str, ...]) -> web.Response:
    """Return the health, version, discovery or OpenAPI document at a path."""
    accept = request.headers.get("Accept", "")
    match parts:
        case ("healthz" | "readyz" | "livez", *_):
            return web.Response(text="ok")
        case ("api" | "apis" as root,) if "as=APIGroupDiscoveryList" in accept:
            return _cacheable(request, orjson.dumps(discovery.aggregated(kinds, root)), discovery.AGGREGATED)
        case ("openapi", "v3"):
            return _cacheable(request, openapi.index(kinds), JSON)
        case ("openapi", "v3", "api", version) if (document := openapi.document(kinds, "", version)) is not None:
            return _cacheable(request, document, JSON)
        case ("openapi", "v3", "apis", group, version) if (
            document := openapi.document(kinds, group, version)
        ) is not None:
            return _cacheable(request, document, JSON)
        case ("openapi", "v2"):
            as_protobuf = "protobuf" in accept
            return _cacheable(request, openapi.v2(protobuf=as_protobuf), openapi.V2_PROTOBUF if as_protobuf else JSON)
    listing = discovery.answer(kinds, parts)
    if listing is None:
        raise errors.no_such_path()
    return _json(200, orjson.dumps(listing))


def _cacheable(request: web.Request, body: bytes, content_type: str) -> web.Response:
    tag = f'"{hashlib.sha256(body).hexdigest().upper()}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"Etag": tag})
    response = _json(200, body, content_type)
    response.headers["Etag"] = tag
    response.headers["Vary"] = "Accept"
    return response
