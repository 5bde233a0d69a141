"""The Open Inference Protocol over REST: members of another JSON type, and strange parameters, stop no server."""

import json
from typing import Any

import pytest

from evidence.expectations import error_answered, inferred
from evidence.refs import ExchangeRef
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import Tensor, rest

PAIR = Tensor("INT32", [1, 2])
GOOD = rest(PAIR)
INPUT: dict[str, Any] = {
    "shape-text": {"shape": "[2]"},
    "shape-number": {"shape": 2},
    "shape-fraction": {"shape": [1.5]},
    "shape-bool": {"shape": [True], "data": [1]},
    "shape-null": {"shape": [None]},
    "data-text": {"data": "AAA"},
    "data-object": {"data": {}},
    "data-null": {"data": None},
    "data-ragged": {"shape": [3, 1], "data": [[1], [2, 3]]},
    "name-number": {"name": 7},
    "datatype-list": {"datatype": ["INT32"]},
}
"""Members of an input."""
REQUEST: dict[str, Any] = {
    "inputs-object": {"inputs": {}},
    "inputs-of-text": {"inputs": ["x"]},
    "id-number": {"id": 7},
    "outputs-text": {"outputs": "x"},
    "outputs-of-text": {"outputs": ["x"]},
    "parameters-list": {"parameters": ["x"]},
}
"""Members of a request."""
STRANGE = {"content_type": "x/unknown", "headers": "x", "sequence_id": 0, "binary_data_size": 4}
"""Parameters that some servers know, with values that they do not expect."""


def wrong() -> list[bytes]:
    """Return a request for each of these members."""
    inputs = [{"inputs": [{**PAIR.as_json(), **members}]} for members in INPUT.values()]
    requests = [{"inputs": [PAIR.as_json()], **members} for members in REQUEST.values()]
    return [json.dumps(request).encode() for request in inputs + requests]


def beside(open_inference: OpenInference) -> tuple[OpenInference, ExchangeRef]:
    """Return a server of the test's own, which may die of what it is asked, and a good request to it."""
    server = open_inference.another(f"echo-{mint()[:8]}")
    return server, server.infer(GOOD)


@pytest.mark.requirement("OIP-ERR-010")
def test_members_of_another_type_are_refused(open_inference: OpenInference) -> None:
    server, control = beside(open_inference)
    expect(*(error_answered(server.infer(body), control=control) for body in wrong()))


@pytest.mark.requirement("OIP-ERR-011")
def test_wrong_requests_stop_no_other(open_inference: OpenInference) -> None:
    server, control = beside(open_inference)
    sent = [(server.infer(body), server.infer(GOOD)) for body in wrong()]
    expect(*(inferred(good, [PAIR.expected()], control=control) for _, good in sent))


@pytest.mark.requirement("OIP-PRM-003")
def test_known_parameters_with_strange_values_stop_nothing(open_inference: OpenInference) -> None:
    server, control = beside(open_inference)
    strange = Tensor("INT32", [1, 2], parameters=STRANGE)
    asked = server.infer(rest(PAIR, parameters=STRANGE)), server.infer(rest(strange))
    answers = [inferred(one, [PAIR.expected()], or_refused=True, control=control) for one in asked]
    expect(*answers, inferred(server.infer(GOOD), [PAIR.expected()], control=control))
