"""The time that a user waits: for a warm run of the whole catalogue, its first test, and collection.

The peer of a run is an empty pytest session: the cost of starting pytest and its plug-ins.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from benchmarks.figures import Figure
from evidence import history
from fixtures.processes.parent import as_parent
from fixtures.processes.temporary import temporary_folder

ENDS_WITHIN = 60.0
ROOT = Path(__file__).resolve().parents[1]


def _timed(*arguments: str) -> tuple[float, float]:
    """Run pytest; return when it started (the system's monotonic clock) and how long it took."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        code = _run(["-m", "pytest", *arguments], output)
        if code not in (0, 5):  # 5: the empty session has no tests, as it should
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
            raise SystemExit(f"pytest {' '.join(arguments)} ended with {code}:\n{text[-3000:]}")
    return start, time.monotonic() - start


def _run(arguments: Sequence[str], output: IO[bytes]) -> int:
    """Run this interpreter and return its exit code; when this process is interrupted, it ends in order first."""
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=output, env=as_parent())
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(ENDS_WITHIN)


def measure() -> list[Figure]:
    """Measure a warm run; the images are built before the clock starts."""
    if code := _run(["-m", "embedded", "images", "build"], sys.stderr.buffer):
        raise SystemExit(f"the images could not be built: exit code {code}")
    with temporary_folder() as folder:
        empty = folder / "empty"
        empty.mkdir()
        _, baseline = _timed(str(empty), "--rootdir", str(empty), "-p", "no:cacheprovider", "-c", "/dev/null")
        _, collection = _timed("suites", "--collect-only", "-q")
        start, whole = _timed("suites", "-n", "2", "--dist", "loadscope", "--out", str(folder / "run"))
        path = next(folder.rglob("history.ndjson"))
        first = next(record["t"] for record in history.read(path) if record["record"] == "test.started")
        size, records = path.stat().st_size, sum(1 for _ in history.read(path))
    peer = "an empty pytest session"
    return [
        Figure("warm `tox -e e2e`, whole catalogue (s)", whole, peer, baseline),
        Figure("start to the first test running (s)", first - start, peer, baseline),
        Figure("collection of everything (s)", collection, peer, baseline),
        Figure("history of the whole catalogue (MB)", size / 1e6),
        Figure("history of the whole catalogue (bytes a record)", size / records),
    ]
