"""The base of all controllers: what it does behind a fault with one object."""

import asyncio

import pytest

from embedded.api.errors import ApiError
from embedded.api.resources import CONFIGMAP
from embedded.api.store import Store
from embedded.controllers.controller import Controller, RetryError

pytestmark = pytest.mark.anyio


class Failing(Controller):
    """A controller that fails once with each object, and then notes it."""

    resource = CONFIGMAP

    def __init__(self, store: Store, fault: Exception) -> None:
        super().__init__(store)
        self.fault = fault
        self.failed: set[str] = set()
        self.reached: asyncio.Queue[str] = asyncio.Queue()

    async def reconcile(self, namespace: str, name: str) -> None:  # noqa: ARG002 -- the base names it
        """Fail, or note the name."""
        if name not in self.failed:
            self.failed.add(name)
            raise self.fault
        self.reached.put_nowait(name)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(RetryError("Kafka does not answer"), id="that may pass"),
        pytest.param(ApiError(409, "Conflict", "the version is stale"), id="a stale version"),
        pytest.param(ApiError(422, "Invalid", "no such name may be"), id="an object that is refused"),
        pytest.param(ApiError(400, "BadRequest", "a webhook denies it"), id="a change that is denied"),
        pytest.param(ValueError("a bug"), id="a bug"),
    ],
)
async def test_an_object_with_a_fault_is_tried_again(fault: Exception) -> None:
    store = Store()
    controller = Failing(store, fault)
    running = asyncio.create_task(controller.run())
    try:
        store.create(CONFIGMAP, {"metadata": {"name": "settings", "namespace": "default"}})
        async with asyncio.timeout(10):
            assert await controller.reached.get() == "settings"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
