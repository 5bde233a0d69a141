"""What a check says: a verdict, the violations behind it, and what it would need to see to decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evidence.refs import ObjectRef, TriggerRef


class Verdict(StrEnum):
    """The verdicts of the house. Expectations know the first four only."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    NOT_SUPPORTED = "not_supported"
    NOT_TESTABLE = "not_testable"
    SKIPPED = "skipped"
    FLAKY = "flaky"


class Proof(StrEnum):
    """The kinds of proof that a Trigger is done with an event."""

    OFFSETS = "offsets"
    """The committed offset of the Trigger's consumer group has passed the event's record."""
    ORDER = "order"
    """The subscriber of an ordered Trigger has answered a later event of the same partition."""
    FENCE = "fence"
    """A later event came to the Trigger's subscriber, and then nothing for a stated time."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference: `expected ...; got ...`, the fewest records that show it, and where the thing was last seen.

    Under verdict unknown it says what is missing for a decision.
    """

    message: str
    witness: tuple[int, ...] = ()
    where: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.message}; where: {self.where}" if self.where else self.message

    def to_json(self) -> dict[str, Any]:
        """As in the `expectation` records of a history."""
        return {"message": self.message, "witness": list(self.witness), "where": self.where}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says.

    Attributes:
        verdict: The verdict; None while undecided.
        violations: The differences behind a verdict that is no pass.
        figures: The measurements worth reporting, like percentiles, by name.
        proof: The kind of proof that the verdict stands on, where it needed more than what was seen (`Proof`).
        samples: The sorted measurements behind a verdict on a distribution, infinite where there was no end. They are
            written nowhere, since they follow from the history.
    """

    verdict: Verdict | None
    violations: tuple[Violation, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    proof: str = ""
    samples: Sequence[float] = ()


UNDECIDED = Judgement(None)
PASSED = Judgement(Verdict.PASS)


@dataclass(frozen=True, slots=True)
class ObservationRequest:
    """An observation that would help to decide.

    `what` is `offsets` (one observation of `topic`: end of every partition; with `group`: its committed offsets), `tap`
    (read `topic` from its beginning, if nobody does yet), `listed` (whether Kafka lists `topic`), `object` (get `obj`
    from the Kubernetes API) or `fence` (send an event that `trigger` must deliver, wait for it and then for silence,
    and record that).
    """

    what: str
    topic: str = ""
    group: str = ""
    obj: ObjectRef | None = None
    trigger: TriggerRef | None = None
