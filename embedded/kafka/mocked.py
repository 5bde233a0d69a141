"""The default Kafka: librdkafka's mock cluster in a child process (`embedded.kafka.mock`), seen from the platform."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded.kafka.kafka import Kafka, KafkaError, checked_topic, log_tail
from embedded.kafka.process import Child, project_environment

_START_SECONDS = 20.0
_ANSWER_SECONDS = 10.0
_STOP_SECONDS = 3.0

CLIENT: Mapping[str, str | int] = {
    # The mock does not wake a waiting fetch when a record comes, so this bounds the delay of a hop, and sets the cost
    # of idling: 30 idle consumers of 10 partitions cost 90 % of a core at 1 ms (hop 6 ms), 32 % at 10 ms (6 ms),
    # 17 % at 20 ms (12 ms), 12 % at 40 ms (23 ms). So all feeds of the data plane follow one consumer.
    "fetch.wait.max.ms": 20,
    "fetch.queue.backoff.ms": 0,
    # A rebalance takes about the session timeout less one second.
    "session.timeout.ms": 2000,
    "heartbeat.interval.ms": 300,
    "linger.ms": 0,
    # A client that outlives the mock would otherwise report every refused connection on stderr.
    "log_level": 0,
}


class MockKafka(Kafka):
    """A mock cluster in a child process, so that it shares no lock with the platform and its death is noticed."""

    kind = "mock"
    client = CLIENT

    def __init__(self, child: Child, greeting: Mapping[str, Any]) -> None:
        self.bootstrap = greeting["bootstrap"]
        self.version = f"librdkafka mock {greeting['version']}"
        self._child = child
        self._turn = asyncio.Lock()

    async def create_topic(self, name: str, partitions: int) -> bool:
        """Create a topic; see `Kafka`."""
        return await self._ask({"create": checked_topic(name, partitions), "partitions": partitions})

    async def delete_topic(self, name: str) -> bool:
        """Delete a topic; see `Kafka`."""
        return await self._ask({"delete": checked_topic(name)})

    async def set_away(self, topic: str, *, away: bool) -> None:
        """Take the leaders of a topic's partitions away, or give them back; see `Kafka`. No other notices."""
        await self._ask({"away" if away else "back": checked_topic(topic)})

    async def set_refusing(self, topic: str, *, refusing: bool) -> None:
        """Take the leaders of its partitions away, or give them back: no record can be read either; see `Kafka`."""
        await self.set_away(topic, away=refusing)

    async def died(self) -> str:
        """Wait for the death of the mock; see `Kafka`."""
        return await self._child.died("the mock Kafka")

    async def stop(self) -> None:
        """Stop the mock; see `Kafka`."""
        await self._child.stop(_STOP_SECONDS)

    async def _ask(self, request: Mapping[str, Any]) -> bool:
        async with self._turn:
            try:
                answer = await _exchange(self._child, request)
            except (ConnectionError, TimeoutError, ValueError) as error:
                raise KafkaError(f"the mock Kafka does not answer {request}: {error!r}") from error
        if "error" in answer:
            raise KafkaError(f"the mock Kafka refused {request}: {answer['error']}")
        return bool(answer["done"])


async def start_mock(state: Path) -> MockKafka:
    """Start a mock cluster of one broker on 127.0.0.1; its stderr goes to `state/kafka.log`.

    Raises:
        KafkaError: The installed confluent-kafka has no usable mock, or the mock did not come up.
    """
    child = await Child.start(
        [sys.executable, "-m", "embedded.kafka.mock"],
        cwd=Path(__file__).resolve().parents[2],
        log=state / "kafka.log",
        environment=project_environment(),
        answers=True,
    )
    try:
        greeting = await _exchange(child, None, _START_SECONDS)
    except (ConnectionError, TimeoutError, ValueError) as error:
        await child.stop(_STOP_SECONDS)
        raise KafkaError(f"the mock Kafka did not come up ({error!r}); its log ends:\n{log_tail(child.log)}") from error
    except BaseException:
        await child.stop(_STOP_SECONDS)
        raise
    if "error" in greeting:
        await child.stop(_STOP_SECONDS)
        raise KafkaError(f"the mock Kafka cannot start: {greeting['error']}")
    return MockKafka(child, greeting)


async def _exchange(
    child: Child, request: Mapping[str, Any] | None, timeout: float = _ANSWER_SECONDS
) -> dict[str, Any]:
    """Send one request (or none) and return the answer.

    Raises:
        ConnectionError: The child closed its end.
        TimeoutError: No answer came in time.
        ValueError: The answer is not JSON.
    """
    stdin, stdout = child.process.stdin, child.process.stdout
    if stdin is None or stdout is None:
        raise ConnectionError("no pipes to the child")
    if request is not None:
        stdin.write(json.dumps(request).encode() + b"\n")
        await stdin.drain()
    line = await asyncio.wait_for(stdout.readline(), timeout)
    if not line:
        raise ConnectionResetError("the child ended")
    answer = json.loads(line)
    return dict(answer)
