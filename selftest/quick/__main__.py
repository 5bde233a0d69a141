"""`tox -e dev`: style, layers, types, and the selftests that a change touches, within a budget of seconds.

It builds no image and starts no whole platform. What it leaves out, it names; `tox` runs everything.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from common.changes import GitError, changed
from selftest.quick.affected import affected

ROOT = Path(__file__).resolve().parents[2]
BUDGET = 30.0
LEAST = 5.0
"""Seconds that the tests get in any case."""
FAILED, USAGE = 1, 3
STOPPED = 2
"""What pytest returns when a session was asked to stop: here by the budget."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run all steps; the exit code is 0 when each passed, 1 when one did not, 3 for wrong usage."""
    parser = argparse.ArgumentParser(prog="tox -e dev --", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("since", nargs="?", default="HEAD", metavar="REV", help="what to compare with (default: HEAD)")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, metavar="S", help=f"seconds for all of it (default: {BUDGET:g})"
    )
    try:
        options = parser.parse_args(argv)
    except SystemExit as error:
        return USAGE if error.code else 0
    began = time.monotonic()
    try:
        files = changed(ROOT, options.since)
    except GitError as error:
        _say(f"what has changed since {options.since}? {error}")
        return USAGE
    _say(f"{len(files)} files differ from {options.since}")
    failed = [name for name, command in _steps(files) if _status(name, command)]
    tests = affected(ROOT, files)
    status = _status("tests", _pytest(tests, options.budget - (time.monotonic() - began))) if tests else 0
    if status not in {0, STOPPED}:
        failed.append("tests")
    whole = "" if status != STOPPED else ", of what the budget allowed"
    result = f"failed: {', '.join(failed)}" if failed else f"all passed{whole}"
    _say(f"{result} ({time.monotonic() - began:.1f} s, {len(tests)} test files touched)")
    return FAILED if failed else 0


def _steps(files: Sequence[str]) -> list[tuple[str, list[str]]]:
    sources = [file for file in files if file.endswith(".py") and (ROOT / file).is_file()]
    steps = [("layers", [_tool("lint-imports")]), ("types", [_tool("mypy")])]
    if sources:
        steps[:0] = [
            ("style", [_tool("ruff"), "check", *sources]),
            ("format", [_tool("ruff"), "format", "--check", *sources]),
        ]
    return steps


def _tool(name: str) -> str:
    """Return the tool of this very environment, whatever else the user's PATH holds."""
    return str(Path(sys.executable).with_name(name))


def _pytest(tests: Sequence[str], seconds: float) -> list[str]:
    limit = max(LEAST, seconds)
    return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "selftest.quick.budget", f"--within={limit:.1f}", *tests]


def _status(name: str, command: Sequence[str]) -> int:
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False)
    words = {0: "ok", STOPPED: "stopped by the budget"} if name == "tests" else {0: "ok"}
    _say(f"{name}: {words.get(done.returncode, 'FAILED')} ({time.monotonic() - began:.1f} s)")
    return done.returncode


def _say(line: str) -> None:
    sys.stderr.write(f"dev: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
