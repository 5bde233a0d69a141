"""What a request of the probe was answered: status, headers, body, or an event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evidence.checks.base import (
    Check,
    check,
    failed,
    has_value,
    header_values,
    in_status,
    read_json,
    same_json,
    shorten,
    show_status,
    undecidable,
    violation,
)
from evidence.cloudevents import Reading, read_http
from evidence.event_path import in_a_line, of_exchange
from evidence.event_progress import UNAVAILABLE
from evidence.history import octets
from evidence.refs import EventRef, ExchangeRef, RefError
from evidence.verdict import PASSED, UNDECIDED, Judgement, Violation

if TYPE_CHECKING:
    from evidence.records import Answered


NOBODY = frozenset({404, 502, 503})
"""What a gateway answers where nobody is behind it."""


class AnswerCheck(Check):
    """A request and its answer. A request that nobody answered shows neither conformance nor a violation."""

    expected = "an answer"

    def watch(self) -> None:
        """Keep the exchange."""
        ref: ExchangeRef | EventRef = self.args["exchange"]
        if ref.send is None:
            raise RefError(f"event {ref.id} was not sent by a request of the probe: it has no answer")
        self.send = ref.send
        self.history.watch_exchange(self.send)

    def decide(self, *, final: bool) -> Judgement:
        """Judge as soon as there is an answer."""
        del final
        answer = self.history.answered.get(self.send)
        if answer is None:
            return UNDECIDED
        if answer["status"] is None:
            return undecidable(self.fault(f"no answer: {answer.get('error')}", answer))
        return self.answered(answer)

    def answered(self, answer: Answered) -> Judgement:
        """Judge the answer."""
        raise NotImplementedError

    def missing(self) -> Violation:
        """No answer yet."""
        return self.no_decision(self.expected, f"request {self.send} has no answer yet")

    def fault(self, got: str, answer: Answered, expected: str | None = None) -> Violation:
        """Return a violation that this answer shows."""
        sent = self.history.sent.get(self.send)
        witness = (*((sent["seq"],) if sent else ()), answer["seq"])
        return violation(expected or self.expected, got, witness, in_a_line(of_exchange(self.history, self.send)))


@check("answered")
@check("accepted")
@check("refused")
class AnsweredCheck(AnswerCheck):
    """The status code."""

    def watch(self) -> None:
        """Keep the control's exchange too."""
        super().watch()
        control: ExchangeRef | EventRef | None = self.args.get("control")
        self.control = None if control is None else control.send
        if self.control is not None:
            self.history.watch_exchange(self.control)

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"request {self.send} to be answered {show_status(self.args['status'])}"

    def answered(self, answer: Answered) -> Judgement:
        """Compare; an answer that says `not now` where it was not asked for leaves it open for good."""
        status = answer["status"]
        if in_status(status, self.args["status"]):
            return PASSED
        fault = self.fault(f"HTTP {status} {shorten(answer['body'])}", answer)
        if status not in UNAVAILABLE:
            return failed(fault)
        if self.control is None:
            return undecidable(fault)
        after = self.history.answered.get(self.control)
        if after is None:
            return UNDECIDED
        if after["seq"] < answer["seq"] or not 200 <= (after["status"] or 0) < 300:
            return undecidable(fault)
        got = f"HTTP {status}, while request {self.control}, sent after it, was accepted"
        return failed(violation(self.expected, got, (answer["seq"], after["seq"]), fault.where))


@check("answered_before")
class AnsweredBefore(AnsweredCheck):
    """The status code, while another request was still under way."""

    def watch(self) -> None:
        """Keep the other exchange too."""
        super().watch()
        other: EventRef | ExchangeRef = self.args["other"]
        if other.send is None:
            raise RefError(f"{other} was not sent by a request of the probe: it has no answer")
        self.other = other.send
        self.history.watch_exchange(self.other)

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"{super().expected} before request {self.other} was over"

    def decide(self, *, final: bool) -> Judgement:
        """Fail as soon as the other one is over and this one has no answer."""
        over, answer = self.history.answered.get(self.other), self.history.answered.get(self.send)
        if over is not None and (answer is None or answer["seq"] > over["seq"]):
            sent = self.history.sent.get(self.send)
            if sent is None or sent["seq"] > over["seq"]:
                return undecidable(violation(self.expected, "it was not sent before that", (over["seq"],)))
            where = in_a_line(of_exchange(self.history, self.send))
            return failed(violation(self.expected, "no answer by then", (sent["seq"], over["seq"]), where))
        return super().decide(final=final)


@check("unanswered")
class Unanswered(AnswerCheck):
    """A request that was still under way when a later one left."""

    def watch(self) -> None:
        """Keep the later exchange too."""
        super().watch()
        later: ExchangeRef = self.args["at"]
        self.later = later.send or ""
        self.history.watch_exchange(self.later)

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"request {self.send} to have no answer when {self.later} was sent"

    def decide(self, *, final: bool) -> Judgement:
        """Judge as soon as the later one is sent."""
        del final
        sent, later = self.history.sent.get(self.send), self.history.sent.get(self.later)
        if sent is None or later is None:
            return UNDECIDED
        if sent["seq"] > later["seq"]:
            return undecidable(violation(self.expected, "it was sent after that", (later["seq"], sent["seq"])))
        answer = self.history.answered.get(self.send)
        if answer is None or answer["seq"] > later["seq"]:
            return PASSED
        return super().decide(final=True)

    def answered(self, answer: Answered) -> Judgement:
        """Fail: an answer was there by then."""
        return failed(self.fault(f"HTTP {answer['status']} by then", answer))


@check("unserved")
class Unserved(AnswerCheck):
    """A request that nobody serves, while somebody else answers."""

    expected = "nobody to serve the request"

    def watch(self) -> None:
        """Keep the control's exchange too."""
        super().watch()
        control: ExchangeRef = self.args["control"]
        self.control = control.send or ""
        self.history.watch_exchange(self.control)

    def decide(self, *, final: bool) -> Judgement:
        """Judge when both are over: without the control, silence says nothing."""
        del final
        answer, after = (self.history.answered.get(send) for send in (self.send, self.control))
        if answer is None or after is None:
            return UNDECIDED
        if answer["status"] is not None and answer["status"] not in NOBODY:
            return self.answered(answer)
        if after["seq"] > answer["seq"] and 200 <= (after["status"] or 0) < 300:
            return PASSED
        return undecidable(self.fault(f"no answer, but {self.control}, sent after it, was not accepted", answer))

    def answered(self, answer: Answered) -> Judgement:
        """Fail: somebody serves it."""
        return failed(self.fault(f"HTTP {answer['status']} {shorten(answer['body'])}", answer))


@check("waited")
class Waited(AnswerCheck):
    """The time from a request to its answer, from below: no machine is too slow for that."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"no answer to request {self.send} within {self.args['at_least']:g} s"

    def answered(self, answer: Answered) -> Judgement:
        """Compare."""
        sent = self.history.sent.get(self.send)
        began = answer.get("sent_t", sent["t"] if sent else answer["t"])
        took = answer.get("answered_t", answer["t"]) - began
        if took >= self.args["at_least"]:
            return PASSED
        return failed(self.fault(f"HTTP {answer['status']} after {took:.3f} s", answer))


@check("header")
class Header(AnswerCheck):
    """A header of the answer."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"the answer to {self.send} to have header {self.args['name']} {self.args['value'] or 'absent'!r}"

    def answered(self, answer: Answered) -> Judgement:
        """Compare."""
        values, wanted = header_values(answer["headers"], self.args["name"]), self.args["value"]
        if (not values) if wanted is None else has_value(values, wanted):
            return PASSED
        return failed(self.fault(", ".join(map(repr, values)) or "none", answer))


@check("response_body")
class ResponseBody(AnswerCheck):
    """The body as JSON."""

    @property
    def expected(self) -> str:  # type: ignore[override]  # depends on the arguments here
        """The expectation in a few words."""
        return f"the answer to {self.send} to be JSON {shorten(json.dumps(self.args['json']))}"

    def answered(self, answer: Answered) -> Judgement:
        """Compare."""
        readable, got = read_json(octets(answer["body"]))
        if not readable:
            return failed(self.fault(f"HTTP {answer['status']}, no JSON: {shorten(answer['body'])}", answer))
        if same_json(got, self.args["json"]):
            return PASSED
        return failed(self.fault(f"HTTP {answer['status']} {shorten(answer['body'])}", answer))


@check("response_event")
class ResponseEvent(AnswerCheck):
    """The answer as an event."""

    expected = "the answer to be a valid CloudEvent"

    def answered(self, answer: Answered) -> Judgement:
        """Return the faults: of validity, then of data and attributes, then of what must differ from the request."""
        seen = read_http(answer["headers"], octets(answer["body"]))
        if seen.problems:
            return failed(
                *(self.fault(f"HTTP {answer['status']} where {problem}", answer) for problem in seen.problems)
            )
        faults = [
            self.fault(repr(seen.attributes.get(name)), answer, f"the answer's {name} to be {wanted!r}")
            for name, wanted in self.args["attributes"].items()
            if seen.attributes.get(name) != wanted
        ]
        wanted_data = self.args["json"]
        if wanted_data is not None and not same_json(_data(seen), wanted_data):
            faults.append(self.fault(shorten(repr(seen.data)), answer, f"the answer's data to be {wanted_data!r}"))
        sent = self.history.sent.get(self.send)
        asked = read_http(sent["headers"], octets(sent["body"])).attributes if sent else {}
        faults += [
            self.fault("the request's own", answer, f"the answer to have another {name} than {asked.get(name)!r}")
            for name, flag in (("id", "new_id"), ("type", "own_type"))
            if self.args[flag] and seen.attributes.get(name) == asked.get(name)
        ]
        return failed(*faults) if faults else PASSED


def _data(reading: Reading) -> Any:
    return reading.value if reading.has_value else read_json(reading.data or b"")[1]
