"""The sample: the same for a seed, every site as likely, a larger one begins with the smaller, equivalents never."""

from collections import Counter
from pathlib import Path

import pytest

from common.errors import UnknownNameError, UsageError
from mutation import equivalents, project, sampling, sites
from mutation.project import Project
from selftest.mutation import toys

ENTRY = """
[[equivalent]]
file = "toy/sums.py"
operator = "RemoveStatement"
line = "done += 1"
becomes = "pass"
reason = "Nobody counts."
"""


def drawn(toy: Project, seed: int, count: int = 99) -> list[str]:
    """Return the ids of a sample."""
    known = equivalents.read(toy.root)
    return [mutant.id for mutant in sampling.draw(toy.root, toy.chosen([]), known, seed, count)]


@pytest.fixture
def toy(tmp_path: Path) -> Project:
    """Make the small project."""
    return toys.make(tmp_path)


def test_a_seed_draws_the_same_and_another_one_something_else(toy: Project) -> None:
    assert drawn(toy, 1) == drawn(toy, 1)
    assert drawn(toy, 1) != drawn(toy, 2)


def test_a_larger_sample_begins_with_the_smaller_one_and_ends_with_the_sites(toy: Project) -> None:
    assert drawn(toy, 1)[:3] == drawn(toy, 1, 3)
    whole = drawn(toy, 1)
    places = sites.sites(toy.root, "toy/sums.py")
    assert len(whole) == len(set(whole)) == len(places) > 8


def test_lines_elsewhere_move_nothing(tmp_path: Path) -> None:
    one, other = toys.make(tmp_path / "one"), toys.make(tmp_path / "other", "# of numbers\n\n" + toys.PACKAGE)
    assert drawn(one, 1) == drawn(other, 1)


def test_each_site_is_as_likely_and_each_of_its_changes(tmp_path: Path) -> None:
    # Two sites: one that can be changed in five ways, one that can in one.
    toy = toys.make(tmp_path, "a = b < c\nd()\n")
    first = Counter(sampling.draw(toy.root, toy.chosen([]), [], seed, 1)[0].change.operator for seed in range(600))
    assert 250 < first["RemoveStatement"] < 350
    assert len(first) == 6
    assert all(count > 35 for count in first.values())


def test_an_id_gives_the_mutant_again_and_an_unknown_one_is_told(toy: Project) -> None:
    rooms = toy.chosen([])
    for mutant in sampling.draw(toy.root, rooms, [], 1, 99):
        assert sampling.by_id(toy.root, rooms, [mutant.id]) == [mutant]
    with pytest.raises(UnknownNameError, match="unknown mutant of this source 'abc'"):
        sampling.by_id(toy.root, rooms, ["abc"])


def test_a_mutant_shows_its_line_and_its_difference(toy: Project) -> None:
    mutant = toys.mutant(toy, "return left + right", "ReplaceBinaryOperator_Add_Sub")
    assert mutant.becomes == "return left - right"
    assert "-    return left + right\n+    return left - right" in mutant.diff
    assert mutant.source == toys.PACKAGE.replace("left + right", "left - right")


def test_an_equivalent_is_not_drawn(toy: Project) -> None:
    known = toys.mutant(toy, "done += 1", "RemoveStatement")
    assert known.id in drawn(toy, 1)
    (toy.root / equivalents.FILE).write_text(ENTRY)
    assert set(drawn(toy, 1)).isdisjoint({known.id})
    assert sampling.unfit(toy.root, toy.chosen([]), equivalents.read(toy.root)) == []


@pytest.mark.parametrize("field", ["file", "operator", "line", "becomes"])
def test_an_entry_that_fits_no_line_is_found(toy: Project, field: str) -> None:
    before = next(line for line in ENTRY.splitlines() if line.startswith(field))
    (toy.root / equivalents.FILE).write_text(ENTRY.replace(before, f'{field} = "other"'))
    (entry,) = sampling.unfit(toy.root, toy.chosen([]), equivalents.read(toy.root))
    assert getattr(entry, field) == "other"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[equivalent", "expected TOML"),
        ("[[mutant]]\na = 1", "expected tables"),
        (ENTRY.replace('reason = "Nobody counts."', ""), "entry 1: expected the texts file, operator, line"),
        (ENTRY.replace("Nobody counts.", " "), "entry 1"),
        (ENTRY + "lines = 'x'", "entry 1"),
    ],
    ids=["no-toml", "other-table", "no-reason", "empty-reason", "other-field"],
)
def test_a_broken_entry_is_a_usage_error(toy: Project, text: str, says: str) -> None:
    (toy.root / equivalents.FILE).write_text(text)
    with pytest.raises(UsageError, match=says):
        equivalents.read(toy.root)


def test_ours_fits_the_source() -> None:
    ours = project.read(toys.ROOT)
    assert sampling.unfit(toys.ROOT, ours.chosen([]), equivalents.read(toys.ROOT)) == []
    for room in ours.rooms.values():
        assert room.files(toys.ROOT)
        assert all((toys.ROOT / "suites" / area).is_dir() for area in room.areas)
        assert all((toys.ROOT / name).exists() for name in (*room.paths, *room.left_out))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("shared = []", "", "shared is missing"),
        ("shared = []", "shared = []\nother = 1", "got other"),
        ('areas = ["sums"]', "", "a room: areas is missing"),
        ("[[room]]", "[[room", "expected a description"),
    ],
    ids=["missing", "unknown", "room", "no-toml"],
)
def test_a_broken_description_is_a_usage_error(toy: Project, before: str, after: str, says: str) -> None:
    (toy.root / project.FILE).write_text(toys.DESCRIPTION.replace(before, after))
    with pytest.raises(UsageError, match=says):
        project.read(toy.root)
