"""Status conditions in the manner of Knative: a list sorted by type, with one condition that sums up a living set."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from embedded.api.store import now


@dataclass(frozen=True, slots=True)
class ConditionState:
    """The state of a condition; status None means Unknown."""

    status: bool | None
    reason: str = ""
    message: str = ""


TRUE = ConditionState(status=True)


def holds(reason: str, message: str = "") -> ConditionState:
    """Return a True state with a reason and a message."""
    return ConditionState(status=True, reason=reason, message=message)


def fails(reason: str, message: str) -> ConditionState:
    """Return a False state with a reason and a message."""
    return ConditionState(status=False, reason=reason, message=message)


def unknown(reason: str, message: str) -> ConditionState:
    """Return an Unknown state with a reason and a message."""
    return ConditionState(status=None, reason=reason, message=message)


WORDS = {True: "True", False: "False", None: "Unknown"}


class Conditions:
    """The conditions of one object, built anew each time; transition times stay where the status did not change."""

    def __init__(self, before: Iterable[dict[str, Any]] | None) -> None:
        self._before = {condition["type"]: condition for condition in before or ()}
        self._verdicts: dict[str, tuple[ConditionState, str]] = {}

    def set(self, kind: str, verdict: ConditionState, severity: str = "") -> bool | None:
        """Set the state of one condition and return its status; an empty severity means an error."""
        self._verdicts[kind] = (verdict, severity)
        return verdict.status

    def sum_up(self, living: Iterable[str], kind: str = "Ready") -> bool | None:
        """Set `kind` from others: to the first False one, else to the first Unknown one, else to True."""
        verdicts = [self._verdicts[name][0] for name in living if name in self._verdicts]
        for status in (False, None):
            for verdict in verdicts:
                if verdict.status is status:
                    return self.set(kind, verdict)
        return self.set(kind, TRUE)

    def as_list(self) -> list[dict[str, Any]]:
        """Return the conditions as they stand in the object's status."""
        return [self._condition(kind, *self._verdicts[kind]) for kind in sorted(self._verdicts)]

    def _condition(self, kind: str, verdict: ConditionState, severity: str) -> dict[str, Any]:
        status = WORDS[verdict.status]
        before = self._before.get(kind)
        same = before is not None and before["status"] == status
        condition = {
            "type": kind,
            "status": status,
            "lastTransitionTime": before["lastTransitionTime"] if before and same else now(),
        }
        if verdict.reason:
            condition["reason"] = verdict.reason
        if verdict.message:
            condition["message"] = verdict.message
        if severity:
            condition["severity"] = severity
        return condition


def is_ready(obj: dict[str, Any] | None, kind: str = "Ready") -> bool:
    """Return whether a condition of an object is True."""
    return condition_of(obj, kind).get("status") == "True"


def condition_of(obj: dict[str, Any] | None, kind: str = "Ready") -> dict[str, Any]:
    """Return one condition of an object; an empty one when it has none."""
    conditions: list[dict[str, Any]] = ((obj or {}).get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})
