"""What objects say of themselves, in lines for people; hostile and half-made ones too."""

from typing import Any

import pytest

from fixtures.diagnostics import conditions
from selftest.diagnostics.cluster import CRASHING, READY, UNPULLED, obj, pod


def condition(type_: str, status: str, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": message}


WELL = [condition("Ready", "True"), condition("Addressable", "True")]
TOPIC = condition("TopicReady", "False", "Failed to create topic", "dial tcp: no such host")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (obj("Broker", "b", status={"conditions": WELL}), []),
        (
            obj("Broker", "b", status={"conditions": [*WELL, TOPIC]}),
            ["TopicReady=False: Failed to create topic: dial tcp: no such host"],
        ),
        (
            obj("Trigger", "t", status={"conditions": [condition("DependencyReady", "Unknown")]}),
            ["DependencyReady=Unknown"],
        ),
        (obj("Trigger", "t"), ["no conditions: no controller has looked at it"]),
        (
            obj("Trigger", "t", metadata={"generation": 3}, status={"observedGeneration": 2, "conditions": WELL}),
            ["its status is of generation 2, its spec is of generation 3"],
        ),
        (
            obj("ConsumerGroup", "g", status={"conditions": [condition("Consumers", "False", "SchedulerFailed")]}),
            ["Consumers=False: SchedulerFailed"],
        ),
        (obj("InferenceService", "i", status={"conditions": [*WELL, condition("Stopped", "False")]}), []),
        (
            obj(
                "InferenceService",
                "i",
                status={
                    "conditions": [condition("PredictorReady", "False", "MinimumReplicasUnavailable")],
                    "modelStatus": {"lastFailureInfo": {"reason": "ModelLoadFailed", "message": "no such file"}},
                },
            ),
            [
                "PredictorReady=False: MinimumReplicasUnavailable",
                "last failure of its model: ModelLoadFailed: no such file",
            ],
        ),
        (obj("SeldonDeployment", "s", status={"state": "Available"}), []),
        (
            obj("SeldonDeployment", "s", status={"state": "Failed", "description": "admission webhook denied it"}),
            ["state=Failed: admission webhook denied it"],
        ),
        (obj("SeldonDeployment", "s"), ["state=(none)"]),
        (
            obj("Broker", "b", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}, status={"conditions": [TOPIC]}),
            [
                "TopicReady=False: Failed to create topic: dial tcp: no such host",
                "is being deleted since 2026-01-01T00:00:00Z",
            ],
        ),
        (obj("ConfigMap", "c", data={"a": "b"}), []),
    ],
    ids=[
        "well",
        "broker",
        "trigger",
        "unseen",
        "old-status",
        "consumer-group",
        "stopped-is-inverse",
        "model",
        "seldon-well",
        "seldon-failed",
        "seldon-unseen",
        "being-deleted",
        "silent-kind",
    ],
)
def test_what_controllers_say(found: dict[str, Any], said: list[str]) -> None:
    assert conditions.troubles(found) == said


UNSCHEDULED = [condition("PodScheduled", "False", "Unschedulable", "0/1 nodes are available: Insufficient cpu")]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pod("p", READY), []),
        (pod("p", {**READY, "ready": False}, phase="Succeeded"), []),
        (
            pod("p", CRASHING),
            [
                "container main waits: CrashLoopBackOff: back-off 40s",
                "container main was restarted 3 times, last with exit code 137: OOMKilled",
            ],
        ),
        (
            pod("p", UNPULLED, phase="Pending"),
            ["phase Pending", 'container main waits: ImagePullBackOff: Back-off pulling image "nowhere/it:1"'],
        ),
        (
            pod("p", phase="Pending", conditions=UNSCHEDULED),
            ["phase Pending", "not scheduled: Unschedulable: 0/1 nodes are available: Insufficient cpu"],
        ),
        (pod("p", {**READY, "ready": False}), ["container main runs and is not ready"]),
        (
            pod("p", {**READY, "ready": False, "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}),
            ["container main ended with exit code 2: Error"],
        ),
        (pod("p", phase="Failed", reason="Evicted", message="low on memory"), ["phase Failed: Evicted: low on memory"]),
        (
            pod("p", READY, initContainerStatuses=[{"name": "init", "state": {"terminated": {"exitCode": 0}}}]),
            [],
        ),
        (
            pod("p", initContainerStatuses=[{**CRASHING, "name": "storage-initializer"}], phase="Pending"),
            [
                "phase Pending",
                "container storage-initializer waits: CrashLoopBackOff: back-off 40s",
                "container storage-initializer was restarted 3 times, last with exit code 137: OOMKilled",
            ],
        ),
    ],
    ids=[
        "well",
        "done",
        "crashing",
        "unpulled",
        "unscheduled",
        "not-ready",
        "ended",
        "evicted",
        "init-done",
        "init-crashing",
    ],
)
def test_what_pods_say(found: dict[str, Any], said: list[str]) -> None:
    assert conditions.troubles(found) == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"readyReplicas": 2}, []),
        ({}, ["0 of 2 replicas are ready"]),
        (
            {"readyReplicas": 1, "conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]},
            ["1 of 2 replicas are ready", "Progressing=False: ProgressDeadlineExceeded"],
        ),
        (
            {"conditions": [condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota")]},
            ["0 of 2 replicas are ready", "ReplicaFailure=True: FailedCreate: exceeded quota"],
        ),
    ],
    ids=["well", "none", "stuck", "quota"],
)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_workloads_say(kind: str, status: dict[str, Any], said: list[str]) -> None:
    assert conditions.troubles(obj(kind, "d", spec={"replicas": 2}, status=status)) == said


@pytest.mark.parametrize("part", ["spec", "status", "metadata"])
@pytest.mark.parametrize("junk", [None, "text", 5, [], [1, "x", None], {"conditions": "x", "containerStatuses": {}}])
@pytest.mark.parametrize("kind", ["Broker", "Pod", "Deployment", "SeldonDeployment", "InferenceService"])
def test_nothing_is_expected_to_be_there(kind: str, junk: Any, part: str) -> None:
    found = {**obj(kind, "x", status={}), part: junk}
    conditions.troubles(found)
    conditions.containers(found)
    conditions.restarted_containers(found)
    conditions.named(found)
    conditions.event_line(found)


def test_words_of_a_cluster_are_one_bounded_harmless_line() -> None:
    hostile = condition("Ready", "False", "\x1b[31m", "password=hunter22 <script>\n" + "x" * 100_000)
    said = conditions.troubles(obj("Broker", "b\n", status={"conditions": [hostile]}))
    assert len(said) == 1
    assert len(said[0]) < 700
    assert "\n" not in said[0]
    assert "\x1b" not in said[0]
    assert "hunter22" not in said[0]


def event(reason: str, type_: str = "Warning", **more: Any) -> dict[str, Any]:
    return {"reason": reason, "type": type_, "message": "m", "involvedObject": {"kind": "Pod", "name": "p"}, **more}


def test_events_are_in_the_order_in_which_they_were_last_seen() -> None:
    events = [
        event("Third", series={"lastObservedTime": "2026-01-01T00:00:03.5Z", "count": 7}, eventTime="2025-01-01"),
        event("First", lastTimestamp="2026-01-01T00:00:01Z", count=3),
        event("Fourth", eventTime="2026-01-01T00:00:04Z"),
        event("Second", "Normal", metadata={"creationTimestamp": "2026-01-01T00:00:02Z"}),
    ]
    found = conditions.sorted_events(events)
    assert [one["reason"] for one in found] == ["First", "Second", "Third", "Fourth"]
    assert conditions.event_line(found[0]) == "2026-01-01T00:00:01 Warning First                Pod p (3 times): m"
    assert [conditions.warning(one) for one in found] == [True, False, True, True]


@pytest.mark.parametrize(
    ("status", "begun", "restarted", "unready"),
    [(READY, ["main"], set(), set()), (CRASHING, ["main"], {"main"}, {"main"}), (UNPULLED, [], set(), {"main"})],
    ids=["ready", "crashing", "unpulled"],
)
def test_which_containers_have_logs(
    status: dict[str, Any], begun: list[str], restarted: set[str], unready: set[str]
) -> None:
    found = pod("p", status)
    assert conditions.containers(found) == begun
    assert conditions.restarted_containers(found) == restarted
    assert conditions.unready_containers(found) == unready
