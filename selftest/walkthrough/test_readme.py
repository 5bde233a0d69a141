"""What the README says, done: its walk-throughs run as written, with the real `kubectl` and `curl`.

Every ```shell block below a "Walk-through" heading runs in one bash session; a ```text block after it is what must be
printed, line by line, `…` standing for anything. `tox -e up` itself is replaced by the command that it runs.
"""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(shell|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DONE = "--- block done, rc="

pytestmark = [
    pytest.mark.timeout(600),  # a fresh clone builds the images here
    pytest.mark.skipif(
        not (shutil.which("kubectl") and shutil.which("curl")), reason="the walk-through needs kubectl and curl"
    ),
]


def walkthrough() -> list[tuple[str, str]]:
    """Return the README's (commands, expected output) pairs; the output is empty where the README shows none."""
    text = (ROOT / "README.md").read_text()
    sections = "".join(
        part for part in re.split(r"^(?=## )", text, flags=re.MULTILINE) if part.startswith("## Walk-through")
    )
    steps: list[tuple[str, str]] = []
    for language, body in BLOCK.findall(sections):
        if language == "shell":
            steps.append((body, ""))
        else:
            steps[-1] = (steps[-1][0], body)
    return [step for step in steps if step[0].strip() != "tox -e up"]


def matches(expected: str, printed: str) -> list[str]:
    """Return the expected lines that no printed line matches."""

    def pattern(line: str) -> str:
        return r"\s*".join(re.escape(piece.strip()) + ".*" for piece in line.split("…"))

    return [line for line in expected.splitlines() if not re.search(f"^{pattern(line)}$", printed, re.MULTILINE)]


def test_walk_through_works_as_written(up: dict[str, str]) -> None:
    steps = walkthrough()
    assert len(steps) >= 7, "the README lost its walk-through"
    script = "set -euo pipefail\n"
    for number, (commands, _) in enumerate(steps):
        script += f"{commands}\nprintf '\\n%s\\n' '{DONE}{number}'\n"
    started = time.monotonic()
    ran = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=up, capture_output=True, text=True, timeout=500, check=False
    )
    outputs = re.split(rf"^{DONE}\d+$\n?", ran.stdout, flags=re.MULTILINE)
    assert ran.returncode == 0, (
        f"step {len(outputs) - 1} of the walk-through failed after {time.monotonic() - started:.0f} s:\n"
        f"{steps[len(outputs) - 1][0]}\n{ran.stdout[-2000:]}\n{ran.stderr[-3000:]}"
    )
    for (commands, expected), printed in zip(steps, outputs, strict=False):
        missing = matches(expected, printed)
        assert not missing, f"after\n{commands}\nexpected\n{chr(10).join(missing)}\ngot\n{printed}"
