"""Cold start, measured apart: from creation to Ready, and the first answer after Ready. No warm percentile holds it."""

import pytest

from fixtures import AsyncInference, Broker, Budgets, Load, expect

BROKER, ASYNC = "broker", "async-mnist-strict"
# Only the first event is judged. The others show whether the machine was busy, or the system held the first one back.
RATE, SECONDS = 20, 0.5


@pytest.mark.requirement("LAT-CLD-001")
def test_a_new_trigger_is_ready_within_the_budget(broker: Broker, budgets: Budgets) -> None:
    trigger = broker.trigger()
    expect(budgets.ready(BROKER, trigger.object))


@pytest.mark.requirement("LAT-CLD-002")
def test_the_first_event_after_ready_is_dispatched_within_the_budget(
    broker: Broker, load: Load, budgets: Budgets
) -> None:
    trigger = broker.trigger()
    sends = load(broker, rate=RATE, seconds=SECONDS, type="wanted", cold=True)
    expect(budgets.first(BROKER, sends, "dispatch", to=trigger), within=30)


@pytest.mark.requirement("LAT-CLD-003")
def test_the_first_call_after_ready_is_answered_within_the_budget(
    async_strict: AsyncInference, budgets: Budgets
) -> None:
    calls = async_strict.beside(loading=0).load_directly(rate=RATE, seconds=SECONDS, cold=True)
    expect(budgets.first(ASYNC, calls, "answer"), within=30)
