"""A server that begins is not ready before its model is, and one that is told to end answers what it is at."""

import pytest

from evidence.expectations import drained, inferred, ready_to_infer, unblamed_at_end
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import Tensor, message, rest

ROW = Tensor("INT32", [1, 2])
LONG_MS, SHORT_MS = 3000, 100
"""How long answers wait: the short one until both are under way, the long one until its server is told to end. The
latter takes longer on a slower target."""
QUICK, QUICK_MS = 75, 40
"""How many quick requests come one after the other, and how long each waits: together as long as the long one."""
LOADING = 1.0
"""The seconds that a model takes to load."""


@pytest.mark.requirement("OIP-HLT-004")
def test_what_is_said_to_be_ready_answers(open_inference: OpenInference) -> None:
    starting = open_inference.starting(loading=LOADING)
    asked = starting.first_ready(rest(ROW), message(ROW, raw=False, model=starting.model))
    expect(*(ready_to_infer(said, infer) for said, infer in asked))


@pytest.mark.requirement("OIP-DRN-001")
def test_a_request_under_way_is_answered_before_the_server_ends(open_inference: OpenInference) -> None:
    ending = open_inference.another(f"echo-{mint()[:8]}")
    delays = (round(LONG_MS * ending.patience), SHORT_MS)
    bodies = [rest(ROW, parameters={"delay_ms": delay}) for delay in delays]
    under_way, short = ending.infer_all(bodies)
    expect(inferred(short, [ROW.expected()]))
    expect(drained(under_way, ending.delete()), inferred(under_way, [ROW.expected()]))


@pytest.mark.requirement("OIP-DRN-002")
def test_a_call_under_way_is_answered_before_the_server_ends(open_inference: OpenInference) -> None:
    ending = open_inference.another(f"echo-{mint()[:8]}")
    delays = (round(LONG_MS * ending.patience), SHORT_MS)
    messages = [message(ROW, raw=False, model=ending.model, parameters={"delay_ms": delay}) for delay in delays]
    under_way, short = ending.call_all("ModelInfer", messages)
    expect(inferred(short, [ROW.expected()]))
    expect(drained(under_way, ending.delete()), inferred(under_way, [ROW.expected()]))


@pytest.mark.requirement("OIP-DRN-003")
def test_a_server_that_ends_blames_no_good_request(open_inference: OpenInference) -> None:
    ending = open_inference.another(f"echo-{mint()[:8]}", reachable=True)
    delays = (LONG_MS, SHORT_MS, *[QUICK_MS] * QUICK)
    bodies = [rest(ROW, parameters={"delay_ms": round(delay * ending.patience)}) for delay in delays]
    _, before, *others = ending.while_slow(bodies[0], bodies[1:])
    expect(inferred(before, [ROW.expected()]))
    expect(unblamed_at_end(others, ending.delete(reachable=True)))
