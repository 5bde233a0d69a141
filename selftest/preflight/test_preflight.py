"""What preflight says of clusters that have everything, and of those that lack or refuse something."""

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evidence.catalogue import PROFILES, Requirement, load
from fixtures.errors import KubeError, TargetError
from fixtures.kube.client import KubeClient
from fixtures.kube.products import PRODUCTS
from fixtures.pipelines.description import read_all
from fixtures.preflight.checking import check
from fixtures.preflight.installed import PLACES
from fixtures.preflight.needs import BY_PROFILE, not_testable
from fixtures.preflight.result import MISSING, OK, WARN, Preflight
from fixtures.reading.files import ROOT
from selftest.preflight.api import FakeApi

REQUIREMENTS = load(ROOT / "suites" / "catalogue").requirements
PIPELINES = tuple(read_all(ROOT / "manifests" / "pipelines").values())
Look = Callable[..., Preflight]
NS = "team"
THERE = {f"/api/v1/namespaces/{NS}": {"metadata": {"name": NS}}}
TOLD = {"data": {"platform.json": json.dumps({"versions": {"kserve": "0.20.0"}, "kafka": {"bootstrap": "k:1"}})}}


def test_every_profile_says_what_it_needs() -> None:
    known = {*BY_PROFILE, *(pipeline.profile for pipeline in PIPELINES)}
    advice = "a profile of no pipeline goes into BY_PROFILE in fixtures/preflight/needs.py"
    assert known == set(PROFILES), advice
    assert {need for needs in BY_PROFILE.values() for need in needs} <= set(PRODUCTS)


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    """Yield a function that runs preflight on a fake API given in words."""
    with ExitStack() as stack:

        def run(namespace: str | None = None, objects: dict[str, Any] | None = None, **given: Any) -> Preflight:
            api = stack.enter_context(FakeApi(objects={**THERE, **(objects or {})}, **given))
            return check(KubeClient(api.kubeconfig(tmp_path)), namespace, REQUIREMENTS, PIPELINES)

        yield run


def states(found: Preflight, words: str) -> list[str]:
    return [row.state for row in found.rows if words in row.what]


def profiles(found: Preflight) -> set[str]:
    by_id = {one.id: one for one in REQUIREMENTS}
    return {by_id[name].profile for name in found.not_testable}


def test_a_cluster_that_has_and_allows_everything_can_be_asked_everything(look: Look) -> None:
    found = look()
    assert found.not_testable == {}
    assert found.blocked == ""
    assert [row.what for row in found.rows if row.state == MISSING] == []
    assert found.text().endswith("a run is possible")


@pytest.mark.parametrize(
    ("kind", "product", "wanted"),
    [
        ("Broker", "broker", {"broker-core", "broker-extended", "async-inference", "inference-extras", "latency"}),
        ("Trigger", "broker", {"broker-core", "broker-extended", "async-inference", "inference-extras", "latency"}),
        ("InferenceService", "kserve", {"async-inference", "inference-extras", "latency", "open-inference"}),
        ("SeldonDeployment", "seldon", {"kafka-streaming", "latency"}),
    ],
)
def test_a_kind_that_is_not_served_makes_its_requirements_not_testable(
    look: Look, kind: str, product: str, wanted: set[str]
) -> None:
    found = look(lacks=[kind])
    assert profiles(found) == wanted
    assert list(found.lacking) == [product]
    assert found.blocked == ""
    assert all(kind in why and "installed" in why for why in found.not_testable.values())
    assert f"not testable here: {next(iter(found.not_testable))}" in found.text()


def test_without_kserve_one_latency_requirement_alone_is_not_testable(look: Look) -> None:
    found = look(lacks=["InferenceService"])
    assert [name for name in found.not_testable if name.startswith("LAT-")] == [
        "LAT-ANS-001",
        "LAT-E2E-001",
        "LAT-CLD-003",
    ]


@pytest.mark.parametrize(
    ("right", "wanted"),
    [
        ("create brokers", {"broker-core", "broker-extended", "async-inference", "inference-extras", "latency"}),
        ("watch inferenceservices", {"async-inference", "inference-extras", "latency", "open-inference"}),
        ("delete seldondeployments", {"kafka-streaming", "latency"}),
    ],
)
def test_a_right_that_is_missing_makes_its_requirements_not_testable(look: Look, right: str, wanted: set[str]) -> None:
    found = look(refuses=[right])
    assert profiles(found) == wanted
    verb, resource = right.split()
    assert all(f"not allowed to {verb} (no rule says so)" in why for why in found.not_testable.values())
    assert states(found, f"rights on {resource}") == [MISSING]


@pytest.mark.parametrize(
    "right", ["create secrets", "create deployments", "create services/proxy", "get pods/log", "create networkpolicies"]
)
def test_what_the_probe_needs_decides_whether_a_run_is_possible(look: Look, right: str) -> None:
    found = look(NS, refuses=[right])
    assert right.split()[1] in found.blocked
    assert f"--print-role --namespace {NS}" in found.blocked
    assert found.text().splitlines()[-1].startswith("no run is possible")


def test_who_may_make_no_namespaces_is_told_of_the_other_way(look: Look) -> None:
    found = look(refuses=["create namespaces"])
    assert "--namespace NS" in found.blocked
    assert look(NS, refuses=["create namespaces"]).blocked == ""


@pytest.mark.parametrize("right", ["list events", "list resourcequotas", "list pods in knative-eventing"])
def test_what_only_makes_reports_richer_is_a_warning(look: Look, right: str) -> None:
    found = look(refuses=[right])
    assert found.blocked == ""
    assert found.not_testable == {}
    assert {row.state for row in found.rows if "not allowed" in row.found} == {WARN}


def test_rights_are_asked_for_where_they_are_needed(tmp_path: Path) -> None:
    with FakeApi() as api:
        check(KubeClient(api.kubeconfig(tmp_path)), NS, REQUIREMENTS, PIPELINES)
        confined = set(api.reviewed)
    with FakeApi() as api:
        check(KubeClient(api.kubeconfig(tmp_path)), None, REQUIREMENTS, PIPELINES)
        free = set(api.reviewed)
    assert "create brokers in team" in confined
    assert "create namespaces" not in confined
    assert "create brokers" in free
    assert "create namespaces" in free
    assert "get configmaps in kube-public" in confined & free
    assert "list secrets" not in free


def quota(hard: dict[str, str], used: dict[str, str]) -> dict[str, Any]:
    return {
        f"/api/v1/namespaces/{NS}/resourcequotas": [
            {"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"used": used}}
        ]
    }


@pytest.mark.parametrize(
    ("hard", "used", "state"),
    [
        ({"pods": "34"}, {"pods": "6"}, OK),
        ({"pods": "34"}, {"pods": "7"}, WARN),
        ({"pods": "30"}, {"pods": "29"}, MISSING),
        ({"requests.memory": "6Gi"}, {"requests.memory": "100Mi"}, OK),
        ({"requests.memory": "1Gi"}, {}, WARN),
        ({"requests.memory": "200Mi"}, {}, MISSING),
        ({"cpu": "200m"}, {}, MISSING),
        ({"cpu": "500m"}, {}, WARN),
        ({"cpu": "2"}, {"cpu": "999m"}, OK),
        ({"pods": "30", "services.nodeports": "0"}, {}, OK),
    ],
)
def test_a_quota_must_leave_room(look: Look, hard: dict[str, str], used: dict[str, str], state: str) -> None:
    found = look(NS, objects=quota(hard, used))
    assert states(found, "quota ")[0] == state
    assert bool(found.blocked) == (state == MISSING)


@pytest.mark.parametrize(
    ("labels", "state"),
    [
        ({}, OK),
        ({"pod-security.kubernetes.io/enforce": "baseline"}, OK),
        ({"pod-security.kubernetes.io/enforce": "restricted"}, WARN),
    ],
)
def test_the_pod_security_of_the_namespace_is_told(look: Look, labels: dict[str, str], state: str) -> None:
    found = look(NS, objects={f"/api/v1/namespaces/{NS}": {"metadata": {"name": NS, "labels": labels}}})
    assert states(found, "Pod Security") == [state]


def test_a_namespace_that_is_not_there_is_no_place_for_a_run(look: Look) -> None:
    assert "namespace elsewhere: there is none" in look("elsewhere").blocked


FULL = {f"/api/v1/namespaces/{NS}/resourcequotas": [{"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}]}


ADVICE = ("--print-role", "it makes no namespaces", "raise the quota", "make the namespace")


@pytest.mark.parametrize(
    ("namespace", "given", "advised"),
    [
        (NS, {"refuses": ["create secrets"]}, ["--print-role"]),
        (None, {"refuses": ["create namespaces"]}, ["--print-role", "it makes no namespaces"]),
        (NS, {"objects": FULL}, ["raise the quota"]),
        ("elsewhere", {}, ["make the namespace"]),
        (NS, {"objects": FULL, "refuses": ["create secrets"]}, ["--print-role", "raise the quota"]),
    ],
    ids=["a-right", "own-namespaces", "quota", "no-namespace", "right-and-quota"],
)
def test_the_advice_fits_what_is_missing(
    look: Look, namespace: str | None, given: dict[str, Any], advised: list[str]
) -> None:
    blocked = look(namespace, **given).blocked
    assert [words for words in ADVICE if words in blocked] == advised


def deployment(name: str, image: str, labels: dict[str, str]) -> dict[str, Any]:
    pod = {"containers": [{"name": "c", "image": image}]}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"template": {"spec": pod}}}


def test_versions_are_read_from_labels_and_else_from_tags(look: Look) -> None:
    label = {"app.kubernetes.io/version": "1.22.2"}
    found = look(
        objects={
            "/apis/apps/v1/namespaces/knative-eventing/deployments": [
                deployment("eventing-controller", "gcr.io/knative/controller@sha256:ab", label),
                deployment("kafka-controller", "gcr.io/x@sha256:cd", {"app.kubernetes.io/version": "1.22.3"}),
            ],
            "/apis/apps/v1/namespaces/kserve/deployments": [
                deployment("kserve-controller-manager", "kserve/kserve-controller:v0.20.0", {}),
            ],
            "/apis/apps/v1/namespaces/seldon-system/deployments": [
                deployment("seldon-controller-manager", "registry:5000/seldonio/seldon-core-operator:latest", {}),
            ],
        }
    )
    assert found.versions == {
        "kubernetes": "1.33.1",
        "knative-eventing": "1.22.2",
        "eventing-kafka-broker": "1.22.3",
        "kserve": "0.20.0",
        "kserve-agent": "0.20.0",
    }
    assert states(found, "version of seldon-core") == [WARN]


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("1.22.3", OK),
        ("1.22.9", OK),
        ("1.22", OK),
        ("1.22-rc1", OK),
        ("1.21.7", WARN),
        ("1.220.0", WARN),
        ("1.2.2", WARN),
        ("2.22.3", WARN),
    ],
)
def test_a_version_that_the_catalogue_was_not_written_for_is_a_warning(look: Look, version: str, state: str) -> None:
    label = {"app.kubernetes.io/version": version}
    kafka = deployment("kafka-controller", "gcr.io/x@sha256:cd", label)
    found = look(objects={"/apis/apps/v1/namespaces/knative-eventing/deployments": [kafka]})
    assert states(found, "version of eventing-kafka-broker") == [state]
    assert ("was written for 1.22.3" in found.text()) == (state == WARN)


def test_the_catalogue_was_written_for_what_the_platform_installs() -> None:
    installed = tomllib.loads((ROOT / "manifests" / "platform" / "components.toml").read_text())["component"]
    pinned = {component["name"]: component["version"] for component in installed}
    pinned["kserve-agent"] = pinned["kserve"]
    assert {place.key: pinned[place.key] in place.written_for for place in PLACES} == dict.fromkeys(
        (place.key for place in PLACES), True
    )


def test_what_the_platform_says_of_itself_comes_first(look: Look) -> None:
    place = "/apis/apps/v1/namespaces/kserve/deployments"
    other = deployment("kserve-controller-manager", "kserve/kserve-controller:v0.1.0", {})
    found = look(objects={"/api/v1/namespaces/kube-public/configmaps/touchstone-platform": TOLD, place: [other]})
    assert found.versions["kserve"] == "0.20.0"
    record = found.record()
    assert record["observed"] == {"kubernetes": "1.33.1", "kserve": "0.1.0", "kserve-agent": "0.1.0"}, (
        "what is observed stands beside what is said"
    )
    assert record["images"] == ["kserve/kserve-controller:v0.1.0"]
    assert found.platform["kafka"] == {"bootstrap": "k:1"}


def test_the_clusters_own_brokers_tell_where_kafka_is(look: Look) -> None:
    data = {"bootstrap.servers": "k:9092", "default.topic.replication.factor": "3"}
    found = look(objects={"/api/v1/namespaces/knative-eventing/configmaps/kafka-broker-config": {"data": data}})
    assert found.broker_defaults == data
    assert look().broker_defaults == {}


@pytest.mark.parametrize("text", ["{", "[]", "null"])
def test_a_description_that_cannot_be_read_is_an_error_with_its_place(look: Look, text: str) -> None:
    broken = {"data": {"platform.json": text}}
    with pytest.raises(TargetError, match=r"ConfigMap kube-public/touchstone-platform, key platform\.json: expected"):
        look(objects={"/api/v1/namespaces/kube-public/configmaps/touchstone-platform": broken})


@pytest.mark.parametrize(("version", "state"), [("v1.25.0", OK), ("v1.24.9", WARN), ("v1.33.1+k3s1", OK)])
def test_an_old_kubernetes_is_a_warning(look: Look, version: str, state: str) -> None:
    assert states(look(version=version), "Kubernetes API") == [state]


def test_an_api_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with FakeApi() as api:
        kubeconfig = api.kubeconfig(tmp_path)
    with pytest.raises(KubeError, match="no answer Unreachable"):
        check(KubeClient(kubeconfig), None, REQUIREMENTS, PIPELINES)


def test_a_table_for_people_and_a_record_for_the_history_say_the_same(look: Look) -> None:
    found = look(lacks=["SeldonDeployment"])
    data = json.loads(json.dumps(found.to_json()))
    plain, rich = found.text(), found.text(color=True, width=160)
    assert "\x1b[" not in plain
    assert "\x1b[" in rich
    for row in data["rows"]:
        assert row["what"] in plain
        assert row["found"] in plain
    assert set(data["not_testable"]) == {"LAT-STR-001", *(one.id for one in _of("kafka-streaming"))}


def _of(profile: str) -> list[Requirement]:
    return [one for one in REQUIREMENTS if one.profile == profile]


def test_a_vendors_requirement_stands_on_what_the_profile_that_it_builds_on_stands_on() -> None:
    about = ("ACME-INF-001", "MUST", "acme-inference", "acme.inference", "It does.", "a manual", "", ("broken",), 1)
    theirs = Requirement(*about, origin="acme", builds_on="async-inference")
    assert not_testable([theirs], {"kserve": "no KServe"}, PIPELINES) == {"ACME-INF-001": "no KServe"}
    assert not_testable([theirs], {"seldon": "no Seldon"}, PIPELINES) == {}
