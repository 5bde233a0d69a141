"""What a system may refuse, and must get right where it does not: codings of bodies, older versions of events."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evidence.checks.absence import NotPassedOn, NotRecorded
from evidence.checks.base import check, header_values
from evidence.checks.content import Content, changes
from evidence.cloudevents import CURRENT, read_http
from evidence.codings import CodingError, unpacked
from evidence.event_progress import UNAVAILABLE
from evidence.history import octets
from evidence.verdict import PASSED

if TYPE_CHECKING:
    from evidence.cloudevents import Reading
    from evidence.records import Received, Replied, Sent
    from evidence.refs import EventRef, SinkRef
    from evidence.verdict import Judgement, ObservationRequest, Violation

MOST_BYTES: Final = 16 << 20
OLDER: Final = "0.3"
ENCODING: Final = "datacontentencoding"
RENAMED: Final = frozenset({"specversion", "schemaurl", "dataschema"})
"""The attributes by which an event of 0.3 and the same one of 1.0 differ; version 1.0 has no datacontentencoding."""


@check("refused_or_unchanged")
class RefusedOrUnchanged(Content):
    """Refused with a 4xx, and nothing of it left; or accepted, and delivered as what it was."""

    def watch(self) -> None:
        """Keep what shows that nothing is left, too."""
        super().watch()
        kind = NotRecorded if "on" in self.args else NotPassedOn
        self.left = kind(self.args, self.history)

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        return f"refused with a 4xx and not stored, or delivered to {self.target} as it was sent"

    @property
    def refused(self) -> bool:
        """Whether the answer is a refusal for good."""
        answer = self.history.answered.get(self.event.send or "")
        status = answer["status"] if answer else None
        return status is not None and 400 <= status < 500 and status not in UNAVAILABLE

    def decide(self, *, final: bool) -> Judgement:
        """Judge by the answer which of the two it has to be."""
        return self.left.decide(final=final) if self.refused else super().decide(final=final)

    def missing(self) -> Violation:
        """Return what keeps it open."""
        return self.left.missing() if self.refused else super().missing()

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Return what shows what was left of it, or what became of it."""
        return self.left.needs() if self.refused else super().needs()

    def faults(self, delivery: Received) -> list[str]:
        """Return how a delivery differs from the request that is most like it."""
        return min((_unlike(sent, delivery) for sent in self._seen.sent), key=len)


@check("failed_or_unchanged")
class FailedOrUnchanged(Content):
    """A reply that is delivered as what it was; or its delivery has failed, and what caused it is a dead letter."""

    @property
    def wording(self) -> str:
        """The expectation in a few words."""
        cause: EventRef = self.args["cause"]
        return f"delivered to {self.target} as it was given, or event {cause.id} to be dead-lettered"

    def decide(self, *, final: bool) -> Judgement:
        """Pass where the reply never came, and what caused it is at the dead letter sink."""
        cause: EventRef = self.args["cause"]
        letters: SinkRef = self.args["letters"]
        if not self.deliveries() and self.history.deliveries((cause.source, cause.id), {letters.name}):
            return PASSED
        return super().decide(final=final)

    def faults(self, delivery: Received) -> list[str]:
        """Return how a delivery differs from the answer that is most like it."""
        return min((_unlike(answer, delivery) for answer in self._seen.replied), key=len)


def _unlike(sent: Sent | Replied, delivery: Received) -> list[str]:
    """Return the faults of a delivery; one that is packed as the request was is compared packed."""
    messages = (sent, delivery)
    codings = [", ".join(header_values(message["headers"], "content-encoding")) for message in messages]
    bodies = [octets(message["body"]) for message in messages]
    if codings[0].lower() != codings[1].lower() or bodies[0] != bodies[1]:
        try:
            bodies = [unpacked(coding, body, MOST_BYTES) for coding, body in zip(codings, bodies, strict=True)]
        except CodingError as error:
            told = [coding or "none" for coding in codings]
            return [f"expected the body in its content coding, {told[0]}, or without; got {told[1]} ({error})"]
    origin, seen = (
        read_http(message["headers"], body, (*CURRENT, OLDER)) for message, body in zip(messages, bodies, strict=True)
    )
    found = [f"expected a valid CloudEvent; got one where {problem}" for problem in seen.problems]
    versions = {reading.attributes.get("specversion") for reading in (origin, seen)}
    try:
        origin, seen = _of_text(origin), _of_text(seen)
    except ValueError as error:
        return [*found, f"expected data in base64, as {ENCODING} says; got {error}"]
    return found + changes(origin, seen, set(RENAMED) if len(versions) > 1 else set())


def _of_text(reading: Reading) -> Reading:
    """Return an event of 0.3 with the bytes for which its text stands.

    Raises:
        ValueError: It is no base64.
    """
    attributes = dict(reading.attributes)
    if attributes.get("specversion") != OLDER or attributes.pop(ENCODING, "").lower() != "base64":
        return reading
    text = reading.value if reading.has_value else (reading.data or b"").decode("latin-1")
    data = base64.b64decode(text if isinstance(text, str) else "\0", validate=True)
    return replace(reading, attributes=attributes, data=data, value=None, has_value=False)
