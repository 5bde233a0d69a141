"""What a run collected: every test case that was selected and every one that was left out, with the reason.

One process writes the cases, in several records of kind `collected`; every process that collects tells how many it has
and their digest in a record of kind `collection`. They may stand anywhere in the history: nothing here minds the order.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evidence.record_values import CollectedCase
from evidence.records import CollectedPart, CollectionSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


PART = 200
"""How many cases a record holds at most."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test case.

    Attributes:
        test: Its node id, without the mutant.
        requirements: The ids of the requirements that it asks.
        mutant: What it runs under, or None.
        left_out: The reason why it was not selected; empty when it was.
    """

    test: str
    requirements: tuple[str, ...]
    mutant: str | None
    left_out: str = ""


def sha256(cases: Sequence[Case]) -> str:
    """Return the digest of all cases, in their order."""
    digest = hashlib.sha256()
    for case in cases:  # a proof collects tens of thousands
        digest.update(json.dumps(_written(case)).encode() + b"\n")
    return digest.hexdigest()


def parts(worker: str, cases: Sequence[Case]) -> Iterator[CollectedPart]:
    """Yield the records of the one process that writes the cases; at least one."""
    count = max(1, -(-len(cases) // PART))
    for number in range(count):
        part = [_written(case) for case in cases[number * PART : (number + 1) * PART]]
        yield CollectedPart(record="collected", worker=worker, part=number + 1, parts=count, cases=part)


def summary(worker: str, cases: Sequence[Case]) -> CollectionSummary:
    """Return the record of any process that has collected."""
    return CollectionSummary(record="collection", worker=worker, cases=len(cases), sha256=sha256(cases))


def _written(case: Case) -> CollectedCase:
    return CollectedCase(
        test=case.test, requirements=list(case.requirements), mutant=case.mutant, left_out=case.left_out
    )


@dataclass(slots=True)
class Collection:
    """What the records of a history say; feed all of them, then ask."""

    _tellings: list[CollectionSummary] = field(default_factory=list)
    _parts: list[CollectedPart] = field(default_factory=list)
    _read: tuple[str, tuple[Case, ...]] | None = None
    """Fault and cases, once somebody has asked."""

    def feed(self, record: CollectionSummary | CollectedPart) -> None:
        """Take a record."""
        self._read = None
        if record["record"] == "collected":
            self._parts.append(record)
        else:
            self._tellings.append(record)

    def cases(self) -> tuple[Case, ...] | None:
        """All cases in their order, or None when the history does not tell them, or not soundly (see `fault`)."""
        fault, cases = self._whole()
        return None if fault or not self._parts else cases

    def fault(self) -> str:
        """Why what was collected cannot be trusted; empty when it can, or when nothing is recorded of it."""
        return self._whole()[0]

    def _whole(self) -> tuple[str, tuple[Case, ...]]:
        if self._read is None:
            cases = self._joined()
            self._read = self._fault(cases), cases
        return self._read

    def _fault(self, cases: Sequence[Case]) -> str:
        if not self._parts and not self._tellings:
            return ""
        numbers = sorted(part["part"] for part in self._parts)
        wanted = self._parts[0]["parts"] if self._parts else 1
        if numbers != list(range(1, wanted + 1)) or {part["parts"] for part in self._parts} != {wanted}:
            got = ", ".join(map(str, numbers[:20])) or "none"
            return f"collected cases: expected {wanted} parts, each once, got {got}"
        digest = sha256(cases)
        for record in self._tellings:
            if record["sha256"] != digest or record["cases"] != len(cases):
                place = f"record {record['seq']}: worker {record['worker'][:40]}"
                return f"{place} collected {record['cases']} cases; expected the recorded {len(cases)}, got others"
        writer = self._parts[0]["worker"]
        if all(record["worker"] != writer for record in self._tellings):
            return f"collected cases: expected a digest by worker {writer[:40]}, got none"
        return ""

    def _joined(self) -> tuple[Case, ...]:
        return tuple(
            Case(case["test"], tuple(case["requirements"]), case["mutant"], case["left_out"])
            for part in sorted(self._parts, key=lambda part: int(part["part"]))
            for case in part["cases"]
        )
