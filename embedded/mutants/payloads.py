"""Mutants of what a delivery carries: data that somebody reads and writes again, attributes that do not fit a table."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.media import parse
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_Write: TypeAlias = Callable[[CloudEvent, TriggerSpec], tuple[list[tuple[str, str]], bytes]]
_MARK = b"\xef\xbb\xbf"
_LONGEST_NAME = 20


def _delivering(write_request: _Write, changed: Callable[[CloudEvent], CloudEvent]) -> _Write:
    """Return the function that writes the changed event."""
    return lambda event, spec: write_request(changed(event), spec)


@mutant(DATA_PLANE, wraps="write_request")
def text_tidied(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take byte order marks and white space at the end off text, and write its lines' ends as line feeds."""

    def tidied(event: CloudEvent) -> CloudEvent:
        kind = parse(event.attributes.get("datacontenttype", ""))
        if event.data is None or not kind.type.startswith("text/"):
            return event
        return replace(event, data=event.data.removeprefix(_MARK).replace(b"\r\n", b"\n").rstrip())

    return replace(honest, write_request=_delivering(honest.write_request, tidied))


@mutant(DATA_PLANE, wraps="write_request")
def json_read_and_written(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read JSON data and write it again: a member that is there twice, number forms and white space are lost."""

    def written(event: CloudEvent) -> CloudEvent:
        if event.data is None or not parse(event.attributes.get("datacontenttype", "")).is_json:
            return event
        try:
            return replace(event, data=json.dumps(json.loads(event.data)).encode())
        except ValueError:
            return event

    return replace(honest, write_request=_delivering(honest.write_request, written))


@mutant(DATA_PLANE, wraps="write_request")
def attribute_lists_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a header with commas for a list, and deliver its first entry (RFC 9110, 5.3: some fields are lists)."""

    def cut(event: CloudEvent) -> CloudEvent:
        return event.having(**{name: value.partition(",")[0] for name, value in event.attributes.items()})

    return replace(honest, write_request=_delivering(honest.write_request, cut))


@mutant(DATA_PLANE, wraps="write_request")
def long_attribute_names_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Drop extensions whose name has more than twenty characters."""

    def short(event: CloudEvent) -> CloudEvent:
        kept = {name: value for name, value in event.attributes.items() if name in CORE or len(name) <= _LONGEST_NAME}
        return replace(event, attributes=kept)

    return replace(honest, write_request=_delivering(honest.write_request, short))
