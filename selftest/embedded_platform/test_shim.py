"""Workloads that bind every address stay on their pod's: Python sockets, asyncio, uvloop, gRPC of both kinds."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.runtime.addresses import Addresses, NoAddressError
from embedded.runtime.environment import SHIM

SERVERS = {
    "socket": """
import socket
s = socket.socket(); s.bind(("0.0.0.0", 0)); s.listen()
tell(s.getsockname()[1])
""",
    "socket-ipv6": """
import socket
s = socket.socket(socket.AF_INET6); s.bind(("::", 0)); s.listen()
tell(s.getsockname()[1])
""",
    "asyncio": """
import asyncio
async def main():
    server = await asyncio.start_server(lambda r, w: None, None, 0)
    assert len(server.sockets) == 1
    tell(server.sockets[0].getsockname()[1])
asyncio.run(main())
""",
    "uvloop": """
import asyncio, uvloop
async def main():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "0.0.0.0", 0)
    tell(server.sockets[0].getsockname()[1])
uvloop.run(main())
""",
    "grpc": """
import grpc
from concurrent.futures import ThreadPoolExecutor
server = grpc.server(ThreadPoolExecutor(1)); port = server.add_insecure_port("[::]:0"); server.start()
tell(port)
""",
    "grpc-aio": """
import asyncio, grpc.aio
async def main():
    server = grpc.aio.server(); port = server.add_insecure_port("0.0.0.0:0"); await server.start()
    tell(port)
asyncio.run(main())
""",
}
TELL = """
import sys
def tell(port):
    print(port, flush=True)
    sys.stdin.read()
"""


def answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, port)) == 0


@pytest.mark.parametrize("server", SERVERS)
def test_every_address_is_the_pods(server: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SHIM), "POD_IP": "127.251.7.9", "GRPC_ENABLE_FORK_SUPPORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", TELL + SERVERS[server]], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        reached = {host: answers(host, port) for host in ("127.251.7.9", "127.0.0.1")}
        process.kill()
    assert reached == {"127.251.7.9": True, "127.0.0.1": False}


def test_address_of_their_own_choice_is_kept() -> None:
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[0])"
    environment = {**os.environ, "PYTHONPATH": str(SHIM), "POD_IP": "127.251.7.9"}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout == "127.0.0.1\n"


def test_sitecustomize_of_the_environment_runs_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('theirs')")
    environment = {**os.environ, "PYTHONPATH": f"{SHIM}:{tmp_path}", "POD_IP": "127.251.7.9"}
    said = subprocess.run(
        [sys.executable, "-c", "import sitecustomize; print(sitecustomize.__file__)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"theirs\n{SHIM / 'sitecustomize.py'}\n"


def test_platforms_claim_different_ranges() -> None:
    with Addresses() as one, Addresses() as two:
        assert one.range != two.range
        assert one.allocate("a").startswith(f"127.{one.range}.")


def test_range_is_free_again_after_its_platform() -> None:
    with Addresses() as first:
        claimed = first.range
    with Addresses() as second:
        assert second.range == claimed


def test_owner_gets_its_address_again_while_nobody_else_has_it() -> None:
    with Addresses() as addresses:
        first = addresses.allocate("web")
        other = addresses.allocate("web")
        assert other != first
        addresses.release(other)
        assert addresses.allocate("web") == other
        addresses.release(first)
        assert addresses.allocate("else") not in {first, other}


def test_no_range_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Addresses() as taken:
        monkeypatch.setattr("embedded.runtime.addresses.FIRST_RANGE", taken.range)
        monkeypatch.setattr("embedded.runtime.addresses.LAST_RANGE", taken.range)
        with pytest.raises(NoAddressError, match=r"something listens on port 61250"):
            Addresses()
