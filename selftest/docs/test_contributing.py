"""The examples of CONTRIBUTING, followed literally in a copy of the project: each mutant is there and has its tests."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from selftest.docs.following import TEXT, Block, blocks_of, collected, run, write_blocks

EXAMPLE = re.compile(r"^### A mutant of (?:the |a )?([^\n]+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
ADDED = re.compile(r"^Add `([a-z0-9-]+)` to `mutants` of ([A-Z0-9-]+)\.$", re.MULTILINE)
TESTS = {"data plane": "test_dataplane_mutants.py", "streams": "test_stream_mutants.py"}
TABLES = {"data plane": "dataplane_rows.py", "streams": "stream_rows.py"}


@dataclass(frozen=True)
class Example:
    """An example of the document.

    Attributes:
        mutant: The name of the mutant.
        requirement: The requirement that must fail under it.
        blocks: The code, with the file and the place there that it goes to.
    """

    mutant: str
    requirement: str
    blocks: list[Block]


def examples() -> dict[str, Example]:
    listed = {}
    for host, text in EXAMPLE.findall(TEXT):
        ((mutant, requirement),) = ADDED.findall(text)
        listed[host] = Example(mutant, requirement, blocks_of(text))
    return listed


EXAMPLES = examples()
# Each case starts Python four times, twice to import the whole suite.
pytestmark = pytest.mark.timeout(300)


def follow(project: Path, example: Example) -> None:
    """Do what the document says."""
    write_blocks(project, example.blocks)
    name_in_requirement(project, example)


def name_in_requirement(project: Path, example: Example) -> None:
    pattern = re.compile(rf'(id = "{example.requirement}"\n(?:(?!\[\[).*\n)*?mutants = \[)')
    changed = []
    for path in (project / "suites" / "catalogue").rglob("*.toml"):
        text, number = pattern.subn(rf'\1"{example.mutant}", ', path.read_text(encoding="utf-8"))
        if number:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    assert len(changed) == 1, f"{example.requirement} stands in {changed}"


def test_there_is_an_example_of_every_host() -> None:
    assert set(EXAMPLES) == {"data plane", "control plane", "streams", "workload"}


@pytest.mark.parametrize("host", EXAMPLES)
def test_an_example_that_is_followed_literally_makes_a_mutant(project: Path, host: str) -> None:
    example = EXAMPLES[host]
    assert example.mutant not in run(project, "embedded", "mutants")
    follow(project, example)
    tests = collected(project, "suites", "--mutant", example.mutant, "--requirement", example.requirement)
    assert tests
    assert [test for test in tests if not test.endswith((f"[{example.mutant}]", f"-{example.mutant}]"))] == []
    if host == "workload":
        return
    listed = run(project, "embedded", "mutants").split(f"{host}:\n")[1].split(":\n")[0]
    assert f"  {example.mutant} " in listed
    tests_of = [f"selftest/embedded_dataplane/{file}" for file in TESTS.values()]
    chosen = f"{example.mutant} or catalogue_has_every"
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "selftest/embedded_mutants", *tests_of, "-k", chosen)


@pytest.mark.parametrize("host", TABLES)
def test_a_row_that_is_not_written_says_what_to_write(project: Path, host: str) -> None:
    example = EXAMPLES[host]
    follow(project, replace(example, blocks=[block for block in example.blocks if not block.place]))
    file = f"selftest/embedded_dataplane/{TESTS[host]}"
    with pytest.raises(AssertionError, match=rf'(?s)add `"{example.mutant}": Row\(.*to ROWS in .*{TABLES[host]}'):
        run(project, "pytest", "-q", "-p", "no:cacheprovider", file, "-k", example.mutant)
