"""MLServer ends and begins again: no request that Kafka has is lost, whether it was in work or nobody was there."""

from typing import Any

import pytest

from evidence.expectations import stream_holds
from fixtures import MLServerStream, Produce, expect, seed
from suites.oracles.sums import answer, request, rows
from suites.wire import fresh

NAMED = [("mlserver-model", "sums")]
WITHIN = 3.0  # seconds behind the restart; an answer counts as missing only after them
SLOW = 1.5  # seconds that a request takes, so that it cannot be answered before the server ends


@pytest.mark.requirement("STR-MLS-018")
def test_a_request_in_work_when_the_server_ends_is_answered(own_mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    value = request(values, pause=SLOW)
    records = [{"value": value, "key": fresh("key"), "headers": NAMED, "partition": 0} for _ in range(2)]
    sent = produce.many(own_mlserver.input, records)
    own_mlserver.scale(0)
    own_mlserver.scale(1)
    own_mlserver.greeted()
    terms: dict[str, Any] = {"json": answer(values), "control": own_mlserver.control}
    expect(*[stream_holds(each, own_mlserver.output, **terms) for each in sent], within=WITHIN + 2 * SLOW)


@pytest.mark.requirement("STR-MLS-019")
def test_a_request_without_a_server_is_answered_by_the_next_one(own_mlserver: MLServerStream, produce: Produce) -> None:
    values = rows(seed())
    own_mlserver.scale(0)
    asked = produce(own_mlserver.input, request(values), key=fresh("key"), headers=NAMED, partition=0)
    own_mlserver.scale(1)
    own_mlserver.greeted()
    expect(stream_holds(asked, own_mlserver.output, json=answer(values), control=own_mlserver.control), within=WITHIN)
