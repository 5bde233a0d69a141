"""Pictures that order a predictor to fail, wait or count, in the form of `images/mnist-predictor/orders.py`."""

import struct
import uuid
import zlib

MARK = 251
SIDE = 8
FAIL, REFUSE, WAIT, EXIT, LEAVE, SAY, COUNT, SHOW = range(1, 9)
TOKEN_BYTES, NUMBER_BYTES = 16, 7


def token() -> bytes:
    """Return a token that no other order has."""
    return uuid.uuid4().bytes


def order(kind: int, *, times: int = 1, argument: int = 0, of: bytes | None = None) -> bytes:
    """Return a picture (PNG, 8x8, grey) with an order.

    Args:
        kind: The kind, of those above.
        times: The number of the first askings with the token that it holds for.
        argument: The number that is added to status 500, or the tenths of a second to wait.
        of: The token; None: one of its own.
    """
    name = token() if of is None else of
    levels = bytes([MARK, kind, times, argument]) + name
    levels += bytes(SIDE * SIDE - 1 - len(levels)) + bytes([MARK])
    lines = b"".join(b"\0" + levels[start : start + SIDE] for start in range(0, SIDE * SIDE, SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)  # 8 bits of grey
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + part + data + struct.pack(">I", zlib.crc32(part + data)) for part, data in chunks
    )


def number(name: bytes) -> int:
    """Return the number that SAY and SHOW make of a token."""
    return int.from_bytes(name[:NUMBER_BYTES])
