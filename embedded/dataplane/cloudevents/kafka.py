"""The Kafka protocol binding (CloudEvents Kafka binding 1.0.2): binary and structured content mode, both ways."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from embedded.dataplane.cloudevents import media
from embedded.dataplane.cloudevents.event import CloudEvent, NotAnEventError, attribute_name, check
from embedded.dataplane.cloudevents.http import read_format

Headers = Sequence[tuple[str, bytes | None]]

_PREFIX = "ce_"
_CONTENT_TYPE = "content-type"


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record, to be produced or as consumed.

    Attributes:
        headers: The header fields in order; Kafka allows a name twice, and a null value.
        partition: The partition; None lets the partitioner choose.
        offset: The offset; -1 until Kafka assigned one.
        time: The seconds since the epoch at which its producer made it; 0 until it is consumed.
    """

    key: bytes | None
    headers: Headers
    value: bytes | None
    partition: int | None = None
    offset: int = -1
    time: float = field(default=0.0, compare=False)


def write_record(event: CloudEvent) -> Record:
    """Write an event in binary content mode (3.2): attributes as UTF-8 `ce_` headers, data as value.

    The key is the event's `partitionkey` (3.1, key mapper of the Partitioning extension), which stays an attribute. An
    event without data has a null value.
    """
    key = event.attributes.get("partitionkey")
    headers: list[tuple[str, bytes | None]] = [
        (_PREFIX + name, value.encode()) for name, value in event.attributes.items() if name != "datacontenttype"
    ]
    if "datacontenttype" in event.attributes:
        headers.append((_CONTENT_TYPE, event.attributes["datacontenttype"].encode()))
    return Record(None if key is None else key.encode(), headers, event.data)


def read_record(record: Record) -> CloudEvent:
    """Read an event of either content mode.

    Raises:
        NotAnEventError: The record is not an event.
    """
    kinds = [value for name, value in record.headers if name.lower() == _CONTENT_TYPE and value is not None]
    if len(kinds) > 1:
        raise NotAnEventError("there is more than one content-type")
    kind = media.parse(_text(_CONTENT_TYPE, kinds[0])) if kinds else media.Media("")
    if kind.is_batch:
        raise NotAnEventError("the record is a batch")
    if kind.is_event:
        attributes, data = read_format(kind, record.value or b"")
        return CloudEvent(check(attributes), data)
    values: dict[str, str] = {}
    for header, value in record.headers:
        if not header.startswith(_PREFIX) or value is None:
            continue
        name = attribute_name(header[len(_PREFIX) :])
        if name in values:
            raise NotAnEventError(f"attribute {name!r} is given twice")
        values[name] = _text(header, value)
    if kinds:
        values["datacontenttype"] = _text(_CONTENT_TYPE, kinds[0])
    return CloudEvent(check(values), record.value)


def _text(header: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotAnEventError(f"record header {header[:64]!r} is not UTF-8") from error
