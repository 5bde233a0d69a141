"""The expected answers of the documented CIFAR-10 stand-in: its formula (images/serving/README.md), written again.

It also makes pictures for requests. It shares no code with the image.
"""

import math
import random
from functools import cache
from operator import mul

SIDE, COLOURS, CLASSES, DIVISOR = 32, 3, 10, 64
VALUES = SIDE * SIDE * COLOURS

Picture = list[list[list[float]]]


def picture(seed: str) -> Picture:
    """Return a different picture for every seed: 32 x 32 x 3 values between 0 and 1, of three decimals.

    The brightness differs from picture to picture too, so that the answers of two pictures are far apart.
    """
    source = random.Random(seed)
    level = source.uniform(0.2, 1.0)
    return [[[round(level * source.random(), 3) for _ in range(COLOURS)] for _ in range(SIDE)] for _ in range(SIDE)]


def flat(image: Picture) -> list[float]:
    """Return the values row by row, then column by column, then by colour."""
    return [value for row in image for column in row for value in column]


@cache
def _waves(k: int) -> tuple[float, ...]:
    return tuple(math.sin(k * n) for n in range(1, VALUES + 1))


def probabilities(image: Picture) -> list[float]:
    """Return ten probabilities: the softmax of sums over n of x[n] * sin(k * n) / 64."""
    values = flat(image)
    scores = [math.fsum(map(mul, values, _waves(k))) / DIVISOR for k in range(1, CLASSES + 1)]
    weights = [math.exp(score) for score in scores]
    return [weight / math.fsum(weights) for weight in weights]
