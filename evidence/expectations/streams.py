"""What a server that answers from topic to topic must have written.

`group` is the consumer group of the input topic, which is the request record's own topic. Of a server without one,
`fence` is a later request to the same partition: its answer tells that the others were read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.arguments import Expectation, Produced, Topic, expectation, ref_of, topic_of
from evidence.messages import NAMES
from evidence.refs import ProducedRef, RefError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def stream_answer(
    produced: Produced,
    on: Topic,
    *,
    group: str = "",
    json: Any = None,
    tensor: Any = None,
    message: tuple[str, bytes] | None = None,
    keyed: bool = True,
    spelled: bool = False,
    control: Produced | None = None,
    fence: Produced | None = None,
) -> Expectation:
    """Expect that the output topic answers the record, rightly computed, in every answer.

    Args:
        produced: The request record.
        on: The output topic.
        group: Consumer group of the input topic; empty: the server has none.
        json: The answer as JSON (numbers to within a millionth).
        tensor: The single output tensor of a TensorFlow PredictResponse, as nested lists.
        message: The type of a protobuf message (of `evidence.messages.NAMES`), and the bytes of an equal one.
        keyed: Answers are told by the record's key; if False, any record of the output topic with the value will do.
        spelled: The numbers of the JSON are exact, and 9 is not 9.0.
        control: An earlier request of the test whose answer has come: silence until the deadline is a failure then.
        fence: A later request of the test, where the server has no group.
    """
    if [json, tensor, message].count(None) != 2:
        raise RefError("stream_answer takes one of json, tensor and message")
    args: dict[str, Any] = {"group": group, "json": json, "tensor": tensor, "keyed": keyed, **_fenced_by(fence)}
    if spelled:
        args["spelled"] = True
    if message is not None:
        if message[0] not in NAMES:
            raise RefError(f"stream_answer: expected a message of {', '.join(NAMES)}, got {message[0]!r}")
        args["message"] = {"type": message[0], "value": message[1].decode("latin-1")}
    if control is not None:
        args["control"] = ref_of(control, ProducedRef)
    return expectation("stream_answer", produced=ref_of(produced, ProducedRef), on=topic_of(on), **args)


def stream_header(produced: Produced, on: Topic, *, group: str, name: str, value: str) -> Expectation:
    """Expect an answer under the request's key, and that each has this header once, with this value.

    Args:
        produced: The request record.
        on: The output topic.
        group: Consumer group of the input topic.
        name: The name of the header, in this spelling.
        value: The value of it.
    """
    return expectation(
        "stream_header",
        produced=ref_of(produced, ProducedRef),
        on=topic_of(on),
        group=group,
        name=name,
        value=value,
        keyed=True,
    )


def stream_id_told(
    produced: Sequence[Produced], on: Topic, *, group: str, nodes: Sequence[str], typed: bool = False
) -> Expectation:
    """Expect that all nodes of a graph got one id for a request, in one header, and another for each request.

    Args:
        produced: The request records, each answered with what each node got: the header that it shows, in its tag.
        on: The output topic.
        group: Consumer group of the input topic.
        nodes: The names of the nodes.
        typed: The answers are SeldonMessages in protobuf, not in JSON.
    """
    args: dict[str, Any] = {"group": group, "nodes": list(nodes)}
    if typed:
        args["typed"] = True
    return expectation(
        "stream_id_told", produced=[ref_of(each, ProducedRef) for each in produced], on=topic_of(on), **args
    )


def streamed_in_order(produced: Sequence[Produced], on: Topic, *, group: str, json: Sequence[Any]) -> Expectation:
    """Expect the answers to requests of one key in the order of the requests; an answer may come again.

    Args:
        produced: The request records, in order, all of one key.
        on: The output topic.
        group: Consumer group of the input topic.
        json: The answers as JSON, in the order of the requests; all differ.
    """
    refs = [ref_of(thing, ProducedRef) for thing in produced]
    if len({ref.key for ref in refs}) != 1 or len(refs) != len(json):
        raise RefError("streamed_in_order takes requests of one key, and an answer for each")
    return expectation("streamed_in_order", produced=refs, on=topic_of(on), group=group, json=list(json))


def stream_survived(
    produced: Sequence[Produced], on: Topic, *, group: str, namespace: str, deployment: str
) -> Expectation:
    """Expect an answer to each request in spite of faults; again only where it was uncommitted when one began.

    Args:
        produced: The request records, each with a key of its own.
        on: The output topic.
        group: Consumer group of the input topic.
        namespace: The namespace of the SeldonDeployment.
        deployment: The name of the SeldonDeployment that the faults were done to.
    """
    refs = [ref_of(thing, ProducedRef) for thing in produced]
    return expectation(
        "stream_survived", produced=refs, on=topic_of(on), group=group, namespace=namespace, deployment=deployment
    )


def one_stream_answer(produced: Produced, on: Topic, *, group: str = "", fence: Produced | None = None) -> Expectation:
    """Expect exactly one record of the output topic under the request's key, once the group has passed the request."""
    return _over("one_stream_answer", produced, on, group, fence)


def no_stream_answer(produced: Produced, on: Topic, *, group: str = "", fence: Produced | None = None) -> Expectation:
    """Expect that the group has passed the request, and the output topic has no record under its key."""
    return _over("no_stream_answer", produced, on, group, fence)


def no_prediction(produced: Produced, on: Topic, *, group: str = "", fence: Produced | None = None) -> Expectation:
    """Expect that the group has passed the request, and that nothing under its key in the output topic is a prediction.

    An error that the topic holds under the key is no prediction.
    """
    return _over("no_prediction", produced, on, group, fence)


def stream_holds(produced: Produced, on: Topic, *, json: Mapping[str, Any], control: Produced) -> Expectation:
    """Expect that every record under the request's key is JSON with these members, and that there is one.

    Args:
        produced: The request record.
        on: The output topic.
        json: The members; objects may have more, lists have as many items (numbers to within a millionth).
        control: An earlier request of the test whose answer has come: silence until the deadline is a failure then.
    """
    args = {"produced": ref_of(produced, ProducedRef), "control": ref_of(control, ProducedRef)}
    return expectation("stream_holds", on=topic_of(on), group="", json=dict(json), **args)


def stream_error(produced: Produced, on: Topic, *, control: Produced) -> Expectation:
    """Expect that every record under the request's key is a JSON object with a text `error`, and that there is one.

    Args:
        produced: The request record.
        on: The output topic.
        control: An earlier request of the test whose answer has come: silence until the deadline is a failure then.
    """
    args = {"produced": ref_of(produced, ProducedRef), "control": ref_of(control, ProducedRef)}
    return expectation("stream_error", on=topic_of(on), group="", **args)


def stream_in_order(produced: Sequence[Produced], on: Topic) -> Expectation:
    """Expect that requests of one partition are answered in this order, in the one partition of the output topic."""
    refs = [ref_of(thing, ProducedRef) for thing in produced]
    return expectation("stream_in_order", produced=refs, on=topic_of(on), group="")


def _over(check: str, produced: Produced, on: Topic, group: str, fence: Produced | None) -> Expectation:
    args = {"produced": ref_of(produced, ProducedRef), "on": topic_of(on), "group": group, **_fenced_by(fence)}
    return expectation(check, **args)


def _fenced_by(fence: Produced | None) -> dict[str, ProducedRef]:
    """Return the argument of a check for a fence: histories without one stay as they were."""
    return {} if fence is None else {"fence": ref_of(fence, ProducedRef)}


def stream_key_kept(produced: Produced, on: Topic, *, group: str, json: Any) -> Expectation:
    """Expect that the record of the output topic that has this JSON value has the request's key."""
    return expectation(
        "stream_key_kept", produced=ref_of(produced, ProducedRef), on=topic_of(on), group=group, json=json
    )


def offset_after_answer(produced: Produced | Sequence[Produced], on: Topic, *, group: str) -> Expectation:
    """At no observed moment was the group's offset past a request whose answer the output topic did not yet hold."""
    things = produced if isinstance(produced, list | tuple) else [produced]
    refs = [ref_of(thing, ProducedRef) for thing in things]
    return expectation("offset_after_answer", produced=refs, on=topic_of(on), group=group)
