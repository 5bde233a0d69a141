"""Tensors of every type, shape and bits, drawn; each is the bytes of a TensorProto."""

import math
import struct

from hypothesis import strategies as st

from suites.oracles.messages import bits, content

QUIET_NAN, PAYLOAD_NAN, MINUS_NAN = 0x7FC00000, 0x7FC12345, 0xFFC00001
DOUBLE_NAN, DOUBLE_PAYLOAD = 0x7FF8000000000000, 0xFFF800000000BEEF
SIZES = {"FLOAT": 4, "DOUBLE": 8, "INT32": 4, "UINT8": 1, "INT16": 2, "INT8": 1, "INT64": 8, "BOOL": 1}
SIZES |= {"UINT16": 2, "HALF": 2, "BFLOAT16": 2, "UINT32": 4, "UINT64": 8, "COMPLEX64": 8, "COMPLEX128": 16}
"""The bytes of a value of each type whose values have one size."""
UNUSUAL = {
    "FLOAT": [struct.pack("<I", bits) for bits in (QUIET_NAN, PAYLOAD_NAN, MINUS_NAN, 1 << 31, 1, 0x7F800000)],
    "DOUBLE": [struct.pack("<Q", bits) for bits in (DOUBLE_NAN, DOUBLE_PAYLOAD, 1 << 63, 1, 0x7FF << 52)],
}
"""Floats that a careless copy changes: NaNs, the negative zero, a subnormal number, infinity."""


@st.composite
def tensors(draw: st.DrawFn) -> bytes:
    """Draw a tensor in up to three dimensions: unusual floats in the field of their type, or any type as bytes."""
    kinds = draw(st.sampled_from([sorted(UNUSUAL), sorted(SIZES)]))
    kind, sizes = draw(st.sampled_from(kinds)), draw(st.lists(st.integers(0, 3), max_size=3))
    count = math.prod(sizes)
    if len(kinds) == len(UNUSUAL):
        values = draw(st.lists(st.sampled_from(UNUSUAL[kind]), min_size=count, max_size=count))
        return bits(kind, b"".join(values), *sizes)
    size = count * SIZES[kind]
    return content(kind, draw(st.binary(min_size=size, max_size=size)), *sizes)


def bursts() -> st.SearchStrategy[list[bytes]]:
    """Return what draws tensors for one burst of requests."""
    return st.lists(tensors(), min_size=24, max_size=24)
