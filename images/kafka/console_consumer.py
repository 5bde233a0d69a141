"""A stand-in for `kafka-console-consumer.sh`: prints the records of a topic as the real tool does."""

import random
import signal
import sys
from collections.abc import Mapping
from types import FrameType

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message
from options import Options, refuse

KNOWN = {
    "bootstrap-server": True,
    "topic": True,
    "from-beginning": False,
    "max-messages": True,
    "timeout-ms": True,
    "group": True,
    "consumer.config": True,
    "consumer-property": True,
    "isolation-level": True,
    "property": True,
}
OTHERS = (
    "include", "partition", "offset", "formatter", "formatter-config", "skip-message-on-error", "enable-systest-events",
    "key-deserializer", "value-deserializer", "help", "version",
)  # fmt: skip
COLUMNS = {
    "print.timestamp": False,
    "print.partition": False,
    "print.offset": False,
    "print.headers": False,
    "print.key": False,
    "print.value": True,
}
TEXTS = {"key.separator": "\t", "line.separator": "\n", "headers.separator": ",", "null.literal": "null"}
PATIENT = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE}  # noqa: SLF001 -- names of confluent-kafka's interface
"""Errors that the real tool warns of, and waits for their end."""
POLL_SECONDS = 0.2


class StoppedError(Exception):
    """A signal asked for the end."""


class Formatter:
    """Kafka's DefaultMessageFormatter.

    Args:
        properties: What `--property` said.
    """

    def __init__(self, properties: Mapping[str, str]) -> None:
        for name in properties:
            if name not in COLUMNS and name not in TEXTS:
                refuse(f"{name} is no property of this stand-in, which knows {', '.join([*COLUMNS, *TEXTS])}")
        self._columns = [
            name for name, shown in COLUMNS.items() if properties.get(name, str(shown)).strip().lower() == "true"
        ]
        self._texts = {name: properties.get(name, text).encode() for name, text in TEXTS.items()}

    def line(self, message: Message) -> bytes:
        """Return what is printed for a record."""
        pieces = [self._piece(column, message) for column in self._columns]
        return self._texts["key.separator"].join(pieces) + self._texts["line.separator"]

    def _piece(self, column: str, message: Message) -> bytes:
        match column:
            case "print.timestamp":
                kind, milliseconds = message.timestamp()
                name = {1: "CreateTime", 2: "LogAppendTime"}.get(kind)
                return b"NO_TIMESTAMP" if kind == TIMESTAMP_NOT_AVAILABLE else f"{name}:{milliseconds}".encode()
            case "print.partition":
                return f"Partition:{message.partition()}".encode()
            case "print.offset":
                return f"Offset:{message.offset()}".encode()
            case "print.headers":
                headers = [name.encode() + b":" + self._bytes(value) for name, value in message.headers() or ()]
                return self._texts["headers.separator"].join(headers) or b"NO_HEADERS"
            case "print.key":
                return self._bytes(message.key())
            case _:
                return self._bytes(message.value())

    def _bytes(self, value: bytes | str | None) -> bytes:
        if value is None:
            return self._texts["null.literal"]
        return value.encode() if isinstance(value, str) else value


def configuration(options: Options) -> dict[str, str | int | bool]:
    """Return the consumer's configuration."""
    given = options.file("consumer.config") | options.properties("consumer-property")
    isolation = options.text("isolation-level", "read_uncommitted")
    if isolation not in ("read_committed", "read_uncommitted"):
        refuse(f'Invalid isolation level "{isolation}": read_committed or read_uncommitted')
    return {
        "group.id": options.text("group") or f"console-consumer-{random.randrange(100_000)}",
        "auto.offset.reset": "earliest" if "from-beginning" in options else "latest",
        "enable.auto.commit": "group" in options,
        "isolation.level": isolation,
        # The mock Kafka does not wake a waiting fetch; and a topic may be made later.
        "fetch.wait.max.ms": 50,
        "topic.metadata.refresh.interval.ms": 1000,
        "log_level": 0,
        **given,
        "bootstrap.servers": options.required("bootstrap-server"),
    }


def show(consumer: Consumer, formatter: Formatter, most: int, patience: float) -> int:
    """Print records until there are enough, or none comes in time; return how many.

    Args:
        consumer: A consumer with its subscription.
        formatter: The form of a line.
        most: The number of records; negative for no bound.
        patience: The time to wait for each record, in seconds; infinite for no bound.
    """
    shown, waited, warned = 0, 0.0, ""
    try:
        while most < 0 or shown < most:
            message = consumer.poll(min(POLL_SECONDS, patience))
            error = message.error() if message else None
            if message is not None and error is None:
                # Counted first: who sees the line may stop the tool at once, and reads the count.
                shown, waited = shown + 1, 0.0
                sys.stdout.buffer.write(formatter.line(message))
                sys.stdout.buffer.flush()
                continue
            if error is not None and error.code() not in PATIENT:
                raise KafkaException(error)
            if error is not None and error.str() != warned:
                warned = error.str()
                sys.stderr.write(f"WARN {warned}\n")
            waited += POLL_SECONDS
            if waited >= patience:
                sys.stderr.write(
                    "ERROR Error processing message, terminating consumer process: \n"
                    "org.apache.kafka.common.errors.TimeoutException\n"
                )
                break
    finally:
        sys.stderr.write(f"Processed a total of {shown} messages\n")
    return shown


def _stop(number: int, _frame: FrameType | None) -> None:
    raise StoppedError(number)


def main() -> int:
    """Consume as the command line says; return the exit status."""
    options = Options(sys.argv[1:], KNOWN, OTHERS)
    settings = configuration(options)
    if "topic" not in options:
        refuse("Exactly one of --include/--topic is required. ")
    topic, formatter = options.text("topic"), Formatter(options.properties("property"))
    most, patience = options.number("max-messages", -1), options.number("timeout-ms", -1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        consumer = Consumer(settings)
    except KafkaException as error:
        refuse(str(error.args[0]))
    try:
        consumer.subscribe([topic])
        show(consumer, formatter, most, patience / 1000 if patience >= 0 else float("inf"))
    except StoppedError as stopped:
        return 128 + int(stopped.args[0])
    except BrokenPipeError:
        return 1
    except KafkaException as error:
        sys.stderr.write(f"ERROR Error processing message, terminating consumer process: {error.args[0].str()}\n")
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
