"""A node without a cluster around it: the store, tiny images that need no packages, and the agent that runs pods."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from embedded.api.resources import POD
from embedded.api.store import Store
from embedded.api.streams import LogQuery
from embedded.runtime.addresses import Addresses
from embedded.runtime.containers import Backoff
from embedded.runtime.images import MARKER, Images
from embedded.runtime.pods import Kubelet
from selftest.embedded_platform.doubles import Cluster

Check = Callable[[dict[str, Any]], Any]


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the platform does."""
    return "asyncio"


class Workshop:
    """Makes images out of a few lines of Python; their environments are this interpreter's."""

    def __init__(self, folder: Path) -> None:
        self.images = Images(folder / "images", folder / "cache")
        self._folder = folder / "images"

    def image(self, name: str, code: str, more: str = "") -> str:
        """Make an image that runs `code`, and return its name; `more` goes into its image.toml."""
        folder = self._folder / name
        folder.mkdir(parents=True)
        (folder / "work.py").write_text(code)
        (folder / "requirements.txt").touch()
        (folder / "image.toml").write_text(f'command = ["python", "work.py"]\n{more}\n')
        environment = self.images.environment(self.images.resolve(name))
        if not environment.exists():
            (environment / "bin").mkdir(parents=True)
            (environment / "bin" / "python").symlink_to(sys.executable)
            (environment / MARKER).touch()
        return name


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Where images are made."""
    return Workshop(tmp_path)


class Node:
    """The agent on a store of its own."""

    def __init__(self, store: Store, kubelet: Kubelet) -> None:
        self.store, self.kubelet = store, kubelet

    def run(self, image: str, name: str = "pod", **container: Any) -> None:
        """Create a pod of one container; `pod` in the arguments goes into the pod's spec."""
        more = container.pop("pod", {})
        labels = container.pop("labels", {})
        spec = {"containers": [{"name": "main", "image": image, **container}], **more}
        metadata = {"name": name, "namespace": "default", "labels": labels}
        self.store.create(POD, {"metadata": metadata, "spec": spec})

    async def until(self, check: Check, name: str = "pod", within: float = 60.0) -> dict[str, Any]:
        """Return the pod's status, once `check` of it is true."""
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within), self.store.watch([POD]) as changes:
                async for _, _, obj in changes:
                    if obj["metadata"]["name"] == name:
                        status = obj.get("status") or {}
                        if "containerStatuses" in status and check(status):
                            return status
        except TimeoutError:
            pytest.fail(f"pod {name} did not come so far; its status: {status}")
        raise AssertionError("a watch ends with its reader")

    async def gone(self, name: str = "pod", within: float = 60.0) -> None:
        """Return once the pod is gone from the store."""
        async with asyncio.timeout(within), self.store.watch([POD]) as changes:
            if self.store.find(POD, "default", name) is None:
                return
            async for change, _, obj in changes:
                if change == "DELETED" and obj["metadata"]["name"] == name:
                    return

    async def log(self, name: str = "pod", *, previous: bool = False) -> str:
        """Return what the pod's container wrote."""
        chunks = self.kubelet.logs("default", name, LogQuery("main", previous=previous))
        return b"".join([chunk async for chunk in chunks]).decode()


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    """Yield a claimed range of loopback addresses."""
    with Addresses() as claimed:
        yield claimed


@pytest.fixture
async def node(workshop: Workshop, addresses: Addresses, tmp_path: Path) -> AsyncIterator[Node]:
    """Return a running agent; its pods end with the test."""
    store = Store()
    backoff = Backoff(first=0.05, most=0.2)
    kubelet = Kubelet(store, workshop.images, addresses, state=tmp_path, progress=lambda _: None, backoff=backoff)
    running = asyncio.create_task(kubelet.run())
    yield Node(store, kubelet)
    await kubelet.stop(0.2)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """Return a cluster whose controllers run for the length of the test."""
    cluster = Cluster()
    tasks = [asyncio.create_task(controller.run()) for controller in cluster.controllers]
    yield cluster
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
