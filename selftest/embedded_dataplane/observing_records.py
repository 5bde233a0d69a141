"""What is delivered of records that others put into a Broker's topic."""

from collections.abc import Callable
from typing import Any

from embedded.dataplane.cloudevents import Record
from selftest.embedded_dataplane.observing import EVENT, Observe, settled, structured
from selftest.embedded_dataplane.world import Received, World

TYPE = "application/cloudevents+json"
AS_TEXT, AS_BASE64 = structured(data="1", datacontenttype="text/plain"), structured(data_base64="MQ==")


def foreign(
    value: bytes,
    kind: str = TYPE,
    look: Callable[[Received], Any] = lambda got: got.body,
    key: bytes | None = None,
    first: tuple[str, bytes | None] | None = None,
) -> Observe:
    """Observe what is delivered of a record that somebody else wrote, with a first header; None where nothing is."""

    async def observe(world: World, mutant: str | None) -> Any:
        place, sink = await world.broker(mutant, partitions=1), world.sink()
        trigger = await place.trigger(sink)
        headers: list[tuple[str, bytes | None]] = [*([first] if first else []), ("content-type", kind.encode())]
        if "cloudevents" not in kind.lower():
            headers += [(f"ce_{name}", text.encode()) for name, text in EVENT.items()]
        await world.producer.send(place.spec.topic, Record(key, headers, value))
        await settled(world, place, trigger.group, 1)
        return look(sink.received[0]) if sink.received else None

    return observe
