"""The transformer's part in a trace, and which ids of callers it takes."""

from typing import Any

import pytest

from evidence.checks.tracing import read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture(scope="module")
def results(transformer: Any) -> Any:
    return transformer("results")


def handed_on(transformer: Any, *headers: tuple[str, str]) -> dict[str, str]:
    tracing = transformer("tracing")
    tracing.remember([(name.encode(), value.encode("latin-1")) for name, value in headers])
    found: dict[str, str] = tracing.onward()
    return found


@pytest.mark.parametrize("parent", [VALID, f"cc-{TRACE}-{SPAN}-01-more"], ids=["this-version", "later-version"])
def test_a_trace_goes_on_as_a_span_of_its_own(transformer: Any, parent: str) -> None:
    headers = handed_on(transformer, ("traceparent", parent), ("tracestate", "a=1"), ("tracestate", "b=2"))
    read = read_traceparent(headers["traceparent"])
    assert read is not None
    assert (read.trace, read.sampled, headers["tracestate"]) == (TRACE, True, "a=1,b=2")
    assert read.span != SPAN


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [VALID, VALID],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"{VALID}-more"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [VALID.upper()],
    ],
    ids=["none", "two", "version-ff", "fifth-field", "no-trace", "no-span", "upper-case"],
)
def test_what_is_no_trace_ends_here_with_its_state(transformer: Any, parents: list[str]) -> None:
    headers = [("tracestate", "a=1"), *(("traceparent", parent) for parent in parents)]
    assert handed_on(transformer, *headers) == {}


def settings(results: Any, form: str) -> Any:
    return results.Settings("kafka:9092", "topic", "traceid", form=form)


@pytest.mark.parametrize("form", ["documented", "cloudevents"])
@pytest.mark.parametrize("value", [None, "a", " a ", "\u00e9", "\U0001f52c", "x" * 65_536, "\ufffd", "\u202e"])
def test_an_id_of_any_characters_is_taken(results: Any, form: str, value: str | None) -> None:
    assert results.why_unfit(settings(results, form), value) is None


@pytest.mark.parametrize("form", ["documented", "cloudevents"])
@pytest.mark.parametrize("value", ["", 0, 7, True, ["a"], {"a": "b"}, "a\ud800", "\udfff"])
def test_what_cannot_be_written_is_no_id(results: Any, form: str, value: Any) -> None:
    assert results.why_unfit(settings(results, form), value) is not None


@pytest.mark.parametrize("value", ["\n", "a\0", "\x7f", "\x9f", "\ufdd0", "\uffff", "\U0010fffe"])
def test_what_no_attribute_may_have_is_no_id_of_a_valid_event(results: Any, value: str) -> None:
    assert results.why_unfit(settings(results, "documented"), value) is None
    assert "control character" in results.why_unfit(settings(results, "cloudevents"), value)


def test_a_valid_result_says_in_which_trace_its_request_was_made(results: Any) -> None:
    made = {
        form: results.result_event(settings(results, form), "16ec", {}, "", ("/a", "1"), beginning=VALID)
        for form in ("documented", "cloudevents")
    }
    assert "traceparent" not in made["documented"]
    assert made["cloudevents"]["traceparent"] == VALID
