"""What has changed since a commit, and which modules stand on what has changed: asked of git, and of the imports."""

import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grimp

GIT_WITHIN = 60.0


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
    if since.startswith("-"):
        raise GitError("a name that begins with a dash")
    _git(root, "rev-parse", "--show-toplevel")
    names: set[str] = set()
    for command in (
        ["diff", "--name-only", "--no-renames", since, "--"],
        ["ls-files", "--others", "--exclude-standard"],
    ):
        names.update(_git(root, *command).splitlines())
    return sorted(names)


def text_at(root: Path, commit: str, file: str) -> str | None:
    """Return a file as it was at a commit, or None when there was none.

    Raises:
        GitError: The question could not be answered by git.
    """
    if not _git(root, "ls-tree", "--name-only", commit, "--", file).strip():
        return None
    return _git(root, "show", f"{commit}:{file}")


def files_at(root: Path, commit: str, folder: str) -> list[str]:
    """Return the files that lay in a folder at a commit, or in a folder of it.

    Raises:
        GitError: The question could not be answered by git.
    """
    entries = (line.partition("\t") for line in _git(root, "ls-tree", "-r", commit, "--", f"{folder}/").splitlines())
    return [name for about, _, name in entries if about.split()[1] == "blob"]


def module_of(file: str) -> str:
    """Return the module that a file is, as it is imported; empty when it is none."""
    path = PurePosixPath(file)
    if path.suffix != ".py":
        return ""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def graph_of(*rooms: str) -> "grimp.ImportGraph":
    """Return the imports between all modules of some packages, which must be importable."""
    import grimp

    return grimp.build_graph(*rooms, cache_dir=None)


def importers(graph: "grimp.ImportGraph", begin: Iterable[str]) -> list[str]:
    """Return some modules, and all that import one of them, over however many others, nearest first."""
    order = dict.fromkeys(begin)
    nearest = list(order)
    while nearest:
        further = sorted({name for module in nearest for name in graph.find_modules_that_directly_import(module)})
        nearest = [name for name in further if name not in order]
        order |= dict.fromkeys(nearest)
    return list(order)


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=GIT_WITHIN)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git cannot be asked: {error}") from error
    if done.returncode:
        raise GitError(done.stderr.strip().splitlines()[0] if done.stderr.strip() else "git failed")
    return done.stdout
