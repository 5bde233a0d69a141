"""The catalogue as data: it loads, and requirements and mutants account for each other. Not a test of the loader."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evidence.catalogue import Catalogue, load

SUITES = Path(__file__).parents[2] / "suites"
AREAS = ["control_plane", "eventing", "inference", "latency", "mlserver", "protocols", "streaming", "tracing"]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(SUITES / "catalogue")


def rows(name: str, table: str) -> list[dict[str, Any]]:
    files = [*(SUITES / "catalogue").glob(f"{name}.toml"), *(SUITES / "catalogue" / name).glob("*.toml")]
    return [row for file in files for row in tomllib.loads(file.read_text())[table]]


REQUIREMENTS = {area: rows(area, "requirement") for area in AREAS}
MUTANTS = {mutant["name"]: mutant for mutant in rows("mutants", "mutant")}


def test_the_catalogue_loads_whole(catalogue: Catalogue) -> None:
    assert len(catalogue.requirements) == sum(map(len, REQUIREMENTS.values())) >= 77
    assert len(catalogue.mutants) == len(MUTANTS) >= 60


def test_every_group_has_a_title_of_its_own_in_its_area(catalogue: Catalogue) -> None:
    groups = {(each.area, each.group) for each in catalogue.requirements}
    titles = [(area, catalogue.groups[group]) for area, group in groups]
    assert [title for title, count in Counter(titles).items() if count > 1] == []


@pytest.mark.parametrize("area", AREAS)
def test_texts_are_single_sentences_and_unlike_each_other(area: str) -> None:
    texts = [requirement["text"] for requirement in REQUIREMENTS[area]]
    assert [text for text in texts if not text.endswith(".") or ". " in text] == []
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@pytest.mark.parametrize("area", AREAS)
def test_every_must_is_guarded_by_a_mutant(area: str) -> None:
    bare = [row["id"] for row in REQUIREMENTS[area] if row["level"] in {"MUST", "MUST NOT"} and not row["mutants"]]
    assert bare == []


def test_every_mutant_is_named_by_a_requirement_of_its_areas() -> None:
    named = {(mutant, area) for area, found in REQUIREMENTS.items() for row in found for mutant in row["mutants"]}
    declared = {(name, area) for name, mutant in MUTANTS.items() for area in mutant["areas"]}
    assert named == declared


@pytest.mark.parametrize("area", AREAS)
def test_sources_are_named_and_urls_are_pinned(area: str) -> None:
    loose = [
        row["id"]
        for row in REQUIREMENTS[area]
        if not row["source"] or any(branch in row.get("url", "") for branch in ("/main/", "/master/", "/HEAD/"))
    ]
    assert loose == []
