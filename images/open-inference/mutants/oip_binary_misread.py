"""A mutant that does not look at the binary data behind the JSON."""

from collections.abc import Mapping
from typing import Any

import orjson
from conforming import conforming
from rules import Rules

LENGTH = "inference-header-content-length"


class Mutant(Rules):
    """Does not look at the binary data behind the JSON."""

    def body_of(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the JSON of a request."""
        if LENGTH not in headers:
            return super().body_of(headers, body)
        request: dict[str, Any] = orjson.loads(body[: int(headers[LENGTH])])
        for entry in request["inputs"]:
            entry["data"] = [("" if entry["datatype"] == "BYTES" else 0)] * entry["shape"][0]
        return orjson.dumps(request)


if __name__ == "__main__":
    conforming(Mutant())
