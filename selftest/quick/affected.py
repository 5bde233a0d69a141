"""Finds the selftests that a change can break: by the imports between modules, and by a table for all other files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.changes import graph_of, importers, module_of

if TYPE_CHECKING:
    import grimp

ROOMS = ("common", "suites", "fixtures", "evidence", "reports", "embedded", "benchmarks", "mutation", "selftest")
TESTS = "selftest"
# What a changed file means that no module imports, by the beginning of its path; the longest beginning counts.
BY_PATH = {
    "suites": ("suites", "docs"),
    "suites/catalogue": ("suites", "evidence"),
    "manifests/pipelines": ("manifests", "fixtures"),
    "manifests/platform": ("platform",),
    "manifests": ("manifests",),
    "images": ("images",),
    "mutation": ("mutation",),
    "docs": ("docs",),
    "reports": ("reports",),
    "README.md": ("docs",),
    "ARCHITECTURE.md": ("docs",),
    "CONTRIBUTING.md": ("docs",),
    "tox.ini": ("docs",),
}
# A quick loop builds no image and starts no whole platform.
SLOW_FOLDERS = ("walkthrough", "interrupts")
SLOW_MODULES = ("selftest.platforms",)


def affected(root: Path, files: Sequence[str]) -> list[str]:
    """Return the test files that a change can break, the nearest ones first.

    Args:
        root: The folder of the checkout; it must be importable.
        files: Paths of the changed files, from the root.
    """
    graph = graph_of(*ROOMS)
    slow = {name for name in graph.modules if name.startswith(f"{TESTS}.") and _is_slow(graph, name)}
    reached = importers(graph, [name for name in map(module_of, files) if name in graph.modules])
    found = [name for name in reached if _is_test(name) and name not in slow]
    beside = {f"{TESTS}.{name.split('.')[1]}" for name in reached if name.endswith(".conftest")}
    folders = beside | {f"{TESTS}.{folder}" for file in files for folder in _by_path(file)}
    found += sorted(
        name for name in graph.modules - slow - set(found) if _is_test(name) and name.rpartition(".")[0] in folders
    )
    return [path for path in (name.replace(".", "/") + ".py" for name in found) if (root / path).is_file()]


def _is_slow(graph: "grimp.ImportGraph", name: str) -> bool:
    imported = graph.find_modules_directly_imported_by(name)
    return name.split(".")[1] in SLOW_FOLDERS or not imported.isdisjoint(SLOW_MODULES)


def _is_test(module: str) -> bool:
    return module.startswith(f"{TESTS}.") and module.rpartition(".")[2].startswith("test_")


def _by_path(file: str) -> tuple[str, ...]:
    beginnings = [begin for begin in BY_PATH if file == begin or file.startswith(f"{begin}/")]
    return BY_PATH[max(beginnings, key=len)] if beginnings else ()
