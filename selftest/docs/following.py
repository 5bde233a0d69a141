"""CONTRIBUTING followed literally: a copy of the project, and what the document says to write into it."""

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from selftest.warm.running import run as run_command

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```\w+\n# (\S+?)(?:: (\w+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
COPIED = (
    "CHANGELOG.md",
    "common",
    "conftest.py",
    "embedded",
    "evidence",
    "fixtures",
    "images",
    "manifests",
    "pyproject.toml",
    "reports",
    "selftest",
    "suites",
)
# Where the code of a block goes that names a place in its file: below this line.
PLACES = {"ROWS": "ROWS: dict[str, Row] = {\n", "Added": "### Added\n\n"}


@dataclass(frozen=True)
class Block:
    """A code block of the document.

    Attributes:
        file: The file that it goes into.
        place: The name of its place there, one of PLACES; the end of the file when empty.
        code: The block without its first line.
    """

    file: str
    place: str
    code: str


def copy_project(folder: Path) -> Path:
    """Copy the project into a folder, without what is recorded; modules keep what was compiled of them."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("out", "*.pyc.*"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def blocks_of(section: str) -> list[Block]:
    """Return the code blocks of a section that say which file they go into."""
    return [Block(file, place, code) for file, place, code in BLOCK.findall(section)]


def write_blocks(project: Path, blocks: list[Block]) -> None:
    """Put each block where its first line says."""
    for block in blocks:
        path = project / block.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if block.place:
            begin = PLACES[block.place]
            assert begin in text, f"{block.file} has no place {block.place}"
            path.write_text(text.replace(begin, begin + block.code, 1), encoding="utf-8")
        else:
            path.write_text(f"{text}\n\n{block.code}" if text else block.code, encoding="utf-8")


def run(project: Path, *arguments: str) -> str:
    """Return what a module of Python prints in a project; it must succeed."""
    done = run_command([sys.executable, "-m", *arguments], cwd=project, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def collected(project: Path, *arguments: str) -> list[str]:
    """Return the ids of the tests that pytest collects in a project."""
    lines = run(project, "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments).splitlines()
    return [line for line in lines if "::" in line]
