"""What each mutant of traces does, and what the honest one does instead."""

from selftest.embedded_dataplane.dataplane_row import Row
from selftest.embedded_dataplane.observing import PARENT, TRACE
from selftest.embedded_dataplane.observing_delivery import (
    arrives,
)
from selftest.embedded_dataplane.observing_ingress import (
    kept,
)
from selftest.embedded_dataplane.observing_traces import (
    attempts_stated,
    attempts_traced,
    behind_a_traced_one,
    fields,
    own_states,
    own_traces,
    reply_traced,
    stated,
    structured_traced,
    tracing,
)

TRACE_ROWS: dict[str, Row] = {
    "trace-dropped": Row(
        arrives(lambda got: "traceparent" in got.headers, headers={"traceparent": PARENT}),
        honest=True,
        faulty=False,
    ),
    "trace-cross-talk": Row(own_traces, honest=True, faulty=False),
    "trace-left-behind": Row(behind_a_traced_one, [True, True, False], [True, True, True]),
    "trace-left-by-failure": Row(behind_a_traced_one, [True, True, False], [True, True, True]),
    "reply-trace-dropped": Row(reply_traced, (True, True), (True, False)),
    "ce-traceparent-rewritten": Row(
        arrives(lambda got: got.headers["ce-traceparent"] == PARENT, traceparent=PARENT),
        honest=True,
        faulty=False,
    ),
    "trace-of-first-attempt-only": Row(attempts_traced, ([True, True, True], 3), ([True, False, False], 1)),
    "attempts-share-span": Row(attempts_traced, ([True, True, True], 3), ([True, True, True], 1)),
    "trace-always-sampled": Row(
        tracing(traceparent=f"{PARENT[:-2]}00"), ("00", TRACE, "00", ""), ("00", TRACE, "01", "")
    ),
    "tracestate-dropped": Row(
        tracing(traceparent=PARENT, tracestate="a=1,b=2"), ("00", TRACE, "01", "a=1,b=2"), ("00", TRACE, "01", "")
    ),
    "tracestate-long-dropped": Row(
        tracing(traceparent=PARENT, tracestate=f"a={'x' * 256}"),
        ("00", TRACE, "01", f"a={'x' * 256}"),
        ("00", TRACE, "01", ""),
    ),
    "tracestate-of-first-attempt-only": Row(attempts_stated, ["a=1", "a=1", "a=1"], ["a=1", "", ""]),
    "tracestate-cross-talk": Row(own_states, honest=True, faulty=False),
    "unknown-trace-flags-refused": Row(
        tracing(traceparent=f"{PARENT[:-2]}03"), ("00", TRACE, "03", ""), ("", "", "", "")
    ),
    "structured-trace-dropped": Row(structured_traced, honest=True, faulty=False),
    "tracestate-reversed": Row(
        tracing(traceparent=PARENT, tracestate="a=1,b=2"),
        ("00", TRACE, "01", "a=1,b=2"),
        ("00", TRACE, "01", "b=2,a=1"),
    ),
    "tracestate-first-field-only": Row(
        fields(("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")), (True, "a=1,b=2"), (True, "a=1")
    ),
    "tracestate-without-parent": Row(fields(("tracestate", "a=1")), (False, ""), (True, "a=1")),
    "malformed-trace-continued": Row(
        tracing(traceparent=f"ff{PARENT[2:].upper()}-more"), ("", "", "", ""), ("00", TRACE, "01", "")
    ),
    "first-traceparent-taken": Row(
        fields(("traceparent", PARENT), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")), (False, ""), (True, "")
    ),
    "future-trace-version-refused": Row(
        tracing(traceparent=f"cc{PARENT[2:]}-more"), ("00", TRACE, "01", ""), ("", "", "", "")
    ),
    "traceparent-case-sensitive": Row(fields(("TraceParent", PARENT)), (True, ""), (False, "")),
    "ce-tracestate-dropped": Row(kept("ce_tracestate", tracestate="a=1"), b"a=1", None),
    "trace-of-digits-refused": Row(fields(("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")), (True, ""), (False, "")),
    "trace-of-64-bits-refused": Row(fields(("traceparent", f"00-{'0' * 16}{PARENT[19:]}")), (True, ""), (False, "")),
    "trace-digits-unchecked": Row(tracing(traceparent=f"0z-g{PARENT[4:]}"), ("", "", "", ""), ("00", TRACE, "01", "")),
    "trace-flags-unchecked": Row(tracing(traceparent=f"{PARENT[:-2]}zz"), ("", "", "", ""), ("00", TRACE, "00", "")),
    "bad-tracestate-drops-trace": Row(stated("a=1,bad"), (True, "a=1,bad"), (False, "")),
    "tracestate-empty-member-refused": Row(stated("a=1,,b=2"), (True, "a=1,,b=2"), (True, "")),
    "tracestate-last-comma-refused": Row(stated("a=1,"), (True, "a=1,"), (True, "")),
    "tracestate-spaces-refused": Row(stated("a=1 ,b=2"), (True, "a=1 ,b=2"), (True, "")),
    "tracestate-cut-to-16": Row(
        stated(",".join(f"a{number:02d}=1" for number in range(17))),
        (True, ",".join(f"a{number:02d}=1" for number in range(17))),
        (True, ",".join(f"a{number:02d}=1" for number in range(16))),
    ),
    "tracestate-keys-of-letters": Row(stated("a*b=1,a-b=2"), (True, "a*b=1,a-b=2"), (True, "a-b=2")),
    "tracestate-long-value-dropped": Row(stated(f"a={'x' * 129},b=2"), (True, f"a={'x' * 129},b=2"), (True, "b=2")),
}
