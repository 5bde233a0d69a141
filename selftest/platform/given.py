"""Components as a test wants them, and documents to put into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.refs import ObjectRef
from fixtures.platform.description.model import Component, Document, Wait


@dataclass
class Given:
    """A source that offers what a test gives it."""

    documents_of: dict[str, list[Document]]
    known: list[Component]
    archives: list[Path] = field(default_factory=list)
    where: str = "the test"
    unlocked: str = ""
    workloads: Mapping[str, str] = field(default_factory=dict)
    workload_archives: Sequence[Path] = ()

    def components(self) -> Sequence[Component]:
        """See `Source`."""
        return self.known

    def documents(self, component: Component) -> list[Document]:
        """See `Source`."""
        return self.documents_of[component.name]

    def unlocked_line(self, components: Sequence[Component]) -> str:
        """See `Source`."""
        del components
        return self.unlocked

    def image_archives(self, component: Component) -> Sequence[Path]:
        """See `Source`."""
        del component
        return self.archives


def manifest(kind: str, name: str, namespace: str | None = None, **rest: Any) -> Document:
    """Return an object; its API version follows from its kind."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": API.get(kind, "v1"), "kind": kind, "metadata": metadata, **rest}


def deployment(name: str, namespace: str | None = None, image: str = "quay.io/a/b:1", replicas: int = 1) -> Document:
    """Return a Deployment of one container; its pods carry the label `app`."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return manifest("Deployment", name, namespace, spec=spec)


def crd(kind: str, plural: str, group: str = "x.example", *, namespaced: bool = True) -> Document:
    """Return a CustomResourceDefinition with one version, v1."""
    scope = "Namespaced" if namespaced else "Cluster"
    spec = {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural}, "versions": [{"name": "v1"}]}
    return manifest("CustomResourceDefinition", f"{plural}.{group}", spec=spec)


def webhook(name: str, service: str, namespace: str, kind: str = "ValidatingWebhookConfiguration") -> Document:
    """Return a webhook configuration that calls a Service."""
    hook = {"name": name, "clientConfig": {"service": {"name": service, "namespace": namespace}, "caBundle": ""}}
    return manifest(kind, name, webhooks=[hook])


def available(name: str, namespace: str, deadline: float = 2.0) -> Wait:
    """Return the wait for a Deployment."""
    return Wait("available", deadline, ref=ObjectRef("apps/v1", "Deployment", namespace, name))


API = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "Widget": "x.example/v1",
}
