"""The chain of digests: each line of a history ends with one that follows from the line before it and from the line.

Whoever changes, adds, removes or moves a record breaks the chain there, or makes every digest behind it anew. The
digest of the last record, the head, is another one then: publish it, and nobody can exchange the history unseen.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

DIGITS: Final = 32
"""The length of a digest: so many hexadecimal digits of a SHA-256."""
FIELD: Final = b',"digest":"'
END: Final = b'"}\n'
_SIZE: Final = len(FIELD) + DIGITS + len(END)
_sha256 = hashlib.sha256
_HEAD: Final = re.compile(f"[0-9a-f]{{{DIGITS}}}")


def digest(previous: str, content: bytes) -> str:
    """Return the digest of a line.

    Args:
        previous: The digest of the line before it; empty for the first line.
        content: The bytes of the line up to its field `digest`, the comma before that left out.
    """
    return hashlib.sha256(previous.encode() + content).hexdigest()[:DIGITS]


def sealed(line: bytes, previous: str) -> tuple[bytes, str]:
    """Return a line with its digest as the last field, and the digest.

    Args:
        line: The line of a record without a digest, with its end.
        previous: The digest of the line before it; empty for the first line.
    """
    content = line[:-2]  # without "}\n"
    own = digest(previous, content)
    return b"".join((content, FIELD, own.encode(), END)), own


def opened(line: bytes) -> tuple[bytes, str]:
    """Return a sealed line without its digest, and the digest.

    Raises:
        ValueError: The line does not end with a digest.
    """
    own = line[-_SIZE + len(FIELD) : -len(END)].decode("latin-1")
    if not line.endswith(END) or line[-_SIZE : -_SIZE + len(FIELD)] != FIELD or not is_head(own):
        raise ValueError(f"expected a line that ends with a digest, got one that ends with {line[-60:]!r}")
    return line[:-_SIZE] + b"}\n", own


def is_head(text: str) -> bool:
    """Tell whether a text is written as a digest is."""
    return _HEAD.fullmatch(text) is not None


class Chain:
    """Follows the lines of a history.

    Args:
        head: The digest of the line before the first one that it takes; empty: there is none.
    """

    def __init__(self, head: str = "") -> None:
        self._head = head.encode()

    @property
    def head(self) -> str:
        """The digest of the last line; empty before the first, and behind a line without one."""
        return self._head.decode()

    def fault(self, line: bytes) -> str | None:
        """Take the next line, which is whole; return what is wrong with its digest, or None.

        Behind a break the chain goes on from the digest that the line has: each break is told once.
        """
        # `digest` unrolled: this is done for every line of every history. That the line is JSON says the rest of it.
        own = _sha256(self._head + line[:-46]).hexdigest()[:32].encode()
        if line[-35:-3] == own and line[-46:-35] == FIELD:
            self._head = own
            return None
        behind = "the record before it" if self._head else "nothing before it"
        try:
            self._head = opened(line)[1].encode()
        except ValueError:
            self._head = b""
            return "field digest: expected one as the last field of the line, got none"
        told = f"expected {own.decode()}, which follows from {behind} and from its line, got {self.head}"
        return f"field digest: {told}: a record was changed, added, removed or moved here"
