"""The oracles: pictures and answers that the suite compares with are what they claim to be."""

import io
from collections import Counter
from itertools import pairwise

from PIL import Image

from suites.oracles.digits import DOCUMENTED, digits


def test_fifty_distinct_pictures_show_every_digit_five_times() -> None:
    assert len({digit.picture for digit in digits()}) == 50
    assert Counter(digit.label for digit in digits()) == dict.fromkeys(range(10), 5)


def test_neighbours_show_different_digits() -> None:
    labels = [digit.label for digit in digits()]
    assert all(left != right for left, right in pairwise(labels))


def test_pictures_are_28x28_grey_pngs_like_the_documented_one() -> None:
    for picture in (DOCUMENTED, *(digit.picture for digit in digits())):
        image = Image.open(io.BytesIO(picture))
        image.load()
        assert (image.format, image.size, image.mode) == ("PNG", (28, 28), "L")
