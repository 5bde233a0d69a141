"""The requests in records: JSON for REST, a protobuf message named by the header `proto-name` for gRPC."""

from collections.abc import Callable

import orjson
from google.protobuf.message import DecodeError

from embedded.dataplane.cloudevents import Record
from embedded.streaming import messages

PROTO_NAME = "proto-name"
KNOWN_TYPES = frozenset(
    {
        *messages.TYPES,
        "tensorflow.serving.ClassificationRequest",
        "tensorflow.serving.RegressionRequest",
        "tensorflow.serving.MultiInferenceRequest",
    }
)
"""The types that the executor knows; to a model of one protocol all but one are no request (v1.18.2 api/grpc)."""


class NotARequestError(ValueError):
    """A record that is not a request for the model; it is dropped, and others go on."""


class ServerDiesError(Exception):
    """A record that ends the server's process, raised by faulty policies alone; it is read again after the restart."""


class NotAnObjectError(NotARequestError):
    """A JSON value that is not an object."""


class UndecodableError(NotARequestError):
    """A value that is neither JSON nor a message of its declared type."""


class UnknownTypeError(NotARequestError):
    """A `proto-name` of an unknown type."""


class OtherTypeError(NotARequestError):
    """A `proto-name` of a known type that is no request to this model."""


class ProtoNameError(NotARequestError):
    """A `proto-name` that is missing or given twice."""


def read_json(record: Record) -> bytes:
    """Return the body of a REST request: the record's value as it is, once it is known to be a JSON object.

    The executor parses and prints it anew through float64, which changes large integers, and dies of JSON that is not
    an object (executor v1.18.2 api/rest/tensorflow.go:19).

    Raises:
        NotAnObjectError, UndecodableError: The value is not a JSON object.
    """
    try:
        value = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError as error:
        raise UndecodableError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise NotAnObjectError(f"JSON, but no object: {type(value).__name__}")
    return record.value or b""


def proto_name(record: Record) -> str:
    """Return the type that the record names in its header, which must be there exactly once.

    Raises:
        ProtoNameError: The header is missing or given twice.
    """
    names = [value for name, value in record.headers if name == PROTO_NAME]
    if len(names) != 1:
        raise ProtoNameError(f"header {PROTO_NAME} is there {len(names)} times, not once")
    return (names[0] or b"").decode("utf-8", "replace")


def reader_of(wanted: str) -> Callable[[Record], bytes]:
    """Return the function from a record to the bytes of a request of one type.

    The executor dies of a name that it does not know (v1.18.2 api/kafka/server.go:166); here it is one dropped record.

    Args:
        wanted: The full name of the request's type.
    """

    def read(record: Record) -> bytes:
        return decode(proto_name(record), record.value or b"", wanted)

    return read


read_message = reader_of(messages.PREDICT_REQUEST)
"""The function from a record to the bytes of a PredictRequest."""


def decode(name: str, value: bytes, wanted: str = messages.PREDICT_REQUEST) -> bytes:
    """Decode a message as type `name`, and return the bytes to send.

    Raises:
        UnknownTypeError, OtherTypeError, UndecodableError: The value is not a request of the wanted type.
    """
    if name != wanted:
        error = OtherTypeError if name in KNOWN_TYPES else UnknownTypeError
        raise error(f"{PROTO_NAME} {name[:128]!r}: expected {wanted}")
    try:
        content: bytes = messages.parsed(name, value).SerializeToString()
    except DecodeError as error:
        raise UndecodableError(f"no {name}: {error}") from error
    return content
