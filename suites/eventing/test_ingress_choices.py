"""What the ingress of a Broker may refuse, and gets right where it does not: content codings, and events of 0.3."""

import json
from typing import Any

import pytest

from evidence.expectations import delivered, refused_or_unchanged
from fixtures import Broker, expect
from suites.oracles.codings import CODED, DATA
from suites.wire import STRUCTURED, Headers, attributes, binary, structured, typed

OLDER = {
    "specversion": "0.3",
    "schemaurl": "http://touchstone.example/schema",
    "subject": "orders/17",
    "time": "2025-07-02T08:20:12Z",
    "ext": "x",
}


def older(data: Any, kind: str = "application/json", **more: str) -> tuple[Headers, bytes]:
    """Return a request with a structured event of version 0.3."""
    return typed(STRUCTURED), structured(attributes(**OLDER, datacontenttype=kind, **more), data)


@pytest.mark.requirement("EVT-ING-052")
@pytest.mark.parametrize(("coding", "body"), CODED.values(), ids=CODED)
def test_a_body_in_a_content_coding_is_refused_or_can_be_read(broker: Broker, coding: str, body: bytes) -> None:
    trigger = broker.trigger()
    event = broker.post([*binary(attributes()), ("content-encoding", coding)], body)
    plain = broker.send()
    expect(refused_or_unchanged(event, to=trigger, on=broker), delivered(plain, to=trigger))


@pytest.mark.requirement("EVT-ING-053")
@pytest.mark.parametrize("form", ["binary", "json", "text", "base64"])
def test_an_event_of_version_0_3_is_refused_or_delivered_as_what_it_is(broker: Broker, form: str) -> None:
    trigger = broker.trigger()
    headers, body = {
        "binary": (binary(attributes(**OLDER)), DATA),
        "json": older(json.loads(DATA)),
        "text": older("0.3 € 5", "text/plain"),
        "base64": older("AP/+", "application/octet-stream", datacontentencoding="base64"),
    }[form]
    event = broker.post(headers, body)
    current = broker.send()
    expect(refused_or_unchanged(event, to=trigger, on=broker), delivered(current, to=trigger))
