"""Status: what is installed and up, and what is not, in a table that a person can act on."""

from evidence.refs import ObjectRef
from fixtures.kube.client import KubeClient
from fixtures.platform.description.model import Component, Wait
from fixtures.platform.installation.installing import install
from fixtures.platform.installation.status import status
from selftest.platform.cluster import Cluster, Rule
from selftest.platform.given import Given, available, crd, deployment

WAITS = (Wait("crds", 5), available("d", "n"))


ABSENT = "0 of 1 are; widgets.x.example is not Established: it does not exist"


def source(version: str = "1.0") -> Given:
    known = [Component("kserve", version, namespace="n", waits=WAITS), Component("extra", "2", optional=True)]
    return Given({"kserve": [crd("Widget", "widgets"), deployment("d")], "extra": []}, known)


def test_nothing_installed(kube: KubeClient) -> None:
    found = status(kube, source())
    assert not found.ok
    assert found.text().splitlines() == [
        "component  wanted  installed  state",
        "kserve     1.0     -          not as it should be",
        "    not installed by us",
        f"    waits for its CustomResourceDefinitions to be Established: {ABSENT}",
        "    waits for Deployment n/d to be Available: it does not exist",
    ]


def test_everything_up(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    written = len(cluster.log)
    found = status(kube, source())
    assert found.ok
    assert found.text().splitlines() == [
        "component  wanted  installed  state",
        "kserve     1.0     1.0        up",
    ]
    assert len(cluster.log) == written, "who only looks writes nothing"


def test_an_optional_component_that_is_installed_is_looked_at(kube: KubeClient) -> None:
    install(kube, source(), print, extra=["extra"])
    assert [row.component for row in status(kube, source()).rows] == ["kserve", "extra"]
    assert [row.component for row in status(kube, source(), only=["kserve"]).rows] == ["kserve"]


def test_another_version_is_wanted(kube: KubeClient) -> None:
    install(kube, source(), print)
    (row,) = status(kube, source("1.1")).rows
    assert (row.wanted, row.installed) == ("1.1", "1.0")
    assert row.faults == ("version 1.0 is installed, 1.1 is wanted",)


def test_a_condition_that_no_longer_holds(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    found = cluster.find("Deployment", "d")
    assert found is not None
    found["status"] = {"conditions": [{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}]}
    (row,) = status(kube, source()).rows
    (fault,) = row.faults
    assert fault == "waits for Deployment n/d to be Available: Available=False MinimumReplicasUnavailable"


def test_an_install_that_broke_off(cluster: Cluster, kube: KubeClient) -> None:
    cluster.rules.append(Rule("Deployment", 1, 422, "no", "Invalid"))
    said: list[str] = []
    try:
        install(kube, source(), said.append)
    except Exception as error:  # noqa: BLE001 - which one is another test's matter
        said.append(str(error))
    (row,) = status(kube, source()).rows
    assert row.faults[0] == "its install broke off: install again to go on"


def test_a_question_that_is_forbidden_is_part_of_the_answer(cluster: Cluster, kube: KubeClient) -> None:
    install(kube, source(), print)
    ref = ObjectRef("v1", "Nonsense", "n", "x")
    wait = Wait(
        "accepts", 1, manifest={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "n"}}
    )
    cluster.rules.append(Rule("ConfigMap", 1, 403, "you may not", "Forbidden"))
    asked = source()
    asked.known[0] = Component("kserve", "1.0", namespace="n", waits=(wait, Wait("exists", 1, ref=ref)))
    (row,) = status(kube, asked).rows
    assert [fault.rpartition(": ")[2] for fault in row.faults] == ["you may not", "it does not exist"]
