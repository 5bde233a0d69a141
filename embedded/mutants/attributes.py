"""Mutants of the values of attributes, as the ingress reads them: grammar, emptiness, repetition, size."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit, urlunsplit

from embedded.dataplane.cloudevents import CloudEvent, Record, media, uri
from embedded.dataplane.cloudevents.event import CORE, is_timestamp
from embedded.dataplane.cloudevents.http import RawHeaders, utf8
from embedded.dataplane.cloudevents.media import EVENT_JSON
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

Attributes = Mapping[str, str]
Check = Callable[[Attributes], Attributes]

_MANY = 40
_LONG = 4096
_ZERO = "0001-01-01T00:00:00Z"
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_EMPTIED = ("subject", "dataschema", "datacontenttype")
_CUT_TIME = re.compile(r"(?P<minute>T\d\d:\d\d)(?=(?:Z|[+-]\d\d:\d\d)$)|\.(?=(?:Z|[+-]\d\d:\d\d)$)")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


def _checking(honest: DataPlanePolicies, check: Check) -> DataPlanePolicies:
    return replace(honest, accept=replace(honest.accept, check=check))


def _lenient(check: Check, forgive: Check) -> Check:
    """Return a check of what `forgive` makes of the attributes, which accepts them as they came."""

    def lenient(attributes: Attributes) -> Attributes:
        check(forgive(attributes))
        return attributes

    return lenient


@mutant(DATA_PLANE, wraps="accept.check")
def bad_time_invented(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Replace a time that is none by the current one (cloudevents/sdk-javascript issue 386)."""

    def check(attributes: Attributes) -> Attributes:
        if "time" in attributes and not is_timestamp(attributes["time"]):
            attributes = {**attributes, "time": datetime.now(UTC).isoformat()}
        return honest.accept.check(attributes)

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def cut_times_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a time without seconds, or with a fraction without digits, for one with none (Kafka Broker 1.22.3, seen)."""

    def check(attributes: Attributes) -> Attributes:
        if "time" in attributes:
            whole = _CUT_TIME.sub(lambda cut: f"{cut['minute']}:00" if cut["minute"] else "", attributes["time"])
            attributes = {**attributes, "time": whole}
        return honest.accept.check(attributes)

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def time_in_milliseconds(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Keep no more of a time than its milliseconds (as a Date of JavaScript does)."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        if "time" not in checked:
            return checked
        return {**checked, "time": re.sub(r"(\.\d{3})\d+", r"\1", checked["time"])}

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def uri_syntax_unchecked(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept any text as source and dataschema (cloudevents/sdk-javascript issue 386)."""

    def forgive(attributes: Attributes) -> Attributes:
        source, schema = attributes.get("source"), attributes.get("dataschema")
        forgiven = {} if not source or uri.is_reference(source) else {"source": "/any"}
        return {**attributes, **forgiven, **({"dataschema": "urn:any"} if schema else {})}

    return _checking(honest, _lenient(honest.accept.check, forgive))


@mutant(DATA_PLANE, wraps="accept.check")
def references_by_rfc_2396(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept a relative dataschema, and letters beyond ASCII in it and in source, as java.net.URI does (seen)."""

    def forgive(attributes: Attributes) -> Attributes:
        own = {name: attributes[name] for name in ("source", "dataschema") if attributes.get(name)}
        known = [name for name, value in own.items() if uri.is_reference(_BEYOND_ASCII.sub("x", value))]
        return {**attributes, **dict.fromkeys(known, "urn:any")}

    return _checking(honest, _lenient(honest.accept.check, forgive))


@mutant(DATA_PLANE, wraps="accept.check")
def media_type_unchecked(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept any text as datacontenttype."""

    def forgive(attributes: Attributes) -> Attributes:
        kind = attributes.get("datacontenttype")
        return {**attributes, "datacontenttype": "any/any"} if kind and not media.is_media_type(kind) else attributes

    return _checking(honest, _lenient(honest.accept.check, forgive))


@mutant(DATA_PLANE, wraps="accept.check")
def datacontenttype_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Keep the type of datacontenttype and drop its parameters."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        if "datacontenttype" not in checked:
            return checked
        return {**checked, "datacontenttype": checked["datacontenttype"].partition(";")[0]}

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def empty_optional_attributes_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept an empty subject, dataschema and datacontenttype."""

    def forgive(attributes: Attributes) -> Attributes:
        return {name: value for name, value in attributes.items() if value or name not in _EMPTIED}

    return _checking(honest, _lenient(honest.accept.check, forgive))


@mutant(DATA_PLANE, wraps="accept.check")
def control_characters_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept control characters and noncharacters in attributes (a newline: Kafka Broker 1.22.3, seen)."""

    def forgive(attributes: Attributes) -> Attributes:
        return {name: _CONTROLS.sub("-", value) for name, value in attributes.items()}

    return _checking(honest, _lenient(honest.accept.check, forgive))


@mutant(DATA_PLANE, wraps="accept.fields")
def last_header_wins(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the last of several headers of one name, and lose the others without a word."""

    def fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
        return list(dict(honest.accept.fields(headers)).items())

    return replace(honest, accept=replace(honest.accept, fields=fields))


@mutant(DATA_PLANE, wraps="accept.fields")
def datacontenttype_header_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ignore a ce-datacontenttype header; Content-Type alone counts (Kafka Broker 1.22.3, seen)."""

    def fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
        return [field for field in honest.accept.fields(headers) if field[0] != "ce-datacontenttype"]

    return replace(honest, accept=replace(honest.accept, fields=fields))


@mutant(DATA_PLANE, replaces="accept.fields")
def header_names_case_sensitive(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Know the prefix ce- and the names behind it in lower case only."""

    def fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
        named = [(utf8(name), value) for name, value in headers]
        return [(name if name.lower().startswith("ce-") else name.lower(), value) for name, value in named]

    return replace(honest, accept=replace(honest.accept, fields=fields))


@mutant(DATA_PLANE, wraps="accept.fields")
def headers_beat_envelope(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a structured event that has ce- headers too for a binary one, whose data is the envelope.

    The Kafka Broker 1.22.3 was seen to do so where the media type is not written in lower case.
    """

    def fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
        read = honest.accept.fields(headers)
        if not any(name == "ce-specversion" for name, _ in read):
            return read
        return [
            (name, value)
            for name, value in read
            if name != "content-type" or media.parse(value.decode("latin-1")).type != EVENT_JSON
        ]

    return replace(honest, accept=replace(honest.accept, fields=fields))


@mutant(DATA_PLANE, wraps="to_record")
def many_attributes_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Keep the first 40 attributes of an event, as if headers were counted."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        first = dict(list(event.attributes.items())[:_MANY])
        return honest.to_record(replace(event, attributes=first), partitions)

    return replace(honest, to_record=to_record)


@mutant(DATA_PLANE, wraps="to_record")
def long_attributes_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cut the value of an attribute after 4096 characters, as if it were a field of a table."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        cut = {name: value[:_LONG] for name, value in event.attributes.items()}
        return honest.to_record(replace(event, attributes=cut), partitions)

    return replace(honest, to_record=to_record)


@mutant(DATA_PLANE, wraps="accept.name")
def data_attribute_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an event with a header ce-data, which no attribute may be called (sdk-java 4.0.1, read)."""

    def name(given: str) -> str:
        return "dataheader" if given == "data" else honest.accept.name(given)

    return replace(honest, accept=replace(honest.accept, name=name))


@mutant(DATA_PLANE, wraps="accept.check")
def uris_normalised(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store the source in its normal form: scheme and host in lower case, no empty query or fragment, no dots."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        parts = urlsplit(checked["source"])
        host = parts.netloc.lower()
        path = re.sub(r"/[^/]+/\.\./", "/", parts.path.replace("/./", "/"))
        return {**checked, "source": urlunsplit((parts.scheme, host, path, parts.query, parts.fragment))}

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def uris_decoded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Decode what is percent-encoded in a source, where that is still a reference."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        decoded = unquote(checked["source"])
        return {**checked, "source": decoded} if uri.is_reference(decoded) else checked

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def schema_fragment_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store a dataschema without its fragment, as if it were an address to ask."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        schema = checked.get("dataschema", "").partition("#")[0]
        return {**checked, "dataschema": schema} if schema else checked

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def empty_extensions_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an extension that is the empty string for one that is absent."""

    def check(attributes: Attributes) -> Attributes:
        return {name: value for name, value in honest.accept.check(attributes).items() if value}

    return _checking(honest, check)


@mutant(DATA_PLANE, wraps="accept.check")
def values_typed_by_look(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an extension that looks like a number or a boolean for one, and write it as such: `007` becomes `7`."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        return {name: value if name in CORE else _typed(value) for name, value in checked.items()}

    return _checking(honest, check)


def _typed(text: str) -> str:
    if _INTEGER.fullmatch(text):
        return str(int(text))
    return text.lower() if text.lower() in {"true", "false"} else text


@mutant(DATA_PLANE, wraps="accept.check")
def zero_time_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a time that is the first instant of the year 1 for none (`Time.IsZero` of Go)."""

    def check(attributes: Attributes) -> Attributes:
        checked = honest.accept.check(attributes)
        is_zero = checked.get("time", "").startswith(_ZERO)
        return {name: value for name, value in checked.items() if name != "time" or not is_zero}

    return _checking(honest, check)
