"""The example of a requirement in CONTRIBUTING, followed literally; and what somebody who forgets a part reads."""

import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evidence.catalogue import CatalogueError, free_ids, load
from selftest.docs.following import ROOT, TEXT, blocks_of, collected, run, write_blocks
from selftest.warm.running import run as run_command

SECTION = TEXT.partition("### A requirement, whole\n")[2].partition("\n## ")[0]
BLOCKS = blocks_of(SECTION)
ENTRY, TEST, LINE = BLOCKS
AREA = ENTRY.file.rpartition("/")[0]
REQUIREMENT = tomllib.loads(ENTRY.code)["requirement"][0]
ID, CASES = REQUIREMENT["id"], REQUIREMENT["cases"]
MARK = f'@pytest.mark.requirement("{ID}")\n'
# Each case starts Python, and some import the whole suite.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def catalogue_ids() -> list[str]:
    return [requirement.id for requirement in load(ROOT / "suites" / "catalogue").requirements]


def test_the_list_tells_the_id_of_the_example_as_the_next_free_one(catalogue_ids: list[str]) -> None:
    assert ID in free_ids(catalogue_ids)
    assert re.search(rf"\b{ID}\b", run(ROOT, "reports", "list", "--area", Path(AREA).name))


def test_every_field_of_the_example_is_explained() -> None:
    table = TEXT.partition("## A requirement in six steps")[2].partition("### ")[0]
    assert re.findall(r"^   \| `([a-z]+)` \|", table, re.MULTILINE) == list(REQUIREMENT)


def test_an_example_that_is_followed_literally_makes_a_requirement(project: Path) -> None:
    write_blocks(project, BLOCKS)
    tests = collected(project, "suites", "--requirement", ID)
    assert len(tests) == CASES
    assert {test.partition("::")[0] for test in tests} == {TEST.file}
    (mutant,) = REQUIREMENT["mutants"]
    assert len(collected(project, "suites", "--mutant", mutant, "--requirement", ID)) == CASES
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "selftest/suites", "--ignore-glob=*oracles.py")
    added = (project / LINE.file).read_text(encoding="utf-8").split("\n## ")[1].partition("### Added")[2]
    assert f"* {ID}: " in added.partition("### ")[0]


def test_the_example_says_what_becomes_of_the_version_of_the_catalogue() -> None:
    version = load(ROOT / "suites" / "catalogue").version
    assert f"`suites/catalogue/VERSION` stays {version} here" in " ".join(SECTION.split())


@dataclass(frozen=True)
class Omission:
    """A part of the example that somebody forgot or mistook.

    Attributes:
        entry: The change of the entry's text.
        test: The change of the test's text.
        told: What the one message says to write, and the file.
    """

    told: tuple[str, ...]
    entry: Callable[[str], str] = str
    test: Callable[[str], str] = str


def without_field(name: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"^{name} = .*\n", "", text, flags=re.MULTILINE)


def changed(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


REFUSED_BY_CATALOGUE = {
    **{
        f"no {name}": Omission(
            (f"{ENTRY.file}: requirement {ID}: {name}: is missing: write {name} = ", word), without_field(name)
        )
        for name, word in (
            ("level", "one of MUST, "),
            ("profile", "one of broker-core, "),
            ("cases", "how many test cases"),
            ("text", "one sentence"),
            ("source", "the specification"),
        )
    },
    "no id": Omission(
        (f"{ENTRY.file}: requirement (without id): id: is missing: write id = ", "EVT-RPL-023"), without_field("id")
    ),
    "no mutant": Omission(
        (f"{ENTRY.file}: requirement {ID}: mutants: ", "write mutants = [", "a name of mutants"),
        without_field("mutants"),
    ),
    "id that is taken": Omission(
        (f"{ENTRY.file}: requirement EVT-RPL-001: id: stands in replies.toml already", f"the next free id is {ID}"),
        changed(ID, "EVT-RPL-001"),
    ),
    "id of another form": Omission(
        (f"{ENTRY.file}: requirement EVT6: id: is not of the form", "like EVT-RPL-023"), changed(ID, "EVT6")
    ),
    "mutant that nobody registered": Omission(
        (f"{ENTRY.file}: requirement {ID}: mutants: there is no mutant 'reply-eaten'", "[[mutant]] in mutants"),
        changed("structured-reply-dropped", "reply-eaten"),
    ),
    "mutant of another area": Omission(
        (f"{ENTRY.file}: requirement {ID}: mutants: ", "write the area in its areas in tracing.toml"),
        changed("structured-reply-dropped", "trace-dropped"),
    ),
    "wrong profile": Omission(
        (
            f"{ENTRY.file}: requirement {ID}: profile: 'core' is none of",
            "evidence/catalogue.py",
            "fixtures/preflight/needs.py",
        ),
        changed("broker-core", "core"),
    ),
}
REFUSED_BY_COLLECTION = {
    "no level": REFUSED_BY_CATALOGUE["no level"],  # one of all that the catalogue refuses
    "test without marker": Omission(
        (f"{TEST.file}::test_", "expected @pytest.mark.requirement(ID) above the test", AREA),
        test=changed(MARK, ""),
    ),
    "marker with an unknown id": Omission(
        (f"{TEST.file}::test_", "unknown requirement 'EVT-RPL-066'", f"add a [[requirement]] to {AREA}"),
        test=changed(ID, "EVT-RPL-066"),
    ),
}
FOUND_BY_SELFTEST = {
    "cases that differ": Omission(
        (f"{ID}: suites/catalogue says cases = 7, collected are 2: write cases = 2",), changed("cases = 2", "cases = 7")
    ),
    "entry without a test": Omission(
        (f"{ID}: suites/catalogue says cases = 2, collected are 0: mark a test",), test=lambda _: ""
    ),
}


def follow(project: Path, omission: Omission) -> None:
    write_blocks(
        project, [replace(ENTRY, code=omission.entry(ENTRY.code)), replace(TEST, code=omission.test(TEST.code))]
    )


def failing(project: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = run_command(command, cwd=project, timeout=120)
    assert done.returncode, done.stdout
    return done.stdout + done.stderr


@pytest.mark.parametrize("omission", REFUSED_BY_CATALOGUE.values(), ids=REFUSED_BY_CATALOGUE)
def test_what_an_entry_lacks_or_mistakes_is_told_with_the_file(tmp_path: Path, omission: Omission) -> None:
    shutil.copytree(ROOT / "suites" / "catalogue", tmp_path / "suites" / "catalogue")
    (tmp_path / TEST.file).parent.mkdir()
    shutil.copy(ROOT / TEST.file, tmp_path / TEST.file)
    follow(tmp_path, omission)
    with pytest.raises(CatalogueError) as refused:
        load(tmp_path / "suites" / "catalogue")
    assert [part for part in omission.told if part not in str(refused.value)] == []
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("omission", REFUSED_BY_COLLECTION.values(), ids=REFUSED_BY_COLLECTION)
def test_what_is_refused_is_told_in_a_line_before_anything_runs(project: Path, omission: Omission) -> None:
    follow(project, omission)
    output = failing(project, "--collect-only", str(Path(TEST.file)))
    told = [line for line in output.splitlines() if omission.told[0] in line and not line.startswith("ERROR suites")]
    assert len(told) == 1, output
    assert [part for part in omission.told if part not in told[0]] == []
    assert "Traceback" not in output


@pytest.mark.parametrize("omission", FOUND_BY_SELFTEST.values(), ids=FOUND_BY_SELFTEST)
def test_a_number_of_cases_that_is_not_the_collected_one_is_told(project: Path, omission: Omission) -> None:
    follow(project, omission)
    output = failing(project, "selftest/suites/test_catalogue_pins.py", "-k", "catalogue_pins")
    assert [part for part in omission.told if part not in output] == []
