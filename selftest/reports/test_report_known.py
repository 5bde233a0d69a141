"""The documented failures: ours load, and a wrong entry is told by file, entry and field."""

import re
from pathlib import Path

import pytest

from evidence import catalogue
from fixtures.platform import load as load_platform
from reports import known
from reports.errors import ReportError

ROOT = Path(__file__).resolve().parents[2]
LASTING = re.compile(r"https://github\.com/[\w-]+/[\w-]+/(blob/[a-z-]*\d+\.\d+\.\d+/.+\.\w+|issues/\d+|pull/\d+)")
ENTRY = """[[known]]
requirement = "A-1"
sut = "kserve"
versions = ["1"]
summary = "s"
source = "t"
read = { in = "v1" }
"""


def test_ours_name_pinned_versions_and_a_source() -> None:
    entries = known.load()
    assert {entry.sut for entry in entries} == {
        "eventing-kafka-broker",
        "kserve",
        "kserve-agent",
        "mlserver",
        "seldon-core",
    }
    for entry in entries:
        assert all(version[0].isdigit() for version in entry.versions), entry
        assert LASTING.fullmatch(entry.url or ""), f"{entry.requirement}: a file at a tag, an issue or a pull request"
        assert "/" in entry.source.partition(" ")[0], f"{entry.requirement}: the source begins with owner/project"


def test_ours_are_requirements_of_the_catalogue() -> None:
    ids = {requirement.id for requirement in catalogue.load(ROOT / "suites" / "catalogue").requirements}
    assert {entry.requirement for entry in known.load()} <= ids


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ENTRY.replace('sut = "kserve"\n', ""), r"1: field 'sut' is wanted"),
        (
            ENTRY.replace('read = { in = "v1" }\n', ""),
            r"exactly one of the fields 'observed' and 'read' is wanted, got 0",
        ),
        (ENTRY + 'observed = { on = "a", at = "2026-11-28" }\n', r"is wanted, got 2"),
        (ENTRY.replace("{ in", "{ on"), r"field 'read' must hold in, filled texts; got \{'on': 'v1'\}"),
        (ENTRY.replace('read = { in = "v1" }', 'observed = { on = "a" }'), r"'observed' must hold on and at"),
        (ENTRY.replace('read = { in = "v1" }', 'observed = { on = "a", at = "soon" }'), r"at = 'soon', no day"),
        (ENTRY.replace('read = { in = "v1" }', 'read = "v1"'), r"field 'read' must be a dict"),
        (ENTRY + 'why = "x"\n', r"no field 'why'"),
        (ENTRY.replace('["1"]', '"1"'), r"'versions' is wanted"),
        (ENTRY.replace('["1"]', "[1]"), r"versions must be strings"),
        (ENTRY + ENTRY, r"A-1 of kserve 1 is listed twice"),
        ("[[known]\n", r"known\.toml"),
        ('other = "x"\n', r"not other"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "known.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=told):
        known.load(tmp_path)


def test_an_entry_says_how_it_is_known(tmp_path: Path) -> None:
    seen = ENTRY.replace("A-1", "A-2").replace(
        'read = { in = "v1" }', 'observed = { on = "a cluster", at = "2026-11-28" }'
    )
    (tmp_path / "known.toml").write_text(ENTRY + seen, encoding="utf-8")
    assert [entry.evidence for entry in known.load(tmp_path)] == ["read in v1", "observed on a cluster, 2026-11-28"]


def test_applying_looks_at_the_version_under_test(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(ENTRY, encoding="utf-8")
    entries = known.load(tmp_path)
    assert set(known.applying(entries, {"kserve": "1"})) == {"A-1"}
    assert not known.applying(entries, {"kserve": "2"})
    assert not known.applying(entries, {})


def test_what_is_known_of_a_product_is_known_of_the_version_that_is_installed_on_kind() -> None:
    installed = {component.name: component.version for component in load_platform().components()}
    entries = known.load()
    expected = {(entry.sut, entry.requirement) for entry in entries if entry.sut in installed}
    found = {(entry.sut, entry.requirement) for entry in known.applying(entries, installed).values()}
    assert expected - found == set()
