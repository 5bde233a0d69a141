"""Requests one after the other: the answer to each is made of that request alone."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from evidence.expectations import streamed_in_order
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream, SeldonStreams, expect
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them


def rows(*values: float, **tags: Any) -> dict[str, Any]:
    """Return a message in Seldon's protocol: a row for each value, and a `meta` where there are tags."""
    data = {"data": {"ndarray": [[value] for value in values]}}
    return {"meta": {"tags": tags}, **data} if tags else data


def ask(
    stream: SeldonStream, produce: Produce, key: str, body: dict[str, Any], before: Sequence[ProducedRef] = ()
) -> list[ProducedRef]:
    """Send a request behind others of its key; return them all."""
    return [*before, produce(stream.input, json.dumps(body).encode(), key=key, partition=0)]


@pytest.mark.requirement("STR-SEQ-001")
def test_an_answer_has_nothing_of_an_earlier_request(echoes: SeldonStreams, produce: Produce) -> None:
    stream, key = echoes("echo-seldon-rest"), fresh("key")
    # Each is sent once the one before is answered: it is what is left behind that counts.
    bodies = [rows(1.5, 2.5, 3.5, customer="17"), rows(4.5), rows(5.5, 6.5, order="a"), rows(7.5, 8.5, 9.5, 10.5)]
    terms: dict[str, Any] = {"group": stream.group}
    asked = ask(stream, produce, key, bodies[0])
    expect(streamed_in_order(asked, stream.output, json=bodies[:1], **terms), within=WITHIN)
    asked = ask(stream, produce, key, bodies[1], asked)
    expect(streamed_in_order(asked, stream.output, json=bodies[:2], **terms), within=WITHIN)
    asked = ask(stream, produce, key, bodies[2], asked)
    expect(streamed_in_order(asked, stream.output, json=bodies[:3], **terms), within=WITHIN)
    asked = ask(stream, produce, key, bodies[3], asked)
    expect(streamed_in_order(asked, stream.output, json=bodies, **terms), within=WITHIN)
