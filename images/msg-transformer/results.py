"""Results on a Kafka topic: the settings from the environment, the published event, and the producer.

The event is what the flow's documentation shows, byte for byte but for id and time. Four of its attribute names carry
hyphens, which CloudEvents forbids; they are kept because consumers look for them.
"""

import asyncio
import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

SOURCE = "data-and-computing/kafka-sink-transformer"
TYPE = "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer"
DEFAULT_PORT = 9092
DELIVERY_SECONDS = 10

_ENVELOPE = ("specversion", "id", "source", "type", "time", "data")
_ENVELOPE_OF_KSERVE = ("request-host", "kserve-isvc-name", "kserve-isvc-namespace")
# test-transformer-transformer.kserve-test.svc.cluster.local, and without the component's suffix
_SERVICE_HOST = re.compile(r"(?P<name>[^.]+?)(-transformer(-default)?)?\.(?P<namespace>[^.]+)\.svc(\..*)?")
_PREDICTOR_HOST = re.compile(r"(?P<name>[^.:]+?)-predictor(-default)?\.(?P<namespace>[^.:]+)")


class ConfigurationError(Exception):
    """An environment that is incomplete or invalid."""


class NotDeliveredError(Exception):
    """A result that Kafka did not acknowledge."""


@dataclass(frozen=True)
class Settings:
    """The settings in the container's environment.

    Attributes:
        bootstrap: The value of KAFKA_BOOTSTRAP_SERVERS, with ports.
        topic: The value of KAFKA_TOPIC.
        trace_key: The value of REQUEST_TRACE_KEY: the key of the caller's id, in the request and in the result.
        name: The name of the InferenceService: KSERVE_ISVC_NAME (or INFERENCE_SERVICE_NAME, which KServe's controller
            sets), or else the name in the --predictor_host that the controller appends. None when only a request's Host
            can tell; a Host is ambiguous where a service is called `x-transformer`.
        namespace: The namespace of the InferenceService: KSERVE_ISVC_NAMESPACE, or else that in --predictor_host.
    """

    bootstrap: str
    topic: str
    trace_key: str
    name: str | None = None
    namespace: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], predictor_host: str | None = None) -> "Settings":
        """Read the settings from the environment.

        Raises:
            ConfigurationError: A variable is missing, or REQUEST_TRACE_KEY names another field of the result.
        """
        names = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC", "REQUEST_TRACE_KEY")
        missing = [name for name in names if not environment.get(name, "").strip()]
        if missing:
            raise ConfigurationError(f"the environment lacks {', '.join(missing)}")
        servers, topic, trace_key = (environment[name].strip() for name in names)
        if trace_key in (*_ENVELOPE, *_ENVELOPE_OF_KSERVE, "instances"):
            raise ConfigurationError(f"REQUEST_TRACE_KEY may not be {trace_key!r}: that has a meaning of its own")
        bootstrap = ",".join(_with_port(server.strip()) for server in servers.split(","))
        predictor = _PREDICTOR_HOST.match(predictor_host or "")
        return cls(
            bootstrap,
            topic,
            trace_key,
            environment.get("KSERVE_ISVC_NAME")
            or environment.get("INFERENCE_SERVICE_NAME")
            or (predictor["name"] if predictor else None),
            environment.get("KSERVE_ISVC_NAMESPACE") or (predictor["namespace"] if predictor else None),
        )


def _with_port(server: str) -> str:
    host, colon, port = server.rpartition(":")
    if not colon:
        return f"{server}:{DEFAULT_PORT}"
    if not host or not port.isdigit():
        raise ConfigurationError(f"KAFKA_BOOTSTRAP_SERVERS: {server!r} is neither HOST nor HOST:PORT")
    return server


def result_event(settings: Settings, trace_id: str, data: Any, host: str) -> dict[str, Any]:
    """Return the event with the result `data` of the request `trace_id`; `host` is the request's Host header."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": SOURCE,
        "type": TYPE,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    hostname = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    service = _SERVICE_HOST.fullmatch(hostname)
    about = (
        hostname or None,
        settings.name or (service["name"] if service else None),
        settings.namespace or (service["namespace"] if service else None),
    )
    event.update({key: value for key, value in zip(_ENVELOPE_OF_KSERVE, about, strict=True) if value})
    event[settings.trace_key] = trace_id
    return event


class ResultTopic:
    """A publisher of events that waits for Kafka's acknowledgement without blocking the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap,
                # A retry inside the client must not double a result.
                "enable.idempotence": True,
                "message.timeout.ms": DELIVERY_SECONDS * 1000,
                "linger.ms": 0,
            }
        )
        self._closed = threading.Event()
        self._callbacks = threading.Thread(target=self._serve_callbacks, name="kafka-callbacks", daemon=True)
        self._callbacks.start()

    def _serve_callbacks(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(0.2)

    def close(self) -> None:
        """Close the producer; nothing can be published afterwards."""
        self._closed.set()
        self._callbacks.join()
        self._producer.close()

    async def publish(self, event: Mapping[str, Any], key: str) -> None:
        """Publish one event in the structured content mode, and wait for the acknowledgement.

        Raises:
            NotDeliveredError: Kafka refused, or did not acknowledge within ten seconds.
        """
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[None] = loop.create_future()

        def settle(error: KafkaError | None) -> None:
            if acknowledged.done():
                return
            if error is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(NotDeliveredError(f"the result is not on {self._topic}: {error.str()}"))

        def delivered(error: KafkaError | None, _message: Message) -> None:
            loop.call_soon_threadsafe(settle, error)

        try:
            self._producer.produce(
                self._topic,
                json.dumps(event).encode(),
                key.encode(),
                headers={"content-type": "application/cloudevents+json"},
                on_delivery=delivered,
            )
        except (BufferError, KafkaException) as error:
            raise NotDeliveredError(f"the result is not on {self._topic}: {error}") from error
        await acknowledged
