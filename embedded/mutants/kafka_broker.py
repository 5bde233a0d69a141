"""Divergences of the Kafka Broker 1.22.3: what it was seen to do, and no requirement forbids; and mutants of them."""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record
from embedded.dataplane.cloudevents.media import Media, parse
from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import divergence, mutant

_OLDER, _NEWER = "0.3", "1.0"
_ENCODING = "datacontentencoding"


@divergence(DATA_PLANE, wraps="accept.structured")
def json_printed_again(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Print JSON data of structured events anew: `1e2` becomes `100.0` (Kafka Broker 1.22.3, seen)."""

    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        attributes, data = honest.accept.structured(kind, body)
        # What came as `data_base64` is bytes, whatever its media type.
        if data is None or "data" not in json.loads(body) or not parse(attributes["datacontenttype"]).is_json:
            return attributes, data
        return attributes, _printed(data)

    return replace(honest, accept=replace(honest.accept, structured=structured))


def _printed(data: bytes) -> bytes:
    value: Any = json.loads(
        data,
        parse_float=lambda text: orjson.Fragment(_double(text)),
        parse_int=orjson.Fragment,  # of any size, kept as they are
    )
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return data  # deeper than this writer goes


def _double(text: str) -> str:
    """Return a number as Java prints a double: plain from 0.001 up to ten millions, otherwise with an exponent."""
    value = float(text)
    if not math.isfinite(value):
        return text  # beyond what a double holds
    number = Decimal(repr(value))
    if not number or Decimal("0.001") <= abs(number) < Decimal(10_000_000):
        plain = format(number, "f")
        return plain if "." in plain else f"{plain}.0"
    sign, digits, _ = number.normalize().as_tuple()
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{rest}E{number.adjusted()}"


def _older_accepted(honest: DataPlanePolicies, *, reads_base64: bool) -> DataPlanePolicies:
    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        attributes, data = honest.accept.structured(kind, body)
        if not reads_base64 or attributes.get("specversion") != _OLDER or attributes.get(_ENCODING) != "base64":
            return attributes, data
        text: Any = json.loads(data or b'""') if parse(attributes.get("datacontenttype", "")).is_json else data
        try:
            return attributes, base64.b64decode(text)
        except (TypeError, ValueError) as error:
            raise NotAnEventError(f"'data' is not base64: {error}") from error

    def checked(attributes: Mapping[str, str]) -> Mapping[str, str]:
        if attributes.get("specversion") != _OLDER:
            return honest.accept.check(attributes)
        # What is said of the encoding is needed for reading alone.
        rest = {name: value for name, value in attributes.items() if name != _ENCODING}
        return {**honest.accept.check({**rest, "specversion": _NEWER}), "specversion": _OLDER}

    def from_record(record: Record) -> CloudEvent:
        version = ("ce_specversion", _OLDER.encode())
        if version not in record.headers:
            return honest.from_record(record)
        others = [header for header in record.headers if header != version]
        newer = replace(record, headers=[("ce_specversion", _NEWER.encode()), *others])
        return honest.from_record(newer).having(specversion=_OLDER)

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        return honest.dead_letter(event.having(specversion=_NEWER), subscriber, attempt)

    accept = replace(honest.accept, check=checked, structured=structured)
    return replace(honest, accept=accept, from_record=from_record, dead_letter=dead_letter)


@divergence(DATA_PLANE, wraps=("accept.check", "accept.structured", "from_record", "dead_letter"))
def older_specversion_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept and deliver events of version 0.3; dead letters are of 1.0 (Kafka Broker 1.22.3, seen)."""
    return _older_accepted(honest, reads_base64=True)


@mutant(DATA_PLANE, wraps=("accept.check", "accept.structured", "from_record", "dead_letter"))
def older_encoding_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept and deliver events of version 0.3, and lose what says that their data are base64."""
    return _older_accepted(honest, reads_base64=False)


@divergence(DATA_PLANE, replaces="closes")
def consumer_never_closes(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never close a consumer whose filter has failed: a changed one delivers nothing (Kafka Broker 1.22.3, seen)."""
    return replace(honest, closes=lambda matches: not getattr(matches, "has_failed", False))
