"""W3C traceparent as a sender may write it: a malformed one is not continued, one of a later version is."""

import pytest

from evidence.expectations import Expectation, trace_not_continued, traced
from fixtures import Broker, expect

WANTED = {"attributes": {"type": "wanted"}}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


def not_continued(broker: Broker, *values: str) -> Expectation:
    """Send an event with these traceparent fields; return the expectation that none of them is continued."""
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", value) for value in values])
    return trace_not_continued(event, to=trigger)


@pytest.mark.requirement("TRC-W3C-011")
@pytest.mark.parametrize("value", [f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01"], ids=["trace", "span"])
def test_ids_of_zeros_are_none(broker: Broker, value: str) -> None:
    expect(not_continued(broker, value))


@pytest.mark.requirement("TRC-W3C-012")
def test_the_version_ff_is_none(broker: Broker) -> None:
    expect(not_continued(broker, f"ff-{TRACE}-{SPAN}-01"))


@pytest.mark.requirement("TRC-W3C-013")
@pytest.mark.parametrize(
    "value", [f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN.upper()}-01"], ids=["trace", "span"]
)
def test_upper_case_digits_are_none(broker: Broker, value: str) -> None:
    expect(not_continued(broker, value))


@pytest.mark.requirement("TRC-W3C-014")
@pytest.mark.parametrize(
    "value",
    [
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE}-{SPAN[1:]}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN}-01-what-the-future-brings",
    ],
    ids=["trace-short", "trace-long", "span-short", "span-long", "fifth-field"],
)
def test_fields_of_a_wrong_length_are_none(broker: Broker, value: str) -> None:
    expect(not_continued(broker, value))


@pytest.mark.requirement("TRC-W3C-015")
@pytest.mark.parametrize("more", ["", "-what-the-future-brings"], ids=["four-fields", "more-fields"])
def test_a_later_version_is_continued(broker: Broker, more: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", f"cc-{TRACE}-{SPAN}-01{more}")])
    expect(traced(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-017")
def test_two_traceparents_are_none(broker: Broker) -> None:
    expect(not_continued(broker, VALID, f"00-{'1' * 32}-{'2' * 16}-01"))


@pytest.mark.requirement("TRC-W3C-018")
@pytest.mark.parametrize("name", ["TraceParent", "TRACEPARENT"])
def test_the_headers_name_is_read_in_any_case(broker: Broker, name: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[(name, VALID)])
    expect(traced(event, to=trigger))
