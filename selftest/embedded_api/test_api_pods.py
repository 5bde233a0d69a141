"""What the description of a pod must be, and in which words it is refused otherwise."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
WHOLE: dict[str, Any] = {
    "serviceAccountName": "runner",
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": 5,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1,
        "fsGroup": 1,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [
        {
            "name": "c",
            "image": "i",
            "imagePullPolicy": "IfNotPresent",
            "workingDir": "/app",
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            "envFrom": [{"prefix": "P_", "configMapRef": {"name": "m", "optional": True}}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": 1}, "requests": {"cpu": 0.5}},
            "securityContext": {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
            "livenessProbe": {"httpGet": {"path": "/", "port": "http", "httpHeaders": [{"name": "a", "value": "b"}]}},
            "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1, "successThreshold": 2},
            "startupProbe": {"tcpSocket": {"port": 80}},
            "volumeMounts": [
                {"name": "e", "mountPath": "/e", "subPath": "x"},
                {"name": "s", "mountPath": "/s", "readOnly": True},
            ],
        }
    ],
    "volumes": [
        {"name": "e", "emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}},
        {
            "name": "s",
            "secret": {"secretName": "s", "defaultMode": 288, "items": [{"key": "k", "path": "p", "mode": 256}]},
        },
        {"name": "c", "configMap": {"name": "m", "optional": True}},
        {
            "name": "p",
            "projected": {"sources": [{"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "x"}}]}}]},
        },
        {"name": "d", "persistentVolumeClaim": {"claimName": "d"}},
    ],
}


def pod(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": spec}


def container(**more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": "i", **more}]}


def test_everything_that_a_probe_needs_is_known(api: "Api") -> None:
    made = api.request("POST", f"{PODS}?fieldValidation=Strict", pod(WHOLE))
    assert made.status_code == 201, made.text
    assert made.json()["spec"] == WHOLE | {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        ({"containers": [{"name": "c"}]}, "spec.containers[0].image: Required value"),
        ({"containers": [{"name": "C", "image": "i"}]}, "a lowercase RFC 1123 label must consist of"),
        ({"containers": [{"name": "c", "image": "i"}] * 2}, 'spec.containers[1].name: Duplicate value: "c"'),
        (
            container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            'spec.containers[0].volumeMounts[0].name: Not found: "v"',
        ),
        (
            {"volumes": [{"name": "v"}], **container()},
            "spec.volumes[0]: Required value: must specify a volume type",
        ),
        (
            {
                "volumes": [{"name": "v", "emptyDir": {}}],
                **container(volumeMounts=[{"name": "v", "mountPath": "/v"}] * 2),
            },
            'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique',
        ),
        (
            container(env=[{"name": "A", "value": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
            "may not be specified when `value` is not empty",
        ),
        (container(readinessProbe={"httpGet": {"path": "/"}}), "readinessProbe.httpGet.port: Required value"),
        (
            {**container(), "restartPolicy": "Perhaps"},
            'spec.restartPolicy: Unsupported value: "Perhaps": supported values: "Always", "Never", "OnFailure"',
        ),
    ],
)
def test_what_is_wrong_is_named(api: "Api", spec: dict[str, Any], message: str) -> None:
    refused = api.request("POST", PODS, pod(spec))
    assert refused.status_code == 422
    assert refused.json()["reason"] == "Invalid"
    assert message in refused.json()["message"]


def test_templates_are_judged_too(api: "Api") -> None:
    template = {"metadata": {"labels": {"a": "other"}}, "spec": {"containers": [{"name": "c"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    refused = api.request("POST", DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": spec}).json()
    assert {cause["field"] for cause in refused["details"]["causes"]} == {
        "spec.template.metadata.labels",
        "spec.template.spec.containers[0].image",
    }


def test_typing_error_is_told_to_who_is_strict(api: "Api") -> None:
    wrong = container(volumeMount=[], readinessProbe={"httpGet": {"prot": 80, "port": 80}})
    refused = api.request("POST", f"{PODS}?fieldValidation=Strict", pod(wrong)).json()
    assert refused["code"] == 400
    assert 'unknown field "spec.containers[0].volumeMount"' in refused["message"]
    assert 'unknown field "spec.containers[0].readinessProbe.httpGet.prot"' in refused["message"]
