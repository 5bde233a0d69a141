"""The real kubectl on the embedded API: what a user types, and what the user sees.

One story per test, its expected output written as a terminal shows it. Ages are written as `<age>`.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from embedded.api.resources import BROKER, POD, TRIGGER
from selftest.embedded_api.conftest import Kubectl, ages

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

TRIGGER_YAML = """
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: t, namespace: place}
spec:
  broker: b
  filter: {attributes: {type: first}}
  subscriber: {uri: http://example.test/}
"""
BROKER_YAML = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: b
  namespace: place
  annotations: {eventing.knative.dev/broker.class: Kafka}
spec: {config: {apiVersion: v1, kind: ConfigMap, name: c, namespace: place}}
"""
ISVC_YAML = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: i, namespace: place}
spec: {predictor: {model: {modelFormat: {name: pytorch}}}}
"""
WORKLOAD_YAML = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: place, labels: {app: x}}
spec: {containers: [{name: c, image: one, env: [{name: A, value: "1"}], ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: place}
spec:
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}}
    spec: {containers: [{name: c, image: one}, {name: e, image: one}]}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: place}
spec: {selector: {app: x}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def test_apply_tells_new_unchanged_changed_and_server_side(kubectl: Kubectl) -> None:
    apply = ("apply", "-f", "-")
    changed = TRIGGER_YAML.replace("first", "second")
    assert kubectl(*apply, stdin=TRIGGER_YAML) == "trigger.eventing.knative.dev/t created"
    assert kubectl(*apply, stdin=TRIGGER_YAML) == "trigger.eventing.knative.dev/t unchanged"
    assert kubectl(*apply, stdin=changed) == "trigger.eventing.knative.dev/t configured"
    assert kubectl("get", "trigger", "t", "-o", "jsonpath={.spec.filter.attributes.type}") == "second"
    assert kubectl(*apply, "--server-side", stdin=TRIGGER_YAML) == "trigger.eventing.knative.dev/t serverside-applied"
    assert kubectl(*apply, "--server-side", stdin=TRIGGER_YAML) == "trigger.eventing.knative.dev/t serverside-applied"
    assert kubectl(*apply, stdin=changed) == "trigger.eventing.knative.dev/t configured"
    assert kubectl(*apply, "--dry-run=server", stdin=BROKER_YAML) == (
        "broker.eventing.knative.dev/b created (server dry run)"
    )
    assert kubectl("get", "broker", "b", fails=True) == (
        'Error from server (NotFound): brokers.eventing.knative.dev "b" not found'
    )


def test_apply_server_side_conflicts_with_another_manager(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "-f", "-", stdin=TRIGGER_YAML)
    patch = '{"spec":{"broker":"other"}}'
    kubectl("patch", "trigger", "t", "--type=merge", "--field-manager=somebody", "-p", patch)
    said = kubectl("apply", "--server-side", "-f", "-", stdin=TRIGGER_YAML, fails=True)
    assert 'Apply failed with 1 conflict: conflict with "somebody" using eventing.knative.dev/v1' in said
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=TRIGGER_YAML)
    assert kubectl("get", "trigger", "t", "-o", "jsonpath={.spec.broker}") == "b"


def test_apply_of_core_kinds_merges_their_lists(kubectl: Kubectl) -> None:
    apply = ("apply", "-f", "-")
    kubectl(*apply, stdin=WORKLOAD_YAML)
    assert kubectl(*apply, stdin=WORKLOAD_YAML) == "pod/p unchanged\ndeployment.apps/d unchanged\nservice/s unchanged"
    assert kubectl("set", "image", "deploy/d", "c=two") == "deployment.apps/d image updated"
    images = ("get", "deploy", "d", "-o", "jsonpath={.spec.template.spec.containers[*].image}")
    assert kubectl(*images) == "two one"
    kubectl(*apply, stdin=WORKLOAD_YAML.replace(", {name: e, image: one}", ""))
    assert kubectl(*images) == "one"
    kubectl(*apply, "--server-side", stdin=WORKLOAD_YAML.replace(", {name: e, image: one}", ""))


def test_what_is_wrong_is_said_as_a_real_server_says_it(kubectl: Kubectl) -> None:
    def refused(text: str) -> str:
        return kubectl("apply", "-f", "-", stdin=text, fails=True)

    assert refused(TRIGGER_YAML.replace("broker: b", "broker: 5")) == (
        'The Trigger "t" is invalid: spec.broker: Invalid value: "integer": spec.broker in body must be of type '
        'string: "integer"'
    )
    assert refused(BROKER_YAML.replace("spec: {config", "spec: {typo: 1, config")) == (
        'Error from server (BadRequest): error when creating "STDIN": Broker in version "v1" cannot be handled as a '
        'Broker: strict decoding error: unknown field "spec.typo"'
    )
    kubectl("apply", "-f", "-", stdin=BROKER_YAML)
    assert refused(BROKER_YAML.replace("spec: {config", "spec: {typo: 1, config")).endswith(
        'strict decoding error: unknown field "spec.typo"'
    )
    assert refused(TRIGGER_YAML.replace("name: t,", "name: Bad_Name,")).startswith(
        'The Trigger "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain'
    )
    assert 'no matches for kind "Nope" in version "x/v1"' in refused(
        "apiVersion: x/v1\nkind: Nope\nmetadata: {name: x}"
    )


def test_get_shows_the_columns_of_the_real_kinds(api: "Api", kubectl: Kubectl) -> None:
    for text in (BROKER_YAML, TRIGGER_YAML, ISVC_YAML):
        kubectl("apply", "-f", "-", stdin=text)
    assert kubectl("get", "broker,trigger,isvc,pods") == (
        "NAME  URL  AGE  READY  REASON\n"
        "broker.eventing.knative.dev/b  <age>\n"
        "\n"
        "NAME  BROKER  SUBSCRIBER_URI  AGE  READY  REASON\n"
        "trigger.eventing.knative.dev/t  b  <age>\n"
        "\n"
        "NAME  URL  READY  PREV  LATEST  PREVROLLEDOUTREVISION  LATESTREADYREVISION  AGE\n"
        "inferenceservice.serving.kserve.io/i  <age>"
    )
    api.do(api.store.patch_status, BROKER, "place", "b", {"address": {"url": "http://x/"}, "conditions": [READY]})
    assert kubectl("get", "broker", "-o", "wide") == (
        "NAME  URL  AGE  READY  REASON  CLASS\nb  http://x/  <age>  True  Kafka"
    )


POD_STATUS = {
    "phase": "Running",
    "podIP": "127.1.0.2",
    "conditions": [READY],
    "containerStatuses": [{"name": "c", "ready": True, "restartCount": 0, "state": {"running": {}}}],
}


@pytest.mark.parametrize(
    ("status", "row"),
    [
        pytest.param({"phase": "Pending"}, "p  0/1  Pending  0  <age>", id="pending"),
        pytest.param(POD_STATUS, "p  1/1  Running  0  <age>", id="running"),
        pytest.param(
            {
                "phase": "Pending",
                "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}],
            },
            "p  0/1  ErrImagePull  0  <age>",
            id="no-such-image",
        ),
        pytest.param(
            {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "c",
                        "restartCount": 2,
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 1}},
                    }
                ],
            },
            "p  0/1  CrashLoopBackOff  2  <age>",
            id="crashing",
        ),
        pytest.param(
            {"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 3}}}]},
            "p  0/1  ExitCode:3  0  <age>",
            id="failed",
        ),
    ],
)
def test_get_pods(api: "Api", kubectl: Kubectl, status: dict[str, Any], row: str) -> None:
    kubectl("apply", "-f", "-", stdin=WORKLOAD_YAML)
    api.do(api.store.patch_status, POD, "place", "p", status)
    assert kubectl("get", "pods") == f"NAME  READY  STATUS  RESTARTS  AGE\n{row}"


def test_get_wide_workloads(api: "Api", kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WORKLOAD_YAML)
    api.do(api.store.patch_status, POD, "place", "p", POD_STATUS)
    assert kubectl("get", "pods,svc,deploy", "-o", "wide") == (
        "NAME  READY  STATUS  RESTARTS  AGE  IP  NODE  NOMINATED NODE  READINESS GATES\n"
        "pod/p  1/1  Running  0  <age>  127.1.0.2  <none>  <none>  <none>\n"
        "\n"
        "NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE  SELECTOR\n"
        "service/s  ClusterIP  <none>  <none>  80/TCP  <age>  app=x\n"
        "\n"
        "NAME  READY  UP-TO-DATE  AVAILABLE  AGE  CONTAINERS  IMAGES  SELECTOR\n"
        "deployment.apps/d  0/1  0  0  <age>  c,e  one,one  app=x"
    )


def test_wait_returns_when_the_condition_comes(api: "Api", kubectl: Kubectl, environment: dict[str, str]) -> None:
    kubectl("apply", "-f", "-", stdin=TRIGGER_YAML)
    said = kubectl("wait", "--for=condition=Ready", "trigger/t", "--timeout=1s", fails=True)
    assert said == "error: timed out waiting for the condition on triggers/t"
    command = ["kubectl", "-n", "place", "wait", "--for=condition=Ready", "trigger/t", "--timeout=20s"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as waiting:
        api.do(api.store.patch_status, TRIGGER, "place", "t", {"conditions": [READY]})
        assert waiting.communicate(timeout=20)[0] == "trigger.eventing.knative.dev/t condition met\n"
    assert waiting.returncode == 0


def lines_of(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield ages(line)


def test_get_watch_shows_each_change(api: "Api", kubectl: Kubectl, environment: dict[str, str]) -> None:
    kubectl("apply", "-f", "-", stdin=TRIGGER_YAML)
    command = ["kubectl", "-n", "place", "get", "trigger", "-w", "--output-watch-events"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        lines = lines_of(watching)
        assert next(lines) == "EVENT  NAME  BROKER  SUBSCRIBER_URI  AGE  READY  REASON"
        assert next(lines) == "ADDED  t  b  <age>"
        api.do(api.store.patch_status, TRIGGER, "place", "t", {"subscriberUri": "http://x/", "conditions": [READY]})
        assert next(lines) == "MODIFIED  t  b  http://x/  <age>  True"
        api.do(api.store.delete, TRIGGER, "place", "t")
        assert next(lines) == "DELETED  t  b  http://x/  <age>  True"
        watching.terminate()


def test_delete_waits_for_finalizers(api: "Api", kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=TRIGGER_YAML)
    kubectl("patch", "trigger", "t", "--type=merge", "-p", '{"metadata":{"finalizers":["touchstone/x"]}}')
    deleted = 'trigger.eventing.knative.dev "t" deleted'
    assert kubectl("delete", "trigger", "t", "--wait=false") == deleted
    assert "timed out" in kubectl("delete", "trigger", "t", "--timeout=1s", fails=True)
    kubectl("patch", "trigger", "t", "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
    assert "not found" in kubectl("get", "trigger", "t", fails=True)
    kubectl("apply", "-f", "-", stdin=BROKER_YAML)
    assert kubectl("delete", "-f", "-", stdin=BROKER_YAML) == 'broker.eventing.knative.dev "b" deleted'
    kubectl("apply", "-f", "-", stdin=BROKER_YAML)
    assert kubectl("delete", "namespace", "place", "--timeout=10s") == 'namespace "place" deleted'
    assert api.do(api.store.list, BROKER) == []


def test_logs(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WORKLOAD_YAML)
    assert kubectl("logs", "p").splitlines() == [f"place/p/c line {number}" for number in range(3)]
    assert kubectl("logs", "p", "-c", "c", "--tail=1", "-f").splitlines() == ["place/p/c line 2", "followed"]
    assert "previous terminated container" in kubectl("logs", "p", "--previous", fails=True)
    assert kubectl("logs", "-l", "app=x", "--tail=1") == "place/p/c line 2"


def test_explain(kubectl: Kubectl) -> None:
    assert kubectl("explain", "trigger.spec.filter") == (
        "GROUP:  eventing.knative.dev\n"
        "KIND:  Trigger\n"
        "VERSION:  v1\n"
        "\n"
        "FIELD: filter <Object>\n"
        "\n"
        "\n"
        "DESCRIPTION:\n"
        "  The filter: events pass that have each attribute with exactly its value;\n"
        "  without it, all events pass.\n"
        "\n"
        "FIELDS:\n"
        "  attributes\t<Object>\n"
        "  Attribute names with the value that each must have; case counts.\n"
        "\n"
    )
    assert "modelFormat\t<Object>" in kubectl("explain", "isvc.spec.predictor.model")
    assert "value\t<string>" in kubectl("explain", "pod.spec.containers.env")


def test_patch_edit_label_and_describe(kubectl: Kubectl, environment: dict[str, str]) -> None:
    kubectl("apply", "-f", "-", stdin=BROKER_YAML)
    assert kubectl("label", "broker", "b", "x=y") == "broker.eventing.knative.dev/b labeled"
    assert kubectl("annotate", "broker", "b", "note=1") == "broker.eventing.knative.dev/b annotated"
    environment["EDITOR"] = "sed -i s/note:/remark:/"
    assert kubectl("edit", "broker", "b") == "broker.eventing.knative.dev/b edited"
    assert "remark: 1" in kubectl("describe", "broker", "b")
    assert kubectl("get", "broker", "-l", "x=y", "-o", "name") == "broker.eventing.knative.dev/b"
    said = kubectl("patch", "broker", "b", "-p", "{}", fails=True)
    assert "accepted media types include: application/json-patch+json, application/merge-patch+json" in said


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("create namespace other", "namespace/other created"),
        ("create configmap m --from-literal=a=b", "configmap/m created"),
        ("create secret generic m --from-literal=a=b", "secret/m created"),
        ("create serviceaccount m", "serviceaccount/m created"),
        ("auth can-i create triggers.eventing.knative.dev", "yes"),
        ("get --raw /readyz", "ok"),
        ("get all", ""),
        ("api-resources --api-group=apps -o name", "deployments.apps"),
        (
            "api-resources --api-group=eventing.knative.dev -o name",
            "brokers.eventing.knative.dev\ntriggers.eventing.knative.dev",
        ),
    ],
)
def test_small_commands(kubectl: Kubectl, command: str, answer: str) -> None:
    assert kubectl(*command.split()) == answer


def test_protobuf_bodies_are_read_whole(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "m", "--from-literal=a=b", "--from-literal=long=" + "x" * 300)
    made = json.loads(kubectl("get", "cm", "m", "-o", "json"))
    assert made["data"] == {"a": "b", "long": "x" * 300}
    kubectl("create", "secret", "generic", "m", "--from-literal=a=b")
    assert yaml.safe_load(kubectl("get", "secret", "m", "-o", "yaml"))["data"] == {"a": "Yg=="}
