"""Vendors' catalogues beside ours: read as strictly, told apart from ours, and joined with our mutants."""

from pathlib import Path

import pytest

from evidence.catalogue import Catalogue, CatalogueError, load
from evidence.vendor import load_beside
from selftest.evidence.test_catalogue_loading import folder as our_folder
from selftest.vendors import ABOUT, REQUIREMENT, write_catalogue


@pytest.fixture
def ours(tmp_path: Path) -> Catalogue:
    (tmp_path / "ours").mkdir()
    text = our_folder(tmp_path / "ours")
    for file in text.glob("*.toml"):
        file.write_text(file.read_text().replace("eats-events", "broken"))
    return load(text)


def test_a_vendors_requirements_come_behind_ours_and_say_whose_they_are(tmp_path: Path, ours: Catalogue) -> None:
    catalogue, (vendor,) = load_beside(ours, [write_catalogue(tmp_path / "acme")])
    assert [(each.id, each.origin) for each in catalogue.requirements] == [
        ("EVT-ING-001", "touchstone"),
        ("ACME-RTE-001", "acme"),
    ]
    theirs = catalogue.requirements[1]
    assert (theirs.area, theirs.profile, theirs.base_profile) == ("acme.routing", "acme-routing", "broker-core")
    assert catalogue.origins == ("touchstone", "acme")
    assert (vendor.name, vendor.tests, vendor.areas) == ("acme", tmp_path / "acme" / "tests", ("routing",))


def test_a_mutant_of_ours_that_a_vendor_names_must_be_caught_in_its_area_too(tmp_path: Path, ours: Catalogue) -> None:
    catalogue, _ = load_beside(ours, [write_catalogue(tmp_path / "acme")])
    assert catalogue.by_name["broken"].areas == ("eventing", "tracing", "acme.routing")
    assert catalogue.kill_sets["broken"] == {"EVT-ING-001", "ACME-RTE-001"}
    assert ours.by_name["broken"].areas == ("eventing", "tracing")


def test_the_order_in_which_vendors_are_given_makes_no_difference(tmp_path: Path, ours: Catalogue) -> None:
    other = ABOUT.replace("acme", "zeta"), REQUIREMENT.replace("acme", "zeta").replace("ACME", "ZETA")
    folders = [write_catalogue(tmp_path / "one"), write_catalogue(tmp_path / "two", *other)]
    assert load_beside(ours, folders)[0] == load_beside(ours, folders[::-1])[0]


FAULTS = {
    "a name that is not one word": (ABOUT.replace('"acme"', '"Acme Inc"'), REQUIREMENT, "name: expected one word"),
    "our name": (ABOUT.replace('"acme"', '"touchstone"'), REQUIREMENT, "name: 'touchstone' is ours"),
    "the beginning of our ids": (ABOUT.replace('"acme"', '"evt"'), REQUIREMENT, "name: 'evt' is ours: EVT- begins ids"),
    "no name": (ABOUT.replace('name = "acme"\n', "", 1), REQUIREMENT, "the catalogue: name: is missing"),
    "no folder of tests": (ABOUT.replace("tests", "test"), REQUIREMENT, "test: unknown field: did you mean tests?"),
    "a profile of ours": (
        ABOUT.replace('"acme-routing"', '"broker-core"'),
        REQUIREMENT.replace("acme-routing", "broker-core"),
        "profile broker-core: name: expected acme-WORD, in small letters, got 'broker-core'",
    ),
    "a profile that builds on nothing": (
        ABOUT.replace("broker-core", "core"),
        REQUIREMENT,
        "builds_on: 'core' is none",
    ),
    "a profile without a requirement": (
        ABOUT + '[[profile]]\nname = "acme-idle"\nbuilds_on = "latency"\n',
        REQUIREMENT,
        "profile acme-idle: name: no requirement belongs to it",
    ),
    "a profile twice": (ABOUT + ABOUT[ABOUT.index("[[profile]]") :], REQUIREMENT, "acme-routing: name: stands twice"),
    "a requirement in a profile of ours": (
        ABOUT,
        REQUIREMENT.replace("acme-routing", "broker-core"),
        "requirement ACME-RTE-001: profile: 'broker-core' is none of acme-routing",
    ),
    "an id of ours": (
        ABOUT,
        REQUIREMENT.replace("ACME-RTE-001", "EVT-ING-001"),
        "requirement EVT-ING-001: id: expected an id that begins with ACME-",
    ),
    "an id twice": (ABOUT, REQUIREMENT + REQUIREMENT, "ACME-RTE-001: id: stands in routing.toml already"),
    "a mutant that is none of ours": (
        ABOUT,
        REQUIREMENT.replace("broken", "brokn"),
        "'brokn' of ours: did you mean broken?",
    ),
    "a MUST without a mutant": (ABOUT, REQUIREMENT.replace('"broken"', ""), "a MUST names a mutant that it must catch"),
    "no requirement": (ABOUT.partition("[[")[0], "", "no requirements: there is no <area>.toml"),
    "no TOML": ("name =", REQUIREMENT, "catalogue.toml: Invalid"),
}


@pytest.mark.parametrize(("about", "routing", "told"), FAULTS.values(), ids=FAULTS)
def test_what_is_not_sound_is_refused(tmp_path: Path, ours: Catalogue, about: str, routing: str, told: str) -> None:
    catalogue = write_catalogue(tmp_path / "acme", about, routing)
    with pytest.raises(CatalogueError) as caught:
        load_beside(ours, [catalogue])
    assert told in str(caught.value)
    assert str(catalogue) in str(caught.value)


def test_a_vendor_has_no_mutants_of_its_own(tmp_path: Path, ours: Catalogue) -> None:
    catalogue = write_catalogue(tmp_path / "acme")
    (catalogue / "mutants.toml").write_text("")
    with pytest.raises(CatalogueError, match=r"mutants\.toml: a vendor's catalogue has no mutants of its own"):
        load_beside(ours, [catalogue])


def test_two_vendors_have_two_names(tmp_path: Path, ours: Catalogue) -> None:
    folders = [write_catalogue(tmp_path / "one"), write_catalogue(tmp_path / "two")]
    with pytest.raises(CatalogueError, match=r"name: expected another one than that of .*, got 'acme' again"):
        load_beside(ours, folders)


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_a_catalogue_is_refused(tmp_path: Path, ours: Catalogue, *, exists: bool) -> None:
    folder = tmp_path / "nothing"
    if exists:
        folder.mkdir()
    with pytest.raises(CatalogueError, match=r"nothing: expected a vendor's catalogue with a file catalogue\.toml"):
        load_beside(ours, [folder])
