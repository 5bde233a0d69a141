"""`components.toml` and what lies beside it: complete, pinned, in order; valid by the schemas of the real kinds."""

import re
from io import StringIO
from typing import Any

import pytest
import yaml
from rich.console import Console

from fixtures.platform import load, plan
from fixtures.platform.description.model import Component
from fixtures.platform.sources.artefacts import sha256_of
from fixtures.platform.sources.components import COMPONENTS
from selftest.manifests.schemas import CRDS, NO_CRDS, core_faults, custom_faults

PLATFORM = load()
ALL = {one.name: one for one in PLATFORM.components()}
every_component = pytest.mark.parametrize("component", ALL.values(), ids=list(ALL))


def kafka(kind: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((COMPONENTS.parent / "kafka.yaml").read_text(encoding="utf-8"))
    return next(one for one in documents if one["kind"] == kind)


@every_component
def test_a_component_is_pinned_and_says_when_it_is_up(component: Component) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", component.version)
    assert component.waits, "what comes next would not know when"
    assert component.about
    assert component.namespace
    for artefact in component.artefacts:
        if artefact.kind != "file":
            assert artefact.location.startswith(("https://", "oci://"))
            assert component.version in artefact.location
        assert (artefact.kind == "chart") == bool(artefact.release)
    for image in component.images:
        tag = image.rpartition("/")[2].partition(":")[2]
        assert tag, f"{image} has no tag"
        assert tag != "latest", f"{image} is pulled at every start"


def test_what_is_installed_stands_in_its_order() -> None:
    assert list(ALL) == [
        "cert-manager",
        "kafka",
        "knative-eventing",
        "eventing-kafka-controller",
        "eventing-kafka-broker",
        "mt-channel-broker",
        "serving",
        "kserve",
        "kserve-runtimes",
        "seldon-core",
    ]
    assert [one.name for one in ALL.values() if one.optional] == ["mt-channel-broker", "serving", "kserve-runtimes"]


def test_the_kafka_brokers_webhook_serves_before_a_dispatcher_is_made() -> None:
    waited = {(one.kind, one.ref.name) for one in ALL["eventing-kafka-controller"].waits if one.ref}
    assert ("available", "kafka-webhook-eventing") in waited
    assert ("webhook", "pods.defaulting.webhook.kafka.eventing.knative.dev") in waited
    assert "eventing-kafka-controller" in ALL["eventing-kafka-broker"].requires


def test_nobody_waits_for_a_dispatcher_that_starts_with_the_first_trigger() -> None:
    about_it = [one for one in ALL["eventing-kafka-broker"].waits if one.ref and one.ref.kind == "StatefulSet"]
    assert [one.kind for one in about_it] == ["exists"]


def test_a_small_node_has_room() -> None:
    merges = {(one.kind, one.name): one.merge for component in ALL.values() for one in component.patches}
    (dispatcher,) = merges["StatefulSet", "kafka-broker-dispatcher"]["spec"]["template"]["spec"]["containers"]
    assert dispatcher["resources"]["requests"] == {"cpu": "200m", "memory": "512Mi"}
    (controller,) = merges["Deployment", "kafka-controller"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "DISPATCHERS_MIN_REPLICAS", "value": "1"} in controller["env"]
    assert merges["ConfigMap", "kafka-broker-config"]["data"]["default.topic.replication.factor"] == "1"


def test_kserve_is_in_standard_mode_without_an_ingress_and_asks_no_registry_for_loaded_images() -> None:
    values = ALL["kserve"].artefacts[1].values["kserve"]["controller"]
    assert values["deploymentMode"] == "Standard"
    assert values["gateway"]["disableIngressCreation"] is True
    assert values["imagePullPolicy"] == "IfNotPresent"


def test_seldons_certificates_come_from_cert_manager_and_are_the_same_at_every_rendering() -> None:
    assert ALL["seldon-core"].artefacts[0].values["certManager"] == {"enabled": True}
    assert "cert-manager" in ALL["seldon-core"].requires


@pytest.mark.parametrize(
    "manifest",
    [one.manifest for component in ALL.values() for one in component.waits if one.manifest],
    ids=lambda manifest: "-".join([manifest["kind"], *manifest["metadata"].get("annotations", {}).values()]),
)
def test_what_admission_is_asked_in_a_dry_run_is_valid(manifest: dict[str, Any]) -> None:
    if manifest["kind"] == "Issuer":
        assert manifest["spec"] == {"selfSigned": {}}, "no copy of cert-manager's kinds is at hand to validate against"
        return
    if not CRDS:
        pytest.skip(NO_CRDS)
    assert custom_faults(manifest) == []


@pytest.mark.parametrize("kind", ["Namespace", "Service", "StatefulSet"])
def test_kafkas_manifest_names_only_fields_that_there_are(kind: str) -> None:
    assert list(core_faults(kafka(kind), f"V1{kind}")) == []


def test_kafka_is_reached_by_the_name_that_it_advertises() -> None:
    service, kafka_set = kafka("Service"), kafka("StatefulSet")
    container = kafka_set["spec"]["template"]["spec"]["containers"][0]
    env = {one["name"]: one["value"] for one in container["env"]}
    where = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local:9092"
    assert env["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{where}"
    assert ALL["kafka"].provides == {"kafka": {"kind": "apache", "bootstrap": where}}
    assert service["spec"]["selector"].items() <= kafka_set["spec"]["template"]["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]


def test_kafka_makes_no_topic_by_itself_and_copies_nothing() -> None:
    env = {
        one["name"]: one["value"] for one in kafka("StatefulSet")["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert env["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    for name in ("OFFSETS_TOPIC_REPLICATION_FACTOR", "TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "MIN_INSYNC_REPLICAS"):
        assert env[f"KAFKA_{name}"] == "1"


def test_kafkas_pod_meets_the_restricted_standard_that_its_namespace_enforces() -> None:
    assert kafka("Namespace")["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    spec = kafka("StatefulSet")["spec"]["template"]["spec"]
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 1000, "the image names its user, which Kubernetes cannot judge"
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_the_service_named_kafka_adds_no_setting_to_kafka() -> None:
    assert kafka("StatefulSet")["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_kafkas_version_stands_in_its_manifest_as_in_the_components() -> None:
    kafka_set = kafka("StatefulSet")
    assert kafka_set["metadata"]["labels"]["app.kubernetes.io/version"] == ALL["kafka"].version
    assert (kafka_set["spec"]["template"]["spec"]["containers"][0]["image"],) == ALL["kafka"].images


def test_the_lock_holds_our_own_files_as_they_are() -> None:
    own = [(one, PLATFORM.file(one)) for component in ALL.values() for one in component.artefacts if one.kind == "file"]
    assert {one.location: PLATFORM.lock.artefacts.get(one.location) for one, _ in own} == {
        one.location: sha256_of(path) for one, path in own
    }


def test_the_plan_says_all_without_a_network() -> None:
    text = str(plan(PLATFORM, extra=["serving", "mt-channel-broker"]))
    for component in ALL.values():
        if component.name != "kserve-runtimes":
            assert f"{component.name} {component.version}" in text
            assert all(one in text for one in component.images)
            assert all(one.location in text for one in component.artefacts)
            assert all(str(one) in text for one in component.waits)
            assert all(one.why in text for one in component.patches)
    assert "cluster-admin" in text
    assert "left out, being optional: kserve-runtimes" in text


def test_the_plan_of_a_mirror_names_the_images_there() -> None:
    text = str(plan(PLATFORM, only=["kserve"], image_registry="mirror.example/all"))
    assert "mirror.example/all/kserve/kserve-controller:v0.20.0" in text
    assert "quay.io" not in text


def test_the_plan_is_a_table_on_a_terminal() -> None:
    console = Console(file=StringIO(), width=250, force_terminal=False)
    plan(PLATFORM).show(console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for component in ALL.values():
        assert all((one.why[:40] in text) for one in component.patches if not component.optional)
        assert all((one in text) != component.optional for one in component.images)
    assert "cluster-admin" in text
