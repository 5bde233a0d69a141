"""Answers of topic-to-topic servers: JSON that holds some members, errors in a prediction's place, and their order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evidence.checks.base import check, failed, read_json, same_json, shorten, violation
from evidence.checks.streaming import StreamCheck, Valued
from evidence.history import octets
from evidence.verdict import PASSED, UNDECIDED, Judgement

if TYPE_CHECKING:
    from evidence.records import TopicRecord


class Answered(Valued):
    """There is an answer, and no answer has a fault."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a fault; pass at an answer without one; silence beside an answered control is a failure."""
        found = self.answers(self.request)
        for answer in found:
            if fault := self.fault(answer):
                return failed(violation(self.expected, fault, (answer["seq"],), self.where(self.request)))
        return PASSED if found else self.absent(final=final)


@check("stream_holds")
class StreamHolds(Answered):
    """There is an answer, and all of them hold the members of a JSON value, whatever else they hold."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        wanted = shorten(json.dumps(self.args["json"]))
        return f"an answer to {self.name_of(self.request)} in topic {self.output} that holds {wanted}"

    def fault(self, answer: TopicRecord) -> str | None:
        """How an answer lacks a member, or None."""
        readable, got = read_json(octets(answer["value"] or ""))
        if not readable:
            return f"no JSON: {shorten(answer['value'] or '')}"
        return None if holds(got, self.args["json"]) else shorten(json.dumps(got))


def holds(got: Any, wanted: Any) -> bool:
    """Tell whether a JSON value has all members of another one; lists are as long, numbers nearly equal."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(name in got and holds(got[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(holds, got, wanted))
    return same_json(got, wanted)


@check("stream_error")
class StreamError(Answered):
    """There is an answer, and all of them are errors."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"an error as the answer to {self.name_of(self.request)} in topic {self.output}"

    def fault(self, answer: TopicRecord) -> str | None:
        """How an answer is no error, or None."""
        readable, got = read_json(octets(answer["value"] or ""))
        if not readable:
            return f"no JSON: {shorten(answer['value'] or '')}"
        error = got.get("error") if isinstance(got, dict) else None
        return None if isinstance(error, str) and error.strip() else shorten(json.dumps(got))


@check("stream_in_order")
class StreamInOrder(StreamCheck):
    """The first answers of the requests come in the requests' order, on one partition of the output topic."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"answers to {len(self.requests)} requests of one partition in their order, in topic {self.output}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an answer before that of an earlier request; pass when all are answered."""
        del final
        last: TopicRecord | None = None
        for request in self.requests:
            found = self.answers(request)
            if not found:
                return UNDECIDED
            first = found[0]
            if last is not None and (first["partition"], first["offset"]) < (last["partition"], last["offset"]):
                got = f"the answer to {self.name_of(request)} before that of the request before it"
                return failed(violation(self.expected, got, (first["seq"], last["seq"]), self.where(request)))
            last = first
        return PASSED
