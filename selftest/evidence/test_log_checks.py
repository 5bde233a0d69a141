"""Hand-written logs of calls: events that are there, wrong, of others, and absent."""

from typing import Any

import pytest

from evidence.expectations import Expectation, logged, logged_once, not_logged
from evidence.refs import ExchangeRef, RefError, TopicRef
from evidence.verdict import Verdict
from selftest.evidence.story import Story, judged

CALL, LATER, LOG = ExchangeRef("s1"), ExchangeRef("s2"), TopicRef("log")
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
ASKED, TOLD = '{"instances":  [[1]]}', '{"predictions": [1]}'
JSON, TEXT = "application/json", "text/plain"
TYPE = "org.kubeflow.serving.inference."


class Log(Story):
    """A story of calls and of a topic with their events."""

    offset = 0

    def call(self, send: str = "s1", id: str = "c1", status: int | None = 200, body: str = ASKED) -> "Log":  # noqa: A002
        """Add a call, and its answer."""
        headers = [["Ce-Id", id], ["content-type", TEXT], ["x-tenant", "a"]]
        self.add("sent", send=send, url="http://m/v1/models/m:predict", method="POST", headers=headers, body=body)
        told = [["content-type", JSON]]
        error = None if status else "reset"
        self.add("answered", send=send, status=status, headers=told, body=TOLD, error=error)
        return self

    def event(self, kind: str, value: str, media_type: str, **changed: str) -> "Log":
        """Add an event to the topic."""
        attributes = {"specversion": "1.0", "id": "c1", "source": f"/{kind}", "type": TYPE + kind, "component": "p"}
        pairs = [[f"ce_{name}", text] for name, text in (attributes | changed).items() if text]
        headers = [["content-type", media_type], *pairs]
        place = {"topic": "log", "partition": 0, "offset": self.offset, "key": None}
        self.add("topic.record", **place, headers=headers, value=value, timestamp=1_700_000_000_000)
        self.offset += 1
        return self

    def request(self, value: str = ASKED, media_type: str = TEXT, **changed: str) -> "Log":
        """Add the event of a request."""
        return self.event("request", value, media_type, **changed)

    def response(self, value: str = TOLD, media_type: str = JSON, **changed: str) -> "Log":
        """Add the event of a response."""
        return self.event("response", value, media_type, **changed)

    def read(self) -> "Log":
        """Add observations of the topic's end, twice: the first may have been under way."""
        for _ in range(2):
            self.add("offsets", group="", topic="log", committed={}, end={"0": self.offset})
        return self


BOTH = ("request", "response")
PAIR = logged(CALL, LOG, *BOTH, aspect="pair")
TYPES = logged(CALL, LOG, *BOTH, aspect="media_type")
ONE_ID = logged(CALL, LOG, *BOTH, aspect="id")
APART = logged(CALL, LOG, *BOTH, aspect="apart")
REFUSED = logged(CALL, LOG, "request", status=400)
TENANT = logged(CALL, LOG, "request", metadata=["X-Tenant"])
OWNER = logged(CALL, LOG, "request", attributes={"component": "p"})
TIMED = logged(CALL, LOG, "request", aspect="time")
ANY = logged(CALL, LOG, "request", attributes={"component": ""})


@pytest.mark.parametrize(
    ("expectation", "story", "verdict"),
    [
        pytest.param(PAIR, Log().call().request().response(), PASS, id="pair"),
        pytest.param(PAIR, Log().call().request().response().request(), PASS, id="again"),
        pytest.param(TIMED, Log().call().request(time="2023-11-14T22:12:21Z"), PASS, id="a-minute-before"),
        pytest.param(TIMED, Log().call().request(time="2023-11-14T23:14:20+01:00"), PASS, id="a-minute-behind"),
        pytest.param(TIMED, Log().call().request(time="2023-11-14T22:12:19Z"), FAIL, id="long-before"),
        pytest.param(TIMED, Log().call().request(time="1970-01-01T00:00:00Z"), FAIL, id="at-the-beginning-of-time"),
        pytest.param(TIMED, Log().call().request(time="today"), FAIL, id="no-time"),
        pytest.param(TIMED, Log().call().request(), FAIL, id="without-a-time"),
        pytest.param(PAIR, Log().call().request(), UNKNOWN, id="one-may-come"),
        pytest.param(PAIR, Log().call().request().read(), FAIL, id="one-is-not-there"),
        pytest.param(PAIR, Log().call().request().response(id="c2"), FAIL, id="another-id"),
        pytest.param(PAIR, Log().call().request().response(value='{"predictions":[1]}'), FAIL, id="printed-again"),
        pytest.param(PAIR, Log().call().request().response(source=""), FAIL, id="no-event"),
        pytest.param(PAIR, Log().call().request().response(value="x", id="c2").read(), FAIL, id="of-another-call"),
        pytest.param(PAIR, Log().call(status=500).request().read(), FAIL, id="a-failed-call"),
        pytest.param(PAIR, Log().call(status=503).request().read(), UNKNOWN, id="not-now"),
        pytest.param(PAIR, Log().call(status=None).request().read(), UNKNOWN, id="no-answer"),
        pytest.param(PAIR, Log(), UNKNOWN, id="no-call"),
        pytest.param(REFUSED, Log().call(status=400).request(), PASS, id="a-refused-call"),
        pytest.param(REFUSED, Log().call(status=400).read(), FAIL, id="a-refused-call-is-not-there"),
        pytest.param(REFUSED, Log().call().request(), FAIL, id="a-call-that-was-not-refused"),
        pytest.param(TYPES, Log().call().request().response(), PASS, id="types"),
        pytest.param(TYPES, Log().call().request().response(media_type=TEXT), FAIL, id="type-of-the-request"),
        pytest.param(TYPES, Log().call().request().response(id="c2"), PASS, id="types-by-data"),
        pytest.param(APART, Log().call().request().response(), PASS, id="apart"),
        pytest.param(APART, Log().call().request().response(source="/request"), FAIL, id="one-identity"),
        pytest.param(ONE_ID, Log().call(id="").request(id="m").response(id="m"), PASS, id="one-id"),
        pytest.param(ONE_ID, Log().call(id="").request(id="m").response(id="n"), FAIL, id="two-ids"),
        pytest.param(ONE_ID, Log().call(id="").request(id="").response(id=""), FAIL, id="no-id"),
        pytest.param(
            ONE_ID, Log().call(id="").request(id="m", value="x").request(id="m").response(id="m"), FAIL, id="shared-id"
        ),
        pytest.param(OWNER, Log().call().request(), PASS, id="attribute"),
        pytest.param(OWNER, Log().call().request(component="q"), FAIL, id="another-value"),
        pytest.param(OWNER, Log().call().request(component=""), FAIL, id="no-attribute"),
        pytest.param(ANY, Log().call().request(component="q"), PASS, id="any-value"),
        pytest.param(TENANT, Log().call().request(metadata='{"x-tenant":["a"]}'), PASS, id="metadata"),
        pytest.param(TENANT, Log().call().request(metadata='{"x-tenant":["b"]}'), FAIL, id="metadata-of-another"),
        pytest.param(TENANT, Log().call().request(metadata="{}"), FAIL, id="metadata-without-it"),
        pytest.param(TENANT, Log().call().request(metadata="x"), FAIL, id="metadata-is-none"),
        pytest.param(TENANT, Log().call().request(), FAIL, id="no-metadata"),
        pytest.param(ANY, Log().call().request(component=""), FAIL, id="no-value"),
    ],
)
def test_the_events_of_a_call_are_judged(expectation: Expectation, story: Log, verdict: Verdict) -> None:
    assert judged(story, expectation, final=True).verdict is verdict


NONE = not_logged(CALL, LOG, "response", control=LATER)


def later(log: Log) -> Log:
    """Add another call."""
    return log.call(send="s2", id="c2", body="{}")


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        pytest.param(later(Log().call().request()).request(id="c2").read(), PASS, id="absent"),
        pytest.param(later(Log().call().request()).response(id="c2", value="x").read(), PASS, id="absent-by-any-kind"),
        pytest.param(later(Log().call().request()).request(id="c2"), UNKNOWN, id="not-read-to-its-end"),
        pytest.param(later(Log().call().request()).read(), UNKNOWN, id="no-control"),
        pytest.param(Log().call().request().read(), UNKNOWN, id="no-later-call"),
        pytest.param(Log().call().response(), FAIL, id="present-before-the-later-call"),
        pytest.param(later(Log().call().response()), FAIL, id="present"),
        pytest.param(later(Log()).call().request(id="c2").read(), UNKNOWN, id="control-came-before"),
    ],
)
def test_a_kind_that_must_not_be_there_is_absent_beside_a_control(story: Log, verdict: Verdict) -> None:
    assert judged(story, NONE, final=True).verdict is verdict


ONCE = logged_once(CALL, LOG, "request", control=LATER)


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        pytest.param(later(Log().call().request()).request(id="c2", value="{}").read(), PASS, id="once"),
        pytest.param(later(Log().call().request()).request().request(id="c2", value="{}").read(), FAIL, id="twice"),
        pytest.param(Log().call().request().request(), FAIL, id="twice-before-the-later-call"),
        pytest.param(later(Log().call().request()).request(id="c2", value="{}"), UNKNOWN, id="not-read-to-its-end"),
        pytest.param(later(Log().call()).request(id="c2", value="{}").read(), UNKNOWN, id="never"),
        pytest.param(later(Log().call().request()).read(), UNKNOWN, id="no-control"),
    ],
)
def test_a_kind_that_must_be_there_once_is_there_once_beside_a_control(story: Log, verdict: Verdict) -> None:
    assert judged(story, ONCE, final=True).verdict is verdict


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: logged(CALL, LOG), "expected kinds of events, of request, response, got none"),
        (lambda: logged(CALL, LOG, "answer"), "unknown kind 'answer'; known: request, response"),
        (
            lambda: logged(CALL, LOG, "request", aspect="all"),
            "unknown aspect 'all'; known: pair, media_type, apart, id",
        ),
        (lambda: not_logged(CALL, LOG, "answer", control=LATER), "unknown kind 'answer'"),
    ],
    ids=["no-kind", "kind", "aspect", "kind-of-an-absence"],
)
def test_wrong_words_are_refused(wrong: Any, told: str) -> None:
    with pytest.raises(RefError, match=told):
        wrong()
