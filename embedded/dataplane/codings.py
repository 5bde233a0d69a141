"""Content codings of requests and answers (RFC 9110, 8.4): the known ones are taken off, all others are refused."""

import zlib

from embedded.dataplane.cloudevents import NotAnEventError
from embedded.dataplane.cloudevents.http import RawHeaders

_FORMATS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class UnknownCodingError(ValueError):
    """A content coding that nobody here can take off."""


def codings_of(headers: RawHeaders) -> str:
    """Return the value of Content-Encoding, all fields of that name together; empty for none."""
    return b",".join(value for name, value in headers if name.lower() == b"content-encoding").decode("latin-1")


def unpacked(codings: str, body: bytes, most: int) -> bytes | None:
    """Return a body without its content codings; None where it has more than `most` bytes then.

    Args:
        codings: The value of Content-Encoding: in the order in which they were applied; empty for none.
        body: The body as it came.
        most: The most bytes that it may have.

    Raises:
        UnknownCodingError: A coding is not known.
        NotAnEventError: The body is not in the coding that is named.
    """
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    for name in names:
        if name not in _FORMATS:
            raise UnknownCodingError(f"content coding {name[:64]!r} is not one of {sorted(_FORMATS)}")
    for name in reversed(names):
        reader = zlib.decompressobj(_FORMATS[name])
        try:
            body = reader.decompress(body, most + 1)
        except zlib.error as error:
            raise NotAnEventError(f"the body is not in the content coding {name}: {error}") from error
        if len(body) > most:
            return None
        if not reader.eof or reader.unused_data:
            raise NotAnEventError(f"the body is not in the content coding {name}: it has another end")
    return body
