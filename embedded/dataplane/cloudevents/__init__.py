"""CloudEvents 1.0 as the data plane reads and writes them: HTTP and Kafka bindings, JSON format.

The code is our own and strict, because an SDK that invents missing ids or accepts empty ones cannot be a reference. The
reader that judges a system under test is another one; it is in `evidence` and shares no code with this one.
"""

from embedded.dataplane.cloudevents.event import CloudEvent, NotAnEventError, check
from embedded.dataplane.cloudevents.http import HttpReader, claims_to_be_event, write_binary
from embedded.dataplane.cloudevents.kafka import Headers, Record, read_record, write_record

__all__ = [
    "CloudEvent",
    "Headers",
    "HttpReader",
    "NotAnEventError",
    "Record",
    "check",
    "claims_to_be_event",
    "read_record",
    "write_binary",
    "write_record",
]
