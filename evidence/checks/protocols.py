"""What a server of the Open Inference Protocol or of KServe's V1 answered, over REST and over gRPC."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from common import jsontext
from evidence.checks.answers import AnswerCheck
from evidence.checks.asked import OK
from evidence.checks.base import (
    Check,
    check,
    failed,
    header_values,
    in_status,
    shorten,
    show_status,
    undecidable,
    violation,
)
from evidence.checks.controls import Controlled
from evidence.event_progress import UNAVAILABLE
from evidence.history import octets
from evidence.open_inference import AnswerError, InferAnswer, Tensor, fields_of, read_message, read_rest, shown
from evidence.verdict import PASSED, UNDECIDED, Judgement, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evidence.records import Answered, GrpcAnswered
    from evidence.refs import CallRef

NOT_NOW = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED"})
NOT_IMPLEMENTED = 501
JSON = "application/json"


class CallCheck(Check):
    """A gRPC call and its end. A call that nobody answered shows neither conformance nor a violation."""

    expected = "an answer"

    def watch(self) -> None:
        """Keep the call."""
        ref: CallRef = self.args["call"]
        self.call = ref.call
        self.history.watch_call(self.call)

    def decide(self, *, final: bool) -> Judgement:
        """Judge as soon as the call has ended."""
        del final
        end = self.history.call_ends.get(self.call)
        if end is None:
            return UNDECIDED
        if end["code"] is None:
            return undecidable(self.fault(f"no answer: {end['error']}", end))
        return self.ended(end)

    def ended(self, end: GrpcAnswered) -> Judgement:
        """Judge the end of the call."""
        raise NotImplementedError

    def missing(self) -> Violation:
        """No end yet."""
        return self.no_decision(self.expected, f"call {self.call} has no answer yet")

    def fault(self, got: str, end: GrpcAnswered, expected: str | None = None) -> Violation:
        """Return a violation that this end shows."""
        called = self.history.calls.get(self.call)
        witness = (*((called["seq"],) if called else ()), end["seq"])
        where = f"call {self.call} -> {called['method']}" if called else f"call {self.call}"
        return violation(expected or self.expected, got, witness, where)

    def status_fault(self, end: GrpcAnswered) -> Judgement:
        """Return the judgement of a call that ended otherwise than it should."""
        fault = self.fault(f"{end['code']} {shorten(end['details'])}", end)
        return undecidable(fault) if end["code"] in NOT_NOW else failed(fault)


@check("call_ended")
class CallEnded(Controlled, CallCheck):
    """The status of a call."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"call {self.call} to end with {' or '.join(self.args['codes'])}"

    def ended(self, end: GrpcAnswered) -> Judgement:
        """Compare."""
        return PASSED if end["code"] in self.args["codes"] else self.status_fault(end)


class MessageCheck(CallCheck):
    """The message of a call that ended well."""

    def ended(self, end: GrpcAnswered) -> Judgement:
        """Fail at every difference; a message that cannot be read is one."""
        if end["code"] != OK:
            return self.status_fault(end)
        try:
            differences = self.differences(octets(end["message"] or ""))
        except AnswerError as error:
            differences = [str(error)]
        return failed(*(self.fault(difference, end) for difference in differences)) if differences else PASSED

    @abstractmethod
    def differences(self, message: bytes) -> list[str]:
        """Return what is otherwise than expected, in words.

        Raises:
            AnswerError: The message cannot be read.
        """


@check("call_told")
class CallTold(MessageCheck):
    """Fields of the message that a call was answered with."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"call {self.call} to be answered with {self.args['message']} {shorten(str(self.args['fields']))}"

    def differences(self, message: bytes) -> list[str]:
        """Compare each field; None stands for any text that is not empty."""
        got = fields_of(self.args["message"], message)
        wrong = [name for name, wanted in self.args["fields"].items() if not _fits(got[name], wanted)]
        return [f"{name} {shorten(str(got[name]))}" for name in wrong]


@check("call_inferred")
class CallInferred(Controlled, MessageCheck):
    """The outputs of a call to ModelInfer."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"call {self.call} to be answered with {_shown(self.args)}"

    def differences(self, message: bytes) -> list[str]:
        """Compare."""
        return _differences(read_message(message), self.args)


@check("inferred")
class Inferred(Controlled, AnswerCheck):
    """The outputs of an inference request over REST."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        refusal = ", or to be refused" if self.args["or_refused"] else ""
        return f"request {self.send} to be answered with {_shown(self.args)}{refusal}"

    def answered(self, answer: Answered) -> Judgement:
        """Compare."""
        status = answer["status"] or 0
        fault = self.fault(f"HTTP {status} {shorten(answer['body'])}", answer)
        if status in UNAVAILABLE:
            return undecidable(fault)
        if self.args["or_refused"] and (400 <= status < 500 or status == NOT_IMPLEMENTED):
            return PASSED if error_of(answer) else failed(fault)
        if status != 200:
            return failed(fault)
        try:
            got = read_rest(answer["headers"], octets(answer["body"]))
        except AnswerError as error:
            return failed(self.fault(f"{error}: {shorten(answer['body'])}", answer))
        differences = _differences(got, self.args)
        return failed(*(self.fault(difference, answer) for difference in differences)) if differences else PASSED


@check("told")
class Told(Controlled, AnswerCheck):
    """Members of the answer, which is a JSON object."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"request {self.send} to be answered 200, as JSON with {shorten(str(self.args['fields']))}"

    def answered(self, answer: Answered) -> Judgement:
        """Compare each member; None stands for any text that is not empty."""
        fault = self.fault(f"HTTP {answer['status']} {shorten(answer['body'])}", answer)
        if answer["status"] in UNAVAILABLE:
            return undecidable(fault)
        try:
            value = jsontext.parse(octets(answer["body"]))
        except ValueError:
            return failed(fault)
        if answer["status"] != 200 or not isinstance(value, dict):
            return failed(fault)
        fits = all(name in value and _fits(value[name], wanted) for name, wanted in self.args["fields"].items())
        return PASSED if fits else failed(fault)


@check("error_answered")
class ErrorAnswered(Controlled, AnswerCheck):
    """A refusal that says why: a JSON object with `error`, a text that is not empty."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"request {self.send} to be answered {show_status(self.args['status'])}, as JSON with an error"

    def answered(self, answer: Answered) -> Judgement:
        """Compare status, media type and body."""
        types = header_values(answer["headers"], "content-type")
        fault = self.fault(f"HTTP {answer['status']} {', '.join(types)} {shorten(answer['body'])}", answer)
        if answer["status"] in UNAVAILABLE and not in_status(answer["status"], self.args["status"]):
            return undecidable(fault)
        return PASSED if in_status(answer["status"], self.args["status"]) and error_of(answer) else failed(fault)


@check("undisclosed")
class Undisclosed(AnswerCheck):
    """A text that must not be in the answer."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"the answer to {self.send} not to carry {shorten(self.args['text'])}"

    def answered(self, answer: Answered) -> Judgement:
        """Look for it in the headers and in the body."""
        text = self.args["text"]
        places = [name for name, value in answer["headers"] if text in value]
        places += ["the body"] if text in answer["body"] else []
        return failed(self.fault(f"it is in {', '.join(places)}", answer)) if places else PASSED


def error_of(answer: Answered) -> str:
    """Return the error that an answer tells of, by the protocol's error object; empty: it tells none."""
    media = [value.partition(";")[0].strip().lower() for value in header_values(answer["headers"], "content-type")]
    try:
        value = jsontext.parse(octets(answer["body"]))
    except ValueError:
        return ""
    error = value.get("error") if isinstance(value, dict) and media == [JSON] else None
    return error if isinstance(error, str) else ""


def _fits(got: Any, wanted: Any) -> bool:
    if wanted is None:
        return isinstance(got, str) and bool(got)
    return type(got) is type(wanted) and bool(got == wanted)


def _differences(got: InferAnswer, args: Mapping[str, Any]) -> list[str]:
    """Return what is otherwise than the arguments of an expectation ask for, in words."""
    differences = [
        f"{name} {shorten(value)}"
        for name, value, wanted in (("id", got.id, args["id"]), ("model_name", got.model, args["model"]))
        if wanted is not None and value != wanted
    ]
    outputs, wanted = {tensor.name: tensor for tensor in got.outputs}, _tensors(args)
    if sorted(outputs) != sorted(tensor.name for tensor in wanted) or len(outputs) != len(got.outputs):
        return [*differences, f"outputs {', '.join(tensor.name for tensor in got.outputs) or 'none'}"]
    differences += _of_parameters(got, args)
    return differences + [shorten(shown(outputs[one.name])) for one in wanted if outputs[one.name] != one]


def _of_parameters(got: InferAnswer, args: Mapping[str, Any]) -> list[str]:
    """Return the parameters that are otherwise than expected, in words."""
    compared = [("parameters", got.parameters, args["parameters"])] if "parameters" in args else []
    compared += [
        (f"parameters of {one['name']}", got.output_parameters.get(one["name"], {}), one["parameters"])
        for one in args["outputs"]
        if "parameters" in one
    ]
    return [
        f"{name} {shorten(str(given))}"
        for name, given, wanted in compared
        if given.keys() != wanted.keys() or not all(_fits(given[key], wanted[key]) for key in wanted)
    ]


def _tensors(args: Mapping[str, Any]) -> Sequence[Tensor]:
    return [Tensor(one["name"], one["datatype"], tuple(one["shape"]), one["raw"]) for one in args["outputs"]]


def _shown(args: Mapping[str, Any]) -> str:
    named = [f"{name} {args[name]!r}" for name in ("id", "model") if args[name] is not None]
    return shorten("; ".join([*named, *map(shown, _tensors(args))]))
