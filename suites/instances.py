"""Requests of KServe's V1 protocol for models whose instances are lists of numbers."""

import hashlib
import json

from fixtures import mint


def asking(*instances: object) -> bytes:
    """Return a V1 request."""
    return json.dumps({"instances": instances}).encode()


def digest(predictions: object) -> str:
    """Return the digest of predictions, by which large ones are named (`answered_whole`)."""
    return hashlib.sha256(json.dumps(predictions, separators=(",", ":")).encode()).hexdigest()


def unique() -> int:
    """Return a number that no other call has: events are known by their data too."""
    return int(mint()[-12:], 16)
