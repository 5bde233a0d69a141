"""Orders in pictures, which the predictor of `obedient` obeys.

An order is a picture of 8x8 pixels, so that it passes any transformer like a digit does. Its 64 bytes, row by row, are
0 MARK, 1 the kind, 2 how often, 3 an argument, 4 to 19 a token, and last MARK again: no handwriting fills two corners.
The predictor counts how often it was asked with each token. All other pictures are digits, and read as ever.

| kind | what the predictor does the first so many times; afterwards it answers how often it was asked |
|---|---|
| FAIL | it answers status 500 plus the argument |
| REFUSE | it answers 400 |
| WAIT | it waits so many tenths of a second, and answers then |
| LEAVE | it answers so that a transformer with OBEY_ORDERS ends before it publishes |
| EXIT | it ends, whatever the count |
| SAY | it answers the number that the token's first seven bytes are, always |
| COUNT | it answers how often it was asked, always, and does not count this |
| SHOW | it answers status 500 plus the argument; afterwards the token's number, and the headers that concern a trace |
"""

from dataclasses import dataclass
from typing import Any

MARK = 251
SIZE = 64
BRIGHTEST = 16
FAIL, REFUSE, WAIT, EXIT, LEAVE, SAY, COUNT, SHOW = range(1, 9)
TENTH = 0.1
"""The seconds that WAIT counts in."""


@dataclass(frozen=True)
class Order:
    """What one picture asks for."""

    kind: int
    times: int
    argument: int
    token: bytes


def order(instance: Any) -> Order | None:
    """Read the order in one instance; None: it is a digit, or nothing at all."""
    if (
        not isinstance(instance, list)
        or len(instance) != SIZE
        or not all(isinstance(one, int | float) for one in instance)
    ):
        return None
    levels = [round(min(max(value, 0), BRIGHTEST) * 255 / BRIGHTEST) for value in instance]
    if levels[0] != MARK or levels[-1] != MARK:
        return None
    return Order(levels[1], levels[2], levels[3], bytes(levels[4:20]))
