"""The recipe for GitHub Actions calls what there is, pins what it uses, and keeps the reports of a run that failed."""

import configparser
import re
import shlex
from typing import Any

import pytest
import yaml

from selftest.manifests.rendering import ROOT

RECIPE = ROOT / "docs" / "ci" / "github-actions.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found = yaml.safe_load(RECIPE.read_text())
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    (only,) = workflow["jobs"].values()
    assert isinstance(only["steps"], list)
    return only["steps"]


def commands(steps: list[dict[str, Any]]) -> list[list[str]]:
    lines = [line for step in steps for line in step.get("run", "").splitlines()]
    return [shlex.split(line) for line in lines]


def test_every_tox_environment_that_it_calls_exists(steps: list[dict[str, Any]]) -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    called = [command[command.index("-e") + 1] for command in commands(steps) if command[0] == "tox"]
    assert "kind" in called
    assert [name for name in called if f"testenv:{name}" not in tox] == []
    installed = next(command[-1] for command in commands(steps) if "pip" in command)
    name, _, version = installed.partition("==")
    least = tuple(int(part) for part in tox["tox"]["min_version"].split("."))
    assert name == "tox"
    assert tuple(int(part) for part in version.split(".")) >= least


def test_the_suite_is_run_whole_and_its_verdict_counts(steps: list[dict[str, Any]]) -> None:
    assert ["tox", "-e", "kind"] in commands(steps)
    assert not any("continue-on-error" in step for step in steps)


def test_every_action_is_pinned_by_commit(steps: list[dict[str, Any]]) -> None:
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []
    # The version stands beside, for people and for what proposes newer ones.
    assert len(re.findall(r"uses: \S+ # v\d+\.\d+\.\d+$", RECIPE.read_text(), re.MULTILINE)) == len(used)


def test_the_reports_are_kept_whatever_happens(steps: list[dict[str, Any]]) -> None:
    keep = steps[-1]
    assert keep["uses"].startswith("actions/upload-artifact@")
    assert keep["if"] == "always()"
    assert keep["with"]["path"].split() == ["reports/out/", "!reports/out/latest"]


def test_it_is_bounded_and_may_do_little(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    (only,) = workflow["jobs"].values()
    assert 0 < only["timeout-minutes"] <= 120
    # YAML 1.1 reads the key `on` as a boolean.
    assert set(workflow[True]) == {"workflow_dispatch", "schedule"}


def test_kind_is_the_version_whose_node_image_the_suite_pins() -> None:
    version = re.search(r"KIND_VERSION: v(\d+\.\d+)\.\d+", RECIPE.read_text())
    pinned = re.search(r"release notes of kind (\d+\.\d+)", (ROOT / "fixtures" / "targets" / "kind.py").read_text())
    assert version
    assert pinned
    assert version[1] == pinned[1]
