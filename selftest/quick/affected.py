"""Finds the selftests that a change can break: by the imports between modules, and by a table for all other files."""

import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

import grimp

ROOMS = ("suites", "fixtures", "evidence", "reports", "embedded", "benchmarks", "selftest")
TESTS = "selftest"
# What a changed file means that no module imports, by the beginning of its path; the longest beginning counts.
BY_PATH = {
    "suites": ("suites", "docs"),
    "suites/catalogue": ("suites", "evidence"),
    "manifests/pipelines": ("manifests", "fixtures"),
    "manifests/platform": ("platform",),
    "manifests": ("manifests",),
    "images": ("images",),
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


class GitError(Exception):
    """git could not tell what has changed."""


def changed(root: Path, since: str) -> list[str]:
    """Return the files that differ from a commit, untracked ones included, as paths from the root.

    Args:
        root: The folder of the checkout.
        since: The name of a commit.

    Raises:
        GitError: There is no git, no checkout, or no such commit.
    """
    names: set[str] = set()
    for command in (["diff", "--name-only", since, "--"], ["ls-files", "--others", "--exclude-standard"]):
        try:
            done = subprocess.run(["git", "-C", str(root), *command], capture_output=True, text=True, check=False)
        except OSError as error:
            raise GitError(f"git cannot be started: {error}") from error
        if done.returncode:
            raise GitError(done.stderr.strip().splitlines()[0] if done.stderr.strip() else "git failed")
        names.update(done.stdout.splitlines())
    return sorted(names)


def affected(root: Path, files: Sequence[str]) -> list[str]:
    """Return the test files that a change can break, the nearest ones first.

    Args:
        root: The folder of the checkout; it must be importable.
        files: Paths of the changed files, from the root.
    """
    graph = _graph()
    slow = {name for name in graph.modules if name.startswith(f"{TESTS}.") and _is_slow(graph, name)}
    reached = _by_distance(graph, [name for name in map(_module, files) if name in graph.modules])
    found = [name for name in reached if _is_test(name) and name not in slow]
    beside = {f"{TESTS}.{name.split('.')[1]}" for name in reached if name.endswith(".conftest")}
    folders = beside | {f"{TESTS}.{folder}" for file in files for folder in _by_path(file)}
    found += sorted(
        name for name in graph.modules - slow - set(found) if _is_test(name) and name.rpartition(".")[0] in folders
    )
    return [path for path in (name.replace(".", "/") + ".py" for name in found) if (root / path).is_file()]


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, cache_dir=None)


def _is_slow(graph: grimp.ImportGraph, name: str) -> bool:
    imported = graph.find_modules_directly_imported_by(name)
    return name.split(".")[1] in SLOW_FOLDERS or not imported.isdisjoint(SLOW_MODULES)


def _by_distance(graph: grimp.ImportGraph, begin: Iterable[str]) -> list[str]:
    """All modules that import one of these, over however many others, nearest first."""
    order = dict.fromkeys(begin)
    nearest = list(order)
    while nearest:
        further = sorted({name for module in nearest for name in graph.find_modules_that_directly_import(module)})
        nearest = [name for name in further if name not in order]
        order |= dict.fromkeys(nearest)
    return list(order)


def _is_test(module: str) -> bool:
    return module.startswith(f"{TESTS}.") and module.rpartition(".")[2].startswith("test_")


def _module(file: str) -> str:
    path = PurePosixPath(file)
    if path.suffix != ".py":
        return ""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _by_path(file: str) -> tuple[str, ...]:
    beginnings = [begin for begin in BY_PATH if file == begin or file.startswith(f"{begin}/")]
    return BY_PATH[max(beginnings, key=len)] if beginnings else ()
