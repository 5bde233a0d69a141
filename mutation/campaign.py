"""Runs a sample: the honest runs first, then each mutant, on several workers side by side; an end leaves nothing."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

from fixtures.errors import TouchstoneError
from mutation import honest
from mutation.asking import Asking
from mutation.honest import HonestRun
from mutation.outcomes import Finding
from mutation.project import Project, Room
from mutation.sampling import Mutant
from mutation.tree import Tree
from mutation.workers import Worker

Work = Callable[[Worker], object]
JOIN = 30.0


class Campaign:
    """The workers and what they have found out.

    Args:
        project: The checkout.
        folder: A folder for the copies; whoever made it removes it.
        jobs: How many workers.
    """

    def __init__(self, project: Project, folder: Path, jobs: int) -> None:
        self._project = project
        self._workers = [
            Worker(Tree(project, folder / f"tree-{number}"), folder / f"runs-{number}") for number in range(jobs)
        ]
        self._threads: list[threading.Thread] = []
        self.honest: dict[str, HonestRun] = {}
        self._asking = Asking(self.honest)

    def __enter__(self) -> Self:
        try:
            for worker in self._workers:
                worker.start()
            for worker in self._workers:
                worker.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers, and what they run."""
        for worker in self._workers:
            worker.ask_to_end()
        for worker in self._workers:
            worker.close()
        for thread in self._threads:
            thread.join(JOIN)

    def measure_honest(self, mutants: Sequence[Mutant]) -> Iterator[HonestRun]:
        """Run the areas that these mutants need, honestly.

        Yields:
            Each run as it ends.

        Raises:
            TouchstoneError: A run is not as it must be, or a worker is gone.
        """
        rooms = self._project.rooms
        areas = dict.fromkeys(area for mutant in mutants for area in rooms[mutant.room].areas)
        every_room = list(rooms.values())

        def work(area: str) -> Work:
            return lambda worker: honest.run(every_room, area, worker)

        for run in self._spread([work(area) for area in areas]):
            if isinstance(run, HonestRun):
                self.honest[run.area] = run
                yield run

    def test(self, mutants: Sequence[Mutant]) -> Iterator[Finding]:
        """Run each mutant against the tests that can see it, and beside them the unchanged system in the same way.

        An honest run asks one area; a mutant is asked all areas of its room in one process.

        Yields:
            What became of each, as its run ends.

        Raises:
            TouchstoneError: A worker is gone, or the unchanged system does not pass.
        """

        def control(room: Room) -> Work:
            return lambda worker: self._asking.control(room, worker)

        def work(mutant: Mutant) -> Work:
            return lambda worker: self._asking.ask(mutant, self.seeing(mutant), worker)

        rooms = [self._project.rooms[name] for name in dict.fromkeys(mutant.room for mutant in mutants)]
        controls = [control(room) for room in rooms if len(room.areas) > 1]
        for finding in self._spread([*controls, *(work(mutant) for mutant in mutants)]):
            if isinstance(finding, Finding):
                yield finding

    def seeing(self, mutant: Mutant) -> list[str]:
        """Return the tests that can see a mutant: areas that enter its file come first."""
        areas = sorted(
            self._project.rooms[mutant.room].areas, key=lambda area: not self.honest[area].entering(mutant.site.file)
        )
        tests: list[str] = []
        for area in areas:
            tests += self.honest[area].seeing(mutant.site, shared=area in self._project.shared)
        return tests

    def _spread(self, works: Sequence[Work]) -> Iterator[object]:
        """Have the workers do all of this, and yield what comes of it as it comes."""
        waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()
        done: queue.SimpleQueue[object] = queue.SimpleQueue()
        for work in works:
            waiting.put(work)
        self._threads = []
        for worker in self._workers:
            thread = threading.Thread(target=_serve, args=(worker, waiting, done), daemon=True)
            thread.start()
            self._threads.append(thread)  # an interrupt may come between any two lines: only what runs can be joined
        for _ in works:
            result = done.get()
            if isinstance(result, Exception):
                raise result
            yield result


def _serve(worker: Worker, waiting: "queue.SimpleQueue[Work]", done: "queue.SimpleQueue[object]") -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            work = waiting.get_nowait()
            try:
                done.put(work(worker))
            except (TouchstoneError, OSError, ValueError, KeyError) as error:
                done.put(error)
                return
