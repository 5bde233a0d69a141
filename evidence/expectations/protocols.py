"""What a server of the Open Inference Protocol, or of KServe's V1, must have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.arguments import Call, Exchange, Expectation, Object, Status, expectation, ref_of, status_of
from evidence.refs import CallRef, ExchangeRef, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def inferred(
    asked: Exchange | Call,
    outputs: Sequence[Mapping[str, Any]],
    *,
    id: str | None = None,  # noqa: A002 - the name of the field in the protocol
    model: str | None = None,
    or_refused: bool = False,
) -> Expectation:
    """Expect that an inference request was answered with exactly these outputs, bit by bit.

    Args:
        asked: The request over REST, or the call over gRPC.
        outputs: An object for each output, in any order: name, datatype, shape, and raw, its content as bytes.
        id: The id of the answer; None: whatever it is.
        model: The name of the model in the answer; None: whatever it is.
        or_refused: Whether a clear refusal will do as well; over REST only.
    """
    what = {"outputs": [dict(output) for output in outputs], "id": id, "model": model}
    ref = ref_of(asked, ExchangeRef, CallRef)
    if isinstance(ref, CallRef):
        return expectation("call_inferred", call=ref, **what)
    return expectation("inferred", exchange=ref, or_refused=or_refused, **what)


def told(exchange: Exchange, fields: Mapping[str, Any]) -> Expectation:
    """Expect an answer 200 in JSON, an object whose members have exactly these values.

    `fields`: a value to equal, or None for any text that is not empty; others may be as they like.
    """
    return expectation("told", exchange=ref_of(exchange, ExchangeRef), fields=dict(fields))


def error_answered(exchange: Exchange, status: Status = range(400, 500)) -> Expectation:
    """Expect a refusal with this status that says why: a JSON object with `error`, a text that is not empty."""
    return expectation("error_answered", exchange=ref_of(exchange, ExchangeRef), status=status_of(status))


def undisclosed(exchange: Exchange, text: str) -> Expectation:
    """Expect that the text is nowhere in the answer: not in a header, not in the body."""
    return expectation("undisclosed", exchange=ref_of(exchange, ExchangeRef), text=text)


def drained(exchange: Exchange, deletion: Object) -> Expectation:
    """Expect that a request was answered 200 that was under way when this call deleted its server (`deletion.seq`)."""
    return expectation("drained", exchange=ref_of(exchange, ExchangeRef), deletion=ref_of(deletion, ObjectRef))


def call_ended(call: Call, *codes: str) -> Expectation:
    """Expect that a gRPC call ended with this status, or one of these: `OK`, `NOT_FOUND`."""
    return expectation("call_ended", call=ref_of(call, CallRef), codes=list(codes))


def call_told(call: Call, message: str, fields: Mapping[str, Any]) -> Expectation:
    """Expect that a gRPC call was answered with this message, whose fields have exactly these values.

    `fields`: a value to equal, or None for any text that is not empty; others may be as they like.
    """
    return expectation("call_told", call=ref_of(call, CallRef), message=message, fields=dict(fields))
