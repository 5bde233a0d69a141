"""How long a user waits: a warm run of the whole catalogue, its first test, and collection.

The peer of a run is an empty pytest session: what starting pytest and its plug-ins costs anyway.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from evidence import history

ROOT = Path(__file__).resolve().parents[1]


def _timed(*arguments: str) -> tuple[float, float]:
    """Run pytest; return when it started (the system's monotonic clock) and how long it took."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 5):  # 5: the empty session has no tests, as it should
        raise SystemExit(f"pytest {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return start, time.monotonic() - start


def measure() -> list[Figure]:
    """Measure a warm run; the images are built before, outside of the clock."""
    subprocess.run([sys.executable, "-m", "embedded", "images", "build"], cwd=ROOT, check=True, stdout=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder:
        empty = Path(folder, "empty")
        empty.mkdir()
        _, nothing = _timed(str(empty), "--rootdir", str(empty), "-p", "no:cacheprovider", "-c", "/dev/null")
        _, collection = _timed("suites", "--collect-only", "-q")
        start, whole = _timed("suites", "-n", "2", "--dist", "loadscope", "--out", folder + "/run")
        first = next(
            record["t"]
            for path in Path(folder).rglob("history.ndjson")
            for record in history.read(path)
            if record["kind"] == "test.started"
        )
    peer = "an empty pytest session"
    return [
        Figure("warm `tox -e e2e`, whole catalogue (s)", whole, peer, nothing),
        Figure("start to the first test running (s)", first - start, peer, nothing),
        Figure("collection of everything (s)", collection, peer, nothing),
    ]
