"""Mutants of the records in Kafka, and of their reading."""

import itertools
from collections.abc import Mapping
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError, Record
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.http import percent_decode, percent_encode
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


@mutant(DATA_PLANE, wraps="from_record")
def structured_record_skipped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Skip records in structured mode (consumers must read both modes)."""

    def from_record(record: Record) -> CloudEvent:
        if any(
            name.lower() == "content-type" and (value or b"").lower().startswith(b"application/cloudevents")
            for name, value in record.headers
        ):
            raise NotAnEventError("structured mode is not read")
        return honest.from_record(record)

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


@mutant(DATA_PLANE, wraps=("begin", "from_record"))
def ready_before_consuming(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Make a Trigger on a topic with records Ready before it consumes, so that it misses a record.

    Eventing-kafka-broker issue 3249.
    """
    late = False

    def begin(ends: Mapping[int, int]) -> Mapping[int, int]:
        nonlocal late
        late = any(ends.values())
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
