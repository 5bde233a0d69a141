"""Large bodies, which a history holds once, packed: a record names the SHA-256 of one that stands in a `body` record.

The reader puts them back, so that nobody behind it knows. It keeps the packed form of all, and the texts of those that
were used last, which records share. How large a body is, how much is kept, and how much is given out in all is bounded.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from evidence.fields import shown
from evidence.records import BodyRecord
from evidence.rules import BODY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGE: Final = 4 << 10
"""From how many bytes on a body is large."""
MOST_WRITTEN: Final = 64 << 20
"""How many bytes of packed bodies one writer stores apart; behind that they stay in their records."""
MOST_KEPT = 256 << 20
MOST_UNPACKED = 64 << 20
MOST_BODY: Final = 128 << 20
MOST_GIVEN = 8 << 30
BODY: Final = "body"
_QUICK: Final = 1
"""The level of zlib that keeps a writer short: large bodies mostly repeat themselves, and are small by any level."""


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
    """Return the record that holds a body, under its digest.

    Raises:
        UnicodeEncodeError: The text has characters beyond one byte.
    """
    packed = base64.b64encode(zlib.compress(text.encode("latin-1"), _QUICK)).decode()
    return BodyRecord(record=BODY, sha256=sha256, packed=packed)


def text_of(record: BodyRecord) -> str:
    """Return the body that a record holds; nobody has checked its digest.

    Raises:
        ValueError: It is not packed, or larger than any body may be.
    """
    decoder = zlib.decompressobj()
    try:
        body = decoder.decompress(base64.b64decode(record["packed"], validate=True), MOST_BODY + 1)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"expected what zlib has packed, in Base64: {error}") from error
    if len(body) > MOST_BODY:
        raise ValueError(f"expected a body of at most {MOST_BODY} bytes, got a larger one")
    if not decoder.eof or decoder.unused_data:
        raise ValueError(f"expected one whole stream of zlib, got {'more' if decoder.eof else 'a part of one'}")
    return body.decode("latin-1")


class Bodies:
    """The bodies of a history, as far as it was read."""

    def __init__(self) -> None:
        self._records: dict[str, BodyRecord] = {}
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._kept = 0
        self._unpacked = 0
        self._given = 0

    def take(self, record: BodyRecord) -> str | None:
        """Keep the body of a record; returns what is wrong with it, or None."""
        sha256 = record["sha256"]
        try:
            text = text_of(record)
        except ValueError as error:
            return f"field packed: {error}"
        if (computed := digest(text)) != sha256:
            return f"field sha256: expected {computed}, which is that of the body, got {sha256}"
        # Another process of the probe does not know what the one before it wrote: the same body again is no fault.
        if sha256 not in self._records:
            self._kept += len(record["packed"])
            if self._kept > MOST_KEPT:
                return f"field packed: expected packed bodies of at most {MOST_KEPT} bytes in all, got {self._kept}"
            self._records[sha256] = record
            self._remember(sha256, text)
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
        text = self._text(named[1])
        if text is None:
            return f"field {name}.sha256: expected the digest of a body that stands before, got {shown(named[1])}"
        self._given += len(text)
        if self._given > MOST_GIVEN:
            return f"field {name}: expected at most {MOST_GIVEN} bytes of bodies by their digests in all, got more"
        record[name] = text
        return None

    def _text(self, sha256: str) -> str | None:
        """Return a body that was taken; None: it was not."""
        text = self._texts.get(sha256)
        if text is not None:
            self._texts.move_to_end(sha256)
        elif (kept := self._records.get(sha256)) is not None:
            text = text_of(kept)
            self._remember(sha256, text)
        return text

    def _remember(self, sha256: str, text: str) -> None:
        """Keep a text, and as many of those that were used last as fit beside it."""
        self._texts[sha256] = text
        self._unpacked += len(text)
        while self._unpacked > MOST_UNPACKED and len(self._texts) > 1:
            _, oldest = self._texts.popitem(last=False)
            self._unpacked -= len(oldest)
