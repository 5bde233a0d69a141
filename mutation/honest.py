"""The honest run of an area: which tests there are, which of them pass, and which lines each of them executes."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from common.errors import TouchstoneError
from common.redaction import PLAIN
from mutation import reading
from mutation.lines import SEPARATOR
from mutation.orders import Limits, Order
from mutation.project import Room
from mutation.sites import Site
from mutation.workers import Worker

MEMORY = 3 << 30
"""The resident memory of a run, in bytes; what forks share is counted once."""
FIRST = Limits(wall=540.0, cpu=300.0, memory=MEMORY)
PATIENCE = 3.0
"""How many times as much as the honest run a mutant may use."""
SPARE_WALL, SPARE_CPU = 30.0, 15.0
"""Seconds that it may use beyond that: the suite's own deadlines are as long."""
TAIL = 3000


class HonestError(TouchstoneError):
    """The unchanged system does not pass, so that nothing can be said of a changed one."""


@dataclass(frozen=True, slots=True)
class HonestRun:
    """The honest run of an area.

    Attributes:
        area: The name of the area.
        tests: The ids of all tests, in the order in which they ran; the first one has the number 1.
        passed: How long each test took that passed, in seconds.
        lines: The numbers of the tests that executed a line, by module and line; 0: before the first test.
        seconds: How long the run took.
        cpu: Its CPU time, in seconds.
    """

    area: str
    tests: tuple[str, ...]
    passed: dict[str, float]
    lines: dict[tuple[str, int], set[int]]
    seconds: float
    cpu: float

    def seeing(self, site: Site, *, shared: bool) -> list[str]:
        """Return the tests that a change can reach: those that execute its lines first, then those that enter its file.

        Args:
            site: The place of the change.
            shared: Whether what one test has caused to be deployed serves the others.
        """
        numbers: set[int] = set()
        for line in range(site.line, site.last + 1):
            numbers |= self.lines.get((site.file, line), set())
        if not numbers:
            return []
        # What a module, or the start of the platform, executes once is there for every test.
        everywhere = shared or not site.in_function or 0 in numbers
        numbered = [(number, test) for number, test in enumerate(self.tests, 1) if test in self.passed]
        seeing = [test for number, test in numbered if number in numbers]
        if not everywhere:
            return seeing
        entering = self.entering(site.file)
        others = [(number not in entering, test) for number, test in numbered if number not in numbers]
        return seeing + [test for _, test in sorted(others, key=itemgetter(0))]

    def entering(self, file: str) -> set[int]:
        """Return the numbers of the tests that execute a line of a file; 0 is none, since it is no test's."""
        return {number for (named, _), there in self.lines.items() if named == file for number in there} - {0}


def limits(runs: Sequence[HonestRun], tests: Sequence[str]) -> Limits:
    """Return what a mutant's run of these tests may use: more by far than an honest one needs."""
    chosen = set(tests)
    seconds = cpu = 0.0
    for run in runs:
        own = sum(run.passed[test] for test in run.passed if test in chosen)
        if own:
            start = run.seconds - sum(run.passed.values())
            seconds += own + start
            cpu += min(run.cpu, own + start)
    return Limits(wall=SPARE_WALL + PATIENCE * seconds, cpu=SPARE_CPU + PATIENCE * cpu, memory=MEMORY)


def run(rooms: Sequence[Room], area: str, worker: Worker) -> HonestRun:
    """Run an area on the unchanged system.

    Raises:
        HonestError: Not all of its tests pass.
    """
    out = worker.outputs / f"honest-{area}"
    with worker.tree.watched([path for room in rooms for path in room.paths]) as (log, number):
        asked = ["-p", "mutation.numbering", "--numbers", str(number), *reading.arguments([f"suites/{area}"], out)]
        ended = worker.run(Order(asked, str(out) + ".log", FIRST))
        numbers, lines = number.with_suffix(".json"), _lines(worker.tree.root, log)
        log.unlink()
        tests = reading.tests_of(out)
        if ended.limit or tests is None or not numbers.exists():
            why = f"it passed its limit of {ended.limit}" if ended.limit else f"it ended with {ended.code}, unreported"
            raise HonestError(f"the honest run of {area}: {why}\n{tail(Path(str(out) + '.log'))}")
        ids = tuple(json.loads(numbers.read_text(encoding="utf-8")))
    wrong = [test for test in tests if test.verdict != "pass"]
    if wrong or not tests:
        raise HonestError(
            f"the honest run of {area}: expected every test to pass, got "
            + ("; ".join(f"{test.id}: {test.verdict}: {test.reason}" for test in wrong) or "no test")
        )
    passed = {test.id: test.seconds for test in tests}
    return HonestRun(area, ids, passed, lines, ended.seconds, ended.cpu)


def tail(file: Path) -> str:
    """Return the end of what a run printed."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    return str(PLAIN.text(text[-TAIL:]))


def _lines(root: Path, log: Path) -> dict[tuple[str, int], set[int]]:
    lines: dict[tuple[str, int], set[int]] = defaultdict(set)
    with log.open(encoding="utf-8") as file:
        for entry in file:
            test, path, line = entry.rstrip("\n").split(SEPARATOR)
            lines[str(Path(path).relative_to(root)), int(line)].add(int(test))
    return dict(lines)
