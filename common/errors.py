"""Errors of who asks, which every command line of the suite answers in the same way."""

from collections.abc import Iterable

from common import names


class TouchstoneError(Exception):
    """Base of all errors that are about the suite, not about the system under test."""


class UnknownNameError(TouchstoneError):
    """A name that nobody knows; the message has the known names that look like it.

    Args:
        what: The kind of thing that the name should name, as in `profile`.
        name: The name.
        known: The names that there are.
    """

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {what} {names.shown(name)}: {names.hint(name, known)}")


class UsageError(TouchstoneError):
    """What was asked for cannot be done here: a tool is missing, options contradict each other."""
