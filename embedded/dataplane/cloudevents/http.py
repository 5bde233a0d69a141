"""The HTTP protocol binding (CloudEvents HTTP binding 1.0.2): binary and structured content mode, both ways.

Batched mode is refused: nobody asked for it, and taking a batch as one event would lose the others.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from embedded.dataplane.cloudevents.event import CloudEvent, NotAnEventError, attribute_name, check
from embedded.dataplane.cloudevents.jsonformat import read_json
from embedded.dataplane.cloudevents.media import EVENT_JSON, EVENT_PREFIX, Media, parse

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Header fields in the order of the wire, undecoded."""

_PREFIX = "ce-"
_TRIPLET = re.compile(rb"%([0-9a-fA-F]{2})")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def percent_decode(value: bytes) -> str:
    """Decode a `ce-` header value (HTTP binding, 3.1.3.2): unquote, then one round of percent-decoding, then UTF-8.

    A `%` that begins no triplet stands for itself.

    Raises:
        NotAnEventError: The decoded value is not UTF-8.
    """
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = _ESCAPED.sub(rb"\1", value[1:-1])
    return utf8(_TRIPLET.sub(lambda match: bytes.fromhex(match[1].decode()), value))


def percent_encode(value: str) -> str:
    """Encode a `ce-` header value: space, double quote, percent and all beyond printable ASCII (3.1.3.2)."""
    return "".join(
        character
        if "!" <= character <= "~" and character not in '"%'
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in value
    )


def utf8(value: bytes) -> str:
    """Decode a header value as UTF-8.

    Raises:
        NotAnEventError: The value is not UTF-8.
    """
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotAnEventError(f"a header value is not UTF-8: {error.reason} at byte {error.start}") from error


def read_format(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
    """Read the body of a structured-mode message: attributes, not yet checked for presence, and data.

    Raises:
        NotAnEventError: The format is not known, or the body is not in it.
    """
    if kind.type != EVENT_JSON:
        raise NotAnEventError(f"event format {kind.type[:64]!r} is not known; {EVENT_JSON} is")
    return read_json(body, kind.parameters.get("charset", "utf-8"))


def refuse_batch(kind: Media, body: bytes) -> CloudEvent:
    """Refuse the batched content mode ("receivers need not support it", 3.3)."""
    raise NotAnEventError(f"a batch ({kind.type[:64]}, {len(body)} bytes) is not accepted; send one event a request")


def read_fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
    """Read header fields in their order: names in lower case, since HTTP does not tell their cases apart.

    Raises:
        NotAnEventError: A name is not UTF-8.
    """
    return [(utf8(name).lower(), value) for name, value in headers]


@dataclass(frozen=True, kw_only=True)
class HttpReader:
    """A reader of a request or response as one event. Its parts are the rules of the binding, each replaceable alone.

    Attributes:
        fields: The reader of the header fields.
        media: The parser of a Content-Type.
        name: The check of an attribute name; it gets the name of the header in lower case, without its prefix.
        decode: The decoder of a `ce-` header value.
        structured: The reader of a structured body.
        batch: The treatment of a batch.
        check: The check of all attributes together.
    """

    fields: Callable[[RawHeaders], list[tuple[str, bytes]]] = read_fields
    media: Callable[[str], Media] = parse
    name: Callable[[str], str] = attribute_name
    decode: Callable[[bytes], str] = percent_decode
    structured: Callable[[Media, bytes], tuple[Mapping[str, str], bytes | None]] = read_format
    batch: Callable[[Media, bytes], CloudEvent] = refuse_batch
    check: Callable[[Mapping[str, str]], Mapping[str, str]] = check

    def __call__(self, headers: RawHeaders, body: bytes) -> CloudEvent:
        """Read one message.

        Raises:
            NotAnEventError: The message is not exactly one valid event.
        """
        fields = self.fields(headers)
        kinds = [utf8(value).strip() for name, value in fields if name == "content-type"]
        if len(kinds) > 1:
            raise NotAnEventError("there is more than one Content-Type")
        kind = self.media(kinds[0]) if kinds else Media("")
        if kind.is_batch:
            return self.batch(kind, body)
        if kind.is_event:
            attributes, data = self.structured(kind, body)
            return CloudEvent(self.check(attributes), data)
        values: dict[str, str] = {}
        for field, value in fields:
            if not field.startswith(_PREFIX):
                continue
            name = self.name(field[len(_PREFIX) :])
            if name == "datacontenttype":
                raise NotAnEventError("datacontenttype travels as Content-Type, not as ce-datacontenttype")
            if name in values:
                raise NotAnEventError(f"attribute {name!r} is given twice")
            values[name] = self.decode(value)
        if kinds:
            values["datacontenttype"] = kinds[0]
        return CloudEvent(self.check(values), body or None)


def claims_to_be_event(headers: RawHeaders) -> bool:
    """Return whether a message presents itself as an event, rightly or not (3: by Content-Type or `ce-specversion`)."""
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"ce-specversion":
            return True
        if lowered == b"content-type" and value.strip().lower().startswith(EVENT_PREFIX.encode()):
            return True
    return False


def write_binary(
    event: CloudEvent, encode: Callable[[str], str] = percent_encode
) -> tuple[list[tuple[str, str]], bytes]:
    """Write headers and body of the binary content mode (3.1)."""
    headers = [(_PREFIX + name, encode(value)) for name, value in event.attributes.items() if name != "datacontenttype"]
    if "datacontenttype" in event.attributes:
        headers.append(("Content-Type", event.attributes["datacontenttype"]))
    return headers, event.data or b""
