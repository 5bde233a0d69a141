"""docs/extending.md, followed literally: its files are written, its commands run, and what it shows is printed.

A block that begins with `# ~/acme/...` is a file. Every ```shell block runs in one bash session, in a copy of the
project; a ```text block after it is what must be printed, line by line, `…` standing for anything. `tox` stands for
the commands of tox.ini, in one process, and `tox -e up` for the platform that a fixture brings up.
"""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from selftest.docs.following import copy_project
from selftest.walkthrough.conftest import up
from selftest.walkthrough.test_readme import DONE, matches
from selftest.warm import shell

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^# ~/(acme/\S+)\n")
UP = "tox -e up"
TOX = """
tox() {
  [ "$1" = -e ] && [ "$3" = -- ] || { echo "tox $*: expected tox -e NAME -- OPTIONS"; return 9; }
  local name="$2"; shift 3
  case "$name" in
    e2e) %(e2e)s "$@" -n0;;
    prove) %(prove)s "$@" -n0;;
    *) echo "tox -e $name: not one of e2e, prove"; return 9;;
  esac
}
"""

__all__ = ["up"]
pytestmark = [
    pytest.mark.timeout(600),  # seven runs, each with a platform of its own; a fresh clone builds the images here
    pytest.mark.skipif(not shutil.which("bash"), reason="the document's commands are for bash"),
]


def files() -> dict[str, str]:
    """Return the files of the document, by their path in the home folder."""
    bodies = [body for _, body in BLOCK.findall(TEXT)]
    return {found[1]: FILE.sub("", body) for body in bodies if (found := FILE.match(body))}


def steps() -> list[tuple[str, str]]:
    """Return the document's commands, each with what must be printed; empty where nothing is shown."""
    commands: list[tuple[str, str]] = []
    for language, body in BLOCK.findall(TEXT):
        if language == "shell":
            commands.append((body, ""))
        elif language == "text" and not FILE.match(body):
            commands[-1] = (commands[-1][0], body)
    return [step for step in commands if step[0].strip() != UP]


def tox_function() -> str:
    """Return a function of bash in the place of tox: it runs what tox.ini says."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    commands = {name: parser[f"testenv:{name}"]["commands"].replace(" {posargs}", "") for name in ("e2e", "prove")}
    return TOX % commands


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the project, with the images that are built already."""
    folder = tmp_path / "touchstone"
    folder.mkdir()
    copy_project(folder)
    (folder / ".touchstone").symlink_to((ROOT / ".touchstone").resolve())
    return folder


def test_the_document_works_as_written(checkout: Path, tmp_path: Path, up: dict[str, str]) -> None:
    for name, text in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    script = tox_function()
    for number, (commands, _) in enumerate(steps()):
        script += f"{commands}\nprintf '\\n%s\\n' '{DONE}{number}'\n"
    environment = {**os.environ, **up, "HOME": str(tmp_path)}
    with shell.functions(within=500) as defined:
        done = subprocess.run(
            ["bash", "-uc", defined + script],
            cwd=checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )
    outputs = re.split(rf"^{DONE}\d+$\n?", done.stdout, flags=re.MULTILINE)
    assert len(outputs) == len(steps()) + 1, done.stdout[-3000:]
    faults = [
        f"after\n{commands}\nexpected\n{chr(10).join(missing)}\ngot\n{printed}"
        for (commands, expected), printed in zip(steps(), outputs, strict=False)
        if (missing := matches(expected, printed))
    ]
    assert not faults, "\n".join(faults)


def test_the_document_has_files_and_commands_with_what_they_print() -> None:
    assert set(files()) >= {
        "acme/catalogue/catalogue.toml",
        "acme/catalogue/routing.toml",
        "acme/tests/routing/test_alarms.py",
        "acme/lab/acme_lab.py",
        "acme/lab/acme_broker.py",
        "acme/third/pipeline.toml",
        "acme/streams/third.toml",
    }
    assert len(steps()) >= 5
    assert [commands for commands, expected in steps() if not expected.strip()] == []
