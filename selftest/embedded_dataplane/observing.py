"""The events that observations of the data plane send."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from selftest.embedded_dataplane.world import Place, World, binary, until_true

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
JSON = {"Content-Type": "application/cloudevents+json"}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = PARENT.split("-")[1]
FAST = {"backoffPolicy": "linear", "backoffDelay": "PT0.05S"}
Observe = Callable[[World, str | None], Awaitable[Any]]


async def settled(world: World, place: Place, group: str, count: int) -> None:
    """Return once the group is past so many records."""

    async def is_past() -> bool:
        return await world.committed(place.spec.topic, group) >= count

    await until_true(is_past)


def without(name: str) -> dict[str, str]:
    return binary(**{key: value for key, value in EVENT.items() if key != name})


def structured(**members: Any) -> bytes:
    return json.dumps({**EVENT, **members}).encode()


REPLY = binary(**{**EVENT, "source": "/reply", "type": "r"})
