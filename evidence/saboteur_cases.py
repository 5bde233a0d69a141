"""The cases of the saboteur: what the probe does to one event on its way, and what the checks must say of it.

Each sends a few events through an ordinary Broker, Trigger and sink. `evidence.saboteur` judges what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from evidence.record_values import Sabotage, SabotagePlace

EVENTS: Final = 4
"""How many events a case sends. The last of them is never touched: when it has come, the others have had their time."""
LATE: Final = 1.0
"""Seconds by which a delayed event is late; the saboteur holds it for longer."""
ATTRIBUTES: Final = {"subject": "a subject of several words", "note": "what an extension says"}
"""The optional attributes of a case's events; the one that is altered is one of them."""
OVERTAKEN: Final = 2
"""How many later events must have come before it by then."""
MOST_SEED: Final = 2**32 - 1
Traffic = Literal["plain", "ordered", "retried"]
"""What a case sends: events to a Trigger, to one with ordered delivery, or to one whose sink refuses the first."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the checks must say of a sabotage.

    Attributes:
        check: The name of the check that must fail.
        reached: The places of which one is the furthest that the event was seen at.
        says: The pattern of what the message says.
    """

    check: str
    reached: frozenset[str]
    says: str


@dataclass(frozen=True, slots=True)
class Case:
    """One sabotage.

    Attributes:
        name: The name of the case.
        what: The kind of it.
        place: The place of it: before the ingress, or before the sink.
        about: The sabotage in words.
        stored: The signature where the Broker shows what it has stored.
        opaque: The signature where it shows nothing; None: nobody can tell there.
        traffic: The kind of traffic.
        status: The status that the answer is turned into, where that is the sabotage.
    """

    name: str
    what: Sabotage
    place: SabotagePlace
    about: str
    stored: Signature
    opaque: Signature | None
    traffic: Traffic = "plain"
    status: int = 0

    def victim(self, seed: int) -> int:
        """Return the index of the event that the sabotage hits; two events follow any of them."""
        return 0 if self.traffic == "retried" else Random(f"{seed} {self.name}").randrange(EVENTS - OVERTAKEN)


_INGRESS = frozenset({"ingress"})
_GROUP = frozenset({"group"})
_SINK = frozenset({"sink"})
_STORED = frozenset({"topic", "group", "sink"})
_BODY, _ATTRIBUTE = r"expected data ", rf"expected ({'|'.join(ATTRIBUTES)}) "
_TWO, _NONE = r"got 2 requests", r"got 0 when "
_UNCHANGED_BODY, _UNCHANGED_ATTRIBUTE = Signature("unchanged", _SINK, _BODY), Signature("unchanged", _SINK, _ATTRIBUTE)
_TWICE, _LATE = Signature("delivered_once", _SINK, _TWO), Signature("none_late", _SINK, rf"more than {LATE:g} s before")
_REFUSED, _UNRETRIED = Signature("accepted", _INGRESS, r"got HTTP 400"), Signature("attempts", _SINK, r"got 1 when ")

CASES: Final[tuple[Case, ...]] = (
    Case(
        "lost-before-ingress",
        "lost",
        "ingress",
        "the event never reaches the ingress, and is answered 202",
        Signature("recorded", _INGRESS, r"does not hold it"),
        Signature("delivered_once", _INGRESS, _NONE),
    ),
    Case(
        "lost-before-sink",
        "lost",
        "sink",
        "the delivery never reaches the sink, and is answered 200",
        Signature("delivered_once", _GROUP, _NONE),
        Signature("delivered_once", _INGRESS, _NONE),
    ),
    Case(
        "doubled-before-ingress",
        "doubled",
        "ingress",
        "the event reaches the ingress twice",
        Signature("recorded", _STORED, r"got 2 records"),
        _TWICE,
    ),
    Case("doubled-before-sink", "doubled", "sink", "the delivery reaches the sink twice", _TWICE, _TWICE),
    Case(
        "delayed-before-sink",
        "delayed",
        "sink",
        "the delivery comes when later ones have come",
        _LATE,
        _LATE,
    ),
    Case(
        "reordered-before-sink",
        "reordered",
        "sink",
        "the delivery reaches the sink behind the one that followed it",
        Signature("in_order", _SINK, r"got it after that one"),
        None,
        traffic="ordered",
    ),
    Case(
        "body-altered-before-ingress",
        "body",
        "ingress",
        "one byte of the body is another one",
        Signature("record_shape", _STORED, _BODY),
        _UNCHANGED_BODY,
    ),
    Case(
        "body-altered-before-sink",
        "body",
        "sink",
        "one byte of the body is another one",
        _UNCHANGED_BODY,
        _UNCHANGED_BODY,
    ),
    Case(
        "attribute-altered-before-ingress",
        "attribute",
        "ingress",
        "one character of an attribute is another one",
        Signature("record_shape", _STORED, _ATTRIBUTE),
        _UNCHANGED_ATTRIBUTE,
    ),
    Case(
        "attribute-altered-before-sink",
        "attribute",
        "sink",
        "one character of an attribute is another one",
        _UNCHANGED_ATTRIBUTE,
        _UNCHANGED_ATTRIBUTE,
    ),
    Case(
        "acceptance-refused-by-ingress",
        "answer",
        "ingress",
        "the ingress takes the event, and its answer becomes 400",
        _REFUSED,
        _REFUSED,
        status=400,
    ),
    Case(
        "refusal-accepted-by-sink",
        "answer",
        "sink",
        "the sink answers 503, and the answer becomes 202",
        _UNRETRIED,
        _UNRETRIED,
        traffic="retried",
        status=202,
    ),
    Case(
        "acceptance-refused-by-sink",
        "answer",
        "sink",
        "the sink answers 200, and the answer becomes 503",
        _TWICE,
        _TWICE,
        status=503,
    ),
)
