"""The suite as a Job and as a Sonobuoy plugin: fit for the API, with the rights of the table and no more."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from fixtures.plugin.run import DEPLOY_JOIN
from fixtures.preflight import role
from fixtures.probe_control.pod import BACK_WITHIN, DRAINED_WITHIN
from fixtures.targets.clusterrun import GONE_WITHIN
from selftest.manifests.rendering import ROOT, kustomized, needs_kubectl
from selftest.manifests.schemas import core_faults, faults

FOLDER = ROOT / "manifests" / "certification"
FILES = sorted(FOLDER.glob("*.yaml"))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
# What Sonobuoy's `pkg/plugin/manifest` knows of a plugin's description.
CONFIG = {
    "driver",
    "plugin-name",
    "result-format",
    "result-files",
    "skip-cleanup",
    "description",
    "source-url",
    "order",
}


def job() -> dict[str, Any]:
    (found,) = yaml.safe_load_all((FOLDER / "40-job.yaml").read_text())
    assert isinstance(found, dict)
    return found


def the_roles() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / "30-role.yaml").read_text()))


def plugin() -> dict[str, Any]:
    found = yaml.safe_load((FOLDER / "sonobuoy" / "touchstone.yaml").read_text())
    assert isinstance(found, dict)
    return found


def the_suite() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return each way to run it: name, pod, container."""
    pod = job()["spec"]["template"]["spec"]
    return [("job", pod, pod["containers"][0]), ("sonobuoy", plugin()["podSpec"], plugin()["spec"])]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_manifest_fits_the_api(file: Any) -> None:
    for manifest in yaml.safe_load_all(file.read_text()):
        assert faults(manifest) == []


@needs_kubectl
def test_the_kustomization_is_the_folder() -> None:
    listed = [one for file in FILES for one in yaml.safe_load_all(file.read_text())]
    assert list(yaml.safe_load_all(kustomized(FOLDER))) == listed


def test_the_roles_are_those_that_the_suite_prints() -> None:
    update = "pytest suites --target cluster --print-role > manifests/certification/30-role.yaml"
    assert (FOLDER / "30-role.yaml").read_text() == role.manifest(None), f"If the table changed: {update}"


def test_the_job_runs_as_whom_the_roles_are_bound_to() -> None:
    (account,) = (one["metadata"] for one in the_roles() if one["kind"] == "ServiceAccount")
    assert job()["spec"]["template"]["spec"]["serviceAccountName"] == account["name"]
    assert job()["metadata"]["namespace"] == account["namespace"]
    bindings = [one for one in the_roles() if "roleRef" in one]
    assert bindings
    for binding in bindings:
        assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]


@pytest.mark.parametrize(
    ("pod", "container"), [each[1:] for each in the_suite()], ids=[each[0] for each in the_suite()]
)
def test_it_is_confined(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["restartPolicy"] == "Never"
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert {"cpu", "memory"} <= set(container["resources"]["limits"])
    assert (container["image"], container["imagePullPolicy"]) == (f"touchstone/suite:{VERSION}", "IfNotPresent")
    # The image's entry point runs the suite; a manifest that named another command would be a second way to do it.
    assert "command" not in container
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/results", "/tmp"} <= mounted  # noqa: S108 - the pod's


def test_the_job_is_tried_once_and_may_clean_up() -> None:
    spec = job()["spec"]
    assert spec["backoffLimit"] == 0
    assert spec["activeDeadlineSeconds"] >= 3600
    # Its log is where the report stands.
    assert "ttlSecondsAfterFinished" not in spec


def test_there_is_time_to_clean_up() -> None:
    """The bounds of a run's ending: deploying, the probe's answer (asked twice), its history, what it made."""
    ending = DEPLOY_JOIN + 2 * BACK_WITHIN + DRAINED_WITHIN + GONE_WITHIN
    for name, pod, _ in the_suite():
        assert pod["terminationGracePeriodSeconds"] > ending, name


def documented_block(words: str) -> str:
    text = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    (block,) = (one for one in re.findall(r"```shell\n(.*?)```", text, re.DOTALL) if words in one)
    return str(block)


def test_the_documented_commands_name_what_the_job_makes() -> None:
    """The log is followed once there is one, and the exit code is that of the pod's container."""
    lines = documented_block("logs -f job/touchstone").splitlines()
    waits, follows = (
        next(n for n, line in enumerate(lines) if words in line) for words in ("kubectl -n touchstone wait", "logs -f")
    )
    assert waits < follows
    (label,) = job()["spec"]["template"]["metadata"]["labels"].items()
    for line in (line for line in lines if " -l " in line):
        assert f"-l {label[0]}={label[1]}" in line
    assert any(".state.terminated.exitCode" in line for line in lines)


def test_the_namespace_admits_restricted_pods_only() -> None:
    (namespace,) = (one for one in the_roles() if one["kind"] == "Namespace")
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_sonobuoy_understands_the_plugin() -> None:
    found = plugin()
    assert set(found) == {"sonobuoy-config", "podSpec", "spec"}
    assert set(found["sonobuoy-config"]) <= CONFIG
    assert found["sonobuoy-config"]["driver"] == "Job"
    assert found["sonobuoy-config"]["result-format"] == "junit"
    # Sonobuoy puts the container into the pod, and a volume `results` for it and its own container.
    assert list(core_faults(found["spec"], "V1Container")) == []
    assert list(core_faults(found["podSpec"], "V1PodSpec")) == []
    assert "containers" not in found["podSpec"]
    volumes = [one["name"] for one in found["podSpec"]["volumes"]] + ["results"]
    assert {mount["name"] for mount in found["spec"]["volumeMounts"]} == set(volumes)
    (variable,) = found["spec"]["env"]
    place = next(mount["mountPath"] for mount in found["spec"]["volumeMounts"] if mount["name"] == "results")
    assert variable == {"name": "SONOBUOY_RESULTS_DIR", "value": place}
