"""Is a container ready? One question at a time: an HTTP GET, a TCP connection, or a command in the container.

Which question: the manifest's `readinessProbe` (httpGet, tcpSocket or exec), else the image's own, else a TCP
connection to the container's first port, else none: then a container is ready once it runs.
`initialDelaySeconds` is not waited for: who asks often needs no guess at how long a start takes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from embedded.runtime.environment import Launch
from embedded.runtime.images import Image
from embedded.runtime.init import KILL_ALL
from embedded.runtime.process import spawn

OUTPUT_BYTES = 1024


class ProbeConfigError(Exception):
    """The manifest's probe cannot be carried out here."""


Question = Callable[[float], Awaitable[str | None]]
"""Asks once, within so many seconds. None when ready, else what is wrong, in words."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask, and how often. Times in seconds."""

    ask: Question
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    successes: int = 1
    eager: float = 0.1
    """Between two questions until the first success; a real kubelet waits for `period` here too."""


def probe_of(container: Mapping[str, Any], image: Image, launch: Launch, address: str) -> Probe | None:
    """The probe for a container that was launched at this address, None when it is ready by running.

    Raises:
        ProbeConfigError: the manifest asks for one that is not supported, or for a port that nobody named.
    """
    wanted = container.get("readinessProbe")
    if wanted:
        return Probe(
            _question(wanted, container, launch, address),
            period=float(wanted.get("periodSeconds") or 10),
            timeout=float(wanted.get("timeoutSeconds") or 1),
            failures=int(wanted.get("failureThreshold") or 3),
            successes=int(wanted.get("successThreshold") or 1),
            eager=0.5 if "exec" in wanted else 0.1,
        )
    if image.readiness is not None:
        port, path = image.readiness.port, image.readiness.path
        if path is None:
            return Probe(partial(_connect, address, port))
        return Probe(partial(_get, f"http://{address}:{port}{path}", ()))
    ports = container.get("ports") or ()
    return Probe(partial(_connect, address, ports[0]["containerPort"])) if ports else None


def _question(wanted: Mapping[str, Any], container: Mapping[str, Any], launch: Launch, address: str) -> Question:
    if "httpGet" in wanted:
        asked = wanted["httpGet"]
        headers = tuple((header["name"], header["value"]) for header in asked.get("httpHeaders") or ())
        scheme, path = str(asked.get("scheme") or "HTTP").lower(), str(asked.get("path") or "/").lstrip("/")
        return partial(_get, f"{scheme}://{address}:{_port(asked['port'], container)}/{path}", headers)
    if "tcpSocket" in wanted:
        return partial(_connect, address, _port(wanted["tcpSocket"]["port"], container))
    if "exec" in wanted:
        return partial(_execute, [launch.mounts.replace(part) for part in wanted["exec"]["command"]], launch)
    raise ProbeConfigError("readinessProbe: this platform carries out httpGet, tcpSocket and exec only")


async def _get(url: str, headers: tuple[tuple[str, str], ...], within: float) -> str | None:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within)) as session,
            # As a kubelet: what is asked is whether it answers, not who it is.
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
        if process.returncode is None:
            process.send_signal(KILL_ALL)
            await process.wait()
    if process.returncode == 0:
        return None
    said = output[-OUTPUT_BYTES:].decode(errors="replace").strip()
    return f"{command[0]!r} ended with status {process.returncode}: {said}"


def _port(port: int | str, container: Mapping[str, Any]) -> int:
    if isinstance(port, int):
        return port
    for named in container.get("ports") or ():
        if named.get("name") == port:
            return int(named["containerPort"])
    raise ProbeConfigError(f"readinessProbe: the container names no port {port!r}")
