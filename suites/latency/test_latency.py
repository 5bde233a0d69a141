"""Latency budgets: open loop, from intended send times, so that a stalled system cannot hide its own waiting.

The numbers and their reasons stand in budgets.toml. A measurement on a machine that was too busy, or with too few
samples to decide, is unknown: neither pass nor fail.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from evidence.expectations import within
from fixtures import AsyncInference, Broker, Load, expect
from suites.oracles.digits import DOCUMENTED

BUDGETS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("budgets.toml").read_text())
WANTED = {"attributes": {"type": "wanted"}}


@pytest.mark.requirement("LAT-ACK-001")
def test_the_broker_acknowledges_within_the_budget(broker: Broker, load: Load) -> None:
    budget = BUDGETS["ack"]
    sends = load(broker, rate=budget["rate"], seconds=budget["seconds"], type="wanted")
    expect(within(sends, "ack", budget["percentile"], budget["budget"]), within=30)


@pytest.mark.requirement("LAT-DSP-001")
def test_an_event_is_dispatched_within_the_budget(broker: Broker, load: Load) -> None:
    budget, trigger = BUDGETS["dispatch"], broker.trigger(filter=WANTED)
    sends = load(broker, rate=budget["rate"], seconds=budget["seconds"], type="wanted")
    expect(within(sends, "dispatch", budget["percentile"], budget["budget"], to=trigger), within=30)


@pytest.mark.requirement("LAT-E2E-001")
def test_a_prediction_is_there_within_the_budget(async_mnist: AsyncInference) -> None:
    budget = BUDGETS["answer"]
    sends = async_mnist.load(rate=budget["rate"], seconds=budget["seconds"], png=DOCUMENTED)
    expect(
        within(
            sends, "result", budget["percentile"], budget["budget"], on=async_mnist.results, key=async_mnist.trace_key
        ),
        within=40,
    )
