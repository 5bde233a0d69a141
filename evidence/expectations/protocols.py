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
    parameters: Mapping[str, Any] | None = None,
    or_refused: bool = False,
    control: Exchange | Call | None = None,
) -> Expectation:
    """Expect that an inference request was answered with exactly these outputs, bit by bit.

    Args:
        asked: The request over REST, or the call over gRPC.
        outputs: An object for each output, in any order: name, datatype, shape, and raw, its content as bytes; and
            parameters, where these shall be compared.
        id: The id of the answer; None: whatever it is.
        model: The name of the model in the answer; None: whatever it is.
        parameters: The parameters of the answer, by value and type; None: whatever they are.
        or_refused: Whether a clear refusal will do as well; over REST only.
        control: Another request of the test, which goes the same way: where that one is answered 200 or OK, no answer
            and "not now" are failures.
    """
    what = {"outputs": [dict(output) for output in outputs], "id": id, "model": model, **beside(control)}
    if parameters is not None:
        what["parameters"] = dict(parameters)
    ref = ref_of(asked, ExchangeRef, CallRef)
    if isinstance(ref, CallRef):
        return expectation("call_inferred", call=ref, **what)
    return expectation("inferred", exchange=ref, or_refused=or_refused, **what)


def answered_whole(
    asked: Exchange | Call,
    *,
    outputs: Sequence[Mapping[str, Any]] = (),
    predictions: str = "",
    or_too_large: bool = False,
    control: Exchange | Call | None = None,
) -> Expectation:
    """Expect that a large request was answered with exactly this, which digests name.

    Args:
        asked: The request over REST, or the call over gRPC.
        outputs: An object for each output: name, datatype, shape, and sha256, the digest of its content; not for V1.
        predictions: The digest of the predictions of V1, as JSON without white space; empty: the request is not V1's.
        or_too_large: Whether a refusal will do as well: 413, 400 with an error, RESOURCE_EXHAUSTED, INVALID_ARGUMENT.
        control: Another request that was answered; without an answer to it, silence decides nothing.
    """
    said = {"predictions": predictions} if predictions else {"outputs": [dict(output) for output in outputs]}
    what = {**said, "or_too_large": or_too_large, **beside(control)}
    ref = ref_of(asked, ExchangeRef, CallRef)
    if isinstance(ref, CallRef):
        return expectation("call_answered_whole", call=ref, **what)
    return expectation("answered_whole", exchange=ref, **what)


def ready_to_infer(said: Exchange | Call, asked: Exchange | Call) -> Expectation:
    """Expect that a server which said that it, or its model, is ready answered the inference request that followed.

    Args:
        said: The question whether it is ready; where that is not answered with yes, nothing is expected.
        asked: A good inference request, sent after the answer.
    """
    refs = ref_of(said, ExchangeRef, CallRef), ref_of(asked, ExchangeRef, CallRef)
    return expectation("ready_to_infer", said=refs[0], asked=refs[1])


def version_kept(asked: Exchange | Call, listed: Exchange | Call, version: str, *, named: bool = False) -> Expectation:
    """Expect that what was asked of one version of a model was answered, and that the answer names no other one.

    Args:
        asked: The request or the call that names the version.
        listed: The question for the metadata of the model; where they do not list the version, nothing is expected.
        version: The version.
        named: Whether the answer has to name it.
    """
    refs = ref_of(asked, ExchangeRef, CallRef), ref_of(listed, ExchangeRef, CallRef)
    return expectation("version_kept", asked=refs[0], listed=refs[1], version=version, named=named)


def told(exchange: Exchange, fields: Mapping[str, Any], *, control: Exchange | None = None) -> Expectation:
    """Expect an answer 200 in JSON, an object whose members have exactly these values.

    `fields`: a value to equal, or None for any text that is not empty; others may be as they like.
    `control`: as for `inferred`.
    """
    return expectation("told", exchange=ref_of(exchange, ExchangeRef), fields=dict(fields), **beside(control))


def error_answered(
    exchange: Exchange, status: Status = range(400, 500), *, control: Exchange | None = None
) -> Expectation:
    """Expect a refusal with this status that says why: a JSON object with `error`, a text that is not empty.

    `control`: as for `inferred`.
    """
    ref = ref_of(exchange, ExchangeRef)
    return expectation("error_answered", exchange=ref, status=status_of(status), **beside(control))


def undisclosed(exchange: Exchange, text: str) -> Expectation:
    """Expect that the text is nowhere in the answer: not in a header, not in the body."""
    return expectation("undisclosed", exchange=ref_of(exchange, ExchangeRef), text=text)


def drained(asked: Exchange | Call, deletion: Object) -> Expectation:
    """Expect an answer 200, or OK, to what was under way when this call deleted its server (`deletion.seq`)."""
    ref = ref_of(asked, ExchangeRef, CallRef)
    if isinstance(ref, CallRef):
        return expectation("call_drained", call=ref, deletion=ref_of(deletion, ObjectRef))
    return expectation("drained", exchange=ref, deletion=ref_of(deletion, ObjectRef))


def unblamed_at_end(asked: Sequence[Exchange | Call], deletion: Object) -> Expectation:
    """Expect of good requests that no answer after this deletion of their server says that one of them is wrong.

    A server that ends may answer them, say that it is unavailable, or not be reached; after a 404 nobody asks again.

    Args:
        asked: The requests or calls; one of them at least is sent after the deletion.
        deletion: The call of the API that deletes the server (`deletion.seq`).
    """
    refs = [ref_of(one, ExchangeRef, CallRef) for one in asked]
    return expectation("unblamed_at_end", asked=refs, deletion=ref_of(deletion, ObjectRef))


def call_ended(call: Call, *codes: str, control: Call | None = None) -> Expectation:
    """Expect that a gRPC call ended with this status, or one of these: `OK`, `NOT_FOUND`.

    `control`: as for `inferred`.
    """
    return expectation("call_ended", call=ref_of(call, CallRef), codes=list(codes), **beside(control))


def call_told(call: Call, message: str, fields: Mapping[str, Any]) -> Expectation:
    """Expect that a gRPC call was answered with this message, whose fields have exactly these values.

    `fields`: a value to equal, or None for any text that is not empty; others may be as they like.
    """
    return expectation("call_told", call=ref_of(call, CallRef), message=message, fields=dict(fields))


def beside(control: Exchange | Call | None) -> Mapping[str, Any]:
    """Return the argument that names a control; none, where there is no control."""
    return {} if control is None else {"control": ref_of(control, ExchangeRef, CallRef)}
