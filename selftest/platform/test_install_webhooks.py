"""The webhook race: a webhook that is not up yet is waited for, and nothing else is tried twice."""

import pytest

from fixtures.errors import KubeError, PlatformError
from fixtures.kube.client import KubeClient
from fixtures.platform.description.model import Component
from fixtures.platform.installation import installing
from fixtures.platform.installation.installing import install
from fixtures.platform.installation.webhooks import unreachable
from selftest.platform.cluster import Cluster, Rule
from selftest.platform.given import Given, crd, deployment, manifest, webhook

CALLING = (
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: '
    'Post "https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s": '
)
CONVERTING = (
    "conversion webhook for serving.kserve.io/v1alpha1, Kind=InferenceService failed: "
    'Post "https://w.kserve.svc:443/convert?timeout=30s": '
)
CONVERSIONS = "for conversions of serving.kserve.io/v1alpha1, Kind=InferenceService"
REFUSED = f"{CALLING}dial tcp 10.96.20.99:443: connect: connection refused"


@pytest.mark.parametrize(
    ("code", "message", "name"),
    [
        (500, REFUSED, "webhook.cert-manager.io"),
        (500, f'{CALLING}no endpoints available for service "cert-manager-webhook"', "webhook.cert-manager.io"),
        (500, f"{CALLING}x509: certificate signed by unknown authority", "webhook.cert-manager.io"),
        (500, f"{CALLING}tls: failed to verify certificate: x509: whatever", "webhook.cert-manager.io"),
        (500, f"{CALLING}context deadline exceeded", "webhook.cert-manager.io"),
        (500, f"{CALLING}EOF", "webhook.cert-manager.io"),
        (500, f'{CALLING}service "cert-manager-webhook" not found', "webhook.cert-manager.io"),
        (500, f"{CALLING}the server could not find the requested resource", "webhook.cert-manager.io"),
        (500, f"{CALLING}the server is currently unable to handle the request", "webhook.cert-manager.io"),
        (500, f"{CALLING}dial tcp 10.0.0.1:443: connect: network is unreachable", "webhook.cert-manager.io"),
        (500, f"{CONVERTING}dial tcp: connect: connection refused", CONVERSIONS),
        (500, f"{CALLING}expected webhook response of admission.k8s.io/v1, got ", None),
        (400, 'admission webhook "webhook.cert-manager.io" denied the request: connection refused', None),
        (403, REFUSED, None),
        (500, "Internal error occurred: etcdserver: leader changed", None),
        (500, "connection refused while calling something", None),
        (0, "connection refused", None),
    ],
    ids=[
        "refused",
        "no-endpoints",
        "x509",
        "tls",
        "deadline",
        "eof",
        "no-service",
        "no-path",
        "not-ready",
        "no-network",
        "conversion",
        "bad-answer",
        "denied",
        "forbidden",
        "etcd",
        "no-webhook",
        "api-away",
    ],
)
def test_only_a_webhook_that_cannot_be_called_is_not_up(code: int, message: str, name: str | None) -> None:
    assert unreachable(KubeError("apply it", code, "InternalError", message)) == name


def source() -> Given:
    documents = [
        manifest("ConfigMap", "guarded"),
        manifest("ConfigMap", "free"),
        deployment("hook"),
        webhook("webhook.cert-manager.io", "hook", "n"),
        crd("Widget", "widgets"),
        manifest("Widget", "w"),
    ]
    return Given({"c": documents}, [Component("c", "1", namespace="n")])


@pytest.mark.parametrize("kind", ["ConfigMap", "Widget", "Deployment"])
def test_a_webhook_that_refuses_twice_is_waited_for_and_told(cluster: Cluster, kube: KubeClient, kind: str) -> None:
    name = {"ConfigMap": "guarded", "Widget": "w", "Deployment": "hook"}[kind]
    cluster.rules.append(Rule(kind, 2, 500, REFUSED, name=name))
    said: list[str] = []
    found = install(kube, source(), said.append)
    assert str(found.components[0].counts) == "7 created"
    (told,) = [line for line in said if "webhook" in line]
    assert told.startswith("      webhook webhook.cert-manager.io refused twice, accepted after 0.")


def test_what_comes_after_is_applied_meanwhile_since_the_webhook_may_wait_for_it(
    cluster: Cluster, kube: KubeClient
) -> None:
    # A webhook of a broken install is there, the pods that serve it are not.
    cluster.rules.append(Rule("ConfigMap", 10**6, 500, REFUSED, name="guarded"))

    def up(obj: object) -> dict[str, object]:
        cluster.rules.clear()
        return {}

    cluster.status_of["Deployment"] = up
    install(kube, source(), print)
    assert cluster.find("ConfigMap", "guarded") is not None


def test_a_webhook_that_is_never_up_ends_the_install_in_time(
    cluster: Cluster, kube: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "WEBHOOKS_DEADLINE", 0.5)
    cluster.rules.append(Rule("Widget", 10**6, 500, REFUSED))
    said: list[str] = []
    with pytest.raises(
        PlatformError,
        match=r"component c: waited 0\.5 s in vain: Widget n/w to be accepted; "
        r"webhook webhook\.cert-manager\.io refused \d+ times: .*connection refused",
    ):
        install(kube, source(), said.append)
    assert "broken off at c: some of it is applied" in said[-1]


@pytest.mark.parametrize(
    ("code", "reason", "message"),
    [
        (400, "BadRequest", 'admission webhook "webhook.cert-manager.io" denied the request: spec.size: too big'),
        (500, "InternalError", "Internal error occurred: etcdserver: leader changed"),
        (409, "Conflict", "the object has been modified"),
        (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
    ],
    ids=["denied", "etcd", "conflict", "unavailable"],
)
def test_any_other_refusal_is_an_error_at_once(
    cluster: Cluster, kube: KubeClient, code: int, reason: str, message: str
) -> None:
    cluster.rules.append(Rule("Widget", 10**6, code, message, reason))
    with pytest.raises(PlatformError, match=f"apply Widget n/w: expected success, got {code} {reason}: {message}"):
        install(kube, source(), print)
    assert sum(1 for method, path in cluster.log if method == "PATCH" and "/widgets/" in path) == 1
