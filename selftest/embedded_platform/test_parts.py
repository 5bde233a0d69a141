"""The pods that stand for the Brokers' data plane: to delete one ends that part, and another one takes its place."""

from typing import Any

import pytest

from embedded.api.resources import BROKER, POD
from embedded.controllers.parts import APPS, PLACE
from selftest.embedded_platform.doubles import Cluster, eventually, is_true

pytestmark = pytest.mark.anyio

PODS = {part: f"{app}-ns" for part, app in APPS.items()}


def restarts(pod: dict[str, Any]) -> int:
    """Return how often a pod's container was restarted."""
    return int(pod["status"]["containerStatuses"][0]["restartCount"])


async def test_a_ready_broker_has_pods_of_both_parts(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    pods = {pod["metadata"]["name"]: pod for pod in cluster.store.list(POD, PLACE)}
    assert set(pods) == set(PODS.values())
    for part, name in PODS.items():
        assert pods[name]["metadata"]["labels"]["app"] == APPS[part]
        assert pods[name]["metadata"]["labels"]["touchstone.dev/serves"] == "ns"
        assert pods[name]["status"]["conditions"][-1] == pods[name]["status"]["conditions"][-1] | {"status": "True"}
        assert restarts(pods[name]) == 0


@pytest.mark.parametrize("part", PODS)
@pytest.mark.parametrize(("grace", "told"), [(0, "{}"), (30, "{} in 30 s")], ids=["killed", "asked-to-end"])
async def test_a_deleted_pod_ends_its_part_for_all_brokers_of_its_namespace(
    cluster: Cluster, part: str, grace: int, told: str
) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    before = cluster.store.get(POD, PLACE, PODS[part])
    cluster.store.delete(POD, PLACE, PODS[part], grace=grace)
    await eventually(
        lambda: (cluster.store.find(POD, PLACE, PODS[part]) or before)["metadata"]["uid"] != before["metadata"]["uid"]
    )
    assert cluster.plane.faults == [(told.format(part), "ns", "broker")]


async def test_a_part_that_ended_by_itself_is_counted_in_its_pod(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    before = cluster.store.get(POD, PLACE, PODS["ingress"])
    cluster.parts.note_death("ns", "ingress")
    after = cluster.store.get(POD, PLACE, PODS["ingress"])
    assert (restarts(after), after["metadata"]["uid"]) == (1, before["metadata"]["uid"])
    assert restarts(cluster.store.get(POD, PLACE, PODS["dispatcher"])) == 0


async def test_the_pods_go_with_the_last_broker_of_their_namespace(cluster: Cluster) -> None:
    cluster.broker()
    await cluster.until(BROKER, "broker", is_true())
    cluster.store.delete(BROKER, "ns", "broker")
    await cluster.gone(BROKER, "broker")
    await eventually(lambda: cluster.store.list(POD, PLACE) == [])
