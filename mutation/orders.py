"""What a worker is asked, and what it answers: one line of JSON each."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use; beyond it all of its processes are killed.

    Attributes:
        wall: The time, in seconds.
        cpu: The CPU time of all its processes together, in seconds.
        memory: The resident memory of all of them together, in bytes; none may ask for twice as much.
    """

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Order:
    """A run of pytest.

    Attributes:
        arguments: The words behind `pytest`.
        output: The file for what it prints.
        limits: What it may use.
    """

    arguments: Sequence[str]
    output: str
    limits: Limits

    def to_line(self) -> bytes:
        """Return one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Undo `to_line`."""
        order = cls(**json.loads(line))
        return replace(order, limits=Limits(**json.loads(line)["limits"]))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        code: Its exit code, a signal as a negative number; None: it was killed.
        limit: The limit that it had passed, by the name in `Limits`; empty: none.
        seconds: How long it took.
        cpu: The CPU time of its processes, as last seen.
        left: The number of processes that could not be killed.
    """

    code: int | None
    limit: str
    seconds: float
    cpu: float
    left: int

    def to_line(self) -> bytes:
        """Return one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Undo `to_line`."""
        return cls(**json.loads(line))
