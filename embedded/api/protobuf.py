"""Request bodies that kubectl sends as Kubernetes protobuf, decoded to the JSON objects that they mean.

`kubectl create namespace|configmap|secret|serviceaccount` and `kubectl auth can-i` send protobuf and take JSON answers.
So decoding suffices, and only for these kinds. The field numbers are those of k8s.io/api, generated.proto.
"""

import base64
from collections.abc import Iterator
from typing import Any

from embedded.api.errors import bad_request

MAGIC = b"k8s\x00"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

# A message is {number: (name, kind)}: "s" text, "b" bytes (base64 in JSON), "i" integer, "t" truth, "S" list of texts,
# "m" map of texts, "B" map of bytes, or the message inside.
Message = dict[int, tuple[str, Any]]

_METADATA: Message = {
    1: ("name", "s"),
    2: ("generateName", "s"),
    3: ("namespace", "s"),
    11: ("labels", "m"),
    12: ("annotations", "m"),
    14: ("finalizers", "S"),
}
_ATTRIBUTES: Message = {
    number: (name, "s")
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_KINDS: dict[tuple[str, str], Message] = {
    ("v1", "Namespace"): {1: ("metadata", _METADATA)},
    ("v1", "ConfigMap"): {1: ("metadata", _METADATA), 2: ("data", "m"), 3: ("binaryData", "B"), 4: ("immutable", "t")},
    ("v1", "Secret"): {
        1: ("metadata", _METADATA),
        2: ("data", "B"),
        3: ("type", "s"),
        4: ("stringData", "m"),
        5: ("immutable", "t"),
    },
    ("v1", "ServiceAccount"): {1: ("metadata", _METADATA)},
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): {
        1: ("metadata", _METADATA),
        2: ("spec", {1: ("namespace", "s")}),
    },
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): {
        1: ("metadata", _METADATA),
        2: (
            "spec",
            {
                1: ("resourceAttributes", _ATTRIBUTES),
                2: ("nonResourceAttributes", {1: ("path", "s"), 2: ("verb", "s")}),
            },
        ),
    },
}


def decode(body: bytes) -> dict[str, Any]:
    """Return the object in a protobuf body.

    Raises:
        ApiError: The body is broken, or of a kind that is not known here (400).
    """
    if not body.startswith(MAGIC):
        raise bad_request("the body is not Kubernetes protobuf")
    try:
        envelope = _message(
            {1: ("type", {1: ("apiVersion", "s"), 2: ("kind", "s")}), 2: ("raw", "b")}, body[len(MAGIC) :]
        )
        head = envelope.get("type", {})
        known = _KINDS.get((head.get("apiVersion", ""), head.get("kind", "")))
        if known is None:
            raise bad_request(f"protobuf bodies of {head} are not understood here, send JSON")
        return {**head, **_message(known, base64.b64decode(envelope.get("raw", "")))}
    except (IndexError, UnicodeDecodeError, TypeError) as error:
        raise bad_request(f"the protobuf body is broken: {error}") from error


def _message(fields: Message, data: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in fields:
            continue
        name, kind = fields[number]
        if isinstance(value, bytes) == (kind in ("i", "t")):
            raise IndexError(f"field {name} is of another type")
        if isinstance(kind, dict):
            decoded[name] = _message(kind, value)
        elif kind in ("m", "B"):
            entry = _message({1: ("key", "s"), 2: ("value", "s" if kind == "m" else "b")}, value)
            decoded.setdefault(name, {})[entry.get("key", "")] = entry.get("value", "")
        elif kind == "S":
            decoded.setdefault(name, []).append(value.decode())
        elif kind == "s":
            if value:  # an empty text is "not given", as in Go
                decoded[name] = value.decode()
        elif kind == "b":
            decoded[name] = base64.b64encode(value).decode()
        else:
            decoded[name] = bool(value) if kind == "t" else value
    return decoded


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise IndexError("it ends too early")
            yield number, data[at : at + size]
            at += size
        else:
            raise IndexError(f"wire type {wire} is not used by Kubernetes")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise IndexError("a number has more than 64 bits")
