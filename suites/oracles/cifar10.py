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


def exact_picture(seed: str) -> Picture:
    """Return a different picture for every seed, of multiples of 1/256: single precision holds them, too."""
    return [[[round(value * 256) / 256 for value in pixel] for pixel in row] for row in picture(seed)]


def sparse_picture(seed: str) -> Picture:
    """Return a different picture for every seed, dark but for its first row: a request of a few kilobytes."""
    lit, *_ = picture(seed)
    return [lit, *[[[0.0] * COLOURS] * SIDE] * (SIDE - 1)]


def balanced_picture(seed: str, size: float) -> Picture:
    """Return a picture with 21 values of about `size`, whose influence cancels only where each keeps all its digits.

    The sum over j of c[j] * sin(k * (n + j)) is zero for every n and k = 1 ... 10, when c are the coefficients of the
    product of all z^2 - 2 cos(k) z + 1.
    """
    weights = [1.0]
    for k in range(1, CLASSES + 1):
        factor = (1.0, -2 * math.cos(k), 1.0)
        product = [0.0] * (len(weights) + 2)
        for i, weight in enumerate(weights):
            for j, value in enumerate(factor):
                product[i + j] += weight * value
        weights = product
    values = flat(picture(seed))
    for n, weight in enumerate(weights):
        values[n] += size * weight
    return shaped(values)


def shaped(values: list[float]) -> Picture:
    """Return the picture of which these are the values; `flat` is its inverse."""
    pixels = [values[start : start + COLOURS] for start in range(0, len(values), COLOURS)]
    return [pixels[start : start + SIDE] for start in range(0, len(pixels), SIDE)]


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
