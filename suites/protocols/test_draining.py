"""A server that is told to end answers what it is at."""

import pytest

from evidence.expectations import drained, inferred
from fixtures import OpenInference, expect, mint
from suites.oracles.open_inference import Tensor, rest

ROW = Tensor("INT32", [1, 2])
LONG_MS, SHORT_MS = 1200, 100
"""How long answers wait: the short one until both are under way, the long one until its server is told to end. The
latter takes longer on a slower target."""


@pytest.mark.requirement("OIP-DRN-001")
def test_a_request_under_way_is_answered_before_the_server_ends(open_inference: OpenInference) -> None:
    ending = open_inference.another(f"echo-{mint()[:8]}")
    delays = (round(LONG_MS * ending.patience), SHORT_MS)
    bodies = [rest(ROW, parameters={"delay_ms": delay}) for delay in delays]
    under_way, short = ending.infer_all(bodies)
    expect(inferred(short, [ROW.expected()]))
    expect(drained(under_way, ending.delete()), inferred(under_way, [ROW.expected()]))
