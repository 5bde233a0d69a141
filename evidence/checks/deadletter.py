"""Dead letters: the event at the dead letter sink as it was, with what is said of the failure; or not there."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from evidence.checks.base import check, describe, failed, proven, read_json, shorten, undecidable, violation
from evidence.checks.content import origins
from evidence.checks.delivery import CLOCK_GRAIN, Attempts, DeliveryCheck
from evidence.cloudevents import Reading, read_http, same_data
from evidence.event_progress import Stage, watch
from evidence.history import octets
from evidence.verdict import PASSED, UNDECIDED, Judgement

if TYPE_CHECKING:
    from evidence.records import Received
    from evidence.refs import EventRef

MAX_ERROR_DATA = 1024


class DeadLetter(DeliveryCheck):
    """Requests at the dead letter sink, and the fate of the event at the Trigger that gives up on it."""

    def watch(self) -> None:
        """Keep the event and the Trigger's offsets; look at the dead letter sink."""
        letters, by = self.args["to"], self.args["by"]
        self.args = {**self.args, "to": [by]}
        super().watch()
        self.sinks = {letters.name}
        self.letters = letters
        control: EventRef | None = self.args.get("control")
        self.control = control
        if control is not None:
            watch(self.history, control, [by], None)
        behind: EventRef | None = self.args.get("behind")
        if behind is not None:
            watch(self.history, behind, [by], None)

    @property
    def target(self) -> str:
        """The dead letter sink."""
        return f"dead letter sink {self.letters.name}"


@check("dead_lettered")
class DeadLettered(DeadLetter):
    """It came, with id, source, type and data as sent, and the error extensions that were asked for."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a wrong one; pass at the first right one; fail when the Trigger is done without one."""
        found = self.deliveries()
        if not found:
            judgement = self.absent(self.fate(), final=final)
            return (self.silent() if final and judgement.verdict is None else None) or judgement
        sent = origins(self.history, self.event)
        if not sent:
            return UNDECIDED
        for letter in found:
            faults = self._faults(sent, letter)
            if faults:
                where = self.where(self.event)
                return failed(*(violation(expected, got, (letter["seq"],), where) for expected, got in faults))
        return PASSED

    def silent(self) -> Judgement | None:
        """Fail where the subscriber got the event, nothing came of that, and the control came to the sink before."""
        if self.control is None:
            return None
        letters = self.history.deliveries((self.control.source, self.control.id), self.sinks)
        (trigger,) = self.triggers
        asked = [] if trigger.sink is None else self.history.deliveries(self._identity, {trigger.sink.name})
        if not letters or not asked or letters[0]["seq"] > asked[0]["seq"]:
            return None
        got = f"nothing until the deadline, while {describe(self.control)} came there before"
        return failed(violation(self.expected, got, (letters[0]["seq"], asked[0]["seq"]), self.where(self.event)))

    @property
    def _identity(self) -> tuple[str, str]:
        return self.event.source, self.event.id

    def _faults(self, sent: list[Reading], letter: Received) -> list[tuple[str, str]]:
        seen = read_http(letter["headers"], octets(letter["body"]))
        what = f"the dead letter of {describe(self.event)}"
        faults = []
        for name in ("id", "source", "type"):
            wanted = sent[0].attributes.get(name)
            if seen.attributes.get(name) != wanted:
                faults.append((f"{what} with {name} {wanted!r}", repr(seen.attributes.get(name))))
        if not any(same_data(origin, seen) for origin in sent):
            faults.append((f"{what} with the data that was sent", f"{len(seen.data or b'')} other bytes"))
        code, dest, data = self.args["code"], self.args["dest"], self.args["data"]
        for name, value in (("knativeerrorcode", code), ("knativeerrordest", dest)):
            got = seen.attributes.get(name)
            if value is not None and got != str(value):
                faults.append((f"{what} with {name} {str(value)!r}", repr(got)))
        if data is not None:
            got = seen.attributes.get("knativeerrordata")
            if _decoded(got) != data[:MAX_ERROR_DATA]:
                faults.append((f"{what} with knativeerrordata of {data[:40]!r} in base64", repr(got)))
        return faults


def _decoded(value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


@check("dead_letter_explained")
class DeadLetterExplained(DeadLetter):
    """It came, and its `knativeerrordata` is a JSON object that says in words what was wrong."""

    def decide(self, *, final: bool) -> Judgement:
        """Fail at one without words; pass at the first with them; fail when the Trigger is done without a letter."""
        found = self.deliveries()
        if not found:
            return self.absent(self.fate(), final=final)
        member: str = self.args["member"]
        for letter in found:
            attributes = read_http(letter["headers"], octets(letter["body"])).attributes
            said = _decoded(attributes.get("knativeerrordata")) or b""
            value = read_json(said)[1]
            words = value.get(member) if isinstance(value, dict) else None
            if not isinstance(words, str) or not words.strip():
                expected = f"knativeerrordata of {describe(self.event)} to be a JSON object with a text {member!r}"
                got = shorten(said.decode("latin-1")) if said else "none"
                return failed(violation(expected, got, (letter["seq"],), self.where(self.event)))
        return PASSED


@check("not_dead_lettered")
class NotDeadLettered(DeadLetter):
    """The Trigger is done with it, and it did not come."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        event: EventRef = self.event
        return f"{describe(event)} not to be sent to {self.target}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first one; pass once the event is handled."""
        found = self.deliveries()
        if found:
            return failed(violation(self.expected, "a request there", (found[0]["seq"],), self.where(self.event)))
        fate = self.fate()
        if fate.stage is Stage.HANDLED:
            return proven(fate)
        if fate.stage in {Stage.REFUSED, Stage.UNDECIDABLE} or (fate.stage is Stage.LOST and final):
            return undecidable(violation(self.expected, fate.text, fate.witness, self.where(self.event)))
        return UNDECIDED


@check("dead_letter_attempts")
class DeadLetterAttempts(DeadLetter, Attempts):
    """The dead letter sink got it in exactly so many requests, when the Trigger is done with it."""


@check("held_back")
class HeldBack(DeadLetter):
    """It came to the sink, and not before so many seconds had passed since an event left its sender."""

    @property
    def target(self) -> str:
        """The sink."""
        return f"sink {self.letters.name}"

    @property
    def wording(self) -> str:
        """What the event should be."""
        behind: EventRef = self.args["behind"]
        return f"delivered to {self.target} no earlier than {self.args['seconds']:g} s after {describe(behind)} left"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at one that is too early, or when the Trigger is done without any; pass at the first other one."""
        found = self.deliveries()
        if not found:
            return self.absent(self.fate(), final=final)
        behind: EventRef = self.args["behind"]
        # What is written before a request leaves: whatever holds the event up begins after that.
        left = [
            record for record in self.history.events[behind.source, behind.id].sent if record["seq"] < found[0]["seq"]
        ]
        if not left:
            return UNDECIDED
        passed = found[0]["t"] - left[0]["t"]
        if passed >= self.args["seconds"] - CLOCK_GRAIN:
            return PASSED
        witness = (left[0]["seq"], found[0]["seq"])
        return failed(violation(self.expected, f"a request after {passed:.3f} s", witness, self.where(self.event)))


@check("not_received")
class NotReceived(NotDeadLettered):
    """A Trigger that delivers elsewhere is done with it, and it did not come to this sink."""

    @property
    def target(self) -> str:
        """The sink."""
        return f"sink {self.letters.name}"
