"""HTTP requests to subscribers and dead letter sinks. Their faults are returned as an `Attempt`, never raised."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from embedded.dataplane.policies import MOST_ANSWER, Attempt
from embedded.dataplane.trust import trust
from embedded.types import Endpoint, Resolve

_MAX_FIELD = 64 * 1024
_IDLE = 2.0
"""The seconds after which an idle connection is not used again: less than any server keeps one, such as uvicorn five.

Who sends at the moment in which the server closes it gets a reset, and the request never arrives.
"""


def _by_the_system() -> ssl.SSLContext:
    return trust("")


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None
    secured: Callable[[], ssl.SSLContext]
    body_timeout: float | None = None


class Outbound:
    """The HTTP client of the data plane. It is made on a running loop."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=_IDLE),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            # Only the event decides on the content type; no other header is added.
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            max_line_size=_MAX_FIELD,
            max_field_size=_MAX_FIELD,
        )

    async def post(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,
        secured: Callable[[], ssl.SSLContext] = _by_the_system,
        *,
        body_timeout: float | None = None,
    ) -> Attempt:
        """Send one POST without following redirects.

        Args:
            url: The URL.
            headers: The header fields.
            body: The body.
            timeout: The seconds that all of it takes at most.
            secured: The function that makes the TLS context, where the URL asks for one; it may raise an OSError.
            body_timeout: The seconds from the head of the answer that its body may take; None: those that are left.
        """
        return await self._request(_Request("POST", url, headers, body, secured, body_timeout), timeout)

    async def get(self, url: str, headers: Sequence[tuple[str, str]], timeout: float) -> Attempt:
        """Send one GET, as `post` does."""
        return await self._request(_Request("GET", url, headers, None, _by_the_system), timeout)

    async def _request(self, request: _Request, timeout: float) -> Attempt:
        try:
            async with asyncio.timeout(timeout) as clock:
                return await self._exchange(request, clock)
        except TimeoutError:
            return Attempt(None, error=f"no answer within {timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: a URL or header value that HTTP cannot carry.
            return Attempt(None, error=f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _exchange(self, request: _Request, clock: asyncio.Timeout) -> Attempt:
        # `encoded`: the path of a subscriber is sent unchanged.
        target, fields = URL(request.url, encoded=True), list(request.headers)
        asked: dict[str, Any] = {"data": request.body, "headers": fields}
        if target.scheme == "https":
            # The certificate is one for the name that is asked for, wherever that leads.
            asked |= {"ssl": request.secured(), "server_hostname": target.host}
        if (endpoint := self._endpoint(target)) is not None:
            if all(name.lower() != "host" for name, _ in fields):
                fields.append(("Host", endpoint.authority))
            target = target.with_host(endpoint.host).with_port(endpoint.port)
        async with self._session.request(request.method, target, allow_redirects=False, **asked) as answer:
            if request.body_timeout is not None:
                clock.reschedule(asyncio.get_running_loop().time() + request.body_timeout)
            chunks: list[bytes] = []
            try:
                await _read(answer.content, chunks)
            except (aiohttp.ClientError, OSError) as error:
                why = f"the answer broke off: {type(error).__name__}: {error}"
                return Attempt(answer.status, answer.raw_headers, b"".join(chunks), why, is_whole=False)
            content = b"".join(chunks)
            fault = f"the answer is larger than {MOST_ANSWER} bytes" if len(content) > MOST_ANSWER else ""
            return Attempt(answer.status, answer.raw_headers, content[:MOST_ANSWER], fault)

    def _endpoint(self, target: URL) -> Endpoint | None:
        host = target.host
        if host is None:
            raise ValueError(f"{target} has no host")
        endpoint = self._resolve(host, target.port or 80)
        if endpoint is None and (".svc" in host or "." not in host.strip("[]").replace(":", ".")):
            if host == "localhost":
                return None
            raise OSError(f"no such host: {host}")
        return endpoint


async def _read(content: aiohttp.StreamReader, chunks: list[bytes]) -> None:
    """Read chunks to the end, or until slightly more than the limit."""
    size = 0
    while size <= MOST_ANSWER and (chunk := await content.readany()):
        chunks.append(chunk)
        size += len(chunk)
