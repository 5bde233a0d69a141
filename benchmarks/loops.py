"""The time that an engineer of the suite waits: for the quick loop, on an unchanged checkout, and for the selftests."""

import shutil

from benchmarks.figures import Figure
from benchmarks.programs import build_images, timed


def measure() -> list[Figure]:
    """Measure both by their tox environments, which are there before the clock starts."""
    tox = shutil.which("tox")
    if tox is None:
        raise SystemExit("loops: expected `tox` in PATH, got none")
    build_images()
    for name in ("dev", "selftest"):
        timed([tox, "run", "-e", name, "--notest"])
    timed([tox, "run", "-e", "dev"])  # fills the caches of mypy and import-linter
    _, dev = timed([tox, "run", "-e", "dev"])
    _, selftest = timed([tox, "run", "-e", "selftest"])
    return [
        Figure("warm `tox -e dev`, nothing changed (s)", dev),
        Figure("`tox -e selftest` (s)", selftest, before="340 with 92 requirements, then 929"),
    ]
