"""The search for the smallest stimulus that still fails: greedy, in rounds, with a bounded number of attempts.

A smaller stimulus can fail for a reason of its own: without its type an event matches no filter on any platform. So
each one that still fails on the target must pass on the reference platform. Where there is none that could tell,
the violation must have the same words.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from evidence.stimulus import Stimulus
from evidence.verdict import Verdict
from reports.replay.reducing import candidates, in_words
from reports.replay.sessions import Played

AT_ONCE: Final = 8
"""How many candidates one session plays: to bring a platform up costs more than to play one."""
Play = Callable[[Sequence[Stimulus]], Sequence[Played]]
# What differs between two plays of one stimulus: names of namespaces and scopes, addresses, ids and numbers.
_OWN = re.compile(
    r"touchstone-[a-z0-9-]+|https?://\S+|[0-9a-f]{6}-(?:main|gw\d+)-[\w/-]+|[0-9a-f]{8}(?:-[0-9a-f]+)*|\d+"
)


@dataclass(slots=True)
class Shrinker:
    """Makes one stimulus smaller.

    Attributes:
        failed: What came of the stimulus on the target.
        target: Plays stimuli on the target.
        reference: Plays them on the reference platform; None: there is none that could tell.
        attempts: How many candidates may be played on the target.
        say: Tells of progress, in a line.
        used: How many candidates were played.
    """

    failed: Played
    target: Play
    reference: Play | None
    attempts: int
    say: Callable[[str], None]
    used: int = 0
    _seen: set[str] = field(default_factory=set)

    def shrink(self, stimulus: Stimulus) -> Stimulus:
        """Return the smallest form that was found; the stimulus itself where none was."""
        best = stimulus
        while (smaller := self._smaller(best)) is not None:
            best = smaller
        return best

    def _smaller(self, best: Stimulus) -> Stimulus | None:
        """Return the first smaller form that still fails; None where none does, or no attempt is left."""
        fresh = (made for made in itertools.chain(*candidates(best)) if self._is_new(made))
        while batch := list(itertools.islice(fresh, min(AT_ONCE, self.attempts - self.used))):
            self.used += len(batch)
            failing = [
                made for made, played in zip(batch, self.target(batch), strict=True) if self._is_the_same(played)
            ]
            genuine = self._genuine(failing)
            told = f"{self.used}/{self.attempts} attempts: {len(failing)} of {len(batch)} smaller ones still fail"
            if self.reference is not None and failing:
                told += f", {len(genuine)} of these pass on the reference platform"
            self.say(f"{told}; now {in_words(genuine[0])}" if genuine else told)
            if genuine:
                return genuine[0]
        return None

    def _is_new(self, made: Stimulus) -> bool:
        key = repr(made["steps"])
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _is_the_same(self, played: Played) -> bool:
        """Tell whether the same claim failed; where nothing else can tell, also in the same words."""
        if (played.verdict, played.check) != (Verdict.FAIL, self.failed.check):
            return False
        return self.reference is not None or wording(played.message) == wording(self.failed.message)

    def _genuine(self, failing: Sequence[Stimulus]) -> list[Stimulus]:
        if self.reference is None or not failing:
            return list(failing)
        return [
            made
            for made, played in zip(failing, self.reference(failing), strict=True)
            if played.verdict is Verdict.PASS
        ]


def wording(message: str) -> str:
    """Return the words of a violation without what is one play's own, and without where the event was last seen."""
    return _OWN.sub("#", message.partition("; where: ")[0])
