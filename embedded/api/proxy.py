"""The service proxy: `.../namespaces/<ns>/services/[<scheme>:]<name>[:<port>]/proxy/<path>` to what is behind it."""

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

_HOP = (
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"),
    *("upgrade", "host", "content-length", "authorization"),
)


async def forward(
    store: Store, resolve: Resolve, session: aiohttp.ClientSession, call: Call, request: web.Request
) -> web.StreamResponse:
    """Send the request on and stream the answer back. Raises `ApiError`: 404 no such Service or port, 503 no answer."""
    scheme, name, port = _target(call.name or "")
    service = store.get(SERVICE, call.namespace, name)
    number = _port(service, port)
    endpoint = resolve(f"{name}.{call.namespace}.svc.cluster.local", number)
    if endpoint is None:
        raise unavailable(f'no endpoints available for service "{call.name}"')
    _, _, tail = request.raw_path.partition("/proxy")
    url = URL(f"{scheme}://{endpoint.host}:{endpoint.port}{tail or '/'}", encoded=True)
    headers = CIMultiDict((k, v) for k, v in request.headers.items() if k.lower() not in _HOP)
    headers["Host"] = endpoint.authority
    body = await request.read()
    try:
        async with session.request(
            request.method,
            url,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=["User-Agent"],
        ) as answer:
            kept = CIMultiDict((k, v) for k, v in answer.headers.items() if k.lower() not in _HOP)
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            return response
    except aiohttp.ClientConnectionError as error:
        raise unavailable(f"error trying to reach service: {error}") from error


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
