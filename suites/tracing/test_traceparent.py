"""W3C traceparent as a sender may write it: a malformed one is not continued, one of a later version is."""

import pytest

from evidence.expectations import Expectation, trace_not_continued, traced
from fixtures import Broker, expect

WANTED = {"attributes": {"type": "wanted"}}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"
# An id of digits alone has no lower-case letter; one of 64 bits begins with zeros, and is no id of zeros.
DIGITS, SHORT = "00-12345678901234567890123456789012-1234567890123456-01", f"00-{TRACE[16:]:0>32}-{SPAN}-01"


def not_continued(broker: Broker, *values: str) -> Expectation:
    """Send an event with these traceparent fields; return the expectation that none of them is continued."""
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", value) for value in values])
    return trace_not_continued(event, to=trigger)


@pytest.mark.requirement("TRC-W3C-001")
@pytest.mark.parametrize("parent", [DIGITS, SHORT], ids=["digits-only", "64-bits"])
def test_any_ids_are_continued(broker: Broker, parent: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", parent)])
    expect(traced(event, to=trigger))


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
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-",
        f"00-{TRACE}-{SPAN}-0102",
        f"00-{TRACE}-{SPAN}-01-what-the-future-brings",
    ],
    ids=[
        "trace-short",
        "trace-long",
        "span-short",
        "span-long",
        "flags-short",
        "no-flags",
        "flags-long",
        "fifth-field",
    ],
)
def test_fields_of_a_wrong_length_are_none(broker: Broker, value: str) -> None:
    expect(not_continued(broker, value))


@pytest.mark.requirement("TRC-W3C-021")
@pytest.mark.parametrize(
    "value",
    [
        f"0z-{TRACE}-{SPAN}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00-.{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN[:8]} {SPAN[9:]}-01",
        f"00-{TRACE}-{SPAN[:-1]}g-01",
        f"00-{TRACE}-{SPAN}-zz",
    ],
    ids=["version", "trace-letter", "trace-dot", "span-space", "span-letter", "flags"],
)
def test_characters_that_are_no_digits_are_none(broker: Broker, value: str) -> None:
    expect(not_continued(broker, value))


@pytest.mark.requirement("TRC-W3C-022")
def test_what_follows_the_flags_of_a_later_version_begins_with_a_dash(broker: Broker) -> None:
    expect(not_continued(broker, f"cc-{TRACE}-{SPAN}-01.future"))


@pytest.mark.requirement("TRC-W3C-015")
@pytest.mark.parametrize("more", ["", "-what-the-future-brings"], ids=["four-fields", "more-fields"])
def test_a_later_version_is_continued(broker: Broker, more: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[("traceparent", f"cc-{TRACE}-{SPAN}-01{more}")])
    expect(traced(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-017")
def test_two_traceparents_are_none(broker: Broker) -> None:
    expect(not_continued(broker, VALID, f"00-{'a' * 32}-{'b' * 16}-01"))


@pytest.mark.requirement("TRC-W3C-018")
@pytest.mark.parametrize("name", ["TraceParent", "TRACEPARENT"])
def test_the_headers_name_is_read_in_any_case(broker: Broker, name: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[(name, VALID)])
    expect(traced(event, to=trigger))
