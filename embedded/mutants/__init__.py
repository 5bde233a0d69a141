"""Faulty platforms by name: each replaces one policy of the honest one, and cites the real fault that it models.

A mutant is called once for each Broker, Trigger or stream that it afflicts, so what it remembers is theirs alone.
"""

import difflib

from embedded.mutants import delivery, filtering, ingress, latency, records, routing, streams, tracing
from embedded.mutants.control_plane import CONTROL_PLANE
from embedded.mutants.registry import DATA_PLANE, STREAMING, DataPlaneMutant, StreamMutant

__all__ = [
    "UnknownMutantError",
    "data_plane",
    "delivery",
    "filtering",
    "ingress",
    "latency",
    "names",
    "records",
    "routing",
    "stream",
    "streams",
    "tracing",
]


class UnknownMutantError(ValueError):
    """No mutant of the platform has this name."""


def names() -> list[str]:
    """Return the names of all mutants of the platform, sorted."""
    return sorted({*DATA_PLANE, *STREAMING, *CONTROL_PLANE})


def data_plane(name: str) -> DataPlaneMutant:
    """Return what a mutant makes of the data plane's policies: nothing, if it afflicts another part of the platform.

    Raises:
        UnknownMutantError: no mutant has this name; the message gives near ones.
    """
    _known(name)
    return DATA_PLANE.get(name, lambda honest: honest)


def stream(name: str) -> StreamMutant:
    """Return what a mutant makes of a stream server's policies: nothing, if it afflicts another part of the platform.

    Raises:
        UnknownMutantError: no mutant has this name; the message gives near ones.
    """
    _known(name)
    return STREAMING.get(name, lambda honest: honest)


def _known(name: str) -> None:
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {len(known)}, such as {known[0]}"
        raise UnknownMutantError(f"no mutant is named {name!r}; {hint}")
