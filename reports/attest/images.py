"""The images that a history names by digest: what preflight saw in the cluster, and what objects of a test had."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from common import jsontext
from evidence.records import Record

MOST_IMAGES: Final = 500
_REFERENCE: Final = re.compile(r"(?:[a-z-]+://)?(?P<name>[A-Za-z0-9][\w.:/-]{0,254})@sha256:(?P<digest>[0-9a-f]{64})")
_FIELDS: Final = ("image", "imageID")


class Images:
    """Takes note of the images that records name by digest; feed all records, in order.

    Attributes:
        found: The SHA-256 of each image by its reference; at most `MOST_IMAGES`.
    """

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def feed(self, record: Record) -> None:
        """Take a record."""
        for text in _references(record):
            if len(self.found) < MOST_IMAGES and (match := _REFERENCE.fullmatch(text)):
                self.found[f"{match['name']}@sha256:{match['digest']}"] = match["digest"]


def named_in(records: Iterable[Record]) -> dict[str, str]:
    """Return the images of `Images.found` for all records of a history."""
    images = Images()
    for record in records:
        images.feed(record)
    return images.found


def _references(record: Record) -> Iterator[str]:
    if record["record"] == "preflight":
        yield from (text for text in record.get("images", []) if isinstance(text, str))
    elif record["record"] == "object" and (found := record.get("object")):
        yield from _of_object(found)


def _of_object(found: dict[str, Any]) -> Iterator[str]:
    for _, part in jsontext.levels(found):
        if isinstance(part, dict):
            yield from (part[name] for name in _FIELDS if isinstance(part.get(name), str))
