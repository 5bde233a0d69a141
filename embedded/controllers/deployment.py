"""Deployments: a number of pods from a template. A changed template replaces them: old ones end, then new ones start.

This is not a rolling update: new pods get the addresses of the old ones, so that configured addresses stay valid.
There are no ReplicaSets between a Deployment and its pods; the template's hash in a pod's name is kept.
"""

import hashlib
import itertools
import random
from typing import Any

import orjson

from embedded.api.resources import DEPLOYMENT, POD
from embedded.api.store import Store
from embedded.controllers.conditions import Conditions, condition_of, fails, holds, is_ready
from embedded.controllers.controller import Controller, owned_by

HASH = "pod-template-hash"
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names: no vowels, so that they make no words."""
CRASHED = ("CrashLoopBackOff", "ErrImagePull", "CreateContainerConfigError", "RunContainerError")


class DeploymentController(Controller):
    """The reconciler of Deployments."""

    resource = DEPLOYMENT
    also = (POD,)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        # Times of creation are whole seconds: the order in which pods are made is told by a number of theirs.
        self._made: dict[str, int] = {}
        self._numbers = itertools.count()

    async def reconcile(self, namespace: str, name: str) -> None:
        """Reconcile one Deployment."""
        deployment = self.store.find(DEPLOYMENT, namespace, name)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return
        replicas = deployment["spec"].get("replicas")
        replicas = 1 if replicas is None else int(replicas)
        template = deployment["spec"]["template"]
        digest = template_hash(template)
        uid = deployment["metadata"]["uid"]
        pods = [
            pod
            for pod in self.store.list(POD, namespace)
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences") or ())
        ]
        going = [pod for pod in pods if "deletionTimestamp" in pod["metadata"]]
        current: list[dict[str, Any]] = []
        outdated: list[dict[str, Any]] = []
        for pod in pods:
            if "deletionTimestamp" not in pod["metadata"]:
                (current if pod["metadata"]["labels"].get(HASH) == digest else outdated).append(pod)
        # As a ReplicaSet does: of too many pods those go that are not ready, and of the others the newest.
        current.sort(key=lambda pod: (not is_ready(pod), self._made.get(pod["metadata"]["uid"], 0)))
        for pod in [*outdated, *current[replicas:]]:
            self._made.pop(pod["metadata"]["uid"], None)
            self.store.delete(POD, namespace, pod["metadata"]["name"])
        current = current[:replicas]
        if not outdated and not going:
            for _ in range(replicas - len(current)):
                made = self.store.create(POD, _pod(deployment, template, digest))
                self._made[made["metadata"]["uid"]] = next(self._numbers)
                current.append(made)
        self._report(deployment, replicas, current)

    def _report(self, deployment: dict[str, Any], replicas: int, pods: list[dict[str, Any]]) -> None:
        ready = sum(1 for pod in pods if is_ready(pod))
        conditions = Conditions((deployment.get("status") or {}).get("conditions"))
        if ready >= replicas:
            conditions.set("Available", holds("MinimumReplicasAvailable", "Deployment has minimum availability."))
            conditions.set("Progressing", holds("NewReplicaSetAvailable", "All pods are ready."))
        else:
            trouble = next((text for pod in pods if (text := trouble_of(pod))), "")
            message = trouble or "Deployment does not have minimum availability."
            conditions.set("Available", fails("MinimumReplicasUnavailable", message))
            stuck = any(crashed(pod) for pod in pods)
            conditions.set(
                "Progressing",
                fails("ProgressDeadlineExceeded", message)
                if stuck
                else holds("ReplicaSetUpdated", "Waiting for pods to become ready."),
            )
        self.store.patch_status(
            DEPLOYMENT,
            deployment["metadata"]["namespace"],
            deployment["metadata"]["name"],
            {
                "observedGeneration": deployment["metadata"]["generation"],
                "replicas": len(pods),
                "updatedReplicas": len(pods),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "unavailableReplicas": max(0, replicas - ready),
                "conditions": conditions.as_list(),
            },
        )


def template_hash(template: dict[str, Any]) -> str:
    """Return ten characters that change with the template."""
    return hashlib.sha256(orjson.dumps(template, option=orjson.OPT_SORT_KEYS)).hexdigest()[:10]


def trouble_of(pod: dict[str, Any]) -> str:
    """Return why a pod is not ready, in its own words; empty when it does not say."""
    return str((pod.get("status") or {}).get("message") or condition_of(pod).get("message") or "")


def crashed(pod: dict[str, Any]) -> bool:
    """Return whether a container of the pod ended or cannot be started, so that waiting does not help."""
    return any(
        "terminated" in entry["state"]
        or entry["state"].get("waiting", {}).get("reason") in CRASHED
        or entry["restartCount"] > 0
        for entry in (pod.get("status") or {}).get("containerStatuses") or ()
        if not entry["ready"]
    )


def _pod(deployment: dict[str, Any], template: dict[str, Any], digest: str) -> dict[str, Any]:
    metadata = template.get("metadata") or {}
    name = deployment["metadata"]["name"]
    return {
        "metadata": {
            "name": f"{name}-{digest}-{''.join(random.choices(ALPHABET, k=5))}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": {**(metadata.get("labels") or {}), HASH: digest},
            "annotations": dict(metadata.get("annotations") or {}),
            "ownerReferences": [owned_by(deployment)],
        },
        "spec": template["spec"],
    }
