"""Tensors that are larger than gRPC takes by default: they come back whole, or are refused as too large.

Each test has a server of its own, which may die of what it is asked. The bodies are the same in each run and test that
has them, so that a history holds each of them once.
"""

import hashlib
import json

import pytest

from evidence.expectations import answered_whole, inferred, response_body
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import Tensor, message, rest

MEBI = 1 << 20
ROW = Tensor("INT32", [3, 1, 2])
GOOD = rest(ROW)


def texts(size: int) -> Tensor:
    """Return a tensor of BYTES with more than so many bytes, in texts of a letter and a length of their own each."""
    letters = b"abcdefgh"
    return Tensor("BYTES", [bytes([letter]) * (size // 8 + 64 + place) for place, letter in enumerate(letters)])


LARGE, LARGER = texts(4 * MEBI), texts(8 * MEBI)
"""More than a message that gRPC takes by default, and more than one that KServe takes by default."""


def beside(open_inference: OpenInference) -> OpenInference:
    """Return a server of the test's own."""
    return open_inference.another(f"echo-{mint()[:8]}")


@pytest.mark.requirement("OIP-SIZ-001")
def test_a_large_request_is_answered_whole_or_refused(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    control, large, behind = [server.infer(body) for body in (GOOD, rest(LARGE), GOOD)]
    expect(
        answered_whole(large, outputs=[LARGE.digested()], or_too_large=True, control=control),
        inferred(behind, [ROW.expected()], control=control),
    )


@pytest.mark.requirement("OIP-SIZ-002")
def test_large_instances_are_answered_whole_or_refused(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    path = f"/v1/models/{server.model}:predict"
    instances = [text.decode() for text in LARGE.values]
    bodies = [json.dumps({"instances": asked}).encode() for asked in ([[3]], instances, [[7]])]
    control, large, behind = [server.post(path, body) for body in bodies]
    predictions = hashlib.sha256(json.dumps(instances, separators=(",", ":")).encode()).hexdigest()
    expect(
        answered_whole(large, predictions=predictions, or_too_large=True, control=control),
        response_body(behind, {"predictions": [[7]]}),
    )


@pytest.mark.requirement("OIP-SIZ-003")
def test_a_large_call_is_answered_whole_or_refused(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    tensors = ROW, LARGE, ROW, LARGER, ROW
    control, *asked = [server.call("ModelInfer", message(of, raw=True, model=server.model)) for of in tensors]
    large, between, larger, behind = asked
    expect(
        answered_whole(large, outputs=[LARGE.digested()], or_too_large=True, control=control),
        answered_whole(larger, outputs=[LARGER.digested()], or_too_large=True, control=control),
        *(inferred(one, [ROW.expected()], control=control) for one in (between, behind)),
    )


@pytest.mark.requirement("OIP-SIZ-004")
def test_a_call_of_up_to_8_mib_is_answered(open_inference: OpenInference) -> None:
    server = beside(open_inference)
    control, large = [server.call("ModelInfer", message(of, raw=True, model=server.model)) for of in (ROW, LARGE)]
    expect(answered_whole(large, outputs=[LARGE.digested()], control=control))
