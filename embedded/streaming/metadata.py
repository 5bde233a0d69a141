"""What a model and a reader of answers learn beside the payload: headers, the type of a message, and Seldon's puid."""

import re
import uuid
from collections.abc import Sequence

from embedded.dataplane.cloudevents import Record

PUID = "Seldon-Puid"
CONTENT_TYPE = "Content-Type"
JSON = "application/json"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
RESERVED = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that belong to one connection: a record cannot speak for it."""
_GRPC_NAME = re.compile(r"[0-9a-z_.-]+")
_GRPC_RESERVED = ("grpc-", ":")

Pairs = tuple[tuple[str, str], ...]


def puid_of(record: Record) -> str:
    """Return the id of a request: the record's own header, else a new one (executor server.go)."""
    return next((_text(value) or "" for name, value in record.headers if name == PUID and value), str(uuid.uuid4()))


def http_headers(record: Record, puid: str) -> Pairs:
    """Return the headers of an HTTP request for a record: its own, as far as HTTP can carry them, and the puid.

    `Content-Type` is the record's where it has exactly one, in this spelling, and JSON otherwise.

    Args:
        record: The record.
        puid: The id of the request.
    """
    types = [_text(value) for name, value in record.headers if name == CONTENT_TYPE]
    content_type = types[0] if len(types) == 1 and types[0] and not _UNPRINTABLE.search(types[0]) else JSON
    kept = [
        (name, value)
        for name, value in _texts(record)
        if _TOKEN.fullmatch(name) and name.lower() not in {*RESERVED, CONTENT_TYPE.lower(), PUID.lower()}
    ]
    return ((CONTENT_TYPE, content_type), (PUID, puid), *kept)


def grpc_metadata(record: Record, puid: str) -> Pairs:
    """Return the metadata of a gRPC call for a record: its headers, as far as gRPC can carry them, and the puid.

    Args:
        record: The record.
        puid: The id of the request.
    """
    kept = [
        (name.lower(), value)
        for name, value in _texts(record)
        if _GRPC_NAME.fullmatch(name.lower())
        and not name.lower().startswith(_GRPC_RESERVED)
        and not name.lower().endswith("-bin")
        and name.lower() not in {*RESERVED, CONTENT_TYPE.lower(), "user-agent", PUID.lower()}
        and value.isascii()
        and value.isprintable()
    ]
    return ((PUID.lower(), puid), *kept)


def _texts(record: Record) -> Sequence[tuple[str, str]]:
    """Return the headers that are text in one line; one without a value is empty, and no header that is not."""
    read = ((name, "" if value is None else _text(value)) for name, value in record.headers)
    return [(name, value) for name, value in read if value is not None and not _UNPRINTABLE.search(value)]


def _text(value: bytes | None) -> str | None:
    try:
        return (value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return None
