"""A SeldonDeployment that is changed or deleted while it is at work: its streams follow, and nothing old goes on."""

import json

import pytest

from evidence.expectations import gone, one_stream_answer, stream_answer
from evidence.refs import ProducedRef
from fixtures import Kube, Produce, SeldonStream, SeldonStreams, expect
from suites.wire import fresh

WITHIN = 10.0  # seconds; an answer counts as missing only after them
GONE = 25.0  # seconds; a cluster takes three times as long: a successor comes first, and what ends is given time
MANY = 40
"""So many requests that a predictor to which a quarter of them belongs gets one (all but one time in 10^5)."""


def ask(stream: SeldonStream, produce: Produce, count: int = 1) -> list[ProducedRef]:
    """Send requests, each with a text and a key of its own."""
    names = [fresh("key") for _ in range(count)]
    return produce.many(stream.input, [{"value": json.dumps({"strData": name}), "key": name} for name in names])


@pytest.mark.requirement("STR-UPD-001")
@pytest.mark.parametrize("name", ["main", "renamed"], ids=["taken-out", "renamed"])
def test_a_predictor_that_is_taken_out_answers_no_more(
    graphs: SeldonStreams, produce: Produce, kube: Kube, name: str
) -> None:
    stream = graphs.another("canary")
    others = [one for one in stream.predictors if one["name"] != name]
    left = [kube.get(each, check=True) for one in others for each in stream.made_for(one)]
    only = {**stream.predictors[0], "name": name, "traffic": 100}
    changed = kube.patch(stream.object, {"spec": {"predictors": [only]}}, check=True)
    expect(*(gone(each, after=changed) for each in left), within=GONE)
    asked, group = ask(stream, produce, MANY), f"{name}.{stream.name}.{stream.namespace}"
    answers = [stream_answer(one, stream.output, group=group, json={"strData": one.key}) for one in asked]
    expect(*answers, *(one_stream_answer(one, stream.output, group=group) for one in asked), within=WITHIN)
