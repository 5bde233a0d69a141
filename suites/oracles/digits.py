"""Handwritten digits as PNG pictures, with what they show: labels of a public data set, never a model's opinion."""

import base64
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SIDE, SCALE, MARGIN = 8, 3, 2
WHITE = 16
VALUES = "0123456789abcdefg"
# The picture that the flow's documentation posts: a handwritten 2, 28x28, as anyone can see.
DOCUMENTED = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAw0lEQVR4nGNgGFggVVj4/y8Q2GOR83n+58/fP0DwcSqmpNN7oOTJw6f+/H2pjUU2"
    "JCSEk0EWqN0cl828e/FIxvz9/9cCh1zS5z9/G9mwyzl/+PNnKQ45nyNAr9ThMHQ/UG4tDofuB4bQIhz6fIBenMWJQ+7Vn7+zeLCbKXv6z59NOPQV"
    "gsIcW4QA9YFi6wNQLrKwsBebW/68DJ388Nun5XFocrqvIFH59+XhBAxThTfeB0r+vP/QHbuDCgr2JmOXoSsAAKK7bU3vISS4AAAAAElFTkSuQmCC"
)
DOCUMENTED_DIGIT = 2


@dataclass(frozen=True, slots=True)
class Digit:
    """A picture (PNG, 28x28, bright on black) and the digit that it shows."""

    label: int
    picture: bytes


@cache
def digits() -> tuple[Digit, ...]:
    """Return fifty distinct pictures: every digit five times, and neighbours always differ."""
    lines = Path(__file__).with_name("digits.txt").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return tuple(Digit(int(label), png(pixels)) for label, pixels in rows)


def png(pixels: str) -> bytes:
    """Return a picture of 64 values, row by row: each is a square of 3x3 pixels, with a margin of two around all."""
    side = SIDE * SCALE + 2 * MARGIN
    black = bytes(side)
    lines = [black] * MARGIN
    for start in range(0, SIDE * SIDE, SIDE):
        row = bytes(VALUES.index(value) * 255 // WHITE for value in pixels[start : start + SIDE] for _ in range(SCALE))
        lines += [bytes(MARGIN) + row + bytes(MARGIN)] * SCALE
    lines += [black] * MARGIN
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)  # 8 bits of grey
    body = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
