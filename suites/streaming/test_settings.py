"""The variables of a stream: wrong ones are refused, or the SeldonDeployment is not Ready."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from evidence.expectations import api_refused, condition, stream_answer
from fixtures import Kube, Produce, SeldonStreams, expect
from suites.manifests import variable_of, with_another, with_predictors, with_spec
from suites.wire import fresh

INPUT, OUTPUT, BROKER = "KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC", "KAFKA_BROKER"
NOWHERE = "no-such-kafka.invalid:9092"
WITHIN = 10.0  # seconds; an answer counts as missing only after them
READY = 60.0  # seconds; a cluster takes thirty for a SeldonDeployment


@pytest.mark.requirement("STR-CFG-001")
@pytest.mark.parametrize(
    ("variable", "values"),
    [("KAFKA_WORKERS", ["0", "-1", "many", "1.5"]), ("KAFKA_AUTO_COMMIT", ["maybe", "yes"])],
    ids=["workers", "auto-commit"],
)
def test_a_variable_with_a_wrong_value_is_refused(
    echoes: SeldonStreams, kube: Kube, variable: str, values: list[str]
) -> None:
    manifests = [echoes.manifest("echo-seldon-rest", **{variable: value}) for value in values]
    expect(*(api_refused(kube.apply(manifest), message=variable) for manifest in manifests))


@pytest.mark.requirement("STR-CFG-002")
@pytest.mark.parametrize("missing", [INPUT, OUTPUT], ids=["input", "output"])
def test_a_variable_that_is_missing_is_not_made_up_for_by_another(
    echoes: SeldonStreams, kube: Kube, missing: str
) -> None:
    manifest = with_another(echoes.manifest("echo-seldon-rest"), missing, BROKER)
    expect(api_refused(kube.apply(manifest)))


@pytest.mark.requirement("STR-CFG-003")
def test_a_stream_that_reaches_no_kafka_is_not_ready(echoes: SeldonStreams, kube: Kube) -> None:
    # Another one without a pod, made after it, becomes Ready: silence about the one that cannot is an answer then.
    unreachable = kube.apply(echoes.manifest("echo-seldon-rest", KAFKA_BROKER=NOWHERE), check=True)
    control = kube.apply(echoes.manifest("echo-seldon-rest"), check=True)
    expect(condition(control, "Ready", "True"), within=READY)
    expect(condition(unreachable, "Ready", "False", control=control), within=5.0)


@pytest.mark.requirement("STR-CFG-006")
def test_a_stream_that_reaches_one_of_several_servers_of_kafka_answers(echoes: SeldonStreams, produce: Produce) -> None:
    listed = f"{NOWHERE},{variable_of(echoes.manifest('echo-seldon-rest'), BROKER)},{NOWHERE}"
    stream, name = echoes.another("echo-seldon-rest", ready=False, KAFKA_BROKER=listed), fresh("key")
    # Another one, made after it, is Ready: silence about this one is an answer then.
    control = echoes.another("echo-seldon-rest").object
    expect(condition(stream.object, "Ready", "True", control=control), within=WITHIN)
    asked = produce(stream.input, json.dumps({"strData": name}), key=name)
    expect(stream_answer(asked, stream.output, group=stream.group, json={"strData": name}), within=WITHIN)


@pytest.mark.requirement("STR-CFG-005")
@pytest.mark.parametrize(
    "predictors",
    [
        [],
        [{"name": "one", "traffic": 50}, {"name": "two", "traffic": 40}],
        [{"traffic": 40}],
        [{"name": "one", "traffic": 50}, {"name": "one", "traffic": 50}],
        [{"shadow": True}],
        [{"graph": {"name": "nobody", "type": "MODEL"}}],
        [{"graph": {"name": "", "type": "MODEL"}}],
        [{"graph": {"name": "echo", "type": "UNKNOWN_TYPE"}}],
    ],
    ids=[
        "no-predictors",
        "traffic-of-two",
        "traffic-of-one",
        "one-name",
        "only-a-shadow",
        "no-container",
        "no-graph-name",
        "unknown-type",
    ],
)
def test_predictors_that_cannot_be_served_are_refused(
    echoes: SeldonStreams, kube: Kube, predictors: list[Mapping[str, Any]]
) -> None:
    expect(api_refused(kube.apply(with_predictors(echoes.manifest("echo-seldon-rest"), *predictors))))


@pytest.mark.requirement("STR-CFG-005")
def test_a_protocol_that_nobody_speaks_is_refused(echoes: SeldonStreams, kube: Kube) -> None:
    expect(api_refused(kube.apply(with_spec(echoes.manifest("echo-seldon-rest"), protocol="gopher"))))


@pytest.mark.requirement("STR-CFG-004")
def test_an_output_topic_that_is_the_input_topic_is_refused(echoes: SeldonStreams, kube: Kube) -> None:
    topic = echoes("echo-seldon-rest").input.name
    expect(api_refused(kube.apply(echoes.manifest("echo-seldon-rest", KAFKA_OUTPUT_TOPIC=topic)), message=OUTPUT))
