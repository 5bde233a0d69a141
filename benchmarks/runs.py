"""The time that a user waits: for a warm run of the whole catalogue, its first test, and collection; and its history.

The peer of a run is an empty pytest session: the cost of starting pytest and its plug-ins.
"""

import sys
import zlib
from collections import Counter
from pathlib import Path

import orjson

from benchmarks.figures import Figure
from benchmarks.programs import build_images, timed
from evidence import history
from fixtures.processes.temporary import temporary_folder

_CHUNK = 1 << 20
_NO_TESTS = 5
"""What pytest returns for the empty session, as it should."""


def _pytest(*arguments: str) -> tuple[float, float]:
    return timed([sys.executable, "-m", "pytest", *arguments], {0, _NO_TESTS})


def _packed(path: Path) -> int:
    """Return the bytes of a file as `gzip` would pack it."""
    packer, size = zlib.compressobj(wbits=31), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size += len(packer.compress(chunk))
    return size + len(packer.flush())


def _sizes(path: Path) -> tuple[Counter[str], int]:
    """Return the bytes of a history by the kind of their records, and how many requirements it asks for."""
    sizes: Counter[str] = Counter()
    asked = 0
    with path.open("rb") as file:
        for line in file:
            record = orjson.loads(line)
            sizes[record["record"]] += len(line)
            asked = asked or len(record.get("requirements", ()))
    return sizes, asked


def measure() -> list[Figure]:
    """Measure a warm run; the images are built before the clock starts."""
    build_images()
    with temporary_folder() as folder:
        empty = folder / "empty"
        empty.mkdir()
        _, baseline = _pytest(str(empty), "--rootdir", str(empty), "-p", "no:cacheprovider", "-c", "/dev/null")
        _, collection = _pytest("suites", "--collect-only", "-q")
        start, whole = _pytest("suites", "-n", "2", "--dist", "loadscope", "--out", str(folder / "run"))
        path = next(folder.rglob("history.ndjson"))
        first = next(record["t"] for record in history.read(path) if record["record"] == "test.started")
        sizes, asked = _sizes(path)
        packed = _packed(path)
    what = f"history of the whole catalogue, {asked} requirements"
    peer = "an empty pytest session"
    return [
        Figure("warm `tox -e e2e`, whole catalogue (s)", whole, peer, baseline),
        Figure("start to the first test running (s)", first - start, peer, baseline),
        Figure("collection of everything (s)", collection, peer, baseline),
        Figure(f"{what} (MB)", sum(sizes.values()) / 1e6, before="32.05 with 92 requirements, 6.28 with 112"),
        Figure(f"{what}, without the large bodies that it keeps (MB)", (sum(sizes.values()) - sizes["body"]) / 1e6),
        Figure(f"{what}, packed by gzip (MB)", packed / 1e6),
    ]
