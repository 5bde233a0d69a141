"""The times that the control plane takes: for what is new or changed, not for the rest, and never for a deletion."""

import time

import pytest

from embedded.api.resources import BROKER, TRIGGER
from embedded.controllers.readiness import OBSERVED, Readiness
from embedded.controllers.trigger import TriggerController
from selftest.embedded_api.conftest import Api
from selftest.embedded_platform.doubles import URI, Cluster, is_true

pytestmark = pytest.mark.anyio
SHORT, LONG = 0.2, 600.0
OTHER = "http://elsewhere.example/"


def slow_triggers(cluster: Cluster, seconds: float) -> None:
    """Let Triggers, and nothing else, take so long."""
    for controller in cluster.controllers:
        if isinstance(controller, TriggerController):
            controller.readiness = Readiness(made={TRIGGER: (seconds, seconds)})


def change_subscriber(cluster: Cluster) -> None:
    trigger = cluster.store.find(TRIGGER, "ns", "trigger")
    assert trigger is not None
    trigger["spec"]["subscriber"] = {"uri": OTHER}
    cluster.store.update(TRIGGER, trigger)


async def test_what_is_new_or_changed_takes_its_time(cluster: Cluster) -> None:
    slow_triggers(cluster, SHORT)
    cluster.broker()
    began = time.monotonic()
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", is_true())
    assert time.monotonic() - began >= SHORT
    began = time.monotonic()
    change_subscriber(cluster)
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("subscriberUri") == OTHER)
    assert time.monotonic() - began >= SHORT


async def test_a_change_while_it_takes_its_time_is_seen(cluster: Cluster) -> None:
    slow_triggers(cluster, SHORT)
    cluster.broker()
    cluster.trigger()
    change_subscriber(cluster)
    status = await cluster.until(TRIGGER, "trigger", is_true())
    assert status["subscriberUri"] == OTHER


async def test_what_only_depends_on_a_change_takes_none(cluster: Cluster) -> None:
    slow_triggers(cluster, SHORT)
    cluster.trigger()
    await cluster.until(TRIGGER, "trigger", lambda status: status.get("conditions"))
    slow_triggers(cluster, LONG)
    cluster.broker()
    status = await cluster.until(TRIGGER, "trigger", is_true())
    assert status["subscriberUri"] == URI


async def test_a_deletion_ends_the_wait(cluster: Cluster) -> None:
    slow_triggers(cluster, LONG)
    cluster.broker()
    cluster.trigger()
    await cluster.until(BROKER, "broker", is_true())
    cluster.store.delete(TRIGGER, "ns", "trigger")
    await cluster.gone(TRIGGER, "trigger")


def test_the_time_of_an_object_lies_in_the_range_of_its_kind_and_stays() -> None:
    times = [OBSERVED.delay(TRIGGER, f"trigger-{number}") for number in range(50)]
    assert all(2.0 <= seconds <= 5.0 for seconds in times)
    assert max(times) - min(times) > 1.0
    assert times == [OBSERVED.delay(TRIGGER, f"trigger-{number}") for number in range(50)]


def test_an_answer_of_the_api_takes_its_time() -> None:
    api = Api(pause=SHORT)
    try:
        began = time.monotonic()
        assert api.request("GET", "/api/v1/namespaces").status_code == 200
        assert time.monotonic() - began >= SHORT
    finally:
        api.stop()
