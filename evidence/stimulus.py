"""The stimulus of one test case, as a document that stands by itself: what was applied, sent and claimed, in order.

`python -m reports replay` takes one out of a history, the plug-in plays it again (`pytest --replay FILE`): both know
this form and not each other. It is data and no code, since a file that lies in an issue may come from anybody. The
recorded names of namespaces, sinks, topics and requests stand in it as they were; who plays it puts those of its own
run in their place. Bodies and headers of requests are never touched.

A file is the JSON alone, or Markdown with the JSON in a block that begins with ```json touchstone-replay.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NotRequired, TypeAlias, TypedDict, cast

from common.jsontext import parse as parse_json
from common.jsontext import too_deep
from evidence.fields import MISSING, fault_in, shown
from evidence.record_values import (
    Body,
    Count,
    EventId,
    Headers,
    KafkaHeaders,
    List,
    Name,
    Names,
    Object,
    Ordinal,
    Seconds,
    Text,
    Whole,
)
from evidence.rules import rules_of

FORMAT: Final = 1
FENCE: Final = "```json touchstone-replay"
MOST_BYTES: Final = 64 << 20
MOST_STEPS: Final = 20_000
MOST_NESTED: Final = 64
_BLOCK = re.compile(rf"^{re.escape(FENCE)}[ \t]*\r?\n(.*?)^```[ \t]*\r?$", re.DOTALL | re.MULTILINE)


class StimulusError(ValueError):
    """A file is no stimulus; the message says what was expected, what there is, and where."""


class SinkStep(TypedDict):
    """A sink is opened."""

    step: Literal["sink"]
    sink: Annotated[Name, "The recorded name of the sink."]
    url: Annotated[Name, "The recorded URL of the sink."]
    answers: Annotated[List, "The script of its answers."]


class TopicStep(TypedDict):
    """A topic of the test's own is made, and read."""

    step: Literal["topic"]
    topic: Annotated[Name, "The recorded name of the topic."]
    partitions: Annotated[Ordinal, "The number of its partitions."]


class ObjectStep(TypedDict):
    """The Kubernetes API is asked to change something."""

    step: Literal["object"]
    verb: Literal["create", "apply", "patch", "delete"]
    apiVersion: Annotated[Name, "The group and version of the object."]
    kind: Annotated[Name, "The kind of the object."]
    namespace: Annotated[Text | None, "Its namespace; null where it has none."]
    name: Annotated[Name, "Its name."]
    asked: Annotated[Object, "The manifest or the patch; empty where it is deleted."]
    call: Annotated[Count, "The number of the recorded call, which claims may name."]
    partitions: NotRequired[Annotated[Ordinal, "Of a Broker: how many partitions its topic is configured with."]]


class ReadyStep(TypedDict):
    """An object is waited for until it is Ready."""

    step: Literal["ready"]
    apiVersion: Annotated[Name, "The group and version of the object."]
    kind: Annotated[Name, "The kind of the object."]
    namespace: Annotated[Text | None, "Its namespace; null where it has none."]
    name: Annotated[Name, "Its name."]
    topic: NotRequired[Annotated[Text, "Of a Broker: the recorded name of the topic that stores its events."]]


class Request(TypedDict):
    """One HTTP request; texts are latin-1, one character a byte."""

    send: Annotated[Name, "The recorded id of the exchange."]
    url: Annotated[Name, "The recorded URL."]
    method: Annotated[Name, "The HTTP method."]
    headers: Annotated[Headers, "The headers, in order."]
    body: Annotated[Body, "The body."]
    event: NotRequired[Annotated[EventId | None, "The event that it carries, as the test calls it."]]


class SendStep(TypedDict):
    """Requests leave, in this order."""

    step: Literal["send"]
    requests: Annotated[List, "The requests."]
    concurrency: Annotated[Ordinal, "How many of them are under way at once."]


class AnsweredStep(TypedDict):
    """The answers to some requests are waited for."""

    step: Literal["answered"]
    sends: Annotated[Names, "The recorded ids of the exchanges."]


class ProduceStep(TypedDict):
    """A record is written to a topic."""

    step: Literal["produce"]
    produce: Annotated[Name, "The recorded id of the record."]
    topic: Annotated[Name, "The recorded name of the topic."]
    partition: Annotated[Whole | None, "The partition; null: Kafka's client chooses."]
    key: Annotated[Text | None, "The key."]
    headers: Annotated[KafkaHeaders, "The headers, in order."]
    value: Annotated[Body | None, "The value."]


class ClaimStep(TypedDict):
    """Something is claimed, and waited for."""

    step: Literal["claim"]
    check: Annotated[Name, "The check that judges it."]
    args: Annotated[Object, "The arguments of the check, with recorded names."]
    within: Annotated[Seconds, "The seconds in which it must be decided, on a target of patience 1."]


Step: TypeAlias = SinkStep | TopicStep | ObjectStep | ReadyStep | SendStep | AnsweredStep | ProduceStep | ClaimStep


class Stimulus(TypedDict):
    """The stimulus of one case."""

    touchstone_replay: Annotated[Ordinal, "The number of this form."]
    requirement: Annotated[Name, "The requirement that the case asks."]
    test: Annotated[Name, "The node id of the case."]
    run: Annotated[Text, "The name of the run in which it was recorded."]
    namespace: Annotated[Name, "The recorded namespace of the case."]
    ingress: Annotated[Text, "What recorded URLs of requests begin with; empty: no request was sent."]
    steps: Annotated[List, "The steps, in order."]


_DOCUMENT = rules_of(Stimulus)
_REQUEST = rules_of(Request)
_STEPS = {
    "sink": rules_of(SinkStep),
    "topic": rules_of(TopicStep),
    "object": rules_of(ObjectStep),
    "ready": rules_of(ReadyStep),
    "send": rules_of(SendStep),
    "answered": rules_of(AnsweredStep),
    "produce": rules_of(ProduceStep),
    "claim": rules_of(ClaimStep),
}


def steps_of(stimulus: Stimulus) -> list[Step]:
    """Return the steps, with their types."""
    return cast("list[Step]", stimulus["steps"])


def requests_of(step: SendStep) -> list[Request]:
    """Return the requests of a step, with their types."""
    return cast("list[Request]", step["requests"])


def read(path: Path) -> Stimulus:
    """Return the stimulus of a file.

    Raises:
        StimulusError: There is no such file, or it holds no stimulus.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise StimulusError(f"{path}: expected a recorded stimulus, got: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise StimulusError(f"{path}: expected at most {MOST_BYTES} bytes, got more")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise StimulusError(f"{path}: expected UTF-8, got another byte at {error.start}") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Stimulus:
    """Return the stimulus of a text.

    Args:
        text: The JSON, or Markdown that holds it.
        name: The name of the file, for messages.

    Raises:
        StimulusError: It holds none.
    """
    if not text.lstrip().startswith("{"):
        blocks = _BLOCK.findall(text)
        if len(blocks) != 1:
            expected = f"expected JSON, or Markdown with one block that begins with {FENCE}"
            raise StimulusError(f"{name}: {expected}; got {len(blocks)} such blocks")
        text = blocks[0]
    try:
        document = parse_json(text)
    except ValueError as error:
        raise StimulusError(f"{name}: expected JSON, got: {error}") from error
    if fault := fault_of(document):
        raise StimulusError(f"{name}: {fault}")
    return cast("Stimulus", document)


def fault_of(document: Any) -> str | None:
    """Return what is wrong with a document, in words; None when nothing is."""
    if type(document) is not dict:
        return f"expected a JSON object, got {shown(document)}"
    if document.get("touchstone_replay") != FORMAT:
        return f"field touchstone_replay: expected {FORMAT}, got {shown(document.get('touchstone_replay', MISSING))}"
    if fault := fault_in(document, _DOCUMENT):
        return fault
    if too_deep(document, MOST_NESTED):
        return f"expected lists and objects nested at most {MOST_NESTED} deep, got deeper ones"
    if len(document["steps"]) > MOST_STEPS:
        return f"field steps: expected at most {MOST_STEPS}, got {len(document['steps'])}"
    for number, step in enumerate(document["steps"]):
        if fault := _step_fault(step, f"steps[{number}]"):
            return fault
    if not any(step["step"] == "claim" for step in document["steps"]):
        return "field steps: expected a claim among them, got none: nothing could fail"
    return None


def _step_fault(step: Any, place: str) -> str | None:
    kind = step.get("step") if type(step) is dict else None
    rules = _STEPS.get(kind) if type(kind) is str else None
    if rules is None:
        got = shown(step if kind is None else kind)
        return f"field {place}.step: expected one of {', '.join(_STEPS)}, got {got}"
    if fault := fault_in(step, rules, f"{place}."):
        return fault
    for number, request in enumerate(step["requests"] if kind == "send" else ()):
        where = f"{place}.requests[{number}]"
        if type(request) is not dict:
            return f"field {where}: expected an object, got {shown(request)}"
        if fault := fault_in(request, _REQUEST, f"{where}."):
            return fault
    return None


def to_json(stimulus: Stimulus) -> str:
    """Return the document as text, in ASCII: an issue tracker changes nothing of it."""
    return json.dumps(stimulus, indent=1)
