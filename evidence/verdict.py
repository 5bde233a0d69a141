"""What a check says: a verdict, the violations behind it, and what it would need to see to decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.refs import ObjectRef


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
    """A verdict, or None while undecided. `figures` are measurements worth reporting, like percentiles."""

    verdict: Verdict | None
    violations: tuple[Violation, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


UNDECIDED = Judgement(None)
PASSED = Judgement(Verdict.PASS)


@dataclass(frozen=True, slots=True)
class ObservationRequest:
    """An observation that would help to decide.

    `what` is `offsets` (one observation of `topic`: end of every partition; with `group`: its committed offsets), `tap`
    (read `topic` from its beginning, if nobody does yet) or `object` (get `obj` from the Kubernetes API).
    """

    what: str
    topic: str = ""
    group: str = ""
    obj: ObjectRef | None = None
