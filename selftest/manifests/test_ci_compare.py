"""The recipe that compares runs calls the command as it is, pins its actions, and comments also what regressed."""

import re
import shlex
from typing import Any

import pytest
import yaml

from reports import __main__ as reports
from selftest.manifests.rendering import ROOT

RECIPE = ROOT / "docs" / "ci" / "compare.yml"
MAIN_RECIPE = ROOT / "docs" / "ci" / "github-actions.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found = yaml.safe_load(RECIPE.read_text())
    assert isinstance(found, dict)
    return found


def test_the_command_takes_what_the_recipe_gives_it(workflow: dict[Any, Any]) -> None:
    lines = [line for step in workflow["jobs"]["compare"]["steps"] for line in step.get("run", "").splitlines()]
    (line,) = [line for line in lines if line.startswith("python -m reports")]
    asked = reports._parser().parse_args(shlex.split(line)[3:])
    assert (str(asked.markdown), str(asked.html)) == ("told.md", "told.html")


def test_it_follows_the_recipe_that_makes_the_reports(workflow: dict[Any, Any]) -> None:
    main = yaml.safe_load(MAIN_RECIPE.read_text())
    assert workflow[True]["workflow_run"]["workflows"] == [main["name"]]  # YAML 1.1 reads the key `on` as a boolean
    (kept,) = [step for step in main["jobs"]["kind"]["steps"] if "upload-artifact" in step.get("uses", "")]
    (pattern,) = set(re.findall(r"--pattern '([^']+)\*'", RECIPE.read_text()))
    assert kept["with"]["name"].startswith(pattern)


def test_its_actions_are_those_that_the_main_recipe_pins() -> None:
    used = re.findall(r"uses: (\S+@[0-9a-f]{40} # v\S+)", RECIPE.read_text())
    assert len(used) == RECIPE.read_text().count("uses:")
    assert [one for one in used if one not in MAIN_RECIPE.read_text()] == []


def test_a_regression_is_commented_too(workflow: dict[Any, Any]) -> None:
    comment = workflow["jobs"]["compare"]["steps"][-1]
    assert comment["run"] == 'gh pr comment "$PULL_REQUEST" --body-file told.md'
    assert comment["if"].startswith("always()")
    # No expression of GitHub's stands in a script, where a branch's name could become code.
    assert [step for step in workflow["jobs"]["compare"]["steps"] if "${{" in step.get("run", "")] == []
