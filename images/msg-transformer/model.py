"""The transformer of the async-mnist pipeline on KServe's SDK: `python -m model --model_name mnist`.

A request carries pictures, and under the key that REQUEST_TRACE_KEY names the caller's id. The pictures go to the
predictor as pixels; its answer goes back to the caller, and, when there is an id, onto KAFKA_TOPIC first: the answer
says 200 only once Kafka has it. A request without an id is answered and published nowhere.

This is the SDK as it was released, CloudEvents handling included; `conforming` puts a gate in front of it.
"""

import argparse
import os
import sys
from contextvars import ContextVar
from typing import Any, ClassVar

from cause import beginning, cause
from features import NotAnImageError, features
from kserve import Model, ModelServer, model_server
from kserve.errors import InvalidInput
from results import ConfigurationError, ResultBroker, ResultTopic, Settings, result_event, why_unfit
from typing_extensions import override

EXIT = "exit"
"""What the predictor of a test may order, where OBEY_ORDERS allows it."""
# One request is one task: what preprocess() keeps here, only the same request's postprocess() sees. The model object
# is shared by all requests, so an attribute of it would be overwritten by the next one.
_trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


class Transformer(Model):
    """A transformer from pictures to digits, which also publishes its results to a topic.

    Attributes:
        topic_class: The class of the topic, where results go to one.
    """

    topic_class: ClassVar[type[ResultTopic]] = ResultTopic

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name)
        self.settings = settings
        self.topic: ResultTopic | ResultBroker = ResultBroker(settings) if settings.sink else self.topic_class(settings)
        self.ready = True

    @override
    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the predictor's request, and remember the caller's id for this request.

        Raises:
            InvalidInput: The request is not in the form of this pipeline's callers (HTTP 400).
        """
        if not isinstance(payload, dict):
            raise InvalidInput("expected a JSON object (content-type application/json)")
        instances = payload.get("instances")
        if not isinstance(instances, list):
            raise InvalidInput('expected "instances", a list')
        self.remember(self.trace_id(payload))
        try:
            return {"instances": [self.features(instance) for instance in instances]}
        except NotAnImageError as error:
            raise InvalidInput(str(error)) from error

    @override
    async def postprocess(
        self, result: Any, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> Any:
        """Publish the result when its request has an id, and return it.

        Raises:
            NotDeliveredError: Kafka does not have the result (HTTP 500); the broker will deliver the event again.
        """
        trace_id = self.remembered()
        if self.settings.orders and isinstance(result, dict) and result.get("order") == EXIT:
            os._exit(1)  # between the prediction and its publication, as a kill would
        if trace_id is not None:
            event = self.result(trace_id, result, (headers or {}).get("host", ""))
            await self.publish(event, trace_id)
        return result

    # Each mutant changes one of the following methods.

    def trace_id(self, payload: dict[str, Any]) -> str | None:
        """Return the caller's id in a request; None: it has none, and wants no result.

        Raises:
            InvalidInput: It has one that no result could carry (HTTP 400).
        """
        given: str | None = payload.get(self.settings.trace_key)
        if reason := why_unfit(self.settings, given):
            raise InvalidInput(f'"{self.settings.trace_key}" {reason}')
        return given

    def remember(self, trace_id: str | None) -> None:
        """Keep the caller's id for the length of this request."""
        _trace_id.set(trace_id)

    def remembered(self) -> str | None:
        """Return the id that this request came with."""
        return _trace_id.get()

    def features(self, instance: Any) -> list[float]:
        """Return the pixels of one picture."""
        return features(instance)

    def result(self, trace_id: str, data: Any, host: str) -> dict[str, Any]:
        """Return the event with a result."""
        return result_event(self.settings, trace_id, data, host, cause(), beginning=beginning())

    async def publish(self, event: dict[str, Any], trace_id: str) -> None:
        """Put one result onto the topic."""
        await self.topic.publish(event, trace_id)


def serve(transformer: type[Transformer] = Transformer) -> None:
    """Serve until SIGTERM, configured by the environment and by the arguments that KServe's controller appends."""
    arguments, _ = argparse.ArgumentParser(parents=[model_server.parser]).parse_known_args()
    try:
        settings = Settings.read(os.environ, arguments.predictor_host)
    except ConfigurationError as error:
        sys.exit(f"msg-transformer: {error}")
    model = transformer(arguments.model_name, settings)
    ModelServer().start([model])
    # Closed last: on SIGTERM the server first finishes the requests that it has.
    model.topic.close()


if __name__ == "__main__":
    serve()
