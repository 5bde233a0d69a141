"""The event that the current request carries: the gate reads it, and the result is made of what it says."""

from collections.abc import Mapping
from contextvars import ContextVar

_cause: ContextVar[Mapping[str, str] | None] = ContextVar("cause", default=None)


def remember(attributes: Mapping[str, str]) -> None:
    """Keep the attributes of the event for the length of this request."""
    _cause.set(attributes)


def cause() -> tuple[str, str] | None:
    """Return the source and the id of the event; None: the request carries none, or nobody has read it."""
    kept = _cause.get()
    return None if kept is None else (kept["source"], kept["id"])


def beginning() -> str | None:
    """Return the attribute `traceparent` of the event, which says in which trace it was made; None: it has none."""
    return attribute("traceparent")


def attribute(name: str) -> str | None:
    """Return an attribute of the event; None: it has none of this name, or there is none."""
    kept = _cause.get()
    return None if kept is None else kept.get(name)
