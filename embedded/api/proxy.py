"""The service proxy: `.../namespaces/<ns>/services/[<scheme>:]<name>[:<port>]/proxy/<path>` to a pod behind it.

Bodies are streamed both ways; small ones are sent whole, which takes one write instead of two. Nothing is retried.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from embedded.api.errors import bad_request, unavailable
from embedded.api.requests import Call
from embedded.api.resources import SERVICE
from embedded.api.store import Store
from embedded.types import Resolve

_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "host", "authorization"}
)
_BEFORE_PROXY = 7  # segments of the path: empty, api, v1, namespaces, <ns>, services, <name>
_SMALL = 64 * 1024


def session() -> aiohttp.ClientSession:
    """Return a client session for `forward`, with no limit on concurrent requests or on their duration."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
    )


async def forward(
    store: Store, resolve: Resolve, session: aiohttp.ClientSession, call: Call, request: web.Request
) -> web.StreamResponse:
    """Forward the request to the Service and the answer to the client.

    Raises:
        ApiError: There is no such Service (404), no such port, or no answer (503).
    """
    scheme, name, port = _target(call.name or "")
    service = store.get(SERVICE, call.namespace, name)
    number = _port(service, port)
    endpoint = resolve(f"{name}.{call.namespace}.svc.cluster.local", number)
    if endpoint is None:
        raise unavailable(f'no endpoints available for service "{call.name}"')
    tail = request.raw_path.split("/", _BEFORE_PROXY)[-1].removeprefix("proxy")
    url = URL(f"{scheme}://{endpoint.host}:{endpoint.port}{tail if tail.startswith('/') else f'/{tail}'}", encoded=True)
    headers = _passed_on(request.headers)
    headers["Host"] = endpoint.authority
    body = (await request.content.read() if _small(request) else request.content) if request.body_exists else None
    try:
        answer = await session.request(request.method, url, headers=headers, data=body, allow_redirects=False)
        whole = await answer.read() if _small(answer) else None
    except aiohttp.ClientError as error:
        raise unavailable(f"error trying to reach service: {error}") from error
    async with answer:
        headers = _passed_on(answer.headers)
        if whole is not None:
            return web.Response(status=answer.status, headers=headers, body=whole)
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        try:
            async for piece in answer.content.iter_any():
                await response.write(piece)
        except aiohttp.ClientError as error:
            raise ConnectionResetError("the upstream answer ended early, so this one is cut off") from error
        return response


def _small(message: web.Request | aiohttp.ClientResponse) -> bool:
    return message.content_length is not None and message.content_length <= _SMALL


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP)


def _target(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) == 1:
        return "http", parts[0], ""
    if len(parts) == 2:
        return "http", parts[0], parts[1]
    if len(parts) == 3 and parts[0] in ("http", "https", ""):
        return parts[0] or "http", parts[1], parts[2]
    raise bad_request(f'invalid service request "{text}"')


def _port(service: dict[str, Any], port: str) -> int:
    ports = (service.get("spec") or {}).get("ports") or []
    for entry in ports:
        if port in (entry.get("name"), str(entry.get("port"))) or (not port and len(ports) == 1):
            return int(entry["port"])
    if port.isdecimal() and not ports:  # a Service without ports of its own, e.g. an ExternalName
        return int(port)
    name = service["metadata"]["name"]
    raise unavailable(f'no service port "{port}" found for service "{name}"')
