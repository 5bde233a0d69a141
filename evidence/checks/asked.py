"""What was asked of a server, and what became of it: a request over REST and a call over gRPC alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.checks.base import shorten
from evidence.refs import CallRef, ExchangeRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.history_index import HistoryIndex

Asked = ExchangeRef | CallRef
OK = "OK"


def watch(history: HistoryIndex, ref: Asked) -> None:
    """Have the history keep it."""
    if isinstance(ref, CallRef):
        history.watch_call(ref.call)
    else:
        history.watch_exchange(ref.send)


def request_of(history: HistoryIndex, ref: Asked) -> Any:
    """Return the record of the request or the call; None: there is none yet."""
    return history.calls.get(ref.call) if isinstance(ref, CallRef) else history.sent.get(ref.send)


def answer_to(history: HistoryIndex, ref: Asked) -> Any:
    """Return the record of the answer, or of the end of the call; None: there is none yet."""
    return history.call_ends.get(ref.call) if isinstance(ref, CallRef) else history.answered.get(ref.send)


def id_of(ref: Asked) -> str:
    """Return the id of the request or the call."""
    return ref.call if isinstance(ref, CallRef) else ref.send


def name_of(ref: Asked) -> str:
    """Return how the request or the call is called in messages."""
    return f"{'call' if isinstance(ref, CallRef) else 'request'} {id_of(ref)}"


def is_well(answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer is a success: HTTP 200, or OK."""
    return bool(answer["code"] == OK if "code" in answer else answer["status"] == 200)


def told(answer: Mapping[str, Any]) -> str:
    """Return an answer, or the end of a call, in words."""
    if answer["code" if "code" in answer else "status"] is None:
        return f"no answer: {answer['error']}"
    if "code" in answer:
        return f"{answer['code']} {answer['details']!r}"
    return f"HTTP {answer['status']} {shorten(answer['body'])}"
