"""A body of JSON, and how it stands in content codings (RFC 9110, section 8.4), by the standard library."""

import gzip
import zlib

DATA = b'{"instances": [[1.0, 2.0, 3.0]]}'
PACKED = gzip.compress(DATA, mtime=0)
CODED = {
    "gzip": ("gzip", PACKED),
    "deflate": ("deflate", zlib.compress(DATA)),
    "twice": ("deflate, gzip", gzip.compress(zlib.compress(DATA), mtime=0)),
    "unknown": ("x-touchstone", DATA[::-1]),
    "wrong": ("gzip", DATA),
}
"""Content-Encoding and body."""
