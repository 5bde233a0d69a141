"""Waits: what each looks at, what is told when one is in vain, and when waiting on is given up early."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from evidence.refs import ObjectRef
from fixtures.errors import KubeError, PlatformError
from fixtures.kube.client import KubeClient
from fixtures.kube.pods import LONGEST
from fixtures.platform.description.model import Component, Document, Wait
from fixtures.platform.installation.pods import Pulls, trouble
from fixtures.platform.installation.progress import Progress
from fixtures.platform.installation.waits import Waits, rollout
from selftest.platform.cluster import Cluster, Rule
from selftest.platform.given import available, crd, deployment, manifest, webhook
from selftest.platform.test_install_webhooks import REFUSED

BACKOFF = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "quay.io/a/b:1"'}
NODES = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }."


def waits(kube: KubeClient, *documents: Document, pull_patience: float = 60) -> Waits:
    component = Component("c", "1", namespace="n")
    return Waits(kube, component, documents, Progress(lambda _: None), pull_patience)


def conditions(**given: str) -> Document:
    return {"conditions": [{"type": type_, "status": status} for type_, status in given.items()]}


def deployed(cluster: Cluster, status: Document, kind: str = "Deployment", **spec: Any) -> Document:
    found = deployment("d", "n") | {"kind": kind, "status": status}
    found["metadata"]["generation"] = 2
    found["spec"] |= spec
    return cluster.add(found)


def pod(cluster: Cluster, name: str = "d-1", app: str = "d", **status: Any) -> Document:
    found = manifest("Pod", name, "n", status={"phase": "Pending", **status})
    found["metadata"]["labels"] = {"app": app}
    return cluster.add(found)


def ref(kind: str, name: str = "d", api_version: str = "apps/v1") -> ObjectRef:
    return ObjectRef(api_version, kind, "n", name)


COUNTS = {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "observedGeneration": 2}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "said"),
    [
        ("Deployment", {"replicas": 2}, COUNTS, None),
        (
            "Deployment",
            {"replicas": 2},
            COUNTS | {"observedGeneration": 1},
            "its controller has seen generation 1, not 2",
        ),
        ("Deployment", {"replicas": 2}, {}, "its controller has seen generation None, not 2"),
        ("Deployment", {"replicas": 2}, COUNTS | {"readyReplicas": 1}, "1 of 2 replicas ready, 2 updated"),
        ("Deployment", {"replicas": 2}, COUNTS | {"replicas": 3}, "2 of 2 replicas ready, 2 updated, 1 old ones left"),
        ("Deployment", {"replicas": 0}, {"observedGeneration": 2}, None),
        ("Deployment", {}, COUNTS | {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}, None),
        (
            "StatefulSet",
            {"replicas": 2},
            COUNTS | {"currentRevision": "a", "updateRevision": "a", "updatedReplicas": 0},
            None,
        ),
        (
            "StatefulSet",
            {"replicas": 2},
            COUNTS | {"currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1},
            "2 of 2 replicas ready, 1 updated, 1 old ones left",
        ),
        (
            "StatefulSet",
            {"replicas": 2},
            COUNTS | {"replicas": 1, "readyReplicas": 1},
            "1 of 2 replicas ready, 1 updated",
        ),
        (
            "DaemonSet",
            {},
            {
                "observedGeneration": 2,
                "desiredNumberScheduled": 2,
                "currentNumberScheduled": 2,
                "updatedNumberScheduled": 2,
                "numberAvailable": 2,
            },
            None,
        ),
        (
            "DaemonSet",
            {},
            {
                "observedGeneration": 2,
                "desiredNumberScheduled": 2,
                "currentNumberScheduled": 2,
                "updatedNumberScheduled": 2,
                "numberAvailable": 1,
            },
            "1 of 2 replicas ready, 2 updated",
        ),
    ],
    ids=[
        "up",
        "old-generation",
        "not-seen",
        "not-ready",
        "old-pods",
        "none-wanted",
        "one-by-default",
        "set-up",
        "set-updating",
        "set-starting",
        "daemons-up",
        "daemons-starting",
    ],
)
def test_rollout(kind: str, spec: Document, status: Document, said: str | None) -> None:
    found = {"kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": status}
    look = rollout(found)
    assert look.holds is (said is None)
    assert said is None or look.said == said


def test_a_deployment_says_why_it_has_no_pods() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: q"}
    found = deployment("d") | {"status": {"conditions": [failure]}}
    assert rollout(found).said == "0 of 1 replicas ready, 0 updated; FailedCreate: exceeded quota: q"


def available_deployment(cluster: Cluster) -> None:
    deployed(cluster, conditions(Available="True") | {"observedGeneration": 2})


def outdated_deployment(cluster: Cluster) -> None:
    deployed(cluster, conditions(Available="True") | {"observedGeneration": 1})


def served_webhook(cluster: Cluster, *, bundle: str = "eA==", ready: bool = True) -> None:
    hook = webhook("w", "svc", "n")
    hook["webhooks"][0]["clientConfig"]["caBundle"] = bundle
    cluster.add(hook)
    endpoints = manifest("EndpointSlice", "svc-1", "n", endpoints=[{"conditions": {"ready": ready}}])
    endpoints["metadata"]["labels"] = {"kubernetes.io/service-name": "svc"}
    cluster.add(endpoints)


HOOK = Wait(
    "webhook", 0.3, ref=ObjectRef("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", None, "w")
)
JOB = Wait("condition", 0.3, ref=ref("Job", api_version="batch/v1"), condition="Complete")
ACCEPTS = Wait("accepts", 0.3, manifest=manifest("ConfigMap", "x", "default"))


@pytest.mark.parametrize(
    ("wait", "prepare", "said"),
    [
        (available("d", "n"), available_deployment, None),
        (available("d", "n", 0.3), outdated_deployment, "last seen: Available=True"),
        (available("d", "n", 0.3), lambda _: None, "last seen: it does not exist"),
        (Wait("rollout", 0.3, ref=ref("Deployment")), lambda cluster: deployed(cluster, COUNTS, replicas=2), None),
        (
            Wait("rollout", 0.3, ref=ref("StatefulSet")),
            lambda cluster: deployed(cluster, {}, "StatefulSet"),
            "StatefulSet n/d to have all replicas ready; last seen: its controller",
        ),
        (HOOK, served_webhook, None),
        (HOOK, lambda cluster: served_webhook(cluster, bundle=""), "last seen: no caBundle for w"),
        (HOOK, lambda cluster: served_webhook(cluster, ready=False), "last seen: no ready endpoint of n/svc"),
        (HOOK, lambda _: None, "last seen: it does not exist"),
        (HOOK, lambda cluster: cluster.add(webhook("w", "s", "n") | {"webhooks": []}), "last seen: it has no webhooks"),
        (JOB, lambda cluster: cluster.add(manifest("Job", "d", "n", status=conditions(Complete="True"))), None),
        (
            JOB,
            lambda cluster: cluster.add(manifest("Job", "d", "n", status={})),
            "Job n/d to be Complete; last seen: no conditions",
        ),
        (
            Wait("exists", 0.3, ref=ref("ConfigMap", api_version="v1")),
            lambda cluster: cluster.add(manifest("ConfigMap", "d", "n")),
            None,
        ),
        (
            Wait("exists", 0.3, ref=ref("ConfigMap", api_version="v1")),
            lambda _: None,
            "ConfigMap n/d to exist; last seen: it does not exist",
        ),
        (ACCEPTS, lambda _: None, None),
        (ACCEPTS, lambda cluster: cluster.rules.append(Rule("ConfigMap", 2, 500, REFUSED)), None),
        (
            ACCEPTS,
            lambda cluster: cluster.rules.append(Rule("ConfigMap", 10**6, 500, REFUSED)),
            "ConfigMap to be accepted.*; last seen: .* connection refused",
        ),
        (
            ACCEPTS,
            lambda cluster: cluster.rules.append(Rule("ConfigMap", 1, 409, "it is there", "AlreadyExists")),
            None,
        ),
    ],
    ids=[
        "available",
        "available-outdated",
        "available-absent",
        "rollout",
        "rollout-not",
        "webhook",
        "webhook-no-ca",
        "webhook-unserved",
        "webhook-absent",
        "webhook-empty",
        "job",
        "job-not",
        "exists",
        "exists-not",
        "accepts",
        "accepts-late",
        "accepts-never",
        "accepts-existing",
    ],
)
def test_waits(
    cluster: Cluster, kube: KubeClient, wait: Wait, prepare: Callable[[Cluster], Any], said: str | None
) -> None:
    prepare(cluster)
    if said is None:
        waits(kube).until(wait)
        return
    with pytest.raises(PlatformError, match=rf"component c: waited 0\.3 s in vain: .*{said}"):
        waits(kube).until(wait)


def test_kinds_are_waited_for_until_they_are_served(cluster: Cluster, kube: KubeClient) -> None:
    looks = 0

    def established(found: Document) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            found["status"] = conditions(Established="True")

    cluster.on_get["CustomResourceDefinition"] = established
    cluster.add(crd("Widget", "widgets"))
    waits(kube, crd("Widget", "widgets")).until(Wait("crds", 2))
    assert looks == 3
    assert kube.has_kind("x.example/v1", "Widget")


@pytest.mark.parametrize(
    ("status", "served", "said"),
    [
        ({}, "served", r"0 of 1 are; widgets\.x\.example is not Established: no conditions"),
        (
            conditions(Established="True"),
            "unserved",
            r"0 of 1 are; .* is Established and not yet served as x\.example/v1",
        ),
    ],
    ids=["not-established", "not-served"],
)
def test_kinds_that_do_not_come_are_told(
    cluster: Cluster, kube: KubeClient, status: Document, served: str, said: str
) -> None:
    cluster.add(crd("Widget", "widgets") | {"status": status})
    if served == "unserved":
        cluster.kinds = [one for one in cluster.kinds if one[1] != "Widget"]
    with pytest.raises(PlatformError, match=said):
        waits(kube, crd("Widget", "widgets")).until(Wait("crds", 0.2))


def test_a_job_that_failed_is_not_waited_for(cluster: Cluster, kube: KubeClient) -> None:
    cluster.add(manifest("Job", "d", "n", status=conditions(Failed="True")))
    with pytest.raises(
        PlatformError, match=r"gave up after 0 s of 60 s waiting for Job n/d to be Complete: the Job failed"
    ):
        waits(kube).until(Wait("condition", 60, ref=JOB.ref, condition="Complete"))


def test_what_admission_refuses_is_not_waited_for(cluster: Cluster, kube: KubeClient) -> None:
    cluster.rules.append(Rule("ConfigMap", 10**6, 400, 'admission webhook "w" denied the request: no', "BadRequest"))
    with pytest.raises(PlatformError, match=r"gave up after 0 s of 60 s .*denied the request: no"):
        waits(kube).until(Wait("accepts", 60, manifest=ACCEPTS.manifest))


def test_an_api_that_has_no_answer_for_a_while_is_asked_again(cluster: Cluster, kube: KubeClient) -> None:
    available_deployment(cluster)
    cluster.busy = 3
    waits(kube).until(available("d", "n"))
    assert cluster.busy == 0
    cluster.busy = 10**6
    with pytest.raises(
        PlatformError, match=r"last seen: the API had no answer: .* 503 ServiceUnavailable: etcd is slow"
    ):
        waits(kube).until(available("d", "n", 0.3))


def test_what_may_not_be_looked_at_is_an_error_at_once(cluster: Cluster, kube: KubeClient) -> None:
    cluster.busy, cluster.busy_code = 1, 403
    with pytest.raises(KubeError, match="403"):
        waits(kube).until(available("d", "n"))


def test_a_deadline_tells_how_the_pods_are_and_what_events_say(cluster: Cluster, kube: KubeClient) -> None:
    deployed(cluster, conditions(Available="False"))
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": NODES}
    pod(cluster, conditions=[unscheduled])
    pod(cluster, "other-1", app="other")
    pod(cluster, "d-2", phase="Running", conditions=[{"type": "Ready", "status": "True"}])
    events = [
        ("Pod", "d-1", "FailedMount", 'secret "cert" not found', 7),
        ("ReplicaSet", "d-5f", "FailedCreate", "exceeded quota", 1),
        ("Pod", "d-0", "Failed", "of a pod that is gone", 1),
        ("ReplicaSet", "e-5f", "FailedCreate", "of another workload", 1),
    ]
    for number, (kind, name, reason, message, count) in enumerate(events):
        about = {"kind": kind, "name": name}
        told = {"type": "Warning", "reason": reason, "message": message, "count": count, "involvedObject": about}
        cluster.add(manifest("Event", f"e{number}", "n", lastTimestamp=f"2026-01-01T00:00:0{number}Z", **told))
    with pytest.raises(PlatformError) as caught:
        waits(kube).until(available("d", "n", 0.3))
    assert str(caught.value).splitlines() == [
        "component c: waited 0.3 s in vain: Deployment n/d to be Available; last seen: Available=False",
        f"  pod n/d-1: Pending; not PodScheduled: Unschedulable: {NODES}",
        '  event about Pod d-1 (7 times): FailedMount: secret "cert" not found',
        "  event about ReplicaSet d-5f: FailedCreate: exceeded quota",
        "  see: kubectl -n n get pods,events",
    ]


def test_a_wait_for_a_webhook_tells_what_keeps_its_pods_away(cluster: Cluster, kube: KubeClient) -> None:
    cluster.add(webhook("w", "svc", "n"))
    about = {"kind": "ReplicaSet", "name": "hook-5f"}
    told = {"type": "Warning", "reason": "FailedCreate", "message": "exceeded quota", "involvedObject": about}
    cluster.add(manifest("Event", "e", "n", **told))
    with pytest.raises(
        PlatformError, match=r"no caBundle for w; .*\n  event about ReplicaSet hook-5f: FailedCreate: exc"
    ):
        waits(kube).until(HOOK)


def test_an_image_that_cannot_be_pulled_ends_the_wait_early(cluster: Cluster, kube: KubeClient) -> None:
    deployed(cluster, conditions(Available="False"))
    container = {"name": "main", "image": "quay.io/a/b:1", "ready": False, "state": {"waiting": BACKOFF}}
    pod(cluster, containerStatuses=[container])
    with pytest.raises(PlatformError) as caught:
        waits(kube, pull_patience=0.3).until(available("d", "n", 60))
    first, second, *_ = str(caught.value).splitlines()
    assert re.fullmatch(
        r"component c: gave up after \d s of 60 s waiting for Deployment n/d to be Available: "
        r"pod n/d-1: quay\.io/a/b:1 "
        r'cannot be pulled for \d s: ImagePullBackOff: Back-off pulling image "quay\.io/a/b:1"',
        first,
    )
    assert second == f"  pod n/d-1: Pending; container main waits: ImagePullBackOff: {BACKOFF['message']}"


def waiting(reason: str) -> Document:
    state = {"waiting": {"reason": reason}}
    status = {"containerStatuses": [{"name": "m", "image": "a/b:1", "state": state}]}
    return {"metadata": {"namespace": "n", "name": "p", "uid": "u"}, "status": status}


@pytest.mark.parametrize(
    ("patience", "reasons"),
    [(0, ["ErrImagePull"]), (60, ["InvalidImageName"]), (60, ["ErrImageNeverPull"])],
    ids=["patience-over", "no-name", "never"],
)
def test_a_pull_that_is_hopeless(patience: float, reasons: list[str]) -> None:
    pulls = Pulls(patience)
    assert [pulls.hopeless([waiting(reason)]) != "" for reason in reasons] == [True]


@pytest.mark.parametrize(
    ("patience", "reasons"),
    [(60, ["ErrImagePull", "ImagePullBackOff", "ErrImagePull"]), (0, ["ContainerCreating"]), (0, ["CrashLoopBackOff"])],
    ids=["patience", "creating", "crashing"],
)
def test_what_may_still_come(patience: float, reasons: list[str]) -> None:
    pulls = Pulls(patience)
    assert {pulls.hopeless([waiting(reason)]) for reason in reasons} == {""}


def test_a_pull_that_recovers_in_between_has_its_patience_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("fixtures.platform.installation.pods.time.monotonic", lambda: now)
    pulls = Pulls(60)
    said = []
    for reason in ("ErrImagePull", "ImagePullBackOff", "ContainerCreating", "ErrImagePull", "ImagePullBackOff"):
        said.append(pulls.hopeless([waiting(reason)]))
        now += 40
    assert said == ["", "", "", "", ""]
    assert pulls.hopeless([waiting("ImagePullBackOff")]) == "pod n/p: a/b:1 cannot be pulled for 80 s: ImagePullBackOff"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "no phase yet"),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "Failed: Evicted: low on memory"),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": NODES}
                ],
            },
            f"Pending; not PodScheduled: Unschedulable: {NODES}",
        ),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
                "containerStatuses": [{"name": "m", "ready": False, "state": {"running": {}}}],
            },
            "Running; container m runs and is not ready",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "m",
                        "ready": False,
                        "restartCount": 4,
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                    }
                ],
            },
            (
                "Running; container m waits: CrashLoopBackOff; "
                "container m was restarted 4 times, last with exit code 137: OOMKilled"
            ),
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}}],
                "containerStatuses": [
                    {
                        "name": "m",
                        "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "secret not found"}},
                    }
                ],
            },
            "Pending; container m waits: CreateContainerConfigError: secret not found",
        ),
        (
            {"phase": "Pending", "containerStatuses": [{"name": "m", "state": {"waiting": {"message": "x" * 1000}}}]},
            f"Pending; container m waits: {'x' * (LONGEST - len('container m waits: '))}… (419 more characters)",
        ),
    ],
    ids=["nothing", "evicted", "unschedulable", "not-ready", "crashing", "config", "long"],
)
def test_what_is_told_of_a_pod(status: Document, said: str) -> None:
    assert trouble({"metadata": {"name": "p"}, "status": status}) == said
