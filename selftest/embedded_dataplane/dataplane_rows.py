"""What each mutant of the data plane does, and what the honest one does instead."""

import base64
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

from selftest.embedded_dataplane.observing import EVENT, FAST, JSON, PARENT, REPLY, TRACE, Observe, structured, without
from selftest.embedded_dataplane.observing_delivery import (
    AX,
    BX,
    A,
    B,
    arrives,
    asked,
    attempts,
    behind_foreign,
    bodies,
    data_of,
    dotted_path,
    filter_changed,
    followed,
    half_answer,
    kept_order,
    letter_of,
    letters_told,
    matched,
    matches,
    one_event,
    redirected,
    refused_connection,
    refused_letters,
    reply_after,
    reply_records,
    reply_seen,
    replying,
    stalling,
    told,
    unresolved_host,
)
from selftest.embedded_dataplane.observing_faults import (
    changed_hands,
    deaths,
    dispatcher_ended,
    ingress_ended,
    ingress_killed,
    kafka_away,
    kept_through_restart,
    restarted,
)
from selftest.embedded_dataplane.observing_ingress import (
    after_broken_ones,
    allowing,
    at_paths,
    behind_a_refusal,
    beside_a_stalled_one,
    both_modes,
    burst,
    chunked,
    concurrent,
    duplicates,
    half_body,
    kept,
    large_load,
    letters_of,
    next_on_connection,
    record,
    said_before_the_body,
    slow_body,
    status,
    stored,
    unknown_broker,
)
from selftest.embedded_dataplane.observing_isolation import (
    behind_a_slow_one,
    behind_fifty,
    beside_a_failing_one,
    beside_a_slow_one,
    beside_another_partition,
    crowd_of_triggers,
    fan_out,
    ids_alike,
    letter_comes_back,
    long_names,
    own_letters,
    same_destination,
    side_by_side,
    two_replies,
)
from selftest.embedded_dataplane.observing_limits import (
    backlog_left,
    chain_of_replies,
    commits_of_seventy,
    commits_past_others,
    failures_in_a_row,
    letters_without_answer,
    long_attribute,
    partitions_after_rebalance,
    removed_at_once,
)
from selftest.embedded_dataplane.observing_records import AS_BASE64, AS_TEXT, TYPE, foreign
from selftest.embedded_dataplane.observing_time import (
    asking_to_wait,
    back_again,
    early_events,
    late_ones,
    late_trigger,
    older_events,
    one_late,
    one_late_of_hundred,
    pauses_at,
    retries,
    stored_when_acknowledged,
    ten_new_triggers,
    waits,
)
from selftest.embedded_dataplane.observing_traces import (
    attempts_stated,
    attempts_traced,
    fields,
    own_states,
    own_traces,
    reply_traced,
    stated,
    structured_traced,
    tracing,
)
from selftest.embedded_dataplane.world import Reply, World, binary

TOO_LARGE = Reply(200, REPLY, bytes(1_500_000))
STRUCTURED_REPLY = Reply(200, JSON, structured(source="/reply", type="r"))
LEGACY = {"filter": {"attributes": {"type": "a", "subject": "x"}}}
K = {"partitionkey": "k"}


def dialect(**expression: Any) -> dict[str, Any]:
    return {"filters": (expression,)}


def sql(expression: str, *events: Mapping[str, Any]) -> Observe:
    """Observe which of the events a Trigger with a CESQL expression gets."""
    return matches(*events, **dialect(cesql=expression))


@dataclass(frozen=True)
class Row:
    """An observation, and what it is under the honest platform and under the mutant."""

    observe: Observe
    honest: Any
    faulty: Any


# The rows of what was observed restate the measurements on the Kafka Broker 1.22.3.
def too_short(world: World, mutant: str | None) -> Awaitable[Any]:
    return retries(world, mutant, "PT0.02S")


def told_of(answer: Reply) -> Observe:
    """Observe what a dead letter tells of an answer."""
    return one_event(
        answer, look=lambda _, dead: base64.b64decode(dead.received[0].headers.get("ce-knativeerrordata", ""))
    )


TIMES = [{"time": f"2025-07-02T08:20:{rest}"} for rest in ("00Z", "12.5Z", "12.100Z", "12+02:00")]
NO_TEXT = [json.dumps({**EVENT, "partitionkey": key}).encode() for key in (7, True, -1, "seven")]
NUMBERS = b'{"b": 1.0, "a": 1e2, "big": 9007199254740993}'
ROWS: dict[str, Row] = {
    "json-printed-again": Row(
        arrives(
            lambda got: got.body, b'{"specversion":"1.0","id":"st","source":"/s","type":"t","data":%b}' % NUMBERS, JSON
        ),
        NUMBERS,
        b'{"b":1.0,"a":100.0,"big":9007199254740993}',
    ),
    "older-specversion-accepted": Row(older_events, (400, [], []), (202, ["0.3"], ["1.0"])),
    "consumer-never-closes": Row(filter_changed, ["before", "after"], ["before"]),
    "short-delay-no-retry": Row(
        too_short, (3, ["ce-knativeerrorcode", "ce-knativeerrordest"]), (1, ["ce-knativeerrordest"])
    ),
    "linear-waits-grow": Row(
        waits(503, retry=3, backoffPolicy="linear", backoffDelay="PT0.4S"), [0.4] * 3, [0.4, 0.8, 0.4 * 3]
    ),
    "see-other-followed": Row(redirected(303), ([], 1), (["GET"], 0)),
    "redirects-followed": Row(redirected(307), ([], 1), (["GET"], 0)),
    "kne-header-stalls": Row(stalling({"Kne-Foo-Bar": "x"}), (1, 4), (0, 1)),
    "hostile-header-stalls": Row(stalling({"X-Reason": "x" * 2000}), (1, 4), (0, 1)),
    "not-modified-is-success": Row(attempts(304), (1, 1), (1, 0)),
    "only-200-and-202-succeed": Row(attempts(204), (1, 0), (4, 1)),
    "half-answer-is-success": Row(half_answer, 1, 0),
    "late-answer-for-next": Row(
        one_event(Reply(delay=1.0), Reply(500), timeout="PT0.2S", retry=1, backoffDelay="PT0.05S"), (2, 1), (2, 0)
    ),
    "timeout-ignored": Row(one_event(Reply(delay=2.5), timeout="PT0.2S"), (1, 1), (1, 0)),
    "timeout-cut-short": Row(one_event(Reply(delay=3.0), timeout="PT30S"), (1, 0), (1, 1)),
    "retries-unasked": Row(one_event(Reply(500)), (1, 1), (4, 1)),
    "backoff-always-linear": Row(waits(500, retry=2, backoffDelay="PT0.2S"), [0.4, 0.8], [0.2, 0.2]),
    "backoff-delay-ignored": Row(waits(500, retry=1, backoffPolicy="linear", backoffDelay="PT1S"), [1.0], [0.2]),
    "dead-letter-stripped": Row(
        one_event(Reply(400), look=lambda _, dead: dead.received[0].headers.get("ce-ext")), "x", None
    ),
    "dead-letter-tried-once": Row(
        one_event(Reply(400), letters=(Reply(503), Reply()), retry=1, backoffDelay="PT0.05S"), (1, 2), (1, 1)
    ),
    "long-answer-untold": Row(
        one_event(
            Reply(400, body=b"x" * 1025),
            look=lambda _, dead: len(dead.received[0].headers.get("ce-knativeerrordata", "")),
        ),
        1368,
        0,
    ),
    "refused-not-retried": Row(pauses_at("http://127.0.0.1:9/"), [0.05, 0.05], []),
    "unresolved-not-retried": Row(pauses_at("http://nobody.nowhere.svc.cluster.local/"), [0.05, 0.05], []),
    "unreached-letter-given-up": Row(pauses_at(letters="http://127.0.0.1:9/"), [0.05, 0.05], []),
    "error-data-through-text": Row(told_of(Reply(400, body=b"\xff\x80")), b"\xff\x80", "\ufffd\ufffd".encode()),
    "dest-needs-answer": Row(letters_told("http://127.0.0.1:9/"), ["ce-knativeerrordest"], []),
    "letter-answer-must-be-event": Row(
        one_event(Reply(400), letters=(Reply(body=b"ok"),), retry=1, backoffDelay="PT0.05S"), (1, 1), (1, 2)
    ),
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
    "dead-letter-retried-always": Row(
        one_event(Reply(400), letters=(Reply(400),), retry=1, backoffDelay="PT0.05S"), (1, 1), (1, 2)
    ),
    "dead-letter-refusal-stalls": Row(refused_letters, (2, 2), (1, 0)),
    "closing-answer-fails": Row(attempts(200, headers={"Connection": "close"}), (1, 0), (4, 1)),
    "dead-letter-after-success": Row(attempts(500, 200), (2, 0), (2, 1)),
    "dead-letter-of-first-failure": Row(
        attempts(503, 401, look=lambda got: [request.headers["ce-knativeerrorcode"] for request in got]),
        (2, ["401"]),
        (2, ["503"]),
    ),
    "subscriber-query-dropped": Row(asked("?a=%2F"), "?a=%2F", ""),
    "subscriber-path-decoded": Row(asked("/a%2Fb?c=%2F"), "/a%2Fb?c=%2F", "/a/b?c=%2F"),
    "batch-waits-for-slowest": Row(behind_a_slow_one, 61, 50),
    "id-of-another-source-dropped": Row(
        ids_alike,
        [("A", "/s"), ("a", "/s"), ("a", "/s"), ("a", "/t"), ("x1", "/s"), ("x2", "/s")],
        [("A", "/s"), ("a", "/s"), ("a", "/s"), ("x1", "/s"), ("x2", "/s")],
    ),
    "ids-compared-loosely": Row(
        ids_alike,
        [("A", "/s"), ("a", "/s"), ("a", "/s"), ("a", "/t"), ("x1", "/s"), ("x2", "/s")],
        [("a", "/s"), ("a", "/s"), ("a", "/t"), ("x1", "/s")],
    ),
    "dead-letter-marks-shared": Row(beside_a_failing_one, [], ["ce-knativeerrorcode", "ce-knativeerrordest"]),
    "echoed-id-dropped": Row(
        replying(Reply(200, binary(**{**EVENT, "id": "echo", "source": "/reply", "type": "r"}), b"1"), id="echo"),
        (1, 0),
        (0, 0),
    ),
    "long-names-taken-for-one": Row(long_names, (1, 1), (1, 0)),
    "dead-letters-not-routed": Row(letter_comes_back, ["came"], []),
    "own-dead-letters-dropped": Row(own_letters, (1, 0), (0, 0)),
    "dead-letters-to-all": Row(own_letters, (1, 0), (1, 1)),
    "sender-headers-forwarded": Row(
        arrives(lambda got: got.headers.get("authorization"), headers={"Authorization": "Bearer x"}), None, "Bearer x"
    ),
    "retry-after-obeyed": Row(asking_to_wait("2"), [0.05], [2.0]),
    "retry-after-nonsense-fails": Row(asking_to_wait("soon"), [0.05], []),
    "retry-after-ignored": Row(asking_to_wait("2", "PT5S"), [2.0], [0.05]),
    "retry-after-date-ignored": Row(asking_to_wait("Fri, 31 Dec 2999 23:59:59 GMT", "PT2S"), [2.0], [0.05]),
    "reply-loss-not-retried": Row(one_event(TOO_LARGE, Reply(), retry=2, backoffDelay="PT0.05S"), (2, 0), (1, 1)),
    "reply-loss-is-success": Row(one_event(TOO_LARGE, Reply(), retry=2, backoffDelay="PT0.05S"), (2, 0), (1, 0)),
    "reply-doubled": Row(reply_records(len, REPLY), 2, 3),
    "reply-answers-back": Row(one_event(Reply(200, REPLY, b"1")), (1, 0), (2, 0)),
    "reply-stripped": Row(
        reply_records(lambda kept: dict(kept[-1].headers).get("ce_ext"), {**REPLY, "ce-ext": "x"}), b"x", None
    ),
    "failing-answer-replies": Row(replying(Reply(400, REPLY, b"1")), (0, 1), (1, 0)),
    "reply-after-retry-dropped": Row(reply_after(503), 1, 0),
    "reply-needs-body": Row(replying(Reply(200, REPLY)), (1, 0), (0, 0)),
    "reply-headers-in-lower-case": Row(
        replying(Reply(200, {name.upper(): value for name, value in REPLY.items()})), (1, 0), (0, 0)
    ),
    "chunked-answer-empty": Row(
        replying(Reply(200, JSON, structured(source="/reply", type="r"), chunked=True)), (1, 0), (0, 1)
    ),
    "chunked-answer-full": Row(replying(Reply(200, chunked=True)), (0, 0), (0, 1)),
    "cookies-hide-reply": Row(replying(Reply(200, {**REPLY, "Set-Cookie": "a=b"}, b"1")), (1, 0), (0, 0)),
    "request-headers-hide-reply": Row(replying(Reply(200, {**REPLY, "Prefer": "reply"}, b"1")), (1, 0), (0, 0)),
    "reply-headers-forwarded": Row(
        reply_seen(lambda got: got.headers.get("set-cookie"), {**REPLY, "Set-Cookie": "a=b"}), None, "a=b"
    ),
    "dead-letter-after-reply": Row(replying(Reply(200, REPLY, b"1")), (1, 0), (1, 1)),
    "reply-flaws-dropped": Row(replying(Reply(200, {**REPLY, "ce-time": "soon"}, b"1")), (0, 1), (1, 0)),
    "other-format-is-no-reply": Row(
        replying(Reply(200, {"Content-Type": "application/cloudevents+xml"}, b"<event/>")), (0, 1), (0, 0)
    ),
    "null-is-no-reply": Row(replying(Reply(200, JSON, b"null")), (0, 1), (0, 0)),
    "reply-trailing-content-ignored": Row(
        replying(Reply(200, JSON, structured(source="/reply", type="r") + b" x")), (0, 1), (1, 0)
    ),
    "empty-reply-attributes-accepted": Row(replying(Reply(200, {**REPLY, "ce-id": ""}, b"1")), (0, 1), (1, 0)),
    "reply-completed": Row(
        replying(Reply(200, {**without("id"), "ce-source": "/reply", "ce-type": "r"}, b"1")), (0, 1), (1, 0)
    ),
    "reply-without-key": Row(reply_records(lambda kept: kept[-1].key, {**REPLY, "ce-partitionkey": "k"}), b"k", None),
    "one-reply-an-event": Row(two_replies, 2, 1),
    "one-in-fifty-doubled": Row(burst(100), 100, 102),
    "one-in-hundred-lost": Row(burst(100), 100, 99),
    "one-in-hundred-late": Row(one_late, [], [3.0]),
    "unordered-one-at-a-time": Row(side_by_side, honest=True, faulty=False),
    "slow-blocks-others": Row(beside_a_slow_one, honest=True, faulty=False),
    "begins-at-earliest": Row(early_events, ["after"], ["after", "before"]),
    "recreated-trigger-resumes": Row(back_again, ["1", "3"], ["1", "2", "3"]),
    "partitionkey-breaks-ingress": Row(
        stored(*[(JSON, body) for body in NO_TEXT]), ([400, 400, 400, 202], 1), ([503, 503, 503, 202], 1)
    ),
    "too-large-is-503": Row(status(binary(**EVENT), bytes(1_100_000)), 413, 503),
    "too-large-acknowledged": Row(stored((binary(**EVENT), bytes(1_100_000))), ([413], 0), ([202], 0)),
    "large-load-dropped": Row(large_load, honest=True, faulty=False),
    "allow-not-told": Row(allowing("OPTIONS"), (405, "POST"), (405, None)),
    "path-by-prefix": Row(at_paths("/more", "x", ""), [404, 404, 202], [202, 404, 202]),
    "fields-kept-on-connection": Row(next_on_connection, None, b"x"),
    "refused-body-left-on-connection": Row(
        behind_a_refusal, ([400, 202], [b"own", b"fence"]), ([400, 202], [b"inside", b"fence"])
    ),
    "path-to-the-letter": Row(at_paths("/", "?a=/", ""), [202, 202, 202], [404, 404, 202]),
    "chunked-refused": Row(chunked, (202, b"12"), (411, None)),
    "bad-time-invented": Row(
        stored((binary(**EVENT, time="soon"), b"1"), (binary(**EVENT, time="2025-07-02T08:20:12Z"), b"1")),
        ([400, 202], 1),
        ([202, 202], 2),
    ),
    "data-attribute-ignored": Row(stored((binary(**EVENT, data="x"), b"1")), ([400], 0), ([202], 1)),
    "uris-normalised": Row(kept("ce_source", source="HTTP://A/b/../c?#"), b"HTTP://A/b/../c?#", b"http://a/c"),
    "uris-decoded": Row(kept("ce_source", source="/a%252Fb"), b"/a%2Fb", b"/a/b"),
    "time-in-milliseconds": Row(
        kept("ce_time", time="2025-07-02T08:20:12.1234567Z"),
        b"2025-07-02T08:20:12.1234567Z",
        b"2025-07-02T08:20:12.123Z",
    ),
    "uri-syntax-unchecked": Row(
        stored(
            (binary(**{**EVENT, "source": "/a<b>"}), b""),
            (binary(**EVENT, dataschema="no/scheme"), b""),
            (binary(**{**EVENT, "source": ""}), b""),
            (binary(**EVENT, dataschema=""), b""),
        ),
        ([400] * 4, 0),
        ([202, 202, 400, 400], 2),
    ),
    "media-type-unchecked": Row(
        stored((JSON, structured(datacontenttype="json")), (JSON, structured(datacontenttype=""))),
        ([400, 400], 0),
        ([202, 400], 1),
    ),
    "datacontenttype-cut": Row(
        kept("content-type", datacontenttype="text/plain; charset=utf-8"), b"text/plain; charset=utf-8", b"text/plain"
    ),
    "empty-optional-attributes-accepted": Row(
        stored(*[(JSON, structured(**{name: ""})) for name in ("subject", "dataschema", "datacontenttype", "time")]),
        ([400] * 4, 0),
        ([202, 202, 202, 400], 3),
    ),
    "control-characters-accepted": Row(
        stored(*[(JSON, structured(subject=text)) for text in ("a\nb", "\x7f", "\ufffe", "\ud800", "")]),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 3),
    ),
    "last-header-wins": Row(stored(([*binary(**EVENT).items(), ("ce-type", "other")], b"")), ([400], 0), ([202], 1)),
    "datacontenttype-header-ignored": Row(
        stored(({**binary(**EVENT), "ce-datacontenttype": "a/b"}, b"")), ([400], 0), ([202], 1)
    ),
    "header-names-case-sensitive": Row(
        status({name.upper(): value for name, value in binary(**EVENT).items()}), 202, 400
    ),
    "headers-beat-envelope": Row(both_modes, (b"inner", b"1"), (b"outer", structured(id="inner", data=1))),
    "many-attributes-dropped": Row(record(lambda kept: len(kept.headers), **{f"x{n}": "1" for n in range(60)}), 65, 40),
    "long-attributes-cut": Row(
        record(lambda kept: len(dict(kept.headers)["ce_subject"] or b""), subject="x" * 6000), 6000, 4096
    ),
    "last-member-wins": Row(
        stored((JSON, structured()[:-1] + b', "id": "2"}'), (JSON, b"{")), ([400, 400], 0), ([202, 400], 1)
    ),
    "json-text-unquoted": Row(data_of({"data": "x"}, {"data": 5}), [b'"x"', b"5"], [b"x", b"5"]),
    "null-data-dropped": Row(data_of({"data": None}, {}), [b"null", None], [None, None]),
    "base64-left-encoded": Row(data_of({"data_base64": "AAE="}), [b"\x00\x01"], [b"AAE="]),
    "base64-forgiven": Row(
        stored(
            (JSON, structured(data_base64="?")),
            (JSON, structured(data_base64=5)),
            (JSON, structured(data=1, data_base64="AAE=")),
        ),
        ([400] * 3, 0),
        ([202] * 3, 3),
    ),
    "text-data-quoted": Row(
        data_of({"data": "x", "datacontenttype": "text/plain"}, {"data": "x"}), [b"x", b'"x"'], [b'"x"', b'"x"']
    ),
    "implied-type-omitted": Row(told("content-type", data=1), b"application/json", None),
    "extensions-in-python": Row(told("ce_ext", ext=True), b"true", b"True"),
    "any-value-as-text": Row(
        stored(*[(JSON, structured(**members)) for members in ({"ext": 1.5}, {"ext": [1]}, {"id": 5}, {"time": 5})]),
        ([400] * 4, 0),
        ([202, 202, 202, 400], 3),
    ),
    "record-headers-percent-encoded": Row(told("ce_subject", subject="a €"), "a €".encode(), b"a%20%E2%82%AC"),
    "content-type-invented": Row(told("content-type", data_base64="AAE="), None, b"application/octet-stream"),
    "no-data-as-empty-value": Row(data_of({}), [None], [b""]),
    "id-as-key": Row(record(lambda kept: kept.key, id="7"), None, b"7"),
    "attributes-leave-as-latin-1": Row(
        arrives(lambda got: got.headers["content-type"], datacontenttype='text/plain; a="€ 😀 %"'),
        'text/plain; a="€ 😀 %"',
        'text/plain; a="? ?? %"',
    ),
    "offset-attributes-added": Row(
        arrives(lambda got: sorted(name for name in got.headers if name.startswith("ce-knativekafka"))),
        [],
        ["ce-knativekafkaoffset", "ce-knativekafkapartition"],
    ),
    "ingress-acks-without-storing": Row(concurrent, honest=True, faulty=False),
    "dataless-event-dropped": Row(
        stored((binary(**EVENT), b""), (binary(**EVENT), b"1")), ([202] * 2, 2), ([202] * 2, 1)
    ),
    "structured-refused": Row(status(JSON, structured()), 202, 400),
    "trailing-content-ignored": Row(
        stored((JSON, structured() + structured()), (JSON, structured() + b"x"), (JSON, structured() + b"\n")),
        ([400, 400, 202], 1),
        ([202, 202, 202], 3),
    ),
    "white-space-refused": Row(
        stored((JSON, b"\n" + structured()), (JSON, structured() + b"\n"), (JSON, structured())),
        ([202] * 3, 3),
        ([400, 400, 202], 1),
    ),
    "missing-id-invented": Row(stored((without("id"), b""), (without("type"), b"")), ([400] * 2, 0), ([202, 400], 1)),
    "empty-attributes-accepted": Row(
        stored((binary(**{**EVENT, "id": ""}), b""), (without("id"), b"")), ([400] * 2, 0), ([202, 400], 1)
    ),
    "any-specversion-accepted": Row(
        stored((binary(**{**EVENT, "specversion": "9"}), b""), (without("specversion"), b"")),
        ([400] * 2, 0),
        ([202, 400], 1),
    ),
    "malformed-structured-accepted": Row(
        stored(
            (JSON, b"{"),
            (JSON, b""),
            ({"Content-Type": "application/cloudevents+avro"}, b"x"),
            (JSON, b'{"id": "1"}'),
            ({"Content-Type": "application/cloudevents-batch+json"}, b"[]"),
        ),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 0),
    ),
    "batch-as-one-event": Row(
        stored(({"Content-Type": "application/cloudevents-batch+json"}, b"[%b, %b]" % (structured(), structured()))),
        ([400], 0),
        ([202], 1),
    ),
    "attribute-names-mangled": Row(
        stored((binary(**EVENT, bad_name="x"), b""), (JSON, structured(**{"Bad-Name": "x"}))),
        ([400] * 2, 0),
        ([202] * 2, 2),
    ),
    "media-type-case-sensitive": Row(status({"Content-Type": "Application/CloudEvents+JSON"}, structured()), 202, 400),
    "any-method-accepted": Row(status(binary(**EVENT), method="PUT"), 405, 202),
    "unknown-broker-accepted": Row(unknown_broker, 404, 202),
    "truncates-large-data": Row(arrives(lambda got: len(got.body), b"x" * 65_536), 65_536, 32_768),
    "percent-encoding-ignored": Row(
        record(lambda kept: dict(kept.headers)["ce_subject"], subject="a%20b"), b"a b", b"a%20b"
    ),
    "first-trigger-only": Row(fan_out, (1, 1), (1, 0)),
    "half-body-stored": Row(half_body, 1, 2),
    "slow-body-refused": Row(slow_body, 202, 408),
    "continue-never-said": Row(said_before_the_body(8), b"HTTP/1.1 100 Continue", b""),
    "stalled-upload-blocks": Row(beside_a_stalled_one, honest=True, faulty=False),
    "broken-uploads-leak": Row(after_broken_ones, 202, 500),
    "one-in-hundred-doubled": Row(burst(100), 100, 101),
    "one-in-two-hundred-late": Row(one_late_of_hundred, [], [2.0]),
    "one-in-fifty-lettered-after-retry": Row(letters_of(50), 0, 1),
    "one-in-fifty-redirects-followed": Row(followed(50), 0, 1),
    "one-in-ten-begins-at-earliest": Row(ten_new_triggers, 0, 1),
    "answers-before-stored": Row(ingress_killed, honest=True, faulty=False),
    "restart-skips-in-flight": Row(restarted(Reply(delay=30.0), Reply(), sent=1), [0, 0, 1], [0, 1]),
    "restart-begins-at-end": Row(restarted(Reply(delay=30.0), Reply(), sent=1), [0, 0, 1], [0, 1]),
    "restart-begins-at-earliest": Row(restarted(sent=2), [0, 1, 2], [0, 0, 1, 1, 2]),
    "restart-forgets-filter": Row(kept_through_restart, ["hit", "hit"], ["hit", "miss", "miss"]),
    "restart-forgets-delivery": Row(kept_through_restart, ["hit", "hit"], ["hit"]),
    "ordered-one-at-a-time": Row(beside_another_partition, honest=True, faulty=False),
    "full-trigger-loses-one": Row(behind_fifty, 60, 59),
    "dispatcher-dies-now-and-then": Row(deaths(*[b"1"] * 20), ([], 20), (["dispatcher"], 20)),
    "ingress-dies-of-large-event": Row(deaths(b"1", bytes(60_000)), ([], 2), (["ingress"], 2)),
    "dispatcher-ends-at-once": Row(dispatcher_ended, 1, 2),
    "ingress-closing-forgets": Row(ingress_ended, (202, 1), (202, 0)),
    "rebalance-overlaps": Row(changed_hands, (["0", "1", "2"], []), (["0", "1", "2"], ["0"])),
    "outage-acknowledged": Row(kafka_away, [503, 202, 202], [202, 202, 202]),
    "outage-ends-ingress": Row(kafka_away, [503, 202, 202], [503, 202, 503]),
    "outage-is-400": Row(kafka_away, [503, 202, 202], [400, 202, 202]),
    "restart-goes-back": Row(restarted(sent=4), [0, 1, 2, 3, 4], [0, 1, 1, 2, 2, 3, 3, 4]),
    "sixteen-triggers-at-most": Row(crowd_of_triggers, 17, 16),
    "same-destination-once": Row(same_destination, 2, 1),
    "delivers-twice": Row(attempts(200), (1, 0), (2, 0)),
    "deduplicates-by-id": Row(duplicates, 2, 1),
    "ready-before-consuming": Row(late_trigger, 2, 1),
    "no-prefer-reply": Row(arrives(lambda got: got.headers.get("prefer")), "reply", None),
    "data-through-text": Row(arrives(lambda got: got.body, b"a\xff"), b"a\xff", b"a\xef\xbf\xbd"),
    "extensions-dropped": Row(arrives(lambda got: got.headers.get("ce-ext"), ext="x"), "x", None),
    "record-headers-hyphenated": Row(
        record(lambda kept: sorted(name for name, _ in kept.headers if "ext" in name or "_id" in name), ext="x"),
        ["ce_ext", "ce_id"],
        ["ce-ext", "ce_id"],
    ),
    "partitionkey-ignored": Row(record(lambda kept: kept.key, partitionkey="k"), b"k", None),
    "order-ignored": Row(kept_order, honest=True, faulty=False),
    "structured-record-skipped": Row(foreign(AS_TEXT), b"1", None),
    "structured-record-by-exact-type": Row(foreign(AS_TEXT, f"{TYPE}; charset=utf-8"), b"1", None),
    "record-media-type-case-sensitive": Row(foreign(AS_TEXT, TYPE.upper()), b"1", None),
    "base64-record-left-encoded": Row(foreign(AS_BASE64), b"1", b"MQ=="),
    "escaped-base64-unread": Row(foreign(AS_BASE64.replace(b"MQ=", rb"MQ\u003D")), b"1", None),
    "record-key-told-as-partitionkey": Row(
        foreign(b"1", "text/plain", lambda got: got.headers.get("ce-partitionkey"), key=b"k"), None, "k"
    ),
    "headers-read-to-first-foreign": Row(foreign(b"1", "text/plain", first=("correlation-id", b"42")), b"1", None),
    "foreign-record-eats-next": Row(behind_foreign(), ["first", "second"], ["second"]),
    "unreadable-header-ends-consumer": Row(behind_foreign(("ce_x", b"\xff")), ["first", "second"], []),
    "empty-filter-matches-none": Row(matches(A, filter={"attributes": {}}), [0], []),
    "attributes-ored": Row(matches(A, AX, BX, B, **LEGACY), [1], [0, 1, 2]),
    "any-and-star-match-all": Row(matches({"type": "x"}, filter={"attributes": {"type": "Any"}}), [], [0]),
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
    "text-tidied": Row(
        arrives(lambda got: got.body, b"\xef\xbb\xbfa\r\n ", datacontenttype="text/plain"),
        b"\xef\xbb\xbfa\r\n ",
        b"a",
    ),
    "json-read-and-written": Row(
        arrives(lambda got: got.body, b'{"a":1, "a":1e2}'), b'{"a":1, "a":1e2}', b'{"a": 100.0}'
    ),
    "attribute-lists-cut": Row(arrives(lambda got: got.headers["ce-ext"], ext="a,b"), "a,b", "a"),
    "long-attribute-names-dropped": Row(
        arrives(lambda got: [name for name in got.headers if "x" in name], xxxxxxxxxxxxxxxxxxxxx="1", x="1"),
        ["ce-xxxxxxxxxxxxxxxxxxxxx", "ce-x"],
        ["ce-x"],
    ),
    "schema-fragment-dropped": Row(
        arrives(lambda got: got.headers["ce-dataschema"], dataschema="urn:a#b"), "urn:a#b", "urn:a"
    ),
    "empty-extensions-dropped": Row(arrives(lambda got: got.headers.get("ce-ext"), ext=""), "", None),
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
    "retries-one-short": Row(attempts(500, 500, 500, 200), (4, 0), (3, 1)),
    "retries-everything": Row(attempts(400), (1, 1), (4, 1)),
    "retries-only-5xx": Row(attempts(429, 200), (2, 0), (1, 1)),
    "no-backoff": Row(waits(500, retry=1, **FAST), [0.05], [0.0]),
    "unresolved-host-dropped": Row(unresolved_host, 1, 0),
    "dotted-broker-cut": Row(dotted_path, 404, 202),
    "connection-error-dropped": Row(refused_connection, 1, 0),
    "dead-letter-skipped": Row(attempts(500, retry=1), (2, 1), (2, 0)),
    "dead-letter-bare": Row(
        attempts(400, look=lambda got: sorted(name for name in got[0].headers if "knative" in name)),
        (1, ["ce-knativeerrorcode", "ce-knativeerrordest"]),
        (1, []),
    ),
    "reply-dropped": Row(replying(Reply(200, REPLY, b"1")), (1, 0), (0, 0)),
    "structured-reply-dropped": Row(replying(STRUCTURED_REPLY), (1, 0), (0, 0)),
    "reply-on-202": Row(replying(Reply(202, REPLY, b"1")), (0, 0), (1, 0)),
    "empty-reply-is-failure": Row(replying(Reply(200)), (0, 0), (0, 1)),
    "malformed-reply-ignored": Row(replying(Reply(200, {}, b"text")), (0, 1), (0, 0)),
    "trace-dropped": Row(
        arrives(lambda got: "traceparent" in got.headers, headers={"traceparent": PARENT}),
        honest=True,
        faulty=False,
    ),
    "trace-cross-talk": Row(own_traces, honest=True, faulty=False),
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
    "slow-ingress": Row(late_ones(3), ([], False), ([], True)),
    "slow-dispatch": Row(late_ones(3), ([], False), ([0, 1, 2], False)),
    "late-store": Row(stored_when_acknowledged, honest=True, faulty=False),
    "slow-after-idle": Row(late_ones(3), ([], False), ([0], False)),
    "slow-first-event": Row(late_ones(3), ([], False), ([0], False)),
    "reply-cut-at-1024": Row(reply_records(lambda kept: len(kept[-1].value or b""), REPLY, bytes(2000)), 2000, 1024),
    "retry-without-long-data": Row(bodies(bytes(40_000)), [40_000, 40_000], [40_000, 0]),
    "retried-data-through-text": Row(bodies(b"\xff"), [1, 1], [1, 3]),
    "dataless-not-retried": Row(bodies(b""), [0, 0], [0]),
    "long-dead-letter-cut": Row(letter_of(bytes(40_000)), 40_000, 32_768),
    "very-long-reply-cut": Row(
        reply_records(lambda kept: len(kept[-1].value or b""), REPLY, bytes(300_000)), 300_000, 262_144
    ),
    "long-headers-refused": Row(status(binary(**EVENT, ext="x" * 9000)), 202, 431),
    "long-headers-not-delivered": Row(long_attribute, (1, 1), (0, 0)),
    "long-reply-headers-fail": Row(replying(Reply(200, {**REPLY, "ce-ext": "x" * 9000}, b"1")), (1, 0), (0, 1)),
    "replies-end-after-ten": Row(chain_of_replies, 12, 10),
    "retry-needs-delay": Row(waits(500, retry=1), [0.4], []),
    "exponential-waits-overflow": Row(
        waits(500, retry=4, backoffDelay="PT0.05S"), [0.1, 0.2, 0.4, 0.8], [0.1, 0.2, 0.4, 3600.0]
    ),
    "breaker-opens-after-ten": Row(failures_in_a_row, 12, 10),
    "dead-letter-once-on-reset": Row(letters_without_answer, 3, 1),
    "removal-waits-for-answers": Row(removed_at_once, honest=True, faulty=False),
    "backlog-outlives-deletion": Row(backlog_left, honest=True, faulty=False),
    "rebalance-drops-a-partition": Row(partitions_after_rebalance, ["p0", "p1"], ["p1"]),
    "commits-stop-after-64": Row(commits_of_seventy, honest=True, faulty=False),
    "discarded-holds-commits": Row(commits_past_others, honest=True, faulty=False),
}
