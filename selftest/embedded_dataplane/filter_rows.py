"""What each mutant of routing and of filters does, and what the honest one does instead."""

from collections.abc import Mapping
from typing import Any

from selftest.embedded_dataplane.dataplane_row import Row
from selftest.embedded_dataplane.observing import EVENT, Observe
from selftest.embedded_dataplane.observing_delivery import (
    AX,
    BX,
    A,
    B,
    arrives,
    attempts,
    kept_order,
    matched,
    matches,
)
from selftest.embedded_dataplane.observing_ingress import (
    burst,
    stored,
)
from selftest.embedded_dataplane.observing_isolation import (
    behind_fifty,
    beside_a_slow_one,
    beside_another_partition,
    crowd_of_triggers,
    fan_out,
    same_destination,
    side_by_side,
)
from selftest.embedded_dataplane.observing_time import (
    back_again,
    early_events,
)
from selftest.embedded_dataplane.world import binary

LEGACY = {"filter": {"attributes": {"type": "a", "subject": "x"}}}
K = {"partitionkey": "k"}
TIMES = [{"time": f"2025-07-02T08:20:{rest}"} for rest in ("00Z", "12.5Z", "12.100Z", "12+02:00")]


def dialect(**expression: Any) -> dict[str, Any]:
    return {"filters": (expression,)}


def sql(expression: str, *events: Mapping[str, Any]) -> Observe:
    """Observe which of the events a Trigger with a CESQL expression gets."""
    return matches(*events, **dialect(cesql=expression))


FILTER_ROWS: dict[str, Row] = {
    "typed-extensions-unmatched": Row(matched(tenant=42, exact={"tenant": "42"}), [True], [False]),
    "ttl-zero-dropped": Row(
        stored((binary(**EVENT, knativebrokerttl="0"), b""), (binary(**EVENT, knativebrokerttl="1"), b"")),
        ([202, 202], 2),
        ([202, 202], 1),
    ),
    "arrival-time-stripped": Row(
        arrives(lambda got: got.headers.get("ce-knativearrivaltime"), knativearrivaltime="2025-07-02T08:20:12Z"),
        "2025-07-02T08:20:12Z",
        None,
    ),
    "filters-see-instants": Row(
        matches(*TIMES, filters=({"any": [{"exact": time} for time in TIMES]},)), [0, 1, 2, 3], [0, 2]
    ),
    "filters-omit-zero-seconds": Row(
        matches(*TIMES, filters=({"any": [{"exact": time} for time in TIMES]},)), [0, 1, 2, 3], [1, 2, 3]
    ),
    "one-in-fifty-doubled": Row(burst(100), 100, 102),
    "one-in-hundred-lost": Row(burst(100), 100, 99),
    "unordered-one-at-a-time": Row(side_by_side, honest=True, faulty=False),
    "slow-blocks-others": Row(beside_a_slow_one, honest=True, faulty=False),
    "begins-at-earliest": Row(early_events, ["after"], ["after", "before"]),
    "recreated-trigger-resumes": Row(back_again, ["1", "3"], ["1", "2", "3"]),
    "attributes-leave-as-latin-1": Row(
        arrives(lambda got: got.headers["content-type"], datacontenttype='text/plain; a="€ 😀 %"'),
        'text/plain; a="€ 😀 %"',
        'text/plain; a="? ?? %"',
    ),
    "first-trigger-only": Row(fan_out, (1, 1), (1, 0)),
    "ordered-one-at-a-time": Row(beside_another_partition, honest=True, faulty=False),
    "full-trigger-loses-one": Row(behind_fifty, 60, 59),
    "sixteen-triggers-at-most": Row(crowd_of_triggers, 17, 16),
    "same-destination-once": Row(same_destination, 2, 1),
    "delivers-twice": Row(attempts(200), (1, 0), (2, 0)),
    "no-prefer-reply": Row(arrives(lambda got: got.headers.get("prefer")), "reply", None),
    "data-through-text": Row(arrives(lambda got: got.body, b"a\xff"), b"a\xff", b"a\xef\xbf\xbd"),
    "extensions-dropped": Row(arrives(lambda got: got.headers.get("ce-ext"), ext="x"), "x", None),
    "order-ignored": Row(kept_order, honest=True, faulty=False),
    "empty-filter-matches-none": Row(matches(A, filter={"attributes": {}}), [0], []),
    "attributes-ored": Row(matches(A, AX, BX, B, **LEGACY), [1], [0, 1, 2]),
    "any-and-star-match-all": Row(matches({"type": "x"}, filter={"attributes": {"type": "Any"}}), [], [0]),
    "filter-sees-encoded-values": Row(
        matches({"ext": "a%20b"}, {"ext": "a"}, filter={"attributes": {"ext": "a b"}}), [0], []
    ),
    "filter-ignores-case": Row(matches(A, {"type": "A"}, filter={"attributes": A}), [0], [0, 1]),
    "empty-value-matches-absent": Row(matches(A, AX, filter={"attributes": {"subject": ""}}), [1], [0, 1]),
    "absent-attribute-matches": Row(matches(A, AX, B, **LEGACY), [1], [0, 1]),
    "extensions-invisible-to-filters": Row(matches({"ext": "x"}, filter={"attributes": {"ext": "x"}}), [0], []),
    "dialects-look-at-one-entry": Row(matches(A, AX, BX, **dialect(prefix={"subject": "x", "type": "a"})), [1], [1, 2]),
    "exact-as-prefix": Row(matches({"type": "ab"}, A, **dialect(exact=A)), [1], [0, 1]),
    "prefix-as-contains": Row(matches({"type": "ba"}, A, **dialect(prefix=A)), [1], [0, 1]),
    "suffix-as-contains": Row(matches({"type": "ab"}, A, **dialect(suffix=A)), [1], [0, 1]),
    "all-as-any": Row(matches(A, AX, **dialect(all=[{"exact": A}, {"exact": {"subject": "x"}}])), [1], [0, 1]),
    "any-as-all": Row(matches(A, AX, **dialect(any=[{"exact": A}, {"exact": {"subject": "x"}}])), [0, 1], [1]),
    "absent-attribute-raises": Row(matches(A, AX, **dialect(**{"not": {"exact": {"subject": "y"}}})), [0, 1], [1]),
    "not-ignored": Row(matches(A, B, **dialect(**{"not": {"exact": A}})), [1], [0]),
    "double-negation-lost": Row(matches(A, B, **dialect(**{"not": {"not": {"exact": A}}})), [0], [1]),
    "all-looks-at-two": Row(matches(A, B, **dialect(all=[{"exact": A}, {"exact": A}, {"exact": B}])), [], [0]),
    "any-looks-at-two": Row(matches(A, B, **dialect(any=[{"exact": A}, {"exact": A}, {"exact": B}])), [0, 1], [0]),
    "filters-see-eight-attributes": Row(
        matches({**A, **{f"x{number}": "1" for number in range(5)}}, **dialect(exact={"x4": "1"})), [0], []
    ),
    "filters-ored": Row(matches(A, AX, filters=({"exact": A}, {"exact": {"subject": "x"}})), [1], [0, 1]),
    "empty-filters-decide": Row(matches(A, B, filter={"attributes": A}, filters=()), [0], [0, 1]),
    "filters-blind-to-content": Row(
        matches({"time": "2025-07-02T08:20:12Z"}, **dialect(exact={"time": "2025-07-02T08:20:12Z"})), [0], []
    ),
    "filter-beats-filters": Row(matches(A, B, filter={"attributes": A}, filters=({"exact": B},)), [1], [0]),
    "cesql-keywords-case-sensitive": Row(sql("type = 'a' and true", A, B), [0], []),
    "cesql-not-takes-first-operand": Row(sql("NOT (type = 'b' OR type = 'a')", A, {"type": "c"}), [1], [0, 1]),
    "cesql-and-before-or": Row(sql("TRUE OR FALSE AND type = 'b'", A, B), [1], [0, 1]),
    "cesql-text-ignores-case": Row(sql("type = 'A'", A, {"type": "A"}), [1], [0, 1]),
    "cesql-compares-as-text": Row(sql("n = 5", {"n": "05"}, {"n": "5"}), [0, 1], [1]),
    "cesql-integers-as-text": Row(sql("n > 9", {"n": "10"}, {"n": "8"}), [0], []),
    "cesql-like-as-contains": Row(sql("type LIKE 'a'", A, {"type": "ab"}), [0], [0, 1]),
    "cesql-like-escapes-ignored": Row(sql(r"type LIKE 'a\_'", {"type": "a_"}, {"type": "ab"}), [0], [0, 1]),
    "cesql-like-alternates": Row(sql("type LIKE 'a|b'", A, {"type": "a|b"}), [1], [0]),
    "long-filters-cut": Row(matches(A, B, **dialect(any=[*[{"exact": B}] * 16, {"exact": A}])), [0, 1], [1]),
    "cesql-parentheses-counted": Row(sql(" AND ".join(["(type = 'a')"] * 40), A, B), [0], []),
    "cesql-sets-cut": Row(sql("type IN ('b'" + ", 'b'" * 15 + ", 'a')", A, B), [0, 1], [1]),
    "cesql-like-quote-ends": Row(sql(r"type LIKE 'a\E%'", {"type": r"a\E1"}, A), [0], []),
    "cesql-like-by-lines": Row(sql("type LIKE 'a%'", {"type": "a%E2%80%A8"}, A), [0, 1], [1]),
    "cesql-keywords-begin-names": Row(sql("notes = '1'", {"notes": "1"}, A), [0], []),
    "cesql-exists-ignores-extensions": Row(sql("EXISTS n", {"n": "1"}, A), [0], []),
    "cesql-in-casts-left": Row(sql("type IN (TRUE)", {"type": "TRUE"}, {"type": "true"}), [1], [0, 1]),
    "cesql-both-operands-evaluated": Row(sql("type = 'a' OR subject = 'x'", A, AX, BX), [0, 1, 2], [1, 2]),
    "cesql-division-floors": Row(sql("n / 2 = -3", {"n": "-7"}, {"n": "-6"}), [0, 1], [1]),
    "cesql-substring-from-zero": Row(sql("SUBSTRING(type, 1) = 'ab'", {"type": "ab"}, {"type": "xab"}), [0], [1]),
    "cesql-counts-units": Row(sql("LENGTH(type) = 1", {"type": "%F0%9F%98%80"}, A), [0, 1], [1]),
    "cesql-integers-unbounded": Row(sql("n + 1 > 2147483647", {"n": "2147483647"}, {"n": "5"}), [], [0]),
    "cesql-casts-leniently": Row(sql("n = 5", {"n": "5.0"}, {"n": "5"}, {"n": "5_0"}), [1], [0, 1]),
    "cesql-errors-ignored": Row(sql("1 / n = 0", {"n": "0"}, {"n": "2"}), [1], [0, 1]),
    "cesql-as-sdk-java": Row(sql("TRUE OR 1 / n = 0 AND type = 'a'", {"n": "0"}, {"n": "0", **A}), [1], [0, 1]),
    "cesql-truthy": Row(sql("type", {"type": "true"}, A), [], [0]),
    "cesql-missing-is-empty": Row(sql("subject != 'x'", A, AX, {"subject": "y"}), [2], [0, 2]),
    "cesql-error-stops-trigger": Row(sql("subject = 'x'", {**A, **K}, {**AX, **K}), [1], []),
}
