"""Is a container ready? One question at a time: an HTTP GET, or a TCP connection, to the pod's address.

Which question: the manifest's `readinessProbe` (httpGet or tcpSocket), else the image's own, else a TCP connection to
the container's first port, else none: then a container is ready once it runs.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from embedded.runtime.images import Image


class ProbeConfigError(Exception):
    """The manifest's probe cannot be carried out here."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How to ask. `path` None: a TCP connection. Times in seconds."""

    port: int
    path: str | None = None
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    headers: tuple[tuple[str, str], ...] = ()

    async def ask(self, address: str) -> str | None:
        """Ask once. None when ready, else what is wrong, in words."""
        if self.path is None:
            return await self._connect(address)
        url = f"http://{address}:{self.port}{self.path}"
        timeout = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, headers=dict(self.headers), allow_redirects=False) as response,
            ):
                return None if 200 <= response.status < 400 else f"GET {url}: status {response.status}"
        except TimeoutError:
            return f"GET {url}: no answer within {self.timeout:g} s"
        except aiohttp.ClientError as error:
            return f"GET {url}: {error}"

    async def _connect(self, address: str) -> str | None:
        try:
            async with asyncio.timeout(self.timeout):
                _, writer = await asyncio.open_connection(address, self.port)
        except TimeoutError:
            return f"TCP {address}:{self.port}: no connection within {self.timeout:g} s"
        except OSError as error:
            return f"TCP {address}:{self.port}: {error.strerror or error}"
        writer.close()
        return None


def probe_of(container: Mapping[str, Any], image: Image) -> Probe | None:
    """The probe for a container, None when it is ready by running.

    Raises:
        ProbeConfigError: the manifest asks for one that is not supported, or for a port that nobody named.
    """
    wanted = container.get("readinessProbe")
    if wanted:
        return _of_manifest(wanted, container)
    if image.readiness is not None:
        return Probe(image.readiness.port, image.readiness.path)
    ports = container.get("ports") or ()
    return Probe(ports[0]["containerPort"]) if ports else None


def _of_manifest(wanted: Mapping[str, Any], container: Mapping[str, Any]) -> Probe:
    times = {
        "period": float(wanted.get("periodSeconds") or 10),
        "timeout": float(wanted.get("timeoutSeconds") or 1),
        "failures": int(wanted.get("failureThreshold") or 3),
    }
    if "httpGet" in wanted:
        asked = wanted["httpGet"]
        headers = tuple((header["name"], header["value"]) for header in asked.get("httpHeaders") or ())
        path = "/" + str(asked.get("path") or "/").lstrip("/")
        return Probe(_port(asked["port"], container), path, headers=headers, **times)  # type: ignore[arg-type]  # `failures` is the int
    if "tcpSocket" in wanted:
        return Probe(_port(wanted["tcpSocket"]["port"], container), **times)  # type: ignore[arg-type]  # as above
    raise ProbeConfigError("readinessProbe: this platform carries out httpGet and tcpSocket only")


def _port(port: int | str, container: Mapping[str, Any]) -> int:
    if isinstance(port, int):
        return port
    for named in container.get("ports") or ():
        if named.get("name") == port:
            return int(named["containerPort"])
    raise ProbeConfigError(f"readinessProbe: the container names no port {port!r}")
