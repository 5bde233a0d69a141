"""A copy of what a run of the suite needs of the checkout. Mutants are made in it, never in the user's files."""

import compileall
import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

from mutation.project import Project

LINES = "executed.log"
NUMBER = "number"
_BEGIN = """
import runpy
runpy.run_path({module!r})["begin"]({root!r}, {log!r}, {number!r})
"""


class Tree:
    """A copy.

    Args:
        project: The checkout.
        root: The folder of the copy; it does not exist yet.
    """

    def __init__(self, project: Project, root: Path) -> None:
        self.project = project
        self.root = root

    def make(self) -> None:
        """Copy the files, and compile them: no run writes compiled modules, where a mutant's might stay."""
        ignored = shutil.ignore_patterns("__pycache__")
        for name in self.project.folders:
            shutil.copytree(self.project.root / name, self.root / name, ignore=ignored)
        for name in self.project.files:
            shutil.copy2(self.project.root / name, self.root / name)
        compileall.compile_dir(self.root, quiet=2)

    @contextlib.contextmanager
    def changed(self, file: str, source: str) -> Iterator[None]:
        """Have a module changed for a while."""
        path = self.root / file
        compiled = Path(importlib.util.cache_from_source(str(path)))
        before = path.read_bytes()
        # A compiled module is taken for its source when time and size agree, which they may; a workload writes one.
        compiled.unlink(missing_ok=True)
        try:
            path.write_text(source, encoding="utf-8")
            yield
        finally:
            path.write_bytes(before)
            compiled.unlink(missing_ok=True)

    @contextlib.contextmanager
    def watched(self, folders: list[str]) -> Iterator[tuple[Path, Path]]:
        """Have every process of the system under test note which lines of these folders it executes.

        Yields:
            The file of the notes, and the file with the number of the test that runs.
        """
        log, number = self.root / LINES, self.root / NUMBER
        log.touch()
        number.write_bytes(bytes(4))
        module = Path(__file__).with_name("lines.py")
        places = [str(self.root / folder) for folder in folders]
        code = _BEGIN.format(module=str(module), root=places, log=str(log), number=str(number))
        with contextlib.ExitStack() as stack:
            for file in self.project.begins:
                source = (self.root / file).read_text(encoding="utf-8")
                stack.enter_context(self.changed(file, f"{source}\n{code}"))
            yield log, number
