"""The Open Inference Protocol: requests in turn and at once leave nothing of themselves in each other's answers."""

import pytest

from evidence.expectations import answered_before, inferred, undisclosed
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import Tensor, rest

MANY, FEW = 10, 2
AT_ONCE = 6
WAIT_MS, LONG_MS = 100, 1200


def rows(count: int, first: int) -> Tensor:
    """Return a tensor with so many rows of two columns, whose values begin with `first`."""
    return Tensor("INT64", range(first, first + 2 * count), shape=[count, 2], name="rows")


def pair(first: int) -> Tensor:
    """Return a tensor with two values, the first of which is given."""
    return Tensor("INT64", [first, first + 1])


@pytest.mark.requirement("OIP-INF-011")
def test_an_answer_has_nothing_of_an_earlier_one(open_inference: OpenInference) -> None:
    mark = mint()
    tensors = rows(MANY, 1), rows(FEW, 101), rows(MANY, 201)
    first = open_inference.infer(rest(tensors[0], id=mark, parameters={"mark": mark}))
    others = [open_inference.infer(rest(tensor, id=None)) for tensor in tensors[1:]]
    answers = [inferred(one, [of.expected()]) for one, of in zip((first, *others), tensors, strict=True)]
    expect(*answers, *(undisclosed(other, mark) for other in others))


@pytest.mark.requirement("OIP-INF-012")
def test_requests_under_one_id_get_their_own_answers(open_inference: OpenInference) -> None:
    tensors = [pair(10 * place) for place in range(AT_ONCE)]
    exchanges = open_inference.infer_all(
        [rest(tensor, id="same", parameters={"delay_ms": WAIT_MS}) for tensor in tensors]
    )
    expect(*(inferred(one, [of.expected()], id="same") for one, of in zip(exchanges, tensors, strict=True)))


@pytest.mark.requirement("OIP-INF-013")
def test_a_slow_request_holds_up_no_other(open_inference: OpenInference) -> None:
    tensors = pair(1), pair(7)
    bodies = rest(tensors[0], id=mint(), parameters={"delay_ms": LONG_MS}), rest(tensors[1], id=mint())
    slow, *others = open_inference.beside_slow(*bodies)
    expect(
        inferred(slow, [tensors[0].expected()]),
        *(inferred(quick, [tensors[1].expected()]) for quick in others[1::2]),
        *(answered_before(other, slow) for other in others),
    )
