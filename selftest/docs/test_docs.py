"""What the documents say of us holds: links lead somewhere, and the commands they show have the options they show."""

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from evidence.catalogue import load
from evidence.history import FORMAT
from selftest.warm.running import run as run_command

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
# What a command line of ours begins with, and the module whose help tells its options.
OURS = {
    ("tox", "-e", "interrupts"): ("selftest.interrupts",),
    ("tox", "-e", "mutate"): ("mutation",),
    ("tox", "-e", "up"): ("fixtures", "up"),
    ("tox",): ("pytest", "suites"),
    ("pytest",): ("pytest", "suites"),
    ("python", "-m", "fixtures"): ("fixtures",),
    ("python", "-m", "fixtures.platform"): ("fixtures.platform",),
    ("python", "-m", "reports"): ("reports",),
}
PLAIN = {"pytest", "mutation", "selftest.interrupts"}
NESTED = {"bundle"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_a_link_leads_somewhere(document: Path) -> None:
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), f"{document.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{document.name}: {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_a_command_of_ours_has_the_options_it_is_shown_with(document: Path) -> None:
    for line in command_lines(document.read_text(encoding="utf-8")):
        begin = next((begin for begin in OURS if tuple(line.split()[: len(begin)]) == begin), None)
        if begin is None:
            continue
        rest = shlex.split(line, comments=True)[len(begin) :]
        if begin[0] == "tox":
            rest = rest[rest.index("--") + 1 :] if "--" in rest else []
        shown = [word.partition("=")[0] for word in rest if word.startswith("--") and word != "--"]
        if not shown:
            continue
        program = OURS[begin]
        commands = () if program[0] in PLAIN or len(program) > 1 else tuple(rest[: 2 if rest[0] in NESTED else 1])
        known = help_of((*program, *commands, "--help"))
        assert [option for option in shown if not re.search(rf"{option}\b", known)] == [], f"{document.name}: {line}"


def test_the_changelog_names_the_versions_that_stand_in_the_code() -> None:
    suite = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    catalogue = load(ROOT / "suites" / "catalogue").version
    newest = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    assert f"Suite {suite}, catalogue {catalogue}, history {FORMAT}." in newest


@cache
def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them, and those that it sets itself."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain} | set(re.findall(r'<a id="([^"]+)">', text))


def command_lines(text: str) -> Iterator[str]:
    """Return the lines of a document's code blocks, joined where they go on, without prompt and environment."""
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ").partition(" | ")[0].partition(" |\n")[0].rstrip("| ")
            yield re.sub(r"^(?:[A-Z_]+=\S+ +)+", "", words)


@cache
def help_of(words: tuple[str, ...]) -> str:
    """Return the help text of a command of ours."""
    done = run_command([sys.executable, "-m", *words])
    assert done.returncode == 0, done.stderr
    return done.stdout
