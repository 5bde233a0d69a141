"""Latency budgets: open loop, from intended send times, so that a stalled system cannot hide its own waiting.

The numbers and their reasons stand in budgets.toml. A measurement on a machine that was too busy, by a generator that
lagged, or with too few samples to decide is unknown: neither pass nor fail.
"""

import pytest

from fixtures import AsyncInference, Broker, Budgets, Load, SeldonStreams, expect
from suites.oracles.digits import DOCUMENTED

BROKER, ASYNC, ECHO = "broker", "async-mnist", "seldon-echo"


@pytest.mark.requirement("LAT-ACK-001")
def test_the_broker_acknowledges_within_the_budget(broker: Broker, load: Load, budgets: Budgets) -> None:
    plan = budgets.at(BROKER, 20)
    sends = load(broker, rate=plan.rate, seconds=plan.seconds, type="wanted")
    expect(*plan.claims(sends, "ack"), within=30)


@pytest.mark.requirement("LAT-TOP-001")
def test_an_event_is_in_the_topic_within_the_budget(broker: Broker, load: Load, budgets: Budgets) -> None:
    plan = budgets.at(BROKER, 20)
    sends = load(broker, rate=plan.rate, seconds=plan.seconds, type="wanted")
    expect(*plan.claims(sends, "topic", on=broker), within=30)


@pytest.mark.requirement("LAT-DSP-001")
def test_an_event_is_dispatched_within_the_budget(broker: Broker, load: Load, budgets: Budgets) -> None:
    plan, trigger = budgets.at(BROKER, 20), broker.trigger()
    sends = load(broker, rate=plan.rate, seconds=plan.seconds, type="wanted")
    expect(*plan.claims(sends, "dispatch", to=trigger), within=30)


@pytest.mark.requirement("LAT-RTE-001")
def test_a_low_rate_keeps_the_budgets(broker: Broker, load: Load, budgets: Budgets) -> None:
    plan, trigger = budgets.at(BROKER, 5), broker.trigger()
    sends = load(broker, rate=plan.rate, seconds=plan.seconds, type="wanted")
    expect(*plan.claims(sends, "ack"), *plan.claims(sends, "dispatch", to=trigger), within=30)


@pytest.mark.requirement("LAT-RTE-002")
def test_a_high_rate_keeps_the_budgets(broker: Broker, load: Load, budgets: Budgets) -> None:
    plan, trigger = budgets.at(BROKER, 100), broker.trigger()
    sends = load(broker, rate=plan.rate, seconds=plan.seconds, type="wanted")
    expect(*plan.claims(sends, "ack"), *plan.claims(sends, "dispatch", to=trigger), within=30)


@pytest.mark.requirement("LAT-ANS-001")
def test_the_inference_service_answers_within_the_budget(async_mnist: AsyncInference, budgets: Budgets) -> None:
    plan = budgets.at(ASYNC, 20)
    calls = async_mnist.load_directly(rate=plan.rate, seconds=plan.seconds, png=DOCUMENTED)
    expect(*plan.claims(calls, "answer"), within=30)


@pytest.mark.requirement("LAT-E2E-001")
def test_a_prediction_is_there_within_the_budget(async_mnist: AsyncInference, budgets: Budgets) -> None:
    plan = budgets.at(ASYNC, 20)
    sends = async_mnist.load(rate=plan.rate, seconds=plan.seconds, png=DOCUMENTED)
    expect(*plan.claims(sends, "result", on=async_mnist.results, key=async_mnist.trace_key), within=40)


@pytest.mark.requirement("LAT-STR-001")
def test_a_stream_answers_within_the_budget(echoes: SeldonStreams, budgets: Budgets) -> None:
    plan, stream = budgets.at(ECHO, 5), echoes("echo-seldon-rest")
    asked = stream.load(rate=plan.rate, seconds=plan.seconds)
    expect(*plan.claims(asked, "result", on=stream.output, key=stream.text), within=40)
