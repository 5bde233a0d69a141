"""The examples of CONTRIBUTING, followed literally in a copy of the project: each mutant is there and has its tests."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^### A mutant of (?:the |a )?([^\n]+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
ADDED = re.compile(r"^Add `([a-z0-9-]+)` to `mutants` of ([A-Z0-9-]+)\.$", re.MULTILINE)
BLOCK = re.compile(r"^```\w+\n# (\S+?)(: ROWS)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
COPIED = (
    "common",
    "conftest.py",
    "embedded",
    "evidence",
    "fixtures",
    "images",
    "manifests",
    "pyproject.toml",
    "reports",
)
TABLES = {"data plane": "test_dataplane_mutants.py", "streams": "test_streaming.py"}


@dataclass(frozen=True)
class Example:
    """An example of the document.

    Attributes:
        mutant: The name of the mutant.
        requirement: The requirement that must fail under it.
        blocks: The code, with the file that it goes to and whether it is an entry of a table there.
    """

    mutant: str
    requirement: str
    blocks: list[tuple[str, bool, str]]


def examples() -> dict[str, Example]:
    listed = {}
    for host, text in EXAMPLE.findall(TEXT):
        ((mutant, requirement),) = ADDED.findall(text)
        blocks = [(file, bool(is_row), code) for file, is_row, code in BLOCK.findall(text)]
        listed[host] = Example(mutant, requirement, blocks)
    return listed


EXAMPLES = examples()
# Each case starts Python four times, twice to import the whole suite.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, without what is built or recorded."""
    for name in (*COPIED, "suites", "selftest"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "out"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def follow(project: Path, example: Example) -> None:
    """Do what the document says."""
    for file, is_row, code in example.blocks:
        path = project / file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if is_row:
            begin = "ROWS: dict[str, Row] = {\n"
            assert begin in text, f"{file} has no table"
            path.write_text(text.replace(begin, begin + code), encoding="utf-8")
        else:
            path.write_text(f"{text}\n\n{code}" if text else code, encoding="utf-8")
    name_in_requirement(project, example)


def name_in_requirement(project: Path, example: Example) -> None:
    pattern = re.compile(rf'(id = "{example.requirement}"\n(?:(?!\[\[).*\n)*?mutants = \[)')
    changed = []
    for path in (project / "suites" / "catalogue").glob("*.toml"):
        text, number = pattern.subn(rf'\1"{example.mutant}", ', path.read_text(encoding="utf-8"))
        if number:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    assert len(changed) == 1, f"{example.requirement} stands in {changed}"


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def collected(project: Path, *arguments: str) -> list[str]:
    lines = run(project, "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments).splitlines()
    return [line for line in lines if "::" in line]


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
    tables = [f"selftest/embedded_dataplane/{table}" for table in TABLES.values()]
    chosen = f"{example.mutant} or catalogue_has_every"
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "selftest/embedded_mutants", *tables, "-k", chosen)


@pytest.mark.parametrize("host", TABLES)
def test_a_row_that_is_not_written_says_what_to_write(project: Path, host: str) -> None:
    example = EXAMPLES[host]
    follow(project, replace(example, blocks=[block for block in example.blocks if not block[1]]))
    table = f"selftest/embedded_dataplane/{TABLES[host]}"
    with pytest.raises(AssertionError, match=rf'(?s)add `"{example.mutant}": Row\(.*to ROWS in .*{TABLES[host]}'):
        run(project, "pytest", "-q", "-p", "no:cacheprovider", table, "-k", example.mutant)
