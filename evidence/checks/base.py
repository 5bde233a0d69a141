"""The base of all checks. A check judges one expectation, and can be asked at any time.

It says undecided until the history settles the matter. Asking changes nothing: twice gives the same answer. `decide`
returns UNDECIDED as long as more records could turn the answer. At the deadline, or at the end of a replay, that
becomes unknown, never pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from common import jsontext
from common.redaction import PLAIN
from evidence.event_path import where
from evidence.verdict import Judgement, ObservationRequest, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evidence.event_progress import EventProgress
    from evidence.history_index import HistoryIndex
    from evidence.refs import EventRef, TriggerRef

_DOUBLE = 2**53
"""The integers up to this one are those that a double holds exactly."""
_NEARLY = 1e-6
"""How far two equal numbers may be apart, as a share of the larger one: a model that computes in single precision (24
bits, so that each step is off by 6e-8 of it at most) and adds in an order of its own stays within, and who prints an
answer with six digits, which is off by up to 5e-6 of it, does not."""
_ZERO = 1e-12
"""How far two equal numbers may always be apart: where an exact result is zero, a sum of doubles leaves this much."""


class Check(ABC):
    """One expectation.

    Args:
        args: The expectation's arguments, decoded (`refs.from_json`).
        history: What the scope has shown; the check tells it in `watch` what to keep.

    Attributes:
        prompt: Whether what it waits for comes as fast as the system can, unlike a retry, which is delayed on purpose.
    """

    name: ClassVar[str]
    prompt: ClassVar[bool] = False

    def __init__(self, args: Mapping[str, Any], history: HistoryIndex) -> None:
        self.args = args
        self.history = history
        self.watch()

    @abstractmethod
    def watch(self) -> None:
        """Say what to keep."""

    @abstractmethod
    def decide(self, *, final: bool) -> Judgement:
        """Judge what was seen. `final`: nothing more will come, so decide what only more patience could change."""

    @abstractmethod
    def missing(self) -> Violation:
        """Return what is expected, what is known, and what is missing for a decision."""

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Observations that would help to decide now."""
        return ()

    def judge(self, *, final: bool) -> Judgement:
        """Return the verdict, or undecided; with `final`, unknown instead of undecided."""
        judgement = self.decide(final=final)
        if judgement.verdict is None and final:
            return Judgement(Verdict.UNKNOWN, (self.missing(),), judgement.figures)
        return judgement

    # Wording shared by all.

    def where(self, event: EventRef) -> str:
        """Where the event was last seen."""
        return where(self.history, (event.source, event.id))

    def no_decision(self, expected: str, reason: str, event: EventRef | None = None) -> Violation:
        """Return a violation that says what a decision lacks."""
        place = self.where(event) if event is not None else ""
        return Violation(f"expected {expected}; got no decision: {reason}", (), place)


LONGEST_GOT = 500
_C = TypeVar("_C", bound=type[Check])
REGISTRY: dict[str, type[Check]] = {}


def check(name: str) -> Callable[[_C], _C]:
    """Register a class of checks under the name that expectations use."""

    def register(cls: _C) -> _C:
        if name in REGISTRY:
            raise ValueError(f"two checks are named {name}")
        REGISTRY[name] = cls
        cls.name = name
        return cls

    return register


def failed(*violations: Violation, proof: str = "") -> Judgement:
    """Return verdict fail; `proof` is the kind of proof behind it (`Proof`), where one was needed."""
    return Judgement(Verdict.FAIL, violations, proof=proof)


def proven(progress: EventProgress) -> Judgement:
    """Return verdict pass, which stands on the proof that a Trigger is done with an event."""
    return Judgement(Verdict.PASS, proof=progress.proof)


def undecidable(violation: Violation) -> Judgement:
    """Verdict unknown, now: more patience would not help."""
    return Judgement(Verdict.UNKNOWN, (violation,))


def violation(expected: str, got: str, witness: tuple[int, ...], where: str = "") -> Violation:
    """Return a violation in the house's form; what a system said is cut where it would drown the rest."""
    got = got if len(got) <= LONGEST_GOT else f"{PLAIN.cut(got, LONGEST_GOT)} ({len(got)} characters)"
    return Violation(f"expected {expected}; got {got}", tuple(sorted(set(witness))), where)


def by_fate(expected: str, fate: EventProgress, where: str) -> Violation:
    """Return a violation that an event's fate proves."""
    return violation(expected, fate.text, fate.witness, where)


def observations(trigger: TriggerRef | None) -> tuple[ObservationRequest, ...]:
    """Return what shows whether a Trigger is done with an event."""
    if trigger is not None and trigger.fenced:
        return (ObservationRequest("fence", trigger=trigger),)
    if trigger is None or not trigger.topic:
        return ()
    return (ObservationRequest("tap", trigger.topic), ObservationRequest("offsets", trigger.topic, trigger.group))


def describe(event: EventRef) -> str:
    """Return an event in a sentence; by its request, where its bytes name none."""
    return f"event {event.id} from {event.source}" if event.id else f"request {event.send}"


def header_values(headers: list[list[str]], name: str) -> list[str]:
    """All values of an HTTP header, trimmed."""
    lowered = name.lower()
    return [value.strip() for header, value in headers if header.lower() == lowered]


def has_value(values: list[str], wanted: str) -> bool:
    """Whether one of the header's values, or a member of its comma list, is the wanted one."""
    return any(value == wanted or wanted in [part.strip() for part in value.split(",")] for value in values)


def read_json(data: bytes) -> tuple[bool, Any]:
    """Whether the bytes are JSON, and the value."""
    try:
        return True, jsontext.load(data)
    except ValueError:
        return False, None


def same_json(one: Any, other: Any) -> bool:
    """JSON equality; true and 1 are different.

    Numbers are equal to within a millionth of the larger one, but for integers that a double cannot hold: those are
    exact.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if any(isinstance(number, int) and abs(number) > _DOUBLE for number in (one, other)):
            return one == other
        return abs(one - other) <= max(_ZERO, _NEARLY * max(abs(one), abs(other)))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def spelled_alike(one: Any, other: Any) -> bool:
    """Tell whether the numbers of two equal JSON values are of one kind each, 9 or 9.0, and exactly the same."""
    if isinstance(one, dict):
        return all(spelled_alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return all(map(spelled_alike, one, other))
    return type(one) is type(other) and bool(one == other)


def in_status(status: int | None, wanted: Any) -> bool:
    """Whether a status code is among those that a word accepts (`expectations._status`)."""
    if isinstance(wanted, dict):
        return status is not None and bool(wanted["from"] <= status < wanted["below"])
    return status in wanted


def show_status(wanted: Any) -> str:
    """Return the accepted codes in a sentence."""
    if isinstance(wanted, dict):
        return f"HTTP {wanted['from']} to {wanted['below'] - 1}"
    return f"HTTP {' or '.join(map(str, wanted))}"


def shorten(text: str, most: int = 200) -> str:
    """Text of a system under test, safe and short enough for a message."""
    return repr(PLAIN.cut(text, most))
