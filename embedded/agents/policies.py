"""The decisions of an agent as policies (see `embedded.dataplane.policies`)."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDict

REQUEST, RESPONSE = "request", "response"
JSON = "application/json"
MOST_BYTES = 64 << 20


class RefusedError(ValueError):
    """A request that is no prediction request; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller is answered.

    Attributes:
        status: The HTTP status.
        headers: The HTTP headers, `Content-Type` among them.
        body: The body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_full(count: int, most: int) -> bool:
    """Tell whether a batch of so many instances waits for no more."""
    return count >= most


def window(latency: float) -> float:
    """Return how many seconds a batch waits to get full, given its `maxLatency` in seconds."""
    return latency


def batch_of(path: str) -> str:
    """Return the name of the batch that calls of a path fill: each path, which is a model's, has one of its own."""
    return path


def is_batched(path: str) -> bool:
    """Tell whether a call of this path goes into a batch: predictions of the V1 protocol do."""
    return path.endswith(":predict")


def loads(body: bytes) -> Any:
    """Return the JSON value of a body, with every integer as it stands there.

    Raises:
        RefusedError: It is no JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"the body is no JSON: {error}") from error


def instances(value: Any) -> list[Any]:
    """Return the instances of a prediction request.

    Raises:
        RefusedError: There are none.
    """
    given = value.get("instances") if isinstance(value, dict) else None
    if not isinstance(given, list) or not given:
        raise RefusedError("expected a JSON object with instances, a list that is not empty")
    return given


def shares(predictions: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
    """Return the predictions of each call of a batch, given how many instances each had: its own, in their order."""
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [list(predictions[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def is_whole(predictions: int, instances: int) -> bool:
    """Tell whether a model has answered all that it was asked: predictions pair with instances by their place alone."""
    return predictions == instances


def failure(answer: Answer) -> Answer:
    """Return what a caller is told of a model's refusal: the refusal itself."""
    return answer


def takes(method: str) -> bool:
    """Tell whether a call by this method is handed on: by any."""
    del method
    return True


def headers(given: CIMultiDict[str]) -> CIMultiDict[str]:
    """Return the headers with which a call that is not batched is handed on, given its own: all of them."""
    return given


def passed(answer: Answer) -> Answer:
    """Return what the caller of a call that is not batched is told, given the component's answer: the same."""
    return answer


async def ask(send: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask the component, by what sends it a request: once."""
    return await send()


async def post(send: Callable[[], Awaitable[bool]]) -> bool:
    """Post an event, by what sends it: once; return whether somebody took it."""
    return await send()


def is_logged(mode: str, kind: str) -> bool:
    """Tell whether a logger of this mode logs an event of this kind."""
    return mode in {"all", kind}


def event_id(given: str, made: str, kind: str) -> str:
    """Return the id of an event, given that of its call, or one made for a call without: the events are a pair."""
    del kind
    return given or made


def source(pod: str, kind: str) -> str:
    """Return the source of an event: with the id it is the event's alone (CloudEvents, `id`)."""
    return f"{pod}/{kind}"


def time(now: str) -> str:
    """Return the time that an event states, given that at which it is made: that."""
    return now


def extensions(namespace: str, service: str, component: str) -> Mapping[str, str]:
    """Return the attributes that say whose call it was."""
    return {
        "inferenceservicename": service,
        "namespace": namespace,
        "component": component,
        "endpoint": "default",
    }


def metadata(headers: Mapping[str, Sequence[str]], kind: str) -> Mapping[str, Sequence[str]]:
    """Return the request headers that an event of a kind tells, given those that it may: all of them."""
    del kind
    return headers


def data(payload: bytes) -> bytes:
    """Return the data of an event for a payload: the payload as it is."""
    return payload


def media_type(asked: str, own: str) -> str:
    """Return the media type of an event's data, given that of the request and that of the payload: its own."""
    del asked
    return own


@dataclass(frozen=True, kw_only=True)
class AgentPolicies:
    """All decisions of an agent.

    Attributes:
        is_full: The function from a number of instances and `maxBatchSize` to whether a batch waits for no more.
        window: The function from `maxLatency` to the time that a batch waits, both in seconds.
        batch_of: The function from the path of a call to the name of its batch.
        is_batched: The function from the path of a call to whether it goes into a batch.
        sends_unfilled: True to send a batch that is not full when its time is over.
        loads: The function from a body to its JSON value.
        instances: The function from a JSON value to the instances in it.
        shares: The function from the predictions and the sizes of the calls to the predictions of each call.
        is_whole: The function from the numbers of predictions and of instances to whether an answer is whole.
        keeps_batch: True to go on with a batch of which a caller leaves before the answer.
        asks_alone: True to ask each call of a refused batch by itself.
        failure: The function from a model's refusal to what the caller is told.
        media_type_of_batches: The media type of what a caller of a batch is answered.
        ask: What asks the component, given what sends it a request.
        most_bytes: The most bytes of a request's body.
        takes: The function from the method of a call to whether it is handed on.
        headers: The function from the headers of a call that is not batched to those that the component gets.
        passed: The function from the component's answer to what the caller of a call that is not batched is told.
        is_logged: The function from a mode and a kind of event to whether it is logged.
        logs_batched: True to log the responses of batched calls.
        logs_failed: True to log the requests of calls that are not answered 200.
        waits_for_log: True to answer a call only when its events are logged.
        waits_when_full: True to let a call wait while as many events as there is room for wait to be posted.
        post: What posts an event, given what sends it.
        event_id: The function from the id of a call, one that is made for it and the kind of event to the event's id.
        source: The function from the pod's name and the kind of event to the event's source.
        time: The function from the time at which an event is made to the one that it states.
        extensions: The function from namespace, InferenceService and component to further attributes.
        metadata: The function from the request headers that may be told and the kind of event to those that are.
        data: The function from a payload to the data of its event.
        media_type: The function from the media types of request and payload to that of the event's data.
    """

    is_full: Callable[[int, int], bool] = is_full
    window: Callable[[float], float] = window
    batch_of: Callable[[str], str] = batch_of
    is_batched: Callable[[str], bool] = is_batched
    sends_unfilled: bool = True
    loads: Callable[[bytes], Any] = loads
    instances: Callable[[Any], list[Any]] = instances
    shares: Callable[[Sequence[Any], Sequence[int]], list[list[Any]]] = shares
    is_whole: Callable[[int, int], bool] = is_whole
    keeps_batch: bool = True
    asks_alone: bool = True
    failure: Callable[[Answer], Answer] = failure
    media_type_of_batches: str = JSON
    ask: Callable[[Callable[[], Awaitable[Answer]]], Awaitable[Answer]] = ask
    most_bytes: int = MOST_BYTES
    takes: Callable[[str], bool] = takes
    headers: Callable[[CIMultiDict[str]], CIMultiDict[str]] = headers
    passed: Callable[[Answer], Answer] = passed
    is_logged: Callable[[str, str], bool] = is_logged
    logs_batched: bool = True
    logs_failed: bool = True
    waits_for_log: bool = False
    waits_when_full: bool = False
    post: Callable[[Callable[[], Awaitable[bool]]], Awaitable[bool]] = post
    event_id: Callable[[str, str, str], str] = event_id
    source: Callable[[str, str], str] = source
    time: Callable[[str], str] = time
    extensions: Callable[[str, str, str], Mapping[str, str]] = extensions
    metadata: Callable[[Mapping[str, Sequence[str]], str], Mapping[str, Sequence[str]]] = metadata
    data: Callable[[bytes], bytes] = data
    media_type: Callable[[str, str], str] = media_type


HONEST = AgentPolicies()
