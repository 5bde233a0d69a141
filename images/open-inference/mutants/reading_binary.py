"""Rules that read the extension for binary data; the conforming server has none: mutants are made of them."""

import json
from collections.abc import Mapping
from typing import Any

from rules import Rules
from tensors import RefusedError, unpacked

LENGTH = "inference-header-content-length"


class Read(bytes):
    """JSON that was written here: it may have NaN."""


class BinaryRules(Rules):
    """Reads binary data behind the JSON of a request."""

    def body_of(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the JSON of a request, with the binary data in it."""
        if LENGTH not in headers:
            return body
        length = self.length(headers[LENGTH], body)
        request = self.request(super().loaded(body[:length]))
        place = length
        for entry in request["inputs"]:
            size = (entry.get("parameters") or {}).get("binary_data_size")
            if size is not None:
                raw = body[place : place + size]
                if len(raw) != size:
                    raise RefusedError("binary data is cut off")
                entry["data"] = [_plain(value) for value in self.values(entry["datatype"], raw)]
                place = self.following(length, place + size)
        return Read(json.dumps(request).encode())

    def loaded(self, body: bytes) -> Any:
        """Return the value of a JSON text."""
        return json.loads(body) if isinstance(body, Read) else super().loaded(body)

    def length(self, header: str, body: bytes) -> int:
        """Return how long the JSON is.

        Raises:
            RefusedError: The header does not say it.
        """
        if not header.isdigit() or int(header) > len(body):
            raise RefusedError(f"{LENGTH} {header} of {len(body)} bytes")
        return int(header)

    def values(self, datatype: str, raw: bytes) -> list[Any]:
        """Return the values of binary data."""
        return unpacked(datatype, raw)

    def following(self, length: int, end: int) -> int:
        """Return where the next binary data begins, by the length of the JSON and the end of those before."""
        del length
        return end


def _plain(value: Any) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        raise RefusedError("bytes that are not UTF-8") from error
