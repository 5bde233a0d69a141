"""Readiness probes: an HTTP GET, a TCP connection, or a command in the container.

The probe is the manifest's `readinessProbe` (httpGet, tcpSocket or exec), else the image's own, else a TCP connection
to the container's first port. Without any of these, a container is ready once it runs. `initialDelaySeconds` is
ignored: frequent probes need no guess at how long a start takes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from embedded.runtime import signals
from embedded.runtime.environment import Launch
from embedded.runtime.image_folders import Image
from embedded.runtime.process import spawn

OUTPUT_BYTES = 1024


class ProbeConfigError(Exception):
    """A probe of the manifest that cannot be carried out here."""


Question = Callable[[float], Awaitable[str | None]]
"""A function that probes once, within so many seconds; it returns None when ready, else the fault in words."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe, with its times in seconds."""

    ask: Question
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    successes: int = 1
    eager: float = 0.1
    """The pause between two probes until the first success; a real kubelet uses `period` here too."""


def probe_of(container: Mapping[str, Any], image: Image, launch: Launch, address: str) -> Probe | None:
    """Return the probe for a container that was launched at this address; None when running means ready.

    Raises:
        ProbeConfigError: The manifest's probe is not supported, or names a port that does not exist.
    """
    spec = container.get("readinessProbe")
    if spec:
        return Probe(
            _question(spec, container, launch, address),
            period=float(spec.get("periodSeconds") or 10),
            timeout=float(spec.get("timeoutSeconds") or 1),
            failures=int(spec.get("failureThreshold") or 3),
            successes=int(spec.get("successThreshold") or 1),
            eager=0.5 if "exec" in spec else 0.1,
        )
    if image.readiness is not None:
        port, path = image.readiness.port, image.readiness.path
        if path is None:
            return Probe(partial(_connect, address, port))
        return Probe(partial(_get, f"http://{address}:{port}{path}", ()))
    ports = container.get("ports") or ()
    return Probe(partial(_connect, address, ports[0]["containerPort"])) if ports else None


def _question(spec: Mapping[str, Any], container: Mapping[str, Any], launch: Launch, address: str) -> Question:
    if "httpGet" in spec:
        request = spec["httpGet"]
        headers = tuple((header["name"], header["value"]) for header in request.get("httpHeaders") or ())
        scheme, path = str(request.get("scheme") or "HTTP").lower(), str(request.get("path") or "/").lstrip("/")
        return partial(_get, f"{scheme}://{address}:{_port(request['port'], container)}/{path}", headers)
    if "tcpSocket" in spec:
        return partial(_connect, address, _port(spec["tcpSocket"]["port"], container))
    if "exec" in spec:
        return partial(_execute, [launch.mounts.replace(part) for part in spec["exec"]["command"]], launch)
    raise ProbeConfigError("readinessProbe: this platform carries out httpGet, tcpSocket and exec only")


async def _get(url: str, headers: tuple[tuple[str, str], ...], within: float) -> str | None:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within)) as session,
            # Like a kubelet, the probe does not verify certificates.
            session.get(url, headers=dict(headers), allow_redirects=False, ssl=False) as response,
        ):
            return None if 200 <= response.status < 400 else f"GET {url}: status {response.status}"
    except TimeoutError:
        return f"GET {url}: no answer within {within:g} s"
    except aiohttp.ClientError as error:
        return f"GET {url}: {error}"


async def _connect(address: str, port: int, within: float) -> str | None:
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return f"TCP {address}:{port}: no connection within {within:g} s"
    except OSError as error:
        return f"TCP {address}:{port}: {error.strerror or error}"
    writer.close()
    return None


async def _execute(command: list[str], launch: Launch, within: float) -> str | None:
    process = await spawn(launch, command)
    try:
        async with asyncio.timeout(within):
            output, _ = await process.communicate()
    except TimeoutError:
        return f"{command[0]!r} did not end within {within:g} s"
    finally:
        await signals.end(process)
    if process.returncode == 0:
        return None
    tail = output[-OUTPUT_BYTES:].decode(errors="replace").strip()
    return f"{command[0]!r} ended with status {process.returncode}: {tail}"


def _port(port: int | str, container: Mapping[str, Any]) -> int:
    if isinstance(port, int):
        return port
    for named in container.get("ports") or ():
        if named.get("name") == port:
            return int(named["containerPort"])
    raise ProbeConfigError(f"readinessProbe: the container names no port {port!r}")
