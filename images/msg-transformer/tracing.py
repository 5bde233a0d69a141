"""W3C Trace Context of the current request: what goes with the call to the predictor and with the result's record.

The SDK hands on `x-request-id`, `x-b3-traceid` and `authorization`, and ends every trace of the W3C's form here.
"""

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-[ -~]*)?")
_STATE = re.compile(r"[ -~\t]{1,8192}")
_carried: ContextVar[dict[str, str] | None] = ContextVar("carried", default=None)


def remember(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep the trace in a request's headers (names in lower case) for the length of this request."""
    fields = [(name.decode("latin-1"), value.decode("latin-1").strip()) for name, value in headers]
    parents = [value for name, value in fields if name == "traceparent"]
    parent = _PARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if parent is None or (parents[0].startswith("00") and parent[3]):
        _carried.set(None)
        return
    state = ",".join(value for name, value in fields if name == "tracestate")
    kept = {"traceparent": f"00-{parent[1]}-{{span}}-{parent[2]}"}
    _carried.set(kept | ({"tracestate": state} if _STATE.fullmatch(state) else {}))


def onward() -> dict[str, str]:
    """Return the headers by which the next hop goes on in the trace, with a span of its own; none without a trace."""
    kept = _carried.get()
    if kept is None:
        return {}
    return {**kept, "traceparent": kept["traceparent"].format(span=f"{secrets.randbits(64) or 1:016x}")}
