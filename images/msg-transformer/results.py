"""Results on a Kafka topic: the settings from the environment, the published event, and the producer.

By default the event is what the flow's documentation shows, byte for byte but for id and time. Four of its attribute
names carry hyphens, which CloudEvents forbids; they are kept because consumers look for them. RESULT_FORMAT=cloudevents
asks for a valid CloudEvent instead, whose id follows from the event that it answers: a repeated result has the same id.
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

import httpx
import tracing
from confluent_kafka import KafkaError, KafkaException, Message, Producer

STRUCTURED = "application/cloudevents+json"
SOURCE = "data-and-computing/kafka-sink-transformer"
TYPE = "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer"
DEFAULT_PORT = 9092
DELIVERY_SECONDS = 10

DOCUMENTED, CLOUDEVENTS = "documented", "cloudevents"
RESULT_IDS = uuid.UUID("6a1f3f5e-54a5-4c0c-9b0d-6f2f5f1d9a10")

_ENVELOPE = ("specversion", "id", "source", "type", "time", "datacontenttype", "data")
_ENVELOPE_OF_KSERVE = ("request-host", "kserve-isvc-name", "kserve-isvc-namespace")
_ATTRIBUTE = re.compile(r"[a-z0-9]+")
# What no attribute may have (CloudEvents 1.0.2, section 3.2, String): control characters, and what is no character.
_NO_CHARACTER = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
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
        form: The form of the results, RESULT_FORMAT: `documented` or `cloudevents`.
        sink: The URL that results are posted to instead of Kafka: the Broker RESULT_BROKER of the service's own
            namespace, below BROKER_INGRESS. None: they go to Kafka.
        orders: Whether OBEY_ORDERS is `true`: the predictor may then ask the process to end, as tests want it to.
    """

    bootstrap: str
    topic: str
    trace_key: str
    name: str | None = None
    namespace: str | None = None
    form: str = DOCUMENTED
    sink: str | None = None
    orders: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str], predictor_host: str | None = None) -> "Settings":
        """Read the settings from the environment.

        Raises:
            ConfigurationError: A variable is missing, or REQUEST_TRACE_KEY names another field of the result.
        """
        broker = environment.get("RESULT_BROKER", "").strip()
        names = ("BROKER_INGRESS",) if broker else ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC")
        missing = [name for name in (*names, "REQUEST_TRACE_KEY") if not environment.get(name, "").strip()]
        if missing:
            raise ConfigurationError(f"the environment lacks {', '.join(missing)}")
        trace_key = environment["REQUEST_TRACE_KEY"].strip()
        form = environment.get("RESULT_FORMAT", "").strip() or DOCUMENTED
        _check(trace_key, form)
        predictor = _PREDICTOR_HOST.match(predictor_host or "")
        namespace = environment.get("KSERVE_ISVC_NAMESPACE") or (predictor["namespace"] if predictor else None)
        if broker and namespace is None:
            raise ConfigurationError("RESULT_BROKER: the environment lacks KSERVE_ISVC_NAMESPACE, where that Broker is")
        servers = environment.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
        return cls(
            "" if broker else ",".join(_with_port(server.strip()) for server in servers.split(",")),
            environment.get("KAFKA_TOPIC", "").strip(),
            trace_key,
            environment.get("KSERVE_ISVC_NAME")
            or environment.get("INFERENCE_SERVICE_NAME")
            or (predictor["name"] if predictor else None),
            namespace,
            form,
            f"{environment['BROKER_INGRESS'].strip().rstrip('/')}/{namespace}/{broker}" if broker else None,
            environment.get("OBEY_ORDERS", "") == "true",
        )


def _check(trace_key: str, form: str) -> None:
    if form not in (DOCUMENTED, CLOUDEVENTS):
        raise ConfigurationError(f"RESULT_FORMAT: expected {DOCUMENTED} or {CLOUDEVENTS}, got {form!r}")
    own = (*_ENVELOPE, *_ENVELOPE_OF_KSERVE, *map(_plain, _ENVELOPE_OF_KSERVE), "instances")
    if trace_key in own:
        raise ConfigurationError(f"REQUEST_TRACE_KEY may not be {trace_key!r}: that has a meaning of its own")
    if form == CLOUDEVENTS and not _ATTRIBUTE.fullmatch(trace_key):
        raise ConfigurationError(f"REQUEST_TRACE_KEY: expected an attribute name of a-z and 0-9, got {trace_key!r}")


def _with_port(server: str) -> str:
    host, colon, port = server.rpartition(":")
    if not colon:
        return f"{server}:{DEFAULT_PORT}"
    if not host or not port.isdigit():
        raise ConfigurationError(f"KAFKA_BOOTSTRAP_SERVERS: {server!r} is neither HOST nor HOST:PORT")
    return server


def why_unfit(settings: Settings, trace_id: Any) -> str | None:
    """Return why a value cannot be the trace id of a result; None: it can, or there is none."""
    if trace_id is None:
        return None
    if not isinstance(trace_id, str) or not trace_id:
        return "is a string that is not empty, or absent"
    try:
        trace_id.encode()
    except UnicodeEncodeError:
        return "has half of a surrogate pair, which is no character"
    if settings.form == CLOUDEVENTS and _NO_CHARACTER.search(trace_id):
        return "has a control character, or what is no character: no attribute of an event may have them"
    return None


def result_event(
    settings: Settings,
    trace_id: str,
    data: Any,
    host: str,
    cause: tuple[str, str] | None = None,
    *,
    beginning: str | None = None,
) -> dict[str, Any]:
    """Return the event with a result.

    Args:
        settings: The settings of this transformer.
        trace_id: The caller's id.
        data: The result.
        host: The Host header of the request.
        cause: The source and the id of the event that asked; None: a plain request did.
        beginning: The attribute `traceparent` of that event; a valid result has it as it stands.
    """
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": SOURCE,
        "type": TYPE,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    event |= _maker(settings, host)
    event[settings.trace_key] = trace_id
    if settings.form != CLOUDEVENTS:
        return event
    valid = _valid(settings, event, cause)
    return valid if beginning is None else {"traceparent": beginning, **valid}


def _maker(settings: Settings, host: str) -> dict[str, str]:
    """Return who made a result, by the documented names, as far as it is known."""
    hostname = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    service = _SERVICE_HOST.fullmatch(hostname)
    about = (
        hostname or None,
        settings.name or (service["name"] if service else None),
        settings.namespace or (service["namespace"] if service else None),
    )
    return {key: value for key, value in zip(_ENVELOPE_OF_KSERVE, about, strict=True) if value}


def _valid(settings: Settings, event: dict[str, Any], cause: tuple[str, str] | None) -> dict[str, Any]:
    """Return a documented event as a valid CloudEvent, with a source of its own and an id that repeats."""
    data = event.pop("data")
    valid = {_plain(name): value for name, value in event.items()}
    # Two services that answer one event must not make two events of one source and id.
    valid["source"] = f"/{settings.namespace or 'unknown'}/{settings.name or 'unknown'}"
    if cause is not None:
        valid["id"] = str(uuid.uuid5(RESULT_IDS, "\n".join(cause)))
    return {**valid, "datacontenttype": "application/json", "data": data}


def _plain(name: str) -> str:
    return name.replace("-", "")


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

    async def publish(self, event: Mapping[str, Any], key: str | None) -> None:
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
                written(event),
                None if key is None else key.encode(),
                headers=self.headers(),
                on_delivery=delivered,
            )
        except (BufferError, KafkaException) as error:
            raise NotDeliveredError(f"the result is not on {self._topic}: {error}") from error
        await acknowledged

    def headers(self) -> dict[str, str]:
        """Return the headers of a record: the mode of its event, and the trace of the current request."""
        return {"content-type": STRUCTURED, **tracing.onward()}


class ResultBroker:
    """A publisher of events to a Knative Broker, which has one when it has answered 2xx."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.sink or ""
        self._client = httpx.AsyncClient(timeout=DELIVERY_SECONDS)

    async def publish(self, event: Mapping[str, Any], key: str | None) -> None:
        """Post one event in the structured content mode.

        Raises:
            NotDeliveredError: The Broker refused, or is not reached.
        """
        del key  # the Broker chooses the record's key
        try:
            headers = {"content-type": STRUCTURED, **tracing.onward()}
            answer = await self._client.post(self._url, content=written(event), headers=headers)
        except httpx.HTTPError as error:
            raise NotDeliveredError(f"the result is not with the Broker: {error!r}") from error
        if not answer.is_success:
            raise NotDeliveredError(f"the result is not with the Broker, which answers {answer.status_code}")

    def close(self) -> None:
        """Close; the connections end with the process."""


def written(event: Mapping[str, Any]) -> bytes:
    """Return an event in the JSON event format.

    Raises:
        NotDeliveredError: It holds a number that JSON cannot say.
    """
    try:
        return json.dumps(event, allow_nan=False).encode()
    except ValueError as error:
        raise NotDeliveredError(f"the result is no JSON: {error}") from error
