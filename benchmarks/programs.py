"""Programs whose seconds are measured: each runs to its end, in order also when the benchmark is interrupted."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO

from fixtures.processes.parent import as_parent

ENDS_WITHIN = 60.0
ROOT = Path(__file__).resolve().parents[1]


def timed(command: Sequence[str], fine: Collection[int] = (0,)) -> tuple[float, float]:
    """Run a program; return when it started (the system's monotonic clock) and how many seconds it took.

    Args:
        command: The words of the command line.
        fine: The exit codes that make the figure count.
    """
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        code = run(command, output)
        if code not in fine:
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
            raise SystemExit(f"{' '.join(command)} ended with {code}:\n{text[-3000:]}")
    return start, time.monotonic() - start


def run(command: Sequence[str], output: IO[bytes]) -> int:
    """Run a program and return its exit code; when this process is interrupted, it ends in order first."""
    process = subprocess.Popen(list(command), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=as_parent())
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(ENDS_WITHIN)


def build_images() -> None:
    """Build the images, before any clock starts."""
    if code := run([sys.executable, "-m", "embedded", "images", "build"], sys.stderr.buffer):
        raise SystemExit(f"the images could not be built: exit code {code}")
