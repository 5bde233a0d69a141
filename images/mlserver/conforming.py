"""MLServer with a Kafka server that keeps what a stream promises: `python -m conforming`.

The released one reads from the end of the topic, commits nothing, answers in any order, and drops without a word what
it cannot answer. This one is the honest system that the mutants change: a consumer group, one request of a partition
after the other, an answer to each, and a commit behind the answer.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ConsumerStoppedError
from mlserver import server
from mlserver.handlers import DataPlane
from mlserver.kafka import KafkaServer
from mlserver.settings import Settings
from mlserver.types import InferenceRequest, InferenceResponse
from released import serve

MODEL, VERSION, METHOD = "mlserver-model", "mlserver-version", "mlserver-method"
INFER = "infer"

_log = logging.getLogger("mlserver.kafka")


class RefusedError(Exception):
    """A request cannot be answered with a prediction; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A record for the output topic."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)


class ConformingServer(KafkaServer):
    """A Kafka server that answers every record once, in order, and commits behind the answers."""

    def __init__(self, settings: Settings, data_plane: DataPlane) -> None:
        super().__init__(settings, data_plane)
        self._data_plane = data_plane

    def _create_server(self) -> None:
        servers, topic = self._settings.kafka_servers, self._settings.kafka_topic_input
        self._consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=servers,
            group_id=f"mlserver.{topic}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self._producer = AIOKafkaProducer(bootstrap_servers=servers)

    async def _consumer_loop(self) -> None:
        try:
            async for record in self._consumer:
                for answer in await self.answers(record):
                    await self._producer.send_and_wait(
                        self._settings.kafka_topic_output, answer.value, key=answer.key, headers=answer.headers
                    )
                await self._consumer.commit()
        except ConsumerStoppedError:
            _log.info("stopped")

    async def answers(self, record: Any) -> Sequence[Answer]:
        """Return what is written for a request: one record, a prediction or an error."""
        try:
            return [await self.predict(record)]
        except Exception as error:  # noqa: BLE001 -- whatever a request brings about, its sender is told
            return [self.refusal(record, error)]

    def refusal(self, record: Any, error: Exception) -> Answer:
        """Return the answer to a request without a prediction, as the Open Inference Protocol writes errors."""
        return Answer(record.key, orjson.dumps({"error": str(error) or type(error).__name__}))

    async def predict(self, record: Any) -> Answer:
        """Return the prediction for a request."""
        headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
        if headers.get(METHOD, INFER) != INFER:
            raise RefusedError(f"expected {METHOD}: {INFER}, got {headers[METHOD]!r}")
        request = self.read(record)
        key = _text(record.key)
        if key:
            request.id = key
        model, version = self.asked(headers)
        response = await self._data_plane.infer(request, model, version)
        return self.answer(record, response)

    def read(self, record: Any) -> InferenceRequest:
        """Return the request that a record carries."""
        value = orjson.loads(record.value) if record.value is not None else None
        if not isinstance(value, dict):
            raise RefusedError(f"expected a JSON object as the value, got {type(value).__name__}")
        return InferenceRequest(**value)

    def asked(self, headers: dict[str, str]) -> tuple[str, str | None]:
        """Return the name and the version of the model that the headers of a request ask for."""
        if not headers.get(MODEL):
            raise RefusedError(f"expected the header {MODEL}, got none")
        return headers[MODEL], headers.get(VERSION)

    def answer(self, record: Any, response: InferenceResponse) -> Answer:
        """Return a prediction as a record."""
        if response.parameters is not None:
            response.parameters.headers = None
        key = record.key if record.key is not None else (response.id or "").encode()
        return Answer(key, self.written(response.model_dump(exclude_none=True)))

    def written(self, response: dict[str, Any]) -> bytes:
        """Return a response as JSON, where the elements of a BYTES tensor are texts, as over REST.

        Raises:
            ValueError: It has a number that JSON cannot say: an infinity, or NaN.
        """
        return json.dumps(response, default=bytes.decode, allow_nan=False).encode()


def _text(key: bytes | None) -> str:
    try:
        return (key or b"").decode()
    except UnicodeDecodeError:
        return ""


def conforming(kafka_server: type[ConformingServer] = ConformingServer) -> None:
    """Serve until SIGTERM."""
    server.KafkaServer = kafka_server
    serve()


if __name__ == "__main__":
    conforming()
