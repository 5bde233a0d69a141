"""Large bodies, which a history holds once: a record names the SHA-256 of one that stands in a `body` record before it.

The reader puts them back, so that nobody behind it knows. One text is shared by all records that name it; how much
is kept, and how much is given out in all, is bounded.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from evidence.fields import shown
from evidence.records import BodyRecord
from evidence.rules import BODY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGE: Final = 4 << 10
"""From how many bytes on a body is large."""
MOST_WRITTEN: Final = 64 << 20
"""How many bytes of bodies one writer stores apart; behind that they stay in their records."""
MOST_KEPT = 256 << 20
MOST_GIVEN = 8 << 30
BODY: Final = "body"


def digest(text: str) -> str:
    """Return the SHA-256 of the bytes that a text stands for.

    Raises:
        UnicodeEncodeError: The text has characters beyond one byte.
    """
    return hashlib.sha256(text.encode("latin-1")).hexdigest()


def large_body(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field of a record that holds a large body, and the body; None where there is none."""
    name = BODY_FIELDS.get(record["record"])
    text = record.get(name) if name is not None else None
    return (name, text) if name is not None and isinstance(text, str) and len(text) >= LARGE else None


def reference(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field of a record that names a body, and the digest; None where there is none."""
    name = BODY_FIELDS.get(record.get("record", ""))
    named = record.get(name) if name is not None else None
    if name is None or not isinstance(named, dict):
        return None
    sha256 = named.get("sha256")
    return (name, sha256) if isinstance(sha256, str) and len(named) == 1 else None


def body_record(sha256: str, text: str) -> BodyRecord:
    """Return the record that holds a body."""
    return BodyRecord(record=BODY, sha256=sha256, text=text)


class Bodies:
    """The bodies of a history, as far as it was read."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._kept = 0
        self._given = 0

    def take(self, record: BodyRecord) -> str | None:
        """Keep the body of a record; returns what is wrong with it, or None."""
        sha256, text = record["sha256"], record["text"]
        try:
            computed = digest(text)
        except UnicodeEncodeError as error:
            return f"field text: expected characters up to U+00FF, got {shown(text[error.start])}"
        if computed != sha256:
            return f"field sha256: expected {computed}, which is that of the text, got {sha256}"
        # Another process of the probe does not know what the one before it wrote: the same body again is no fault.
        if sha256 not in self._texts:
            self._kept += len(text)
            if self._kept > MOST_KEPT:
                return f"field text: expected bodies of at most {MOST_KEPT} bytes in all, got {self._kept}"
            self._texts[sha256] = text
        return None

    def fill(self, record: dict[str, Any], name: str) -> str | None:
        """Put the body in the place of the digest that names it; returns what is wrong, or None.

        Args:
            record: The record, whose field is an object.
            name: The field.
        """
        named = reference(record)
        if named is None:
            return f"field {name}: expected a text or an object of one field, sha256, got {shown(record[name])}"
        text = self._texts.get(named[1])
        if text is None:
            return f"field {name}.sha256: expected the digest of a body that stands before, got {shown(named[1])}"
        self._given += len(text)
        if self._given > MOST_GIVEN:
            return f"field {name}: expected at most {MOST_GIVEN} bytes of bodies by their digests in all, got more"
        record[name] = text
        return None
