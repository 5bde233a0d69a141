"""The loader of the catalogue: what is not sound names file, entry and field, all faults at once."""

import re
from pathlib import Path

import pytest

from evidence.catalogue import CatalogueError, free_ids, load

REQUIREMENT = """
[[requirement]]
id = "{id}"
level = "MUST"
profile = "broker-core"
cases = 1
text = "It does."
source = "spec"
mutants = ["{mutant}"]
"""
MUTANT = """
[[mutant]]
name = "{name}"
host = "platform"
areas = ["eventing", "tracing"]
about = "It does not."
source = "issue"
"""


def folder(path: Path, *, eventing: str | None = None, tracing: str = "", mutants: str | None = None) -> Path:
    first = REQUIREMENT.format(id="EVT-ING-001", mutant="eats-events") if eventing is None else eventing
    (path / "eventing.toml").write_text(first)
    (path / "tracing.toml").write_text(tracing)
    (path / "mutants.toml").write_text(MUTANT.format(name="eats-events") if mutants is None else mutants)
    return path


def test_a_sound_catalogue(tmp_path: Path) -> None:
    tracing = REQUIREMENT.format(id="TRC-W3C-001", mutant="drops-traces")
    mutants = MUTANT.format(name="eats-events") + MUTANT.format(name="drops-traces")
    catalogue = load(folder(tmp_path, tracing=tracing, mutants=mutants))
    assert [requirement.id for requirement in catalogue.requirements] == ["EVT-ING-001", "TRC-W3C-001"]
    assert catalogue.requirements[1].area == "tracing"
    assert catalogue.by_name["eats-events"].areas == ("eventing", "tracing")
    assert catalogue.kill_sets == {"eats-events": {"EVT-ING-001"}, "drops-traces": {"TRC-W3C-001"}}
    assert catalogue.bystanders("eats-events") == {"TRC-W3C-001"}


def in_folders(path: Path) -> Path:
    """Write the catalogue of two requirements and two mutants, the area `eventing` and the mutants in folders."""
    for name in ("eventing", "mutants"):
        (path / name).mkdir()
    for number, mutant in (("001", "eats-events"), ("002", "drops-traces")):
        entry = REQUIREMENT.format(id=f"EVT-ING-{number}", mutant=mutant)
        (path / "eventing" / f"part{number}.toml").write_text(entry)
        (path / "mutants" / f"part{number}.toml").write_text(MUTANT.format(name=mutant))
    (path / "tracing.toml").write_text("")
    return path


def test_a_folder_may_stand_in_the_place_of_a_file(tmp_path: Path) -> None:
    catalogue = load(in_folders(tmp_path))
    assert [(each.id, each.area) for each in catalogue.requirements] == [
        ("EVT-ING-001", "eventing"),
        ("EVT-ING-002", "eventing"),
    ]
    assert list(catalogue.by_name) == ["eats-events", "drops-traces"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("eventing.toml", "", "eventing.toml: stands beside the folder eventing: move its entries into a file there"),
        ("mutants.toml", "", "mutants.toml: stands beside the folder mutants: move its entries into a file there"),
        (
            "eventing/other.toml",
            REQUIREMENT.format(id="EVT-ING-002", mutant="idle"),
            "part002.toml: requirement EVT-ING-002: id: stands in other.toml already",
        ),
        (
            "eventing/other.toml",
            REQUIREMENT.format(id="EVT-ING-003", mutant="idle"),
            "a new one is a [[mutant]] in mutants",
        ),
        (
            "mutants/other.toml",
            MUTANT.format(name="drops-traces"),
            "part002.toml: mutant drops-traces: name: stands in other.toml already",
        ),
    ],
)
def test_what_is_not_sound_in_a_folder_is_told_with_its_file(tmp_path: Path, file: str, text: str, said: str) -> None:
    (in_folders(tmp_path) / file).write_text(text)
    with pytest.raises(CatalogueError, match=re.escape(said)):
        load(tmp_path)


def without(line: str) -> str:
    text = REQUIREMENT.format(id="EVT-ING-001", mutant="eats-events")
    return "\n".join(kept for kept in text.splitlines() if not kept.startswith(line))


GOOD = REQUIREMENT.format(id="EVT-ING-001", mutant="eats-events")


@pytest.mark.parametrize(
    ("eventing", "mutants", "said"),
    [
        (without("text"), None, "eventing.toml: requirement EVT-ING-001: text: is missing"),
        (GOOD.replace('"It does."', "3"), None, "eventing.toml: requirement EVT-ING-001: text: is no text"),
        (GOOD.replace('"It does."', '" "'), None, "text: is no text, or is empty"),
        (without("mutants"), None, "mutants: a MUST names a mutant that it must catch"),
        (GOOD.replace('"MUST"', '"must"'), None, "level: 'must' is none of MUST, MUST NOT"),
        (GOOD.replace("broker-core", "core"), None, "profile: 'core' is none of broker-core"),
        (GOOD.replace("source =", "soruce ="), None, "soruce: unknown field: did you mean source?"),
        (GOOD.replace("EVT-ING-001", "evt1"), None, "requirement evt1: id: is not of the form"),
        (GOOD + GOOD, None, "requirement EVT-ING-001: id: stands in eventing.toml already"),
        (GOOD.replace("eats-events", "eats-event"), None, "there is no mutant 'eats-event': did you mean eats-events?"),
        (GOOD.replace('["eats-events"]', '"eats-events"'), None, "mutants: is no list of texts"),
        (
            GOOD.replace('["eats-events"]', '["eats-events", "eats-events"]'),
            None,
            "mutants: 'eats-events' stands twice",
        ),
        ("[[requirment]]\n", None, "eventing.toml: unknown table 'requirment'"),
        ("requirement = 3\n", None, "eventing.toml: requirement is no list of tables"),
        ("[[requirement]\n", None, "eventing.toml: "),
        (
            GOOD,
            MUTANT.format(name="eats-events") * 2,
            "mutant eats-events: name: stands in mutants.toml already",
        ),
        (GOOD, MUTANT.format(name="Eats Events"), "name: is not of the form"),
        (
            GOOD,
            MUTANT.format(name="eats-events") + MUTANT.format(name="idle"),
            "mutant idle: name: no requirement names it",
        ),
        (
            GOOD,
            MUTANT.format(name="eats-events").replace("platform", "moon"),
            "host: 'moon' is none of platform, workload",
        ),
        (
            GOOD,
            MUTANT.format(name="eats-events").replace("platform", "workload"),
            "mutant eats-events: image: is missing",
        ),
        (GOOD, MUTANT.format(name="eats-events").replace('"eventing", ', ""), "is run in tracing, not in eventing"),
        (GOOD, MUTANT.format(name="eats-events").replace("tracing", "tarcing"), "areas: 'tarcing' is none of eventing"),
    ],
    ids=map(str, range(22)),
)
def test_what_is_not_sound(tmp_path: Path, eventing: str, mutants: str | None, said: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(folder(tmp_path, eventing=eventing, mutants=mutants))
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace("broker-core", "core").replace('"MUST"', '"must"')
    with pytest.raises(CatalogueError) as caught:
        load(folder(tmp_path, eventing=broken))
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_of_mutants_that_cannot_be_read_is_the_only_fault(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(folder(tmp_path, mutants="[[mutant]\n"))
    (told,) = str(caught.value).splitlines()
    assert told.startswith(f"{tmp_path / 'mutants.toml'}: ")


@pytest.mark.parametrize("text", ["", "1", "1.0.0", "v1.0", "1.0\n1.1", "1." + "0" * 100])
def test_a_version_of_another_form_is_a_fault_of_its_file(tmp_path: Path, text: str) -> None:
    (folder(tmp_path) / "VERSION").write_text(text)
    with pytest.raises(CatalogueError, match=r"VERSION: expected one line MAJOR\.MINOR, like 1\.0, got"):
        load(tmp_path)


@pytest.mark.parametrize(("text", "version"), [("1.0\n", "1.0"), ("12.34", "12.34"), (None, "")])
def test_a_catalogue_has_the_version_that_its_folder_states(tmp_path: Path, text: str | None, version: str) -> None:
    folder(tmp_path)
    if text is not None:
        (tmp_path / "VERSION").write_text(text)
    assert load(tmp_path).version == version


def test_a_catalogue_says_what_its_groups_are_about(tmp_path: Path) -> None:
    (folder(tmp_path) / "groups.toml").write_text('EVT-ING = "ingress"\n')
    catalogue = load(tmp_path)
    assert catalogue.groups == {"EVT-ING": "ingress"}
    assert [(each.id, each.group) for each in catalogue.requirements] == [("EVT-ING-001", "EVT-ING")]


def test_a_catalogue_need_not_say_what_its_groups_are_about(tmp_path: Path) -> None:
    assert load(folder(tmp_path)).groups == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('EVT-RTE = "routing"', "eventing.toml: requirement EVT-ING-001: id: groups.toml does not say what EVT-ING is"),
        ('EVT-ING = "ingress"\nEVT-INK = "ink"', "groups.toml: the groups: EVT-INK: no requirement is of this group"),
        ('EVT-ING = ""', 'groups.toml: the groups: EVT-ING: is no text, or is empty: write EVT-ING = "..."'),
        ("EVT-ING = 1", 'groups.toml: the groups: EVT-ING: is no text, or is empty: write EVT-ING = "..."'),
    ],
    ids=["left-out", "of-none", "empty", "no-text"],
)
def test_what_is_not_sound_of_the_groups_is_told(tmp_path: Path, text: str, said: str) -> None:
    (folder(tmp_path) / "groups.toml").write_text(text)
    with pytest.raises(CatalogueError, match=re.escape(said)):
        load(tmp_path)


def test_a_file_of_groups_that_cannot_be_read_is_the_only_fault(tmp_path: Path) -> None:
    (folder(tmp_path) / "groups.toml").write_text("EVT-ING")
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path)
    (told,) = str(caught.value).splitlines()
    assert told.startswith(f"{tmp_path / 'groups.toml'}: ")


@pytest.mark.parametrize(
    ("ids", "free"),
    [
        ([], []),
        (["EVT-ING-001"], ["EVT-ING-002"]),
        (["EVT-RPL-009", "EVT-ING-001", "EVT-ING-003"], ["EVT-ING-004", "EVT-RPL-010"]),
    ],
    ids=["none", "first", "gap"],
)
def test_the_next_free_id_follows_the_highest(ids: list[str], free: list[str]) -> None:
    assert free_ids(ids) == free


def test_an_empty_folder_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no requirements"):
        load(tmp_path)
