"""KServe's V1 protocol, called directly: predictions, explanations, and refusals."""

import json

import pytest

from evidence.expectations import answered, error_answered, response_body, told, undisclosed
from fixtures import OpenInference, expect, mint

JSON = ("content-type", "application/json")
DOUBLES = [0.5, -2.25, 1.7976931348623157e308, 1e22]
OBJECTS = [{"x": [1, 2], "b": "text"}, {"b": "", "x": {"nested": [{}, []]}}]
"""Instances of a model with named inputs, in another order each."""
INSTANCES = [[3], [1], [2], [2**53 + 1, -(2**63)], ["Grüße, 東京", None, True], DOUBLES, *OBJECTS, [OBJECTS]]


def asking(value: object) -> bytes:
    """Return a V1 request."""
    return json.dumps(value).encode()


@pytest.mark.requirement("OIP-V1P-001")
def test_predictions_come_in_the_order_of_their_instances(open_inference: OpenInference) -> None:
    path = f"/v1/models/{open_inference.model}:predict"
    expect(response_body(open_inference.post(path, asking({"instances": INSTANCES})), {"predictions": INSTANCES}))


@pytest.mark.requirement("OIP-V1P-002")
def test_a_request_without_instances_is_refused(open_inference: OpenInference) -> None:
    path = f"/v1/models/{open_inference.model}:predict"
    wrong = {"inputs": [1]}, {"instances": 7}, {"instances": {"a": 1}}, [1]
    expect(*(error_answered(open_inference.post(path, asking(value)), 400) for value in wrong))


@pytest.mark.requirement("OIP-V1P-003")
def test_no_instances_have_no_predictions(open_inference: OpenInference) -> None:
    exchange = open_inference.post(f"/v1/models/{open_inference.model}:predict", asking({"instances": []}))
    expect(answered(exchange, 200), response_body(exchange, {"predictions": []}))


@pytest.mark.requirement("OIP-V1P-004")
def test_an_unknown_model_is_not_found(open_inference: OpenInference) -> None:
    paths = [f"/v1/models/no-such-model:{verb}" for verb in ("predict", "explain")]
    asked = [open_inference.post(path, asking({"instances": [1]})) for path in paths]
    expect(*(error_answered(one, 404) for one in [*asked, open_inference.get("/v1/models/no-such-model")]))


@pytest.mark.requirement("OIP-V1P-005")
def test_broken_json_is_a_bad_request(open_inference: OpenInference) -> None:
    expect(error_answered(open_inference.post(f"/v1/models/{open_inference.model}:predict", b'{"instances": ['), 400))


@pytest.mark.requirement("OIP-V1P-006")
def test_a_media_type_may_name_its_charset(open_inference: OpenInference) -> None:
    headers = [("content-type", "application/json; charset=utf-8")]
    path = f"/v1/models/{open_inference.model}:predict"
    exchange = open_inference.post(path, asking({"instances": [[3]]}), headers)
    expect(response_body(exchange, {"predictions": [[3]]}))


@pytest.mark.requirement("OIP-V1P-007")
def test_an_explanation_does_not_return_credentials(open_inference: OpenInference) -> None:
    mark = mint()
    headers = [JSON, ("authorization", f"Bearer {mark}"), ("cookie", f"session={mark}")]
    path = f"/v1/models/{open_inference.model}:explain"
    expect(undisclosed(open_inference.post(path, asking({"instances": [1]}), headers), mark))


@pytest.mark.requirement("OIP-V1P-008")
def test_the_models_are_listed_and_ready(open_inference: OpenInference) -> None:
    listed = open_inference.get("/v1/models")
    ready = open_inference.get(f"/v1/models/{open_inference.model}")
    expect(told(listed, {"models": [open_inference.model]}), told(ready, {"ready": True}))
