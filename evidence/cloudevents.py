"""A strict reader of CloudEvents 1.0 from raw headers and bytes: HTTP and Kafka, binary and structured mode.

It reads what can be read and names every violation with the paragraph of the specification; it invents nothing and
repairs nothing. It shares no code with any SDK and never sends. Header values of HTTP, keys and values of Kafka headers
are latin-1 text, one character a byte, as the history keeps them.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from common import jsontext
from common.redaction import PLAIN
from evidence.attributes import REQUIRED, is_json, media_type, name_fault, same_value, value_fault

CURRENT = ("1.0",)
_STRUCTURED = "application/cloudevents"
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
LONGEST_MESSAGE = 300
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNESCAPED = re.compile(r"[^!#-~]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation, and the paragraph that it violates."""

    message: str
    paragraph: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.message} ({self.paragraph})"


@dataclass(slots=True)
class Reading:
    """What a message says, as far as it can be read.

    Attributes:
        mode: Binary, structured, batch, or None where nothing claims to be an event.
        attributes: Canonical strings; booleans and integers of JSON in their string form.
        data: The data's bytes (JSON data of structured mode re-serialised), or None without data.
        value: JSON data of structured mode, where `has_value`.
        problems: Every violation found, in reading order.
        versions: The values of specversion that are none.
    """

    mode: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    data: bytes | None = None
    value: Any = None
    has_value: bool = False
    problems: list[Problem] = field(default_factory=list)
    versions: Collection[str] = CURRENT

    def fault(self, message: str, paragraph: str) -> None:
        """Note a violation."""
        self.problems.append(Problem(PLAIN.cut(message, LONGEST_MESSAGE, ""), paragraph))


Headers = Iterable[Sequence[str]]


def read_http(headers: Headers, body: bytes, versions: Collection[str] = CURRENT) -> Reading:
    """Read an HTTP request or response (HTTP protocol binding 1.0.2).

    Args:
        headers: Names and values.
        body: The body, without any content coding.
        versions: The values of specversion that are no violation.
    """
    pairs = [(name.lower(), value) for name, value in headers]
    kinds = [value for name, value in pairs if name == "content-type"]
    reading = Reading(versions=versions)
    if len(kinds) > 1:
        reading.fault(f"{len(kinds)} Content-Type headers", "HTTP binding §3")
    kind = kinds[0] if kinds else None
    if kind is not None and media_type(kind).startswith(_STRUCTURED):
        _structured(reading, kind, body, "HTTP binding §3.2")
        return reading
    prefixed = [(name[3:], value) for name, value in pairs if name.startswith("ce-")]
    if not prefixed:
        reading.fault("neither ce- headers nor a content type application/cloudevents", "HTTP binding §3")
        return reading
    reading.mode = "binary"
    for name, value in prefixed:
        if name == "datacontenttype":
            reading.fault("header ce-datacontenttype stands beside Content-Type", "HTTP binding §3.1.1")
            continue
        _attribute(reading, name, _header_text(reading, name, value), "HTTP binding §3.1.3.1")
    _finish_binary(reading, kind, body)
    return reading


def read_kafka(headers: Iterable[Sequence[str | None]], value: bytes | None) -> Reading:
    """Read a Kafka record (Kafka protocol binding 1.0.2)."""
    reading = Reading()
    pairs = [(str(name), content) for name, content in headers]
    kinds = [content for name, content in pairs if name.lower() == "content-type"]
    if len(kinds) > 1:
        reading.fault(f"{len(kinds)} content-type headers", "Kafka binding §3.2.1")
    kind = kinds[0] if kinds else None
    if kind is not None and media_type(kind).startswith(_STRUCTURED):
        _structured(reading, kind, value or b"", "Kafka binding §3.3")
        return reading
    hyphened = [name for name, _ in pairs if name.lower().startswith("ce-")]
    if hyphened:
        reading.fault(f"headers {', '.join(hyphened)} have the prefix ce-, not ce_", "Kafka binding §3.2.3.1")
    prefixed = [(name[3:], content) for name, content in pairs if name.startswith("ce_")]
    if not prefixed:
        reading.fault("neither ce_ headers nor a content-type application/cloudevents", "Kafka binding §3")
        return reading
    reading.mode = "binary"
    for name, content in prefixed:
        if name == "datacontenttype":
            reading.fault("header ce_datacontenttype stands beside content-type", "Kafka binding §3.2.1")
        elif content is None:
            reading.fault(f"header ce_{name} is null", "Kafka binding §3.2.3.2")
        else:
            text = _utf8(reading, name, content.encode("latin-1"), "Kafka binding §3.2.3.2")
            _attribute(reading, name, text, "Kafka binding §3.2.3.1")
    _finish_binary(reading, kind, value)
    return reading


def same_data(one: Reading, other: Reading) -> bool:
    """Whether two events carry the same data: bytes by bytes; JSON of structured mode value by value."""
    if one.has_value or other.has_value:
        values = [(r.has_value, r.value) if r.has_value else _json_or_none(r.data) for r in (one, other)]
        return all(known for known, _ in values) and _same_json(values[0][1], values[1][1])
    return (one.data or b"") == (other.data or b"")


def differences(sent: Reading, seen: Reading, ignore: Iterable[str] = ()) -> list[str]:
    """How `seen` differs from `sent`: attributes changed, lost, added, and data, each as `expected ...; got ...`."""
    ignored = set(ignore)
    found = []
    for name in sorted({*sent.attributes, *seen.attributes} - ignored):
        wanted, got = sent.attributes.get(name), seen.attributes.get(name)
        if wanted is not None and got is not None and same_value(name, wanted, got):
            continue
        if name == "datacontenttype" and (_implied(sent, wanted, got) or _implied(seen, got, wanted)):
            continue
        found.append(f"expected {name} {_quoted(wanted)}; got {_quoted(got)}")
    if "data" not in ignored and not same_data(sent, seen):
        found.append(f"expected data {_shown(sent.data)}; got {_shown(seen.data)}")
    return found


def _same_json(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 and 1.0 are one number, 1 and true are two values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _implied(reading: Reading, own: str | None, other: str | None) -> bool:
    """Whether a structured event with JSON data leaves out what the other mode must tell (JSON format §3.1)."""
    return own is None and reading.has_value and is_json(other)


def _quoted(value: str | None) -> str:
    return "absent" if value is None else repr(value)


def _shown(data: bytes | None) -> str:
    if not data:
        return "empty"
    return f"{PLAIN.cut(data.decode('latin-1'), 40).encode('latin-1', 'replace')!r} ({len(data)} bytes)"


def _json_or_none(data: bytes | None) -> tuple[bool, Any]:
    try:
        return True, jsontext.load(data or b"")
    except ValueError:
        return False, None


def _finish_binary(reading: Reading, kind: str | None, data: bytes | None) -> None:
    if kind is not None:
        _attribute(reading, "datacontenttype", kind, "HTTP binding §3.1.1")
    reading.data = data
    _require(reading)


def _attribute(reading: Reading, name: str, value: str | None, paragraph: str) -> None:
    fault = name_fault(name)
    if fault:
        reading.fault(fault, "spec.md, Naming Conventions")
    if value is None:
        return
    if name in reading.attributes:
        reading.fault(f"attribute {name} stands twice", paragraph)
        return
    reading.attributes[name] = value
    fault = value_fault(name, value)
    if fault and not (name == "specversion" and value in reading.versions):
        reading.fault(fault, "spec.md, Context Attributes")


def _require(reading: Reading) -> None:
    for name in REQUIRED:
        if name not in reading.attributes:
            reading.fault(f"required attribute {name} is missing", "spec.md, REQUIRED Attributes")


def _header_text(reading: Reading, name: str, value: str) -> str | None:
    text = value.strip(" \t")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    elif _UNESCAPED.search(text):
        reading.fault(f"ce-{name} has characters that are not percent-encoded: {text!r}", "HTTP binding §3.1.3.2")
    if _BAD_ESCAPE.search(text):
        reading.fault(f"ce-{name} has a % that begins no escape: {text!r}", "HTTP binding §3.1.3.2")
    raw = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text.encode("latin-1"))
    return _utf8(reading, name, raw, "HTTP binding §3.1.3.2")


def _utf8(reading: Reading, name: str, raw: bytes, paragraph: str) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        reading.fault(f"{name} is not UTF-8: {raw!r}", paragraph)
        return None


def _structured(reading: Reading, kind: str, body: bytes, paragraph: str) -> None:
    name = media_type(kind)
    if name.startswith(f"{_STRUCTURED}-batch"):
        reading.mode = "batch"
        reading.fault("a batch is not one event", "HTTP binding §3.3")
        return
    reading.mode = "structured"
    if name != f"{_STRUCTURED}+json":
        reading.fault(f"event format {name} is not JSON", paragraph)
        return
    charset = re.search(r';\s*charset="?([^";\s]+)', kind, re.IGNORECASE)
    try:
        codecs.lookup(charset[1] if charset else "utf-8")
        text = body.decode(charset[1] if charset else "utf-8")
    except (LookupError, ValueError) as error:
        reading.fault(f"the body is not readable text: {error}", "JSON format §2")
        return
    repeated: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in pairs)
        repeated.extend(name for name, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        envelope = jsontext.load(text, object_pairs_hook=once)
    except ValueError as error:
        reading.fault(f"the body is no JSON: {error}", "JSON format §3")
        return
    if not isinstance(envelope, dict):
        reading.fault("the body is no JSON object", "JSON format §3")
        return
    for name in repeated:
        reading.fault(f"member {name} stands twice", "RFC 8259 §4")
    for name, value in envelope.items():
        if name not in {"data", "data_base64"} and value is not None:
            _attribute(reading, name, _canonical(reading, name, value), "JSON format §2.1")
    _require(reading)
    _structured_data(reading, envelope)


def _canonical(reading: Reading, name: str, value: Any) -> str | None:
    if isinstance(value, str):
        return value
    core = {*REQUIRED, "datacontenttype", "dataschema", "subject", "time"}
    if name in core or not isinstance(value, bool | int):
        reading.fault(f"{name} is a JSON {type(value).__name__}", "JSON format §2.2")
    elif not isinstance(value, bool) and not -(2**31) <= value < 2**31:
        reading.fault(f"{name} is no 32-bit integer: {value}", "spec.md, Type System")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def _structured_data(reading: Reading, envelope: dict[str, Any]) -> None:
    if "data" in envelope and "data_base64" in envelope:
        reading.fault("both data and data_base64", "JSON format §3.1.1")
    if envelope.get("data_base64") is not None:
        encoded = envelope["data_base64"]
        try:
            reading.data = base64.b64decode(encoded if isinstance(encoded, str) else "\0", validate=True)
        except ValueError as error:
            reading.fault(f"data_base64 is no base64 text: {error}", "JSON format §3.1.1")
    elif "data" in envelope:
        value = envelope["data"]
        if isinstance(value, str) and not is_json(reading.attributes.get("datacontenttype")):
            reading.data = value.encode("utf-8", "surrogatepass")
        elif value is not None or is_json(reading.attributes.get("datacontenttype")):
            reading.value, reading.has_value = value, True
            reading.data = json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()
