"""The embedded API server on a loop of its own, so that tests may use blocking clients and the real kubectl."""

import asyncio
import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from embedded.api.certificate import Certificate
from embedded.api.errors import bad_request
from embedded.api.remotecommand import no_execution
from embedded.api.rights import Rights
from embedded.api.server import ApiServer
from embedded.api.store import Store
from embedded.api.streams import LogQuery

if TYPE_CHECKING:
    from embedded.types import Endpoint

T = TypeVar("T")
Kubectl = Callable[..., str]


class Api:
    """A running server. `do` calls a function on the server's loop, where the store lives.

    Args:
        rights: The rights of the server's second token, if it is to have one.
        patience: The server's `handshake`, `idle` and `pause` times, where the test needs others.
    """

    def __init__(self, *, rights: Rights | None = None, **patience: float) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="embedded-api", daemon=True)
        self._thread.start()
        self.store = Store()
        self.endpoints: dict[tuple[str, int], Endpoint] = {}
        certificate = Certificate()
        self.trust = ssl.create_default_context(cadata=certificate.authority.decode())
        self.server = ApiServer(
            self.store,
            certificate,
            logs=_logs,
            execute=no_execution,
            resolve=lambda host, port: self.endpoints.get((host, port)),
            rights=rights,
            **patience,
        )
        self.url = asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(10)
        self.client = self.connect()

    def connect(self, *, known: bool = True, **options: Any) -> httpx.Client:
        """Return a new client, which trusts the server and (if `known`) has its token."""
        headers = {"Authorization": f"Bearer {self.server.token}"} if known else {}
        return httpx.Client(base_url=self.url, verify=self.trust, headers=headers, **{"timeout": 10, **options})

    def do(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call `function` on the loop and return what it returns."""

        async def run() -> T:
            return function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def request(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> httpx.Response:
        """One request with a JSON body (if any) of this content type."""
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.request(method, path, content=content, headers={"Content-Type": kind})

    def stop(self) -> None:
        """Stop the server and its loop."""
        self.client.close()
        asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


async def _logs(namespace: str, pod: str, asked: LogQuery) -> AsyncIterator[bytes]:
    if asked.previous:
        raise bad_request(f'previous terminated container "{asked.container}" in pod "{pod}" not found')
    lines = [f"{namespace}/{pod}/{asked.container} line {n}\n".encode() for n in range(3)]
    for line in lines[-asked.tail :] if asked.tail else lines:
        yield line
    if asked.follow:
        yield b"followed\n"


@pytest.fixture
def api() -> Iterator[Api]:
    """Yield a fresh server with the namespaces that every cluster has."""
    running = Api()
    yield running
    running.stop()


@pytest.fixture
def place(api: Api) -> str:
    """Return a namespace of the test's own."""
    assert api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "place"}}).status_code == 201
    return "place"


@pytest.fixture
def kubeconfig(api: Api, tmp_path: Path) -> Path:
    """Return a kubeconfig file that leads to the server."""
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(api.server.kubeconfig()))
    return path


@pytest.fixture
def environment(kubeconfig: Path, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig)}


@pytest.fixture
def kubectl(environment: dict[str, str], place: str) -> Kubectl:
    """Run kubectl in the test's namespace; return its output (with the errors, if `fails`), ages aside."""

    def run(*arguments: str, stdin: str = "", fails: bool = False) -> str:
        command = ["kubectl", "--namespace", place, *arguments]
        done = subprocess.run(
            command, input=stdin, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode != 0) is fails, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return ages(done.stdout + (done.stderr if fails else ""))

    return run


def ages(text: str) -> str:
    """Ages and the room they take, and blanks at the ends of lines, aside."""
    text = re.sub(r"(?<= )\d+(s|m|m\d+s)(?= |$)", "<age>", text, flags=re.MULTILINE)
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.splitlines())
