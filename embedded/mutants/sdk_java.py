"""Mutants that take for an event what is none, or another one, as CloudEvents' SDK for Java does.

All were seen on the Kafka Broker 1.22.3, whose ingress and dispatcher read with version 4.0.1 of it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record, media, uri
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.media import Media
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

Members = dict[str, Any]
Attributes = Mapping[str, str]

_DATA = ("data", "data_base64")
_CUT_TIME = re.compile(r"(?P<minute>T\d\d:\d\d)(?=(?:Z|[+-]\d\d:\d\d)$)|\.(?=(?:Z|[+-]\d\d:\d\d)$)")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_WHOLE_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)")
_JSON = re.compile(r"(application|text)/([a-zA-Z]+\+)?json(;.*)*")
"""The media types of JSON by the SDK: in lower case, and with a suffix behind a name of letters alone."""


def _members(value: bytes | None) -> Members | None:
    try:
        members = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _reading(
    honest: DataPlanePolicies, rewrite: Callable[[Members], Members], *, records: bool = False
) -> DataPlanePolicies:
    """Return policies that read structured events as if their members were others.

    Args:
        honest: The policies.
        rewrite: The function that returns the other members.
        records: True: records in structured mode are read so, too.
    """

    def rewritten(body: bytes) -> bytes:
        members = _members(body)
        other = None if members is None else rewrite(members)
        return body if other == members else json.dumps(other).encode()

    def structured(kind: Media, body: bytes) -> tuple[Attributes, bytes | None]:
        return honest.accept.structured(kind, rewritten(body))

    def from_record(record: Record) -> CloudEvent:
        if record.value is None or not _is_structured(record):
            return honest.from_record(record)
        return honest.from_record(replace(record, value=rewritten(record.value)))

    reading = replace(honest, accept=replace(honest.accept, structured=structured))
    return replace(reading, from_record=from_record) if records else reading


def _is_structured(record: Record) -> bool:
    kinds = (value for name, value in record.headers if name.lower() == "content-type" and value is not None)
    return media.parse(next(kinds, b"").decode("latin-1")).type == media.EVENT_JSON


def _of_extensions(members: Members, change: Callable[[Any], Any]) -> Members:
    """Return members whose extensions have the values that `change` makes of them."""
    return {name: value if name in CORE or name in _DATA else change(value) for name, value in members.items()}


@mutant(DATA_PLANE, wraps="accept.check")
def cut_times_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a time without seconds, or with a fraction without digits, for one with none of them."""

    def check(attributes: Attributes) -> Attributes:
        time = attributes.get("time")
        if time is not None:
            whole = _CUT_TIME.sub(lambda cut: f"{cut['minute']}:00" if cut["minute"] else "", time)
            attributes = {**attributes, "time": whole}
        return honest.accept.check(attributes)

    return replace(honest, accept=replace(honest.accept, check=check))


@mutant(DATA_PLANE, wraps="accept.check")
def references_by_rfc_2396(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept a relative reference as dataschema, and letters beyond ASCII in it and in source, as java.net.URI does."""

    def check(attributes: Attributes) -> Attributes:
        own = {name: attributes[name] for name in ("source", "dataschema") if attributes.get(name)}
        known = {name: value for name, value in own.items() if uri.is_reference(_BEYOND_ASCII.sub("x", value))}
        stand_ins = {name: f"urn:{name}" for name in known}
        return {**honest.accept.check({**attributes, **stand_ins}), **known}

    return replace(honest, accept=replace(honest.accept, check=check))


@mutant(DATA_PLANE, wraps=("accept.structured", "from_record"))
def json_types_of_letters_only(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Know fewer media types of JSON: what is of another one has to be a text, and loses its quotes."""

    def read(members: Members | None, data: bytes | None) -> bytes | None:
        kind, value = (members or {}).get("datacontenttype"), (members or {}).get("data")
        if not isinstance(kind, str) or _JSON.fullmatch(kind) or value is None:
            return data
        if not isinstance(value, str):
            raise NotAnEventError(f"data of type {kind} is no text")
        return value.encode()

    def structured(kind: Media, body: bytes) -> tuple[Attributes, bytes | None]:
        attributes, data = honest.accept.structured(kind, body)
        return attributes, read(_members(body), data)

    def from_record(record: Record) -> CloudEvent:
        event = honest.from_record(record)
        return replace(event, data=read(_members(record.value), event.data)) if _is_structured(record) else event

    return replace(honest, accept=replace(honest.accept, structured=structured), from_record=from_record)


@mutant(DATA_PLANE, wraps=("accept.structured", "from_record"))
def null_extension_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store an extension that is null as the text null."""

    def rewrite(members: Members) -> Members:
        return _of_extensions(members, lambda value: "null" if value is None else value)

    return _reading(honest, rewrite, records=True)


@mutant(DATA_PLANE, wraps="accept.structured")
def compound_extensions_as_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store an extension that is an array or an object as the text of its JSON."""

    def change(value: Any) -> Any:
        return json.dumps(value, separators=(",", ":")) if isinstance(value, list | dict) else value

    return _reading(honest, lambda members: _of_extensions(members, change))


@mutant(DATA_PLANE, wraps="accept.structured")
def base64_ends_at_padding(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read data_base64 up to its first padding, and never look at what follows."""

    def rewrite(members: Members) -> Members:
        whole = _WHOLE_BASE64.match(str(members.get("data_base64") or ""))
        return {**members, "data_base64": whole[0]} if whole else members

    return _reading(honest, rewrite)
