"""What preflight says of the nodes of a cluster."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.kube.client import KubeClient
from fixtures.preflight import nodes
from fixtures.preflight.result import OK, WARN, PreflightRow
from selftest.preflight.api import FakeApi

READY = {"type": "Ready", "status": "True"}
V4, V6 = "10.0.0.1", "fd00::1"


def node(
    name: str = "a",
    *,
    cpu: str = "4",
    memory: str = "8Gi",
    disk: str = "20Gi",
    conditions: tuple[dict[str, str], ...] = (READY,),
    system: str = "linux/amd64",
    addresses: tuple[str, ...] = (V4,),
    **spec: Any,
) -> dict[str, Any]:
    operating_system, architecture = system.split("/")
    places = [{"type": "InternalIP", "address": address} for address in addresses]
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory} | ({"ephemeral-storage": disk} if disk else {}),
            "conditions": list(conditions),
            "nodeInfo": {"operatingSystem": operating_system, "architecture": architecture},
            "addresses": [*places, {"type": "Hostname", "address": name}],
        },
    }


def look(folder: Path, *found: dict[str, Any]) -> dict[str, PreflightRow]:
    with FakeApi(objects={"/api/v1/nodes": list(found)}) as api:
        _, rows = nodes.look(KubeClient(api.kubeconfig(folder)))
    return {row.what.removesuffix(" of the nodes"): row for row in rows}


PRESSED = {"type": "DiskPressure", "status": "True"}
UNPRESSED = {"type": "DiskPressure", "status": "False"}
CASES = {
    "cpus-of-two": ("CPUs", [node(cpu="1500m"), node(cpu="2500m")], OK, "4"),
    "cpus-too-few": ("CPUs", [node(cpu="3900m")], WARN, "3.9; destructive tests take turns"),
    "cpus-of-a-closed-node": ("CPUs", [node(), node(cpu="1", unschedulable=True)], OK, "4"),
    "memory-of-two": ("memory", [node(memory="3Gi"), node(memory="4Gi")], OK, "7.0 GiB for pods"),
    "memory-just-enough": ("memory", [node(memory="7168Mi")], OK, "7.0 GiB for pods"),
    "memory-too-little": ("memory", [node(memory="5Gi")], WARN, "5.0 GiB for pods"),
    "memory-of-a-closed-node": ("memory", [node(memory="5Gi"), node(unschedulable=True)], WARN, "5.0 GiB for pods"),
    "disk-of-two": (
        "disk",
        [node(disk="4Gi"), node("b")],
        OK,
        "4.0 GiB for images and logs on the node that has least",
    ),
    "disk-too-little": ("disk", [node(), node("b", disk="2147483648")], WARN, "2.0 GiB for images"),
    "disk-unknown": ("disk", [node(disk="")], WARN, "unknown"),
    "all-ready": ("health", [node(conditions=(READY, UNPRESSED)), node("b")], OK, "2 ready"),
    "disk-pressure": ("health", [node(), node("b", conditions=(READY, PRESSED))], WARN, "b: DiskPressure"),
    "unknown-and-pressed": (
        "health",
        [node(conditions=({"type": "Ready", "status": "Unknown"}, PRESSED))],
        WARN,
        "a: not Ready, DiskPr",
    ),
    "no-conditions": ("health", [node(conditions=())], WARN, "a: not Ready"),
    "one-architecture": ("architecture", [node(), node("b")], OK, "linux/amd64 (2)"),
    "another-architecture": ("architecture", [node(system="linux/arm64")], OK, "linux/arm64 (1)"),
    "two-architectures": (
        "architecture",
        [node(), node("b", system="linux/arm64")],
        WARN,
        "linux/amd64 (1), linux/arm64 (1); each image",
    ),
    "windows": ("architecture", [node(system="windows/amd64")], WARN, "windows/amd64 (1); each image"),
    "no-node": ("architecture", [], WARN, "no node takes pods"),
    "ipv4": ("addresses", [node()], OK, "IPv4"),
    "both-families": ("addresses", [node(addresses=(V6, V4))], OK, "IPv4 and IPv6"),
    "ipv6-alone": ("addresses", [node(addresses=(V6,))], WARN, "IPv6; the probe listens on IPv4 only"),
    "no-address": ("addresses", [node(addresses=("somewhere",))], WARN, "unknown"),
}


@pytest.mark.parametrize(
    ("what", "found", "state", "words"),
    CASES.values(),
    ids=CASES.keys(),
)
def test_nodes_are_judged(tmp_path: Path, what: str, found: list[dict[str, Any]], state: str, words: str) -> None:
    row = look(tmp_path, *found)[what]
    assert (row.state, row.found[: len(words)]) == (state, words)


def test_who_may_not_look_is_told_so(tmp_path: Path) -> None:
    with FakeApi(lacks=["Node"]) as api:
        cpus, (row,) = nodes.look(KubeClient(api.kubeconfig(tmp_path)))
    assert cpus is None
    assert row.state == WARN
    assert row.found.startswith("unknown: ")
