"""What a server that is called directly owes to its own word: that it is ready, which versions it has, how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common import jsontext
from evidence.checks.answers import AnswerCheck
from evidence.checks.asked import Asked, answer_to, is_well, name_of, request_of, told, watch
from evidence.checks.base import Check, check, failed, shorten, undecidable, violation
from evidence.checks.protocols import NOT_NOW, CallCheck
from evidence.event_progress import UNAVAILABLE
from evidence.history import octets
from evidence.open_inference import AnswerError, fields_of, read_message
from evidence.verdict import PASSED, UNDECIDED, Judgement, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.refs import ObjectRef

INFER = "ModelInfer"


class PairCheck(Check):
    """What a server said, and what came of a request or call that takes it at its word."""

    expected = "an answer"
    word: str
    deed: str = "asked"

    def watch(self) -> None:
        """Keep both."""
        for name in (self.word, self.deed):
            watch(self.history, self.args[name])

    def answer(self, name: str) -> Any:
        """Return the record of an answer, or of the end of a call; None: there is none yet."""
        return answer_to(self.history, self.args[name])

    def asked(self, name: str) -> Any:
        """Return the record of a request or a call."""
        return request_of(self.history, self.args[name])

    def name_of(self, name: str) -> str:
        """Return how a request or a call is called in messages."""
        return name_of(self.args[name])

    def fields(self, name: str) -> Mapping[str, Any] | None:
        """Return the members of an answer that is a JSON object, or the fields of a message; None: it is no success."""
        answer, asked = self.answer(name), self.asked(name)
        if not is_well(answer):
            return None
        if "code" not in answer:
            try:
                value = jsontext.parse(octets(answer["body"]))
            except ValueError:
                return {}
            return value if isinstance(value, dict) else {}
        method, message = asked["method"].rpartition("/")[2], octets(answer["message"] or "")
        try:
            if method == INFER:
                return {"model_version": read_message(message).version}
            return fields_of(f"{method}Response", message)
        except AnswerError:
            return {}

    def missing(self) -> Violation:
        """No answer yet."""
        return self.no_decision(self.expected, "there is no answer yet")

    def fault(self, got: str) -> Violation:
        """Return a violation that both answers show."""
        records = [self.answer(self.word), self.asked(self.deed), self.answer(self.deed)]
        return violation(self.expected, got, tuple(record["seq"] for record in records if record is not None))


@check("ready_to_infer")
class ReadyToInfer(PairCheck):
    """An inference request behind the word that server or model is ready."""

    word = "said"

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"{self.name_of('asked')} to be answered, since {self.name_of('said')} before it was answered: ready"

    def decide(self, *, final: bool) -> Judgement:
        """Pass where nothing was promised, or where it was kept."""
        del final
        if self.answer("said") is None:
            return UNDECIDED
        if (self.fields("said") or {}).get("ready") is not True:
            return PASSED
        answer, asked = self.answer("asked"), self.asked("asked")
        if answer is None or asked is None:
            return UNDECIDED
        if asked["seq"] < self.answer("said")["seq"]:
            return undecidable(self.fault("it was sent before that answer"))
        return PASSED if is_well(answer) else failed(self.fault(told(answer)))


@check("version_kept")
class VersionKept(PairCheck):
    """A version that the metadata of a model list."""

    word = "listed"

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"{self.name_of('asked')} to be answered by version {self.args['version']}, which the metadata list"

    def decide(self, *, final: bool) -> Judgement:
        """Pass where the version is not listed; else compare the status, and the version that the answer names."""
        del final
        if self.answer("listed") is None:
            return UNDECIDED
        if self.args["version"] not in ((self.fields("listed") or {}).get("versions") or ()):
            return PASSED
        answer = self.answer("asked")
        if answer is None:
            return UNDECIDED
        if not is_well(answer):
            return failed(self.fault(told(answer)))
        version = (self.fields("asked") or {}).get("model_version")
        if version == self.args["version"] or (version is None and not self.args["named"]):
            return PASSED
        return failed(self.fault(f"model_version {shorten(str(version))}, {type(version).__name__}"))


@check("drained")
class Drained(AnswerCheck):
    """A request that was under way when its server was told to end."""

    def watch(self) -> None:
        """Keep what the API said of the deletion too."""
        super().watch()
        self.history.watch_object(_key(self.args["deletion"]))

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"request {self.send} to be answered 200, although {_what(self.args['deletion'])} was deleted meanwhile"

    def decide(self, *, final: bool) -> Judgement:
        """Judge as soon as there is an answer, or the connection has ended without one."""
        del final
        return _under_way(self, self.args["exchange"])


@check("call_drained")
class CallDrained(CallCheck):
    """A call that was under way when its server was told to end."""

    def watch(self) -> None:
        """Keep what the API said of the deletion too."""
        super().watch()
        self.history.watch_object(_key(self.args["deletion"]))

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"call {self.call} to end with OK, although {_what(self.args['deletion'])} was deleted meanwhile"

    def decide(self, *, final: bool) -> Judgement:
        """Judge as soon as the call has ended, with a status or without."""
        del final
        return _under_way(self, self.args["call"])


@check("unblamed_at_end")
class UnblamedAtEnd(Check):
    """Good requests that a server answered after it was told to end, if it did."""

    expected = "no answer that blames a good request"

    def watch(self) -> None:
        """Keep the requests, and what the API said of the deletion."""
        for ref in self.args["asked"]:
            watch(self.history, ref)
        self.history.watch_object(_key(self.args["deletion"]))

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first such answer; pass when each request has ended, and one of them met the end of the server.

        It did when it was sent behind the deletion, or when nobody answered: a server may end before its deletion is
        told, and requests that nobody takes are over in an instant.
        """
        del final
        deletion = _deletion(self)
        if deletion is None:
            return UNDECIDED
        if why := _why_not_deleted(deletion):
            return undecidable(self._fault(why, deletion))
        ends = [(ref, answer_to(self.history, ref)) for ref in self.args["asked"]]
        for ref, end in ends:
            if end is not None and end["seq"] > deletion["seq"] and not _blames_nobody(end):
                return failed(self._fault(f"{name_of(ref)}: {told(end)}", deletion, end))
        if any(end is None for _, end in ends):
            return UNDECIDED
        sent = [request_of(self.history, ref) for ref in self.args["asked"]]
        came_behind = any(request is not None and request["seq"] > deletion["seq"] for request in sent)
        if not came_behind and not any(end is not None and _has_no_status(end) for _, end in ends):
            return undecidable(self._fault("nothing was asked after that", deletion))
        return PASSED

    def missing(self) -> Violation:
        """Not all of them have ended."""
        return self.no_decision(self.expected, "a request has no answer yet")

    def _fault(self, got: str, *records: Mapping[str, Any]) -> Violation:
        return violation(self.expected, got, tuple(record["seq"] for record in records), _what(self.args["deletion"]))


def _blames_nobody(end: Mapping[str, Any]) -> bool:
    """Tell whether a request was answered well, or by nobody, or so that its client may well ask again."""
    if _has_no_status(end) or is_well(end):
        return True
    return end["code"] in NOT_NOW if "code" in end else end["status"] in UNAVAILABLE


def _has_no_status(end: Mapping[str, Any]) -> bool:
    """Tell whether nobody answered."""
    return end["code" if "code" in end else "status"] is None


def _deletion(check: Check) -> Any:
    """Return the record of the deletion; None: there is none yet."""
    deleted: ObjectRef = check.args["deletion"]
    found = (record for record in check.history.objects[_key(deleted)] if record["seq"] == deleted.seq)
    return next(found, None)


def _why_not_deleted(deletion: Mapping[str, Any]) -> str:
    """Return why the record of a deletion shows none; empty where it shows one."""
    if deletion["verb"] == "delete" and deletion["code"] == 200:
        return ""
    return f"nothing was deleted: {deletion['verb']} {deletion['code']}"


def _under_way(check: AnswerCheck | CallCheck, ref: Asked) -> Judgement:
    """Judge what was under way at a deletion; nothing else than the end of the server can be why it has no answer."""
    answer, request, deletion = answer_to(check.history, ref), request_of(check.history, ref), _deletion(check)
    if answer is None or request is None or deletion is None:
        return UNDECIDED
    if why := _why_not_deleted(deletion):
        return undecidable(check.fault(why, answer))
    if not request["seq"] < deletion["seq"] < answer["seq"]:
        return undecidable(check.fault("it was not under way then", answer))
    return PASSED if is_well(answer) else failed(check.fault(told(answer), answer))


def _key(ref: ObjectRef) -> tuple[str, str, str | None, str]:
    return (ref.api_version, ref.kind, ref.namespace, ref.name)


def _what(ref: ObjectRef) -> str:
    return f"{ref.kind} {ref.name}"
