"""The names that carry a run: the run's hash is in those of its scopes and of its namespaces."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_NAMESPACE: Final = re.compile(r"touchstone-.+-(?P<run>[0-9a-f]{6})-(?:main|gw[0-9]+)-[0-9]+")


def run_hash(run: str) -> str:
    """Return the part of names and labels that tells a run's things from all others."""
    return hashlib.sha256(run.encode()).hexdigest()[:6]


def scope_name(run: str, worker: str, number: int) -> str:
    """Return the name of a test's scope.

    Args:
        run: The hash of the run.
        worker: The name of the process that runs the test.
        number: The number of the scope among those of the process.
    """
    return f"{run}-{worker}-{number}"


def namespace_name(word: str, run: str, worker: str, number: int) -> str:
    """Return the name of a namespace that a run makes; the arguments are those of `scope_name`, behind a word."""
    return f"touchstone-{word}-{run}-{worker}-{number}"


def of_run(scope: str, run: str) -> bool:
    """Tell whether a scope is the whole run's, or one of this run's tests."""
    return not scope or scope.startswith(f"{run}-")


def run_of_namespace(name: str) -> str | None:
    """Return the hash of the run that has made a namespace; None where its name does not carry one."""
    match = _NAMESPACE.fullmatch(name)
    return None if match is None else match["run"]
