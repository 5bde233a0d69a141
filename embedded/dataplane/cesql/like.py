"""The patterns of LIKE (CESQL 1.0, section 3.4.3), in time that grows with the text's length only."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""A pattern: `%` stands for any characters, `_` for one, `\%` and `\_` for themselves.

    It is an automaton whose states are the bits of one integer: bit n says that the first n symbols have matched. Each
    character moves all states at once, so no pattern makes it go back.

    Attributes:
        text: The pattern as it was written.
        length: The number of its symbols, each of which stands for one character.
        gaps: The states in which any characters may pass: those where a `%` is.
        wild: The states that any character takes to the next one.
        exact: The states that a character takes to the next one, by character.
    """

    text: str
    length: int
    gaps: int
    wild: int
    exact: Mapping[str, int]

    @classmethod
    def of(cls, text: str) -> "Pattern":
        """Read a pattern."""
        length = gaps = wild = place = 0
        exact: dict[str, int] = {}
        while place < len(text):
            escaped = text[place] == "\\" and text[place + 1 : place + 2] in {"%", "_"}
            place += escaped
            symbol = text[place]
            place += 1
            if symbol == "%" and not escaped:
                gaps |= 1 << length
                continue
            if symbol == "_" and not escaped:
                wild |= 1 << length
            else:
                exact[symbol] = exact.get(symbol, 0) | 1 << length
            length += 1
        return cls(text, length, gaps, wild, exact)

    def matches(self, value: str) -> bool:
        """Return whether the pattern matches a whole text."""
        states = 1
        for character in value:
            taken = states & (self.wild | self.exact.get(character, 0))
            states = taken << 1 | states & self.gaps
            if not states:
                return False
        return bool(states >> self.length & 1)
