"""Five hundred events in flight at once, with retries among them: each has one result, its own.

Its name puts it behind the area's other modules: each later test of the pipeline reads again what stands in its topics.
"""

from typing import Any

import pytest

from evidence.expectations import results_counted, results_paired
from fixtures import AsyncInference, expect
from suites.oracles.orders import SHOW, number, order, token
from suites.wire import fresh

WITHIN = 90.0  # two processes of the KServe SDK on a shared core, and a thousand calls
AGAIN = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
AT_ONCE, FAILING = 500, 10


@pytest.mark.requirement("INF-TID-006")
@pytest.mark.requirement("INF-CNT-001")
def test_each_of_500_events_makes_its_own_result_through_retries(async_strict: AsyncInference) -> None:
    flow = async_strict.branch(**AGAIN)
    tokens = {fresh("trace"): token() for _ in range(AT_ONCE)}
    orders = [order(SHOW, of=name, times=n % FAILING == 0) for n, name in enumerate(tokens.values())]
    causes = dict(zip(tokens, flow.predict_many(list(zip(orders, tokens, strict=True))), strict=True))
    wanted = {trace_id: [number(name)] for trace_id, name in tokens.items()}
    said: Any = {"on": flow.results, "by": flow.trigger, "key": flow.trace_key}
    expect(results_counted(causes, **said), within=WITHIN)
    expect(results_paired(wanted, of=causes, **said), within=WITHIN)
