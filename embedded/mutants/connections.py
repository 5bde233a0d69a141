"""Mutants that keep something of a request, or of its answer, on a connection, for the next one to suffer from."""

import time
from dataclasses import replace
from weakref import WeakKeyDictionary

from embedded.dataplane.cloudevents import NotAnEventError
from embedded.dataplane.cloudevents.http import RawHeaders
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_LATE = 3.0
"""Seconds for which the late answer to an attempt may still come."""


@mutant(DATA_PLANE, wraps="message")
def fields_kept_on_connection(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take attributes that a request does not have over from the one before on its connection."""
    kept: WeakKeyDictionary[object, dict[bytes, bytes]] = WeakKeyDictionary()

    def message(connection: object, headers: RawHeaders, body: bytes) -> tuple[RawHeaders, bytes]:
        own = {name.lower(): value for name, value in headers if name.lower().startswith(b"ce-")}
        before = kept.setdefault(connection, {})
        missing = [(name, value) for name, value in before.items() if name not in own]
        before.update(own)
        return honest.message(connection, [*headers, *missing], body)

    return replace(honest, message=message)


@mutant(DATA_PLANE, wraps="message")
def refused_body_left_on_connection(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the body of a refused request, which nobody has read, for the next request on its connection."""
    left: WeakKeyDictionary[object, bytes] = WeakKeyDictionary()

    def message(connection: object, headers: RawHeaders, body: bytes) -> tuple[RawHeaders, bytes]:
        unread = left.pop(connection, b"")
        if _is_refused(honest, headers, body):
            left[connection] = body
        head, _, rest = unread.partition(b"\r\n\r\n")
        if not rest:
            return honest.message(connection, headers, unread + body)
        lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        return honest.message(connection, [(name, value.strip()) for name, _, value in lines], rest)

    return replace(honest, message=message)


@mutant(DATA_PLANE, wraps="outcome")
def late_answer_for_next(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Keep a connection whose answer did not come in time, and take that answer, a success, for the next delivery's."""
    until = 0.0

    def outcome(attempt: Attempt) -> Attempt:
        nonlocal until
        if attempt.status is None and "no answer within" in attempt.error:
            until = time.monotonic() + _LATE
        elif attempt.status is not None and not attempt.is_success and time.monotonic() < until:
            # A success in between is that of the dead letter sink, on a connection of its own.
            attempt, until = Attempt(200), 0.0
        return honest.outcome(attempt)

    return replace(honest, outcome=outcome)


def _is_refused(honest: DataPlanePolicies, headers: RawHeaders, body: bytes) -> bool:
    try:
        honest.accept(headers, body)
    except NotAnEventError:
        return True
    return False
