"""The cost of an event in the probe: to send it at its intended time, and to receive and record it.

There are two probes, so that each process's CPU time belongs to one role. The peer is an httpx client that posts the
same event to the same sink, one request after the other.
"""

import os
import time
from pathlib import Path

import httpx

from benchmarks.figures import Figure
from fixtures.probe_control.local import LocalProbe
from fixtures.processes.temporary import temporary_folder
from fixtures.targets.base import TargetInfo
from fixtures.waiting import wait_until

RATE = 1000
SECONDS = 5
PEER_REQUESTS = 1000
BODY = "x" * 1024
HEADERS = [
    ("ce-specversion", "1.0"),
    ("ce-id", "{id}"),
    ("ce-source", "/bench"),
    ("ce-type", "bench"),
    ("content-type", "application/json"),
]


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(target: TargetInfo) -> list[Figure]:
    """Measure sending and recording, in milliseconds of CPU an event."""
    with temporary_folder() as folder:
        sender = LocalProbe(folder / "sender", folder / "sender.ndjson")
        receiver = LocalProbe(folder / "receiver", folder / "receiver.ndjson")
        try:
            for probe in (sender, receiver):
                probe.start(target)
            with receiver.client() as at, sender.client() as source:
                _, url = at.sink("bench", [{"status": 202}])
                before = cpu_seconds(sender.pid), cpu_seconds(receiver.pid)
                count = RATE * SECONDS
                source.load(
                    "bench", url=url, method="POST", headers=HEADERS, body=BODY, rate=RATE, count=count, prefix="b"
                )

                def finished() -> bool:
                    return any(record["record"] == "load" and record["done"] for record in source.read("bench", 0))

                wait_until(finished, SECONDS + 30, "the load to end")
                sent, received = cpu_seconds(sender.pid) - before[0], cpu_seconds(receiver.pid) - before[1]
                peer = _peer(url)
        finally:
            sender.stop()
            receiver.stop()
    return [
        Figure(f"probe: send an event at {RATE}/s, open loop (ms CPU)", 1e3 * sent / count, "httpx, closed loop", peer),
        Figure("probe: receive and record an event (ms CPU)", 1e3 * received / count, "httpx, closed loop", peer),
    ]


def _peer(url: str) -> float:
    headers = {name: value.replace("{id}", "1") for name, value in HEADERS}
    with httpx.Client(trust_env=False) as client:
        client.post(url, content=BODY, headers=headers)
        start = time.process_time()
        for _ in range(PEER_REQUESTS):
            client.post(url, content=BODY, headers=headers)
        return 1e3 * (time.process_time() - start) / PEER_REQUESTS
