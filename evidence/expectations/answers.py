"""What an exchange with the ingress or an inference service must have brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.arguments import Event, Exchange, Expectation, Status, expectation, ref_of, status_of
from evidence.refs import EventRef, ExchangeRef

if TYPE_CHECKING:
    from collections.abc import Mapping


def answered(exchange: Exchange | Event, status: Status) -> Expectation:
    """Expect that the request got an HTTP answer with this status (a code, a range, or several codes)."""
    return expectation("answered", exchange=ref_of(exchange, ExchangeRef, EventRef), status=status_of(status))


def accepted(event: Event | Exchange) -> Expectation:
    """Expect that the request was answered 2xx."""
    return expectation("accepted", exchange=ref_of(event, EventRef, ExchangeRef), status=status_of(range(200, 300)))


def refused(
    exchange: Exchange | Event, status: Status = range(400, 500), *, control: Exchange | Event | None = None
) -> Expectation:
    """Expect that the request was answered with this refusal.

    `control`: a valid request that was sent after it. Where that one is accepted the system is there, so an answer that
    says "not now" is a failure.
    """
    more = {} if control is None else {"control": ref_of(control, ExchangeRef, EventRef)}
    return expectation("refused", exchange=ref_of(exchange, ExchangeRef, EventRef), status=status_of(status), **more)


def answered_before(event: Event | Exchange, other: Event | Exchange) -> Expectation:
    """Expect that a request was accepted while another one, sent before it, was still under way."""
    first, second = (ref_of(one, EventRef, ExchangeRef) for one in (event, other))
    return expectation("answered_before", exchange=first, other=second, status=status_of(range(200, 300)))


def unanswered(exchange: Exchange, *, at: Exchange) -> Expectation:
    """Expect that a request still had no answer when another one, `at`, was sent after it."""
    return expectation("unanswered", exchange=ref_of(exchange, ExchangeRef), at=ref_of(at, ExchangeRef))


def unserved(exchange: Exchange, *, control: Exchange) -> Expectation:
    """Expect that nobody serves a request: there is no connection, or a gateway says that it knows nobody to ask.

    `control`: a request to somebody else, sent after it. Where that one is accepted, the way to both of them is open.
    """
    refs = ref_of(exchange, ExchangeRef), ref_of(control, ExchangeRef)
    return expectation("unserved", exchange=refs[0], control=refs[1])


def waited(exchange: Exchange, *, at_least: float) -> Expectation:
    """Expect that the answer to a request did not come before so many seconds were over."""
    return expectation("waited", exchange=ref_of(exchange, ExchangeRef), at_least=at_least)


def header(exchange: Exchange | Event, name: str, value: str | None) -> Expectation:
    """Expect that the answer has this header with this value, also as a member of a comma list; None: it has it not."""
    return expectation("header", exchange=ref_of(exchange, ExchangeRef, EventRef), name=name, value=value)


def response_body(exchange: Exchange | Event, json: Any) -> Expectation:
    """Expect that the answer's body is this JSON value (numbers to within a millionth)."""
    return expectation("response_body", exchange=ref_of(exchange, ExchangeRef, EventRef), json=json)


def response_event(
    exchange: Exchange | Event,
    *,
    json: Any = None,
    attributes: Mapping[str, str] | None = None,
    new_id: bool = False,
    own_type: bool = False,
) -> Expectation:
    """Expect that the answer is a valid CloudEvent, with this JSON data and these attributes.

    `new_id`: its id differs from the request event's; `own_type`: so does its type.
    """
    ref = ref_of(exchange, ExchangeRef, EventRef)
    wanted = dict(attributes or {})
    return expectation("response_event", exchange=ref, json=json, attributes=wanted, new_id=new_id, own_type=own_type)
