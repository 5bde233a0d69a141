"""What W3C's trace context must be on each delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.arguments import Event, Expectation, Place, Trigger, event_of, expectation, places_of, triggers_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def traced(event: Event, to: Place | Sequence[Place], traceparent: str | None = None) -> Expectation:
    """Each delivery continues the W3C trace (default: the one sent): same trace-id, another span id."""
    return expectation("traced", event=event_of(event), to=places_of(to), traceparent=traceparent)


def all_traced(events: Sequence[Event], to: Trigger | Sequence[Trigger]) -> Expectation:
    """Expect that every attempt at delivering each event continues the trace that was sent with it."""
    return expectation("all_traced", events=[event_of(event) for event in events], to=triggers_of(to))


def spans_differ(event: Event, to: Place | Sequence[Place], attempts: int) -> Expectation:
    """Expect that the event was delivered in so many attempts at least, and that each carries a span id of its own."""
    return expectation("spans_differ", event=event_of(event), to=places_of(to), attempts=attempts)


def sampling_kept(event: Event, to: Place | Sequence[Place]) -> Expectation:
    """Expect that each delivery's traceparent has the sampled flag that was sent."""
    return expectation("sampling_kept", event=event_of(event), to=places_of(to))


def tracestate_kept(event: Event, to: Place | Sequence[Place], members: Sequence[str]) -> Expectation:
    """Expect that each delivery's `tracestate` ends with these members, in this order; a hop may put its own first."""
    return expectation("tracestate_kept", event=event_of(event), to=places_of(to), members=list(members))


def trace_not_continued(event: Event, to: Place | Sequence[Place], *, others: Sequence[Event] = ()) -> Expectation:
    """Expect that no delivery goes on in what was sent: no traceparent or a new trace's, and none of its tracestate.

    `others`: events whose trace is not to be gone on in either.
    """
    more = {"others": [event_of(other) for other in others]} if others else {}
    return expectation("trace_not_continued", event=event_of(event), to=places_of(to), **more)
