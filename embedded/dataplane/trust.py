"""Whose word counts for a subscriber's certificate: that of the system's authorities, and of those in `CACerts`."""

import re
import ssl
from functools import lru_cache

_BEGIN = re.compile(r"^-----BEGIN (.+)-----", re.MULTILINE)


def is_readable(authorities: str) -> bool:
    """Return whether the first thing that stands there in PEM is a certificate."""
    first = _BEGIN.search(authorities)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=authorities)
    except (OSError, ValueError):
        return False
    return first is not None and first[1] == "CERTIFICATE"


@lru_cache(maxsize=256)
def trust(authorities: str) -> ssl.SSLContext:
    """Return the TLS context of a client that verifies certificates and the names in them (RFC 9110, section 4.3.4).

    Args:
        authorities: Certificates in PEM beside those of the system; empty: none.

    Raises:
        OSError: They cannot be read.
    """
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context
