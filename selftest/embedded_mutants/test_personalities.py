"""Personalities: their divergences exist and combine, an unknown one is told with near ones, and a run names it."""

import subprocess
import sys
from pathlib import Path

import pytest

from embedded.mutants import PERSONALITIES, MutantError, find_personality, registry
from embedded.platform import Options
from evidence import catalogue
from reports import known

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = catalogue.load(ROOT / "suites" / "catalogue")


@pytest.mark.parametrize("name", PERSONALITIES)
def test_the_divergences_of_a_personality_combine_in_its_order(name: str) -> None:
    personality = find_personality(name)
    assert personality.name == name
    assert name.endswith(f"-{personality.version}")
    assert registry.combined(personality.divergences) == personality.divergences


def test_every_divergence_belongs_to_a_personality() -> None:
    used = {name for personality in PERSONALITIES.values() for name in personality.divergences}
    assert sorted(set(registry.names()) - set(registry.names(divergences=False)) - used) == []


@pytest.mark.parametrize("name", PERSONALITIES)
def test_each_mutant_of_a_personality_breaks_what_is_listed_for_its_product(name: str) -> None:
    personality = find_personality(name)
    listed = set(known.applying(known.load(), {personality.product: personality.version}))
    mutants = set(personality.divergences) & set(registry.names(divergences=False))
    broken = {row.id: mutants & set(row.mutants) for row in CATALOGUE.requirements}
    assert {row for row, breaking in broken.items() if breaking} <= listed, "list it in reports/known/"


@pytest.mark.parametrize("name", PERSONALITIES)
def test_what_is_listed_for_a_personality_was_observed(name: str) -> None:
    personality = find_personality(name)
    listed = known.applying(known.load(), {personality.product: personality.version}).values()
    assert [entry.requirement for entry in listed if entry.how != "observed"] == []


@pytest.mark.parametrize(
    ("name", "near"),
    [("seldon-executor-1.17.0", "did you mean seldon-executor-1.17.1"), ("xyzzy", "did you mean .*seldon-executor")],
)
def test_an_unknown_personality_is_told_with_near_ones(tmp_path: Path, name: str, near: str) -> None:
    with pytest.raises(MutantError, match=f"no personality is named '{name}'; {near}"):
        Options(state=tmp_path, personality=name)


def test_a_mutant_that_undoes_a_divergence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MutantError, match="'executor-dies-on-unknown-proto-name' and 'proto-name-ignored' exclude"):
        Options(state=tmp_path, personality="seldon-executor-1.17.1", mutants=("proto-name-ignored",))
    options = Options(state=tmp_path, personality="seldon-executor-1.17.1", mutants=("stream-answers-twice",))
    assert options.everywhere == (*find_personality("seldon-executor-1.17.1").divergences, "stream-answers-twice")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--personality", "seldon-executor-1.17"], "did you mean seldon-executor-1.17.1"),
        (["--personality", "seldon-executor-1.17.1", "--prove"], "--prove asks the platform that follows the contract"),
        (["--personality", "x", "--target", "cluster"], "--personality is an option of --target embedded"),
    ],
    ids=["unknown", "prove", "another-target"],
)
def test_a_run_that_cannot_have_the_personality_is_wrong_usage(options: list[str], told: str) -> None:
    command = [sys.executable, "-m", "pytest", "suites", "-p", "no:cacheprovider", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert told in ended.stderr
