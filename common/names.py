"""Names that nobody knows, mistyped mostly: what a message says about them."""

import difflib
from collections.abc import Iterable

LONGEST_SHOWN = 100
"""Letters of a name that a message shows, and that are compared with the known names."""
MOST_LISTED = 12
"""Known names that a message lists, when none looks like the unknown one."""
ALIKE = 0.6
"""The least similarity of a name that a message offers, from 0 (nothing in common) to 1 (the same)."""


def near(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that a name looks like, the most similar first; capitals make no difference."""
    by_folded = {each.casefold(): each for each in sorted(known)}
    folded = name[:LONGEST_SHOWN].casefold()
    return [by_folded[each] for each in difflib.get_close_matches(folded, by_folded, n=3, cutoff=ALIKE)]


def hint(name: str, known: Iterable[str]) -> str:
    """Return what helps with an unknown name: those that look like it, else all that there are, else their number."""
    names = sorted(known)
    if alike := near(name, names):
        return f"did you mean {' or '.join(alike)}?"
    if len(names) <= MOST_LISTED:
        return f"known: {', '.join(names) or 'none'}"
    return f"{len(names)} are known, none looks like it"


def shown(name: str) -> str:
    """Return a name in quotes, not longer than a message has room for."""
    return repr(name) if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]!r}..."
