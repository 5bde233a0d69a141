"""The checks: pure judges of one expectation each, fed record by record, asked at any time.

`create` is for one expectation that watches a scope live; `replay` shares one set of history between many. Both
run the same code.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import names
from evidence.checks import (
    absence,
    alternatives,
    answers,
    batches,
    commits,
    components,
    content,
    control_plane,
    deadletter,
    deletions,
    delivery,
    faults,
    hops,
    inference,
    latency,
    logs,
    order,
    outages,
    protocols,
    records,
    results,
    selection,
    serving,
    sizes,
    stream_replies,
    stream_series,
    streaming,
    topics,
    tracing,
)
from evidence.checks.base import REGISTRY, Check
from evidence.history_index import HistoryIndex
from evidence.refs import from_json
from evidence.verdict import Judgement, ObservationRequest, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.records import Record

__all__ = [
    "FAMILIES",
    "Check",
    "CheckError",
    "Judgement",
    "ObservationRequest",
    "OpenCheck",
    "Verdict",
    "Violation",
    "check_of",
    "create",
    "judge",
]

FAMILIES = (
    answers,
    records,
    topics,
    delivery,
    content,
    order,
    batches,
    commits,
    faults,
    outages,
    selection,
    deadletter,
    tracing,
    inference,
    protocols,
    serving,
    sizes,
    logs,
    results,
    hops,
    stream_series,
    streaming,
    stream_replies,
    control_plane,
    components,
    deletions,
    latency,
    absence,
    alternatives,
)


class CheckError(ValueError):
    """No check of this name, or one that cannot read its arguments."""


def check_of(name: str, args: Mapping[str, Any], history: HistoryIndex) -> Check:
    """Return the check of an expectation, watching through these history from now on.

    Raises:
        CheckError: Unknown name, or arguments that do not fit.
    """
    cls = REGISTRY.get(name)
    if cls is None:
        raise CheckError(f"there is no check named {names.shown(name)}: {names.hint(name, REGISTRY)}")
    try:
        return cls(from_json(dict(args)), history)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise CheckError(f"check {name} cannot read its arguments: {type(error).__name__}: {error}") from error


def judge(check: Check, *, final: bool) -> Judgement:
    """Ask a check; one that breaks over what it was fed gives verdict error, which says where it broke."""
    try:
        return check.judge(final=final)
    except Exception as error:  # noqa: BLE001 - one broken check must not take the other verdicts with it
        frame = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{Path(frame.filename).name}:{frame.lineno}"
        text = f"expected check {check.name} to decide; got {type(error).__name__}: {error}"
        return Judgement(Verdict.ERROR, (Violation(text, (), at),))


class OpenCheck:
    """One expectation under judgement. Feed it every record of its scope, in order, from the scope's beginning."""

    def __init__(self, name: str, args: Mapping[str, Any]) -> None:
        self._history = HistoryIndex()
        self._check = check_of(name, args, self._history)

    @property
    def upto(self) -> int:
        """Number of the last record fed: what the history's expectation record calls `upto`."""
        return self._history.fed

    def feed(self, record: Record) -> None:
        """Take the next record."""
        self._history.feed(record)

    @property
    def prompt(self) -> bool:
        """Whether what it waits for comes as fast as the system can (`Check.prompt`)."""
        return self._check.prompt

    def judge(self, *, final: bool = False) -> Judgement:
        """Return the verdict by now; verdict None while undecided, never with `final` (the deadline has passed)."""
        return judge(self._check, final=final)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Observations that would help to decide; ask for them again as long as it is undecided."""
        return self._check.needs()


def create(name: str, args: Mapping[str, Any]) -> OpenCheck:
    """Begin to judge an expectation, given by its check's name and its arguments as JSON.

    Raises:
        CheckError: Unknown check, or arguments that do not fit.
    """
    return OpenCheck(name, args)
