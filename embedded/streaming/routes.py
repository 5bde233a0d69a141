"""What the client of routers and combiners reads and writes: a route that is named, and the messages to combine."""

from collections.abc import Sequence
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from embedded.streaming import messages


def read_route(answer: bytes) -> int:
    """Return the first number of a router's answer: a SeldonMessage with a tensor or an array, or a list.

    Raises:
        ValueError: There is no such number.
    """
    try:
        value = orjson.loads(answer)
        data = value["data"] if isinstance(value, dict) else {"ndarray": value}
        first = (data["ndarray"] if "ndarray" in data else data["tensor"]["values"])[0]
        return int(first[0] if isinstance(first, list) else first)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise ValueError(f"a router's answer without a route: {answer[:200]!r}") from error


def read_message_route(answer: bytes) -> int:
    """Return the first number of a router's answer over gRPC: a SeldonMessage with an array or a tensor.

    Raises:
        ValueError: There is no such number.
    """
    try:
        message = messages.parsed(messages.SELDON_MESSAGE, answer)
        match message.data.WhichOneof("one"):
            case "ndarray":
                first = message.data.ndarray[0]
                return int(first[0] if hasattr(first, "values") else first)
            case "tensor":
                return int(message.data.tensor.values[0])
            case "tftensor":
                return int(message.data.tftensor.int_val[0])
    except (ValueError, TypeError, IndexError, OverflowError, DecodeError) as error:
        raise ValueError(f"a router's answer without a route: {answer[:200]!r}") from error
    raise ValueError(f"a router's answer without data: {answer[:200]!r}")


def listed(answers: Sequence[bytes]) -> bytes:
    """Return what a combiner gets over gRPC: the SeldonMessageList of its children's answers.

    Raises:
        ValueError: One of them is no SeldonMessage.
    """
    whole: Any = messages.new(messages.SELDON_LIST)
    try:
        for answer in answers:
            whole.seldonMessages.add().ParseFromString(answer)
    except DecodeError as error:
        raise ValueError(f"an answer that is no {messages.SELDON_MESSAGE}: {error}") from error
    content: bytes = whole.SerializeToString()
    return content


def in_array(answers: Sequence[bytes]) -> bytes:
    """Return what a combiner gets over REST: the JSON array of its children's answers."""
    return b"[" + b",".join(answers) + b"]"
