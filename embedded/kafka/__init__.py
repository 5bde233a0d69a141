"""Kafka for the embedded platform: a mock in a child process, a real Apache Kafka from Maven, or an external one.

`await start(choice, state)` gives a `Kafka`; every failure is a `KafkaError` whose text says what helps.
"""

from pathlib import Path

from embedded.kafka.apache import start_apache
from embedded.kafka.external import connect_external
from embedded.kafka.kafka import Kafka, KafkaError
from embedded.kafka.mocked import start_mock

__all__ = ["Kafka", "KafkaError", "connect_external", "start", "start_apache", "start_mock"]


async def start(choice: str, state: Path) -> Kafka:
    """Start or reach the Kafka that the option `--kafka` names: `mock`, `apache` or `HOST:PORT[,HOST:PORT]`.

    Raises:
        KafkaError: The choice is none of these, or Kafka does not come up.
    """
    if choice == "mock":
        return await start_mock(state)
    if choice == "apache":
        return await start_apache(state)
    return await connect_external(choice)
