"""The Open Inference Protocol: parameters reach the model as they are, and versions of a model are told apart."""

import pytest

from evidence.expectations import call_ended, error_answered, inferred, version_kept
from fixtures import OpenInference, expect
from suites.oracles.open_inference import Tensor, message, named, rest

PAIR = Tensor("INT32", [1, 2])
PARAMETERS = {"text": "1", "number": 1, "flag": True, "word": "true", "large": 2**53 + 1, "empty": "", "zero": 0}
"""Values that are another one's for who reads their type out of their text."""
OF_INPUT = Tensor("INT32", [1, 2], parameters=PARAMETERS)
VERSION, UNKNOWN = "1", "77"


@pytest.mark.requirement("OIP-PRM-001")
def test_parameters_over_rest_keep_value_and_type(open_inference: OpenInference) -> None:
    parameters = {**PARAMETERS, "fraction": 0.5}
    of_input = Tensor("INT32", [1, 2], parameters=parameters)
    exchange = open_inference.infer(rest(of_input, parameters=parameters))
    expect(inferred(exchange, [of_input.expected()], parameters=parameters))


@pytest.mark.requirement("OIP-PRM-002")
def test_parameters_over_grpc_keep_value_and_type(open_inference: OpenInference) -> None:
    body = message(OF_INPUT, raw=False, model=open_inference.model, parameters=PARAMETERS)
    call = open_inference.call("ModelInfer", body)
    expect(inferred(call, [OF_INPUT.expected()], parameters=PARAMETERS))


@pytest.mark.requirement("OIP-VER-001")
def test_a_version_that_is_listed_is_addressed_alike(open_inference: OpenInference) -> None:
    model = f"/v2/models/{open_inference.model}"
    listed = open_inference.get(model)
    version = f"{model}/versions/{VERSION}"
    asked = [open_inference.get(version), open_inference.get(f"{version}/ready")]
    asked.append(open_inference.post(f"{version}/infer", rest(PAIR)))
    expect(*(version_kept(one, listed, VERSION) for one in asked))


@pytest.mark.requirement("OIP-VER-002")
def test_a_version_that_is_listed_is_called_alike(open_inference: OpenInference) -> None:
    model = open_inference.model
    listed = open_inference.call("ModelMetadata", named(model))
    calls = [open_inference.call(method, named(model, VERSION)) for method in ("ModelMetadata", "ModelReady")]
    body = message(PAIR, raw=False, model=model, version=VERSION)
    calls.append(open_inference.call("ModelInfer", body))
    expect(*(version_kept(call, listed, VERSION) for call in calls))


@pytest.mark.requirement("OIP-VER-003")
def test_an_answer_names_the_version_that_was_asked_for(open_inference: OpenInference) -> None:
    model = open_inference.model
    listed, told = open_inference.get(f"/v2/models/{model}"), open_inference.call("ModelMetadata", named(model))
    exchange = open_inference.post(f"/v2/models/{model}/versions/{VERSION}/infer", rest(PAIR))
    call = open_inference.call("ModelInfer", message(PAIR, raw=False, model=model, version=VERSION))
    expect(version_kept(exchange, listed, VERSION, named=True), version_kept(call, told, VERSION, named=True))


@pytest.mark.requirement("OIP-VER-004")
def test_an_unknown_version_is_not_found(open_inference: OpenInference) -> None:
    version = f"/v2/models/{open_inference.model}/versions/{UNKNOWN}"
    asked = open_inference.post(f"{version}/infer", rest(PAIR))
    expect(
        *(error_answered(one, (404, 501)) for one in (asked, *map(open_inference.get, (version, f"{version}/ready"))))
    )


@pytest.mark.requirement("OIP-VER-005")
def test_a_call_of_an_unknown_version_is_not_found(open_inference: OpenInference) -> None:
    model = open_inference.model
    calls = [open_inference.call(method, named(model, UNKNOWN)) for method in ("ModelMetadata", "ModelReady")]
    body = message(PAIR, raw=False, model=model, version=UNKNOWN)
    calls.append(open_inference.call("ModelInfer", body))
    expect(*(call_ended(call, "NOT_FOUND", "UNIMPLEMENTED") for call in calls))
