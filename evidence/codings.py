"""Content codings of HTTP messages (RFC 9110 §8.4), taken off within bounds."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_GZIP: Final = 16 + zlib.MAX_WBITS
_FORMATS: Final[Mapping[str, int]] = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


class CodingError(ValueError):
    """A body that is not in the content coding that is named, or in one that is not known."""


def unpacked(codings: str, body: bytes, most: int) -> bytes:
    """Return a body without its content codings.

    Args:
        codings: The value of Content-Encoding; empty for none.
        body: The body as it came.
        most: The most bytes that any step may yield.

    Raises:
        CodingError: It cannot be read.
    """
    for name in reversed([name.strip().lower() for name in codings.split(",") if name.strip()]):
        if name not in _FORMATS:
            raise CodingError(f"content-encoding {name!r} is not known")
        reader = zlib.decompressobj(_FORMATS[name])
        try:
            body = reader.decompress(body, most + 1)
        except zlib.error as error:
            raise CodingError(f"content-encoding {name}: {error}") from error
        if len(body) > most:
            raise CodingError(f"content-encoding {name}: more than {most} bytes")
        if not reader.eof or reader.unused_data:
            raise CodingError(f"content-encoding {name}: the body has another end")
    return body
