"""How often identical runs are called slower or faster: the whole judgement of latencies, on runs of one distribution.

`python -m selftest.reports.null_comparison --comparisons 10000 --seed 1` prints what docs/regression.md publishes.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.latency import Key, Stage, compare
from reports.speeds import Speed

STAGES = ("ack", "dispatch", "result")
SAMPLES = 80
"""As many as the suite's own loads have: 20 a second for 4 seconds."""
MEDIANS = (0.005, 0.020, 0.090)
"""Seconds, as the embedded platform takes."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What came of many comparisons.

    Attributes:
        comparisons: The number of comparisons of two whole runs.
        slower: The number of those in which a stage was called slower.
        faster: Likewise for faster.
    """

    comparisons: int
    slower: int
    faster: int

    @property
    def told(self) -> int:
        """How many said anything; no comparison here says both."""
        return self.slower + self.faster


def run_of(random: np.random.Generator, factor: float = 1.0, samples: int = SAMPLES) -> dict[Key, Stage]:
    """Return the samples of a run: skewed latencies, and pauses that now and then hold a whole stretch of them up.

    Args:
        random: The generator.
        factor: The factor of all latencies.
        samples: The number of samples of a stage.
    """
    made: dict[Key, Stage] = {}
    for name, median in zip(STAGES, MEDIANS, strict=True):
        values = median * random.lognormal(0.0, 0.5, samples)
        values += np.where(random.random(samples) < 0.02, random.exponential(10 * median, samples), 0.0)
        made[f"suites/latency/test_latency.py::{name}", name, 95.0, 20.0, samples] = Stage(
            sorted((factor * values).tolist()), cpus=2
        )
    return made


def measure(comparisons: int, seed: int, factor: float = 1.0, samples: int = SAMPLES) -> Rate:
    """Compare pairs of runs and count what is said.

    Args:
        comparisons: The number of pairs.
        seed: The seed of the samples.
        factor: The factor by which the second run of a pair is slower; 1: identical.
        samples: The number of samples of a stage.
    """
    random = np.random.default_rng(seed)
    slower = faster = 0
    for _ in range(comparisons):
        said = {stage.word for stage in compare(run_of(random, 1.0, samples), run_of(random, factor, samples))}
        slower += Speed.SLOWER in said
        faster += Speed.FASTER in said and Speed.SLOWER not in said
    return Rate(comparisons, slower, faster)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(prog="python -m selftest.reports.null_comparison", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--factor", type=float, default=1.0, help="how much slower the second run is")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of each stage")
    asked = parser.parse_args(argv)
    rate = measure(asked.comparisons, asked.seed, asked.factor, asked.samples)
    sys.stdout.write(
        f"{rate.comparisons} comparisons of {len(STAGES)} stages, {asked.samples} samples each,"
        f" factor {asked.factor:g}: {rate.slower} slower, {rate.faster} faster"
        f" ({rate.told / rate.comparisons:.3%} told)\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
