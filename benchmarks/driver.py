"""The load driver on one core: which rate it reaches of the one that it is asked for, and how late it is.

Who answers is a process of its own on another core, and cheap: a sink of the probe costs more than to send to it. The
peer is aiohttp's client on the same loop, on the same core, to the same server: a closed loop, which may take its time.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import uvloop

from benchmarks.figures import Figure
from benchmarks.probe import BODY, HEADERS, cpu_seconds
from benchmarks.programs import ROOT
from fixtures.probe_control.client import ProbeClient
from fixtures.probe_control.local import LocalProbe
from fixtures.processes.parent import as_parent
from fixtures.processes.temporary import temporary_folder
from fixtures.targets.base import TargetInfo

RATE = 5000
SECONDS = 5
PEER_REQUESTS = 10_000
PEER_CONNECTIONS = 16
OVER_WITHIN = 60.0


def measure(target: TargetInfo) -> list[Figure]:
    """Measure the rate, the lag and the CPU time of an event."""
    cpus = sorted(os.sched_getaffinity(0))
    with _server(cpus[-1]) as url, temporary_folder() as folder:
        probe = LocalProbe(folder / "probe", folder / "history.ndjson")
        try:
            probe.start(target)
            os.sched_setaffinity(probe.pid, {cpus[0]})
            with probe.client() as client:
                before = cpu_seconds(probe.pid)
                lag = _load(client, url)
                spent = cpu_seconds(probe.pid) - before
        finally:
            probe.stop()
        peer_rate, peer_spent = _peer(url, cpus)
    peer = f"aiohttp, closed loop, {PEER_CONNECTIONS} connections"
    return [
        Figure(f"load driver on one core: events/s of {RATE}/s asked, open loop", lag["rate"], peer, peer_rate),
        Figure("load driver on one core: lag of that load, p95 (ms)", 1e3 * lag["p95"]),
        Figure("load driver on one core: lag of that load, at the worst (ms)", 1e3 * lag["worst"]),
        Figure(
            f"probe: send an event at {RATE}/s, open loop (ms CPU)", 1e3 * spent / (RATE * SECONDS), peer, peer_spent
        ),
    ]


@contextmanager
def _server(cpu: int) -> Iterator[str]:
    """Yield the URL of a server on a core of its own, where there is another one."""
    command = [sys.executable, "-m", "benchmarks.answering"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=as_parent()) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            os.sched_setaffinity(process.pid, {cpu})
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def _load(client: ProbeClient, url: str) -> dict[str, Any]:
    """Send the load; returns how late it was sent.

    Raises:
        RuntimeError: A request was not answered with 202, or the load does not end: the figures would mean nothing.
    """
    count = RATE * SECONDS
    client.load("driver", url=url, method="POST", headers=HEADERS, body=BODY, rate=RATE, count=count, prefix="d")
    after, accepted = 0, 0
    deadline = time.monotonic() + SECONDS + OVER_WITHIN
    while time.monotonic() < deadline:
        for record in client.read("driver", after, 5.0):
            after = record["seq"]
            if record["record"] == "load":
                accepted += sum(status == 202 for _, _, _, status, _ in record["samples"])
                if record["done"]:
                    if accepted != count:
                        raise RuntimeError(f"expected {count} requests answered with 202, got {accepted}")
                    return dict(record["lag"] or {})
    raise RuntimeError(f"expected a load of {SECONDS} s to end within {SECONDS + OVER_WITHIN:g} s")


def _peer(url: str, cpus: list[int]) -> tuple[float, float]:
    """Return the requests a second of the peer on one core, and the milliseconds of CPU time of each."""
    os.sched_setaffinity(0, {cpus[0]})
    try:
        began, before = time.monotonic(), time.process_time()
        uvloop.run(_requests(url))
        return (
            PEER_REQUESTS / (time.monotonic() - began),
            1e3 * (time.process_time() - before) / PEER_REQUESTS,
        )
    finally:
        os.sched_setaffinity(0, set(cpus))


async def _requests(url: str) -> None:
    headers = [(name, value.replace("{id}", "1")) for name, value in HEADERS]
    left = iter(range(PEER_REQUESTS))

    async def work(session: aiohttp.ClientSession) -> None:
        for _ in left:
            async with session.post(url, data=BODY, headers=headers) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=PEER_CONNECTIONS)) as session:
        await asyncio.gather(*(work(session) for _ in range(PEER_CONNECTIONS)))
