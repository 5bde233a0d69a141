"""Personalities: their divergences exist and combine, an unknown one is told with near ones, and a run names it."""

import sys
from pathlib import Path

import pytest

from embedded.mutants import PERSONALITIES, MutantError, find_personality, registry
from embedded.platform import Options
from evidence import catalogue
from reports import known
from selftest.warm.running import run as run_command

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
def test_what_is_listed_for_a_personality_was_seen_is_played_or_was_read_in_its_version(name: str) -> None:
    personality = find_personality(name)
    listed = known.applying(known.load(), {personality.product: personality.version}).values()
    mutants = {row.id: set(row.mutants) for row in CATALOGUE.requirements}
    read = [
        entry.requirement
        for entry in listed
        if entry.how != "observed" and not entry.where.endswith(f"-v{personality.version}")
    ]
    assert [name for name in read if not mutants[name] & set(personality.divergences)] == []


@pytest.mark.parametrize(
    ("name", "near"),
    [("seldon-executor-1.17.0", "did you mean seldon-executor-1.17.1"), ("xyzzy", "did you mean .*seldon-executor")],
)
def test_an_unknown_personality_is_told_with_near_ones(tmp_path: Path, name: str, near: str) -> None:
    with pytest.raises(MutantError, match=f"no personality is named '{name}'; {near}"):
        Options(state=tmp_path, personality=name)


def test_a_mutant_that_undoes_a_divergence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MutantError, match="'sigterm-drops-work' and 'stop-loses-work' exclude"):
        Options(state=tmp_path, personality="seldon-executor-1.17.1", mutants=("stop-loses-work",))
    options = Options(state=tmp_path, personality="seldon-executor-1.17.1", mutants=("stream-answers-twice",))
    assert options.everywhere == (*find_personality("seldon-executor-1.17.1").divergences, "stream-answers-twice")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--personality", "seldon-executor-1.17"], "did you mean seldon-executor-1.17.1"),
        (["--personality", "seldon-executor-1.17.1", "--prove"], "--prove asks the platform that follows the contract"),
        (["--personality", "seldon-executor-1.17.1", "--conforming"], "leave --personality out, or --conforming"),
        (["--personality", "x", "--target", "cluster"], "--personality is an option of --target embedded"),
    ],
    ids=["unknown", "prove", "conforming", "another-target"],
)
def test_a_run_that_cannot_have_the_personality_is_wrong_usage(options: list[str], told: str) -> None:
    ended = run_command([sys.executable, "-m", "pytest", "suites", "-p", "no:cacheprovider", *options])
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert told in ended.stderr
