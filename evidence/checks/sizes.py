"""Large answers of servers that are called directly: whole, or refused because they are too large.

What must come is named by digests, so that no history holds it once more.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import orjson

from common import jsontext
from evidence.checks.answers import AnswerCheck
from evidence.checks.asked import OK
from evidence.checks.base import check, failed, shorten
from evidence.checks.controls import Controlled
from evidence.checks.protocols import MessageCheck, error_of
from evidence.history import octets
from evidence.open_inference import AnswerError, InferAnswer, read_message, read_rest
from evidence.verdict import PASSED, Judgement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.records import Answered, GrpcAnswered

TOO_LARGE: Final = 413
BAD_REQUEST: Final = 400
REFUSALS: Final = frozenset({"RESOURCE_EXHAUSTED", "INVALID_ARGUMENT"})


@check("answered_whole")
class AnsweredWhole(Controlled, AnswerCheck):
    """A large answer over REST, of the Open Inference Protocol or of V1."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"request {self.send} to be answered with {_shown(self.args)}{_or_refused(self.args)}"

    def answered(self, answer: Answered) -> Judgement:
        """Compare digests."""
        status = answer["status"] or 0
        if status != 200:
            refused = status == TOO_LARGE or (status == BAD_REQUEST and bool(error_of(answer)))
            fault = self.fault(f"HTTP {status} {shorten(answer['body'])}", answer)
            return PASSED if refused and self.args["or_too_large"] else failed(fault)
        try:
            got = self._read(answer)
        except (AnswerError, ValueError) as error:
            return failed(self.fault(f"{error}: {shorten(answer['body'])}", answer))
        return PASSED if got == _wanted(self.args) else failed(self.fault(_told(got), answer))

    def _read(self, answer: Answered) -> Mapping[str, Any]:
        body = octets(answer["body"])
        if "predictions" not in self.args:
            return _of_outputs(read_rest(answer["headers"], body))
        value = jsontext.parse(body)
        predictions = value.get("predictions") if isinstance(value, dict) else None
        return {"predictions": _digest(orjson.dumps(predictions))}


@check("call_answered_whole")
class CallAnsweredWhole(Controlled, MessageCheck):
    """A large answer over gRPC."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"call {self.call} to be answered with {_shown(self.args)}{_or_refused(self.args)}"

    def ended(self, end: GrpcAnswered) -> Judgement:
        """Take a refusal where one will do; else compare."""
        if end["code"] == OK:
            return super().ended(end)
        refused = self.args["or_too_large"] and end["code"] in REFUSALS
        return PASSED if refused else failed(self.fault(f"{end['code']} {shorten(end['details'])}", end))

    def differences(self, message: bytes) -> list[str]:
        """Compare digests."""
        got = _of_outputs(read_message(message))
        return [] if got == _wanted(self.args) else [_told(got)]


def _of_outputs(answer: InferAnswer) -> Mapping[str, Any]:
    """Return name, datatype, shape and digest of each output, in the order of their names."""
    outputs = sorted(answer.outputs, key=lambda output: output.name)
    return {"outputs": [[one.name, one.datatype, list(one.shape), _digest(one.raw)] for one in outputs]}


def _wanted(args: Mapping[str, Any]) -> Mapping[str, Any]:
    if "predictions" in args:
        return {"predictions": args["predictions"]}
    outputs = sorted(args["outputs"], key=lambda output: str(output["name"]))
    return {"outputs": [[one["name"], one["datatype"], one["shape"], one["sha256"]] for one in outputs]}


def _told(answer: Mapping[str, Any]) -> str:
    return shorten(orjson.dumps(answer).decode())


def _shown(args: Mapping[str, Any]) -> str:
    return _told(_wanted(args))


def _or_refused(args: Mapping[str, Any]) -> str:
    return ", or to be refused as too large" if args["or_too_large"] else ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
