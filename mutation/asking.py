"""Asks tests about a mutant: up to the first that does not pass, and that one again where it was undecided."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mutation import honest, reading
from mutation.honest import HonestError, HonestRun
from mutation.orders import Ended, Order
from mutation.outcomes import Finding, Outcome, judge, outcome_of
from mutation.project import Room
from mutation.reading import Test
from mutation.sampling import Mutant
from mutation.workers import Worker


class Asking:
    """What mutants are asked, and how.

    Args:
        runs: The honest runs, by the name of their area.
    """

    def __init__(self, runs: Mapping[str, HonestRun]) -> None:
        self._runs = runs

    def control(self, room: Room, worker: Worker) -> None:
        """Ask all tests of a room about the unchanged system, as they are asked about a mutant.

        Raises:
            HonestError: They do not pass: then a mutant that does not pass says nothing.
        """
        tests = [test for area in room.areas for test in self._runs[area].passed]
        outcome, by, reason = outcome_of(tests, *self._run(tests, f"control-{room.name}", worker))
        if outcome is not Outcome.SURVIVED:
            raise HonestError(
                f"the unchanged system, asked as the mutants of {room.name} are: expected every test to pass, "
                f"got {outcome}: {by} {reason}"
            )

    def ask(self, mutant: Mutant, tests: Sequence[str], worker: Worker) -> Finding:
        """Ask tests about a mutant.

        A test that comes out undecided is asked a second time: what does not come again is not the mutant's doing. If
        it does come again, the tests behind it are asked too, since a verdict says more.
        """
        if not tests:
            return Finding(mutant, Outcome.NOT_RUN)
        with worker.tree.changed(mutant.site.file, mutant.source):
            looks = [self._look(mutant, tests, worker)]
            if (at := _undecided_at(looks[0], tests)) is not None:
                looks.append(self._look(mutant, tests[at:], worker))
                if _is_again(looks) and tests[at + 1 :]:
                    looks.append(self._look(mutant, tests[at + 1 :], worker))
        return replace(
            _decisive(looks),
            passed=tuple(dict.fromkeys(test for look in looks for test in look.passed)),
            asked=len(tests),
            seconds=sum(look.seconds for look in looks),
            cpu=sum(look.cpu for look in looks),
        )

    def _look(self, mutant: Mutant, tests: Sequence[str], worker: Worker) -> Finding:
        return judge(mutant, tests, *self._run(tests, mutant.id, worker))

    def _run(self, tests: Sequence[str], name: str, worker: Worker) -> tuple[Ended, list[Test] | None, str]:
        """Run tests up to the first that does not pass; return how it ended, what it reports, and what it printed."""
        out = worker.outputs / name
        said = out.with_suffix(".log")
        limits = honest.limits(list(self._runs.values()), tests)
        try:
            ended = worker.run(Order([*reading.arguments(tests, out), "-x"], str(said), limits))
            return ended, reading.tests_of(out), honest.tail(said)
        finally:
            shutil.rmtree(out, ignore_errors=True)


def _undecided_at(look: Finding, tests: Sequence[str]) -> int | None:
    """Return the place of the test that was undecided; None: none was."""
    test = look.by.partition(" ")[2]
    return tests.index(test) if look.outcome is Outcome.UNDECIDED and test in tests else None


def _is_again(looks: Sequence[Finding]) -> bool:
    """Tell whether the test that was undecided at the first look has no verdict at the second look either."""
    return looks[0].by == looks[1].by and looks[1].outcome is not Outcome.FAILED


def _decisive(looks: Sequence[Finding]) -> Finding:
    """Return the look that tells what became of the mutant."""
    if len(looks) == 1:
        return looks[0]
    if failed := [look for look in looks if look.outcome is Outcome.FAILED]:
        return failed[0]
    return looks[0] if _is_again(looks) else looks[1]
