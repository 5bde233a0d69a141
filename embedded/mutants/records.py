"""Mutants of the records in Kafka, and of their reading."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.http import percent_decode, percent_encode
from embedded.dataplane.cloudevents.media import EVENT_JSON, EVENT_PREFIX
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import divergence, mutant


@mutant(DATA_PLANE, wraps=("to_record", "from_record"))
def record_headers_hyphenated(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Store extensions under `ce-<name>`, as in HTTP (MLServer's Kafka answers are alike)."""
    core = {f"ce_{name}" for name in CORE}

    def to_record(event: CloudEvent, partitions: int) -> Record:
        record = honest.to_record(event, partitions)
        headers = [(name if name in core else name.replace("ce_", "ce-", 1), value) for name, value in record.headers]
        return replace(record, headers=headers)

    def from_record(record: Record) -> CloudEvent:
        headers = [(name.replace("ce-", "ce_", 1), value) for name, value in record.headers]
        return honest.from_record(replace(record, headers=headers))

    return replace(honest, to_record=to_record, from_record=from_record)


@mutant(DATA_PLANE, wraps=("to_record", "from_record"))
def record_headers_percent_encoded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Percent-encode the values of record headers, as in HTTP (cloudevents/spec issue 570)."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        record = honest.to_record(event, partitions)
        headers = [
            (name, percent_encode(value.decode()).encode() if value and name.startswith("ce_") else value)
            for name, value in record.headers
        ]
        return replace(record, headers=headers)

    def from_record(record: Record) -> CloudEvent:
        headers = [
            (name, percent_decode(value).encode() if value and name.startswith("ce_") else value)
            for name, value in record.headers
        ]
        return honest.from_record(replace(record, headers=headers))

    return replace(honest, to_record=to_record, from_record=from_record)


@mutant(DATA_PLANE, wraps="to_record")
def content_type_invented(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Call data of no media type application/octet-stream."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        if event.data is not None and "datacontenttype" not in event.attributes:
            event = event.having(datacontenttype="application/octet-stream")
        return honest.to_record(event, partitions)

    return replace(honest, to_record=to_record)


@mutant(DATA_PLANE, wraps="to_record")
def no_data_as_empty_value(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Give the record of an event without data an empty value, not none (Kafka binding, 3.2.2)."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        record = honest.to_record(event, partitions)
        return replace(record, value=record.value or b"")

    return replace(honest, to_record=to_record)


@mutant(DATA_PLANE, wraps="to_record")
def id_as_key(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make the id the key of a record whose event has no partitionkey."""

    def to_record(event: CloudEvent, partitions: int) -> Record:
        record = honest.to_record(event, partitions)
        return record if record.key is not None else replace(record, key=event.attributes["id"].encode())

    return replace(honest, to_record=to_record)


@mutant(DATA_PLANE, wraps="to_record")
def partitionkey_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave `partitionkey` out of the record's key: records go round the partitions.

    CloudEvents Kafka binding, 3.1.
    """
    turns = itertools.count()

    def to_record(event: CloudEvent, partitions: int) -> Record:
        return replace(honest.to_record(event, partitions), key=None, partition=next(turns) % partitions)

    return replace(honest, to_record=to_record)


def _media_type(record: Record) -> str:
    """Return the value of a record's content-type; empty where it has none."""
    return next(((value or b"").decode() for name, value in record.headers if name.lower() == "content-type"), "")


def is_structured(record: Record) -> bool:
    """Tell whether a record is in structured mode, or a batch, by its media type."""
    return _media_type(record).lower().startswith(EVENT_PREFIX)


def _recognising(honest: DataPlanePolicies, known: Callable[[str], bool]) -> Callable[[Record], CloudEvent]:
    """Return a reader of records that takes one in structured mode for no event where its media type is not known."""

    def from_record(record: Record) -> CloudEvent:
        kind = _media_type(record)
        if is_structured(record) and not known(kind):
            raise NotAnEventError(f"media type {kind} is not known")
        return honest.from_record(record)

    return from_record


@mutant(DATA_PLANE, wraps="from_record")
def structured_record_skipped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Skip records in structured mode (consumers must read both modes)."""

    def from_record(record: Record) -> CloudEvent:
        if is_structured(record):
            raise NotAnEventError("structured mode is not read")
        return honest.from_record(record)

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps="from_record")
def structured_record_by_exact_type(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read records in structured mode only where the media type has neither capitals nor parameters."""
    return replace(honest, from_record=_recognising(honest, lambda kind: kind == EVENT_JSON))


@mutant(DATA_PLANE, wraps="from_record")
def record_media_type_case_sensitive(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Fail to recognise a record of type `Application/CloudEvents+JSON` (sdk-java `EventFormatProvider`)."""
    return replace(honest, from_record=_recognising(honest, lambda kind: kind.startswith(EVENT_JSON)))


@mutant(DATA_PLANE, wraps="from_record")
def base64_record_left_encoded(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver the `data_base64` of a record in structured mode as its text."""

    def from_record(record: Record) -> CloudEvent:
        event = honest.from_record(record)
        if not is_structured(record):
            return event
        encoded = json.loads(record.value or b"{}").get("data_base64")
        return event if encoded is None else replace(event, data=encoded.encode())

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps="from_record")
def escaped_base64_unread(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Fail to read a record in structured mode whose base64 data has an escape of JSON (sdk-go issue 1113)."""

    def from_record(record: Record) -> CloudEvent:
        _, member, data = (record.value or b"").partition(b'"data_base64"')
        if member and rb"\u" in data and is_structured(record):
            raise NotAnEventError("illegal base64 data")
        return honest.from_record(record)

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps="from_record")
def record_key_told_as_partitionkey(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make the key of a record an attribute of an event that has none."""

    def from_record(record: Record) -> CloudEvent:
        event = honest.from_record(record)
        if not record.key or "partitionkey" in event.attributes:
            return event
        return event.having(partitionkey=record.key.decode(errors="replace"))

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps="from_record")
def headers_read_to_first_foreign(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the headers of a record up to the first one that belongs to no event."""

    def from_record(record: Record) -> CloudEvent:
        own = list(itertools.takewhile(lambda header: header[0].startswith(("ce_", "content-type")), record.headers))
        return honest.from_record(replace(record, headers=own))

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps="from_record")
def foreign_record_eats_next(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Lose the record after one that is not an event (eventing-kafka-broker issue 1455)."""
    eating: set[int | None] = set()

    def from_record(record: Record) -> CloudEvent:
        if record.partition in eating:
            eating.remove(record.partition)
            raise NotAnEventError("lost with the record before")
        try:
            return honest.from_record(record)
        except NotAnEventError:
            eating.add(record.partition)
            raise

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps="from_record")
def unreadable_header_ends_consumer(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read nothing of a partition behind a record with a `ce_` header that is null or no UTF-8."""
    ended: set[int | None] = set()

    def is_text(content: bytes | None) -> bool:
        return content is not None and content.decode(errors="replace").encode() == content

    def from_record(record: Record) -> CloudEvent:
        if not all(is_text(content) for name, content in record.headers if name.startswith("ce_")):
            ended.add(record.partition)
        if record.partition in ended:
            raise NotAnEventError("the consumer of the partition has ended")
        return honest.from_record(record)

    return replace(honest, from_record=from_record)


@mutant(DATA_PLANE, wraps=("begin", "from_record"))
def ready_before_consuming(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make a Trigger on a topic with records Ready before it consumes, so that it misses a record.

    Eventing-kafka-broker issue 3249.
    """
    begun = late = False

    def begin(ends: Mapping[int, int]) -> Mapping[int, int]:
        nonlocal begun, late
        # A dispatcher that begins again knows where it was.
        begun, late = True, not begun and any(ends.values())
        return honest.begin(ends)

    def from_record(record: Record) -> CloudEvent:
        nonlocal late
        if late:
            late = False
            raise NotAnEventError("it came before the consumer")
        return honest.from_record(record)

    return replace(honest, begin=begin, from_record=from_record)


@divergence(DATA_PLANE, wraps="from_record")
def offset_attributes_added(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Add partition and offset to every delivery, as extensions (Kafka Broker 1.22.3, seen; the record has none)."""

    def from_record(record: Record) -> CloudEvent:
        place = {"knativekafkapartition": str(record.partition), "knativekafkaoffset": str(record.offset)}
        return honest.from_record(record).having(**place)

    return replace(honest, from_record=from_record)
