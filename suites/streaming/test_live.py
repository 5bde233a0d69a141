"""A SeldonDeployment that is changed or deleted while it is at work: its streams follow, and nothing old goes on."""

import json
from typing import Any

import pytest

from evidence.expectations import (
    Expectation,
    condition,
    field,
    gone,
    no_stream_answer,
    one_stream_answer,
    stream_answer,
)
from evidence.refs import ProducedRef, TopicRef
from fixtures import Kube, Produce, SeldonStream, SeldonStreams, Topics, expect
from suites.wire import fresh

WITHIN = 10.0  # seconds; an answer counts as missing only after them
GONE = 25.0  # seconds; a cluster takes three times as long: a successor comes first, and what ends is given time
PARTITIONS = 4
MANY = 40
"""So many requests that a predictor to which a quarter of them belongs gets one (all but one time in 10^5)."""


CANNOT: dict[str, dict[str, list[str]]] = {
    "crashes": {"args": ["--touchstone-unheard-of"]},
    "never-starts": {"command": ["/touchstone/no-such-program"]},
}
"""The fields of a container that ends at once, and of one that has nothing to start."""
NOT_AVAILABLE = ("Creating", "Failed")


def ask(topic: TopicRef, produce: Produce, count: int = 1) -> list[ProducedRef]:
    """Send requests, each with a text of its own that is its key too."""
    names = [fresh("key") for _ in range(count)]
    return produce.many(topic, [{"value": json.dumps({"strData": name}), "key": name} for name in names])


def ask_everywhere(stream: SeldonStream, produce: Produce) -> list[ProducedRef]:
    """Send two requests to each partition of a stream's input topic."""
    names = [fresh("key") for _ in range(2 * PARTITIONS)]
    return produce.many(
        stream.input,
        [
            {"value": json.dumps({"strData": name}), "key": name, "partition": number % PARTITIONS}
            for number, name in enumerate(names)
        ],
    )


def scaled(stream: SeldonStream, replicas: int) -> dict[str, Any]:
    """Return the merge patch by which the predictors of a stream have so many replicas."""
    return {"spec": {"predictors": [{**each, "replicas": replicas} for each in stream.predictors]}}


def answered(asked: ProducedRef, by: SeldonStream, **terms: Any) -> Expectation:
    """Return the expectation that a stream answers such a request, where it answers now."""
    return stream_answer(asked, **{"on": by.output, "group": by.group, **terms}, json={"strData": asked.key})


def two_of_one_topic(echoes: SeldonStreams, produce: Produce) -> tuple[SeldonStream, SeldonStream, ProducedRef]:
    """Return two streams that read the same topic, and a request that both have answered."""
    stream = echoes.another("echo-seldon-rest")
    beside = echoes.another("echo-seldon-rest", KAFKA_INPUT_TOPIC=stream.input.name)
    [before] = ask(stream.input, produce)
    expect(answered(before, stream), answered(before, beside), within=WITHIN)
    return stream, beside, before


def unanswered(topic: TopicRef, produce: Produce, stream: SeldonStream, beside: SeldonStream) -> ProducedRef:
    """Ask what a stream is not to answer, while another one that reads the same topic answers it, and a later one."""
    [asked] = ask(topic, produce)
    expect(answered(asked, beside), within=WITHIN)
    [later] = ask(topic, produce)
    expect(answered(later, beside), within=WITHIN)
    expect(*(no_stream_answer(one, stream.output, group=beside.group) for one in (asked, later)), within=WITHIN)
    return asked


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
    stream.await_pods(1)
    asked, group = ask(stream.input, produce, MANY), f"{name}.{stream.name}.{stream.namespace}"
    expect(
        *(answered(one, stream, group=group) for one in asked),
        *(one_stream_answer(one, stream.output, group=group) for one in asked),
        within=WITHIN,
    )


@pytest.mark.requirement("STR-DEL-001")
def test_a_deployment_that_is_deleted_answers_only_when_it_is_made_again(
    echoes: SeldonStreams, produce: Produce, kube: Kube
) -> None:
    stream, beside, before = two_of_one_topic(echoes, produce)
    kube.delete(stream.object, check=True)
    expect(gone(stream.object), within=GONE)
    stream.await_pods(0)
    asked = unanswered(stream.input, produce, stream, beside)
    kube.apply(stream.manifest, check=True)
    expect(answered(asked, stream, control=before), within=GONE)


@pytest.mark.requirement("STR-SCL-001")
def test_a_predictor_without_replicas_answers_only_when_it_has_one_again(
    echoes: SeldonStreams, produce: Produce, kube: Kube
) -> None:
    stream, beside, before = two_of_one_topic(echoes, produce)
    kube.patch(stream.object, scaled(stream, 0), check=True)
    stream.await_pods(0)
    asked = unanswered(stream.input, produce, stream, beside)
    kube.patch(stream.object, scaled(stream, 1), check=True)
    expect(answered(asked, stream, control=before), within=GONE)


@pytest.mark.requirement("STR-SCL-002")
def test_a_predictor_whose_replicas_become_more_and_fewer_answers_each_request_once(
    echoes: SeldonStreams, produce: Produce, kube: Kube
) -> None:
    stream = echoes.another("echo-seldon-rest", partitions=PARTITIONS)
    before = ask_everywhere(stream, produce)
    expect(*(answered(one, stream) for one in before), within=WITHIN)
    kube.patch(stream.object, scaled(stream, 2), check=True)
    stream.await_pods(2)
    more = ask_everywhere(stream, produce)
    expect(*(answered(one, stream, control=before[0]) for one in more), within=GONE)
    kube.patch(stream.object, scaled(stream, 1), check=True)
    stream.await_pods(1)
    fewer = ask_everywhere(stream, produce)
    expect(*(answered(one, stream, control=before[0]) for one in fewer), within=GONE)
    asked = [*before, *more, *fewer]
    expect(*(one_stream_answer(one, stream.output, group=stream.group) for one in asked), within=WITHIN)


@pytest.mark.requirement("STR-UPD-002")
def test_a_changed_input_topic_is_read_in_place_of_the_old_one(
    echoes: SeldonStreams, produce: Produce, kube: Kube, topic: Topics
) -> None:
    (stream, beside, before), moved = two_of_one_topic(echoes, produce), topic()
    kube.patch(stream.object, stream.changed(KAFKA_INPUT_TOPIC=moved.name), check=True)
    [asked] = ask(moved, produce)
    expect(answered(asked, stream, control=before), within=GONE)
    stream.await_pods(1)
    unanswered(stream.input, produce, stream, beside)


@pytest.mark.requirement("STR-UPD-002")
def test_a_changed_output_topic_has_the_answers_in_place_of_the_old_one(
    echoes: SeldonStreams, produce: Produce, kube: Kube, topic: Topics
) -> None:
    stream, (source, target) = echoes.another("echo-seldon-rest"), (topic(), topic())
    beside = echoes.another("echo-seldon-rest", KAFKA_OUTPUT_TOPIC=target.name)
    [control] = ask(beside.input, produce)
    expect(answered(control, beside), within=WITHIN)
    changed = stream.changed(KAFKA_INPUT_TOPIC=source.name, KAFKA_OUTPUT_TOPIC=target.name)
    kube.patch(stream.object, changed, check=True)
    # Whoever reads the new input topic has seen the change, so its answers are in the new output topic.
    [asked] = ask(source, produce)
    expect(answered(asked, stream, on=target, control=control), within=GONE)
    expect(no_stream_answer(asked, stream.output, group=stream.group), within=WITHIN)


@pytest.mark.requirement("STR-RDY-001")
@pytest.mark.parametrize("cannot", CANNOT)
def test_a_deployment_whose_new_pods_cannot_start_is_not_available(
    echoes: SeldonStreams, produce: Produce, kube: Kube, cannot: str
) -> None:
    stream, beside = (echoes.another("echo-seldon-rest") for _ in range(2))
    [before] = ask(stream.input, produce)
    expect(answered(before, stream), within=WITHIN)
    kube.patch(stream.object, stream.changed(container=CANNOT[cannot]), check=True)
    stream.await_failure()
    # Another one is changed after it, and has changed: what is said of the failure by now is not said on the way there.
    kube.patch(beside.object, scaled(beside, 0), check=True)
    beside.await_pods(0)
    kube.get(stream.object, check=True)
    expect(field(stream.object, "status.state", *NOT_AVAILABLE), within=WITHIN)
    kube.patch(stream.object, stream.changed(), check=True)
    expect(field(stream.object, "status.state", "Available"), within=GONE)
    [asked] = ask(stream.input, produce)
    expect(answered(asked, stream, control=before), within=WITHIN)


@pytest.mark.requirement("STR-RDY-002")
@pytest.mark.parametrize("cannot", CANNOT)
def test_a_deployment_that_cannot_start_says_so_and_holds_up_no_other(
    echoes: SeldonStreams, produce: Produce, kube: Kube, cannot: str
) -> None:
    control = echoes("echo-seldon-rest")
    kube.get(control.object, check=True)
    broken = echoes.another("echo-seldon-rest", container=CANNOT[cannot], ready=False)
    expect(condition(broken.object, "Ready", "False", explained=True), within=GONE)
    other = echoes.another("echo-seldon-rest", ready=False)
    expect(condition(other.object, "Ready", "True", control=control.object), within=GONE)
    [asked] = ask(other.input, produce)
    expect(answered(asked, other), field(broken.object, "status.state", *NOT_AVAILABLE), within=WITHIN)
    [waiting] = ask(broken.input, produce)
    [whole] = control.predictors[0]["componentSpecs"][0]["spec"]["containers"]
    kube.patch(broken.object, broken.changed(container=whole), check=True)
    expect(answered(waiting, broken), within=GONE)
