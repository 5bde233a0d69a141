"""What can be said of a stage's latency in two runs, as data; `reports.latency` fills it in."""

from dataclasses import dataclass
from enum import StrEnum


class Speed(StrEnum):
    """What can be said of a stage's latency."""

    SLOWER = "slower"
    FASTER = "faster"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class StageChange:
    """One percentile of one stage in both runs; times in seconds, None for what is not finite.

    Attributes:
        case: The node id of the test.
        stage: The stage: `ack`, `topic`, `dispatch`, `answer` or `result`.
        percentile: The percentile.
        word: The word on it.
        why: The reason of the word.
        samples: The number of samples of the old run and of the new one.
        values: The percentile in the old run and in the new one.
        interval: The least and the greatest difference, each with the confidence of `latency.BOUND`.
        p: The p-value of Mann and Whitney's test, after Holm's correction; None where it was not asked.
        floor: The least difference that counts.
        needed: The number of samples a run that would be needed to tell; None where that is not known.
    """

    case: str
    stage: str
    percentile: float
    word: Speed
    why: str
    samples: tuple[int, int]
    values: tuple[float | None, float | None]
    interval: tuple[float | None, float | None] = (None, None)
    p: float | None = None
    floor: float = 0.0
    needed: int | None = None
