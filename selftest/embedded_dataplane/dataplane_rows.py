"""What each mutant of the data plane does, and the honest one: of deliveries here, of the rest in tables beside it."""

import base64
from collections.abc import Awaitable
from typing import Any

from selftest.embedded_dataplane.arrival_rows import ARRIVAL_ROWS, PACKED
from selftest.embedded_dataplane.dataplane_row import Row
from selftest.embedded_dataplane.filter_rows import FILTER_ROWS
from selftest.embedded_dataplane.observing import EVENT, FAST, JSON, REPLY, Observe, structured, without
from selftest.embedded_dataplane.observing_delivery import (
    again_lettered,
    arrives,
    asked,
    attempts,
    bodies,
    endless_answer,
    filter_changed,
    followed,
    half_answer,
    letter_of,
    letters_of_one_id,
    letters_told,
    one_event,
    redirected,
    refused_connection,
    refused_letters,
    reply_after,
    reply_records,
    reply_seen,
    replying,
    request_headers,
    retried_while_changed,
    stalling,
    unmeasured_answers,
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
    letter_under_way,
    restarted,
    retried_and_given_up,
)
from selftest.embedded_dataplane.observing_ingress import (
    burst,
    letters_of,
    status,
)
from selftest.embedded_dataplane.observing_isolation import (
    behind_a_failed_one,
    behind_a_slow_one,
    beside_a_failing_one,
    ids_alike,
    in_a_crowd,
    letter_comes_back,
    long_names,
    own_letters,
    two_replies,
)
from selftest.embedded_dataplane.observing_limits import (
    backlog_left,
    chain_of_replies,
    commits_of,
    commits_past_others,
    failing_answers,
    failures_in_a_row,
    letters_without_answer,
    long_attribute,
    partitions_after_rebalance,
    removed_at_once,
)
from selftest.embedded_dataplane.observing_time import (
    asking_to_wait,
    late_ones,
    older_events,
    one_late,
    one_late_of_hundred,
    pauses_at,
    retries,
    stored_when_acknowledged,
    ten_new_triggers,
    time_for_an_answer,
    waits,
)
from selftest.embedded_dataplane.secured_rows import SECURED_ROWS
from selftest.embedded_dataplane.trace_rows import TRACE_ROWS
from selftest.embedded_dataplane.world import Reply, World, binary

INGRESS_HOST = "kafka-broker-ingress.knative-eventing.svc.cluster.local"
TOO_LARGE = Reply(200, REPLY, bytes(1_500_000))
STRUCTURED_REPLY = Reply(200, JSON, structured(source="/reply", type="r"))


# The rows of what was observed restate the measurements on the Kafka Broker 1.22.3.
def too_short(world: World, mutant: str | None) -> Awaitable[Any]:
    return retries(world, mutant, "PT0.02S")


def told_of(answer: Reply) -> Observe:
    """Observe what a dead letter tells of an answer."""
    return one_event(
        answer, look=lambda _, dead: base64.b64decode(dead.received[0].headers.get("ce-knativeerrordata", ""))
    )


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
    "change-drops-what-is-retried": Row(retried_while_changed, 1, 0),
    "dead-letter-keeps-old-error": Row(
        again_lettered, ["http://127.0.0.1", "400"], ["http://elsewhere.example.com/", "500"]
    ),
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
    "timeout-ignored": Row(one_event(Reply(delay=2.5), timeout="PT0.2S"), (1, 1), (1, 0)),
    "timeout-until-answer-begins": Row(endless_answer, honest=True, faulty=False),
    "timeout-cut-short": Row(one_event(Reply(delay=3.0), timeout="PT30S"), (1, 0), (1, 1)),
    "answers-cut-after-ten-seconds": Row(time_for_an_answer(30.0), 30.0, 10.0),
    "retries-unasked": Row(one_event(Reply(500)), (1, 1), (4, 1)),
    "backoff-always-linear": Row(waits(500, retry=2, backoffDelay="PT0.2S"), [0.4, 0.8], [0.2, 0.2]),
    "backoff-delay-ignored": Row(waits(500, retry=1, backoffPolicy="linear", backoffDelay="PT1S"), [1.0], [0.2]),
    "dead-letter-stripped": Row(
        one_event(Reply(400), look=lambda _, dead: dead.received[0].headers.get("ce-ext")), "x", None
    ),
    "letters-encoded-twice": Row(letter_of(b"1", lambda got: got.headers["ce-ext"], ext="%25"), "%25", "%2525"),
    "letter-of-known-id-dropped": Row(letters_of_one_id, 2, 1),
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
    "host-of-the-ingress": Row(arrives(lambda got: got.headers["host"].partition(":")[0]), "127.0.0.1", INGRESS_HOST),
    "subscriber-query-dropped": Row(asked("?a=%2F"), "?a=%2F", ""),
    "subscriber-path-decoded": Row(asked("/a%2Fb?c=%2F"), "/a%2Fb?c=%2F", "/a/b?c=%2F"),
    "retry-wait-holds-trigger-up": Row(behind_a_failed_one(503), 2, 1),
    "letter-holds-trigger-up": Row(behind_a_failed_one(400), 2, 1),
    "batch-waits-for-slowest": Row(behind_a_slow_one, 61, 50),
    "crowded-data-exchanged": Row(in_a_crowd(lambda got: got.body.decode()), honest=True, faulty=False),
    "crowded-attributes-exchanged": Row(in_a_crowd(lambda got: got.headers["ce-ext"]), honest=True, faulty=False),
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
    "unmeasured-answer-empty": Row(unmeasured_answers(1), (1, 0), (0, 1)),
    "unmeasured-answer-fails": Row(unmeasured_answers(1), (1, 0), (0, 1)),
    "ended-connection-used-again": Row(unmeasured_answers(2), (2, 0), (1, 1)),
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
    "reply-coding-dropped": Row(
        reply_seen(
            lambda got: (got.body, got.headers.get("content-encoding")), {**REPLY, "Content-Encoding": "gzip"}, PACKED
        ),
        (b"1", None),
        (PACKED, None),
    ),
    "unknown-reply-coding-ignored": Row(
        replying(Reply(200, {**REPLY, "Content-Encoding": "x-own"}, b"1")), (0, 1), (1, 0)
    ),
    "empty-reply-attributes-accepted": Row(replying(Reply(200, {**REPLY, "ce-id": ""}, b"1")), (0, 1), (1, 0)),
    "reply-completed": Row(
        replying(Reply(200, {**without("id"), "ce-source": "/reply", "ce-type": "r"}, b"1")), (0, 1), (1, 0)
    ),
    "reply-without-key": Row(reply_records(lambda kept: kept[-1].key, {**REPLY, "ce-partitionkey": "k"}), b"k", None),
    "one-reply-an-event": Row(two_replies, 2, 1),
    "one-in-hundred-late": Row(one_late, [], [3.0]),
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
    "dispatcher-dies-now-and-then": Row(deaths(*[b"1"] * 20), ([], 20), (["dispatcher"], 20)),
    "ingress-dies-of-large-event": Row(deaths(b"1", bytes(60_000)), ([], 2), (["ingress"], 2)),
    "restart-skips-dead-letters": Row(letter_under_way, 2, 1),
    "dispatcher-ends-at-once": Row(dispatcher_ended, 1, 2),
    "handover-drops-what-is-retried": Row(retried_and_given_up, (3, 1), (1, 0)),
    "ingress-closing-forgets": Row(ingress_ended, (202, 1), (202, 0)),
    "rebalance-overlaps": Row(changed_hands, (["0", "1", "2"], []), (["0", "1", "2"], ["0"])),
    "outage-acknowledged": Row(kafka_away, [503, 202, 202], [202, 202, 202]),
    "outage-ends-ingress": Row(kafka_away, [503, 202, 202], [503, 202, 503]),
    "outage-is-400": Row(kafka_away, [503, 202, 202], [400, 202, 202]),
    "restart-goes-back": Row(restarted(sent=4), [0, 1, 2, 3, 4], [0, 1, 1, 2, 2, 3, 3, 4]),
    "retries-one-short": Row(attempts(500, 500, 500, 200), (4, 0), (3, 1)),
    "retries-everything": Row(attempts(400), (1, 1), (4, 1)),
    "retries-only-5xx": Row(attempts(429, 200), (2, 0), (1, 1)),
    "retries-named-codes-only": Row(attempts(501, 503, 200), (3, 0), (1, 1)),
    "retries-too-early": Row(attempts(425, 200), (1, 1), (2, 0)),
    "timeout-for-all-attempts": Row(
        waits(500, retry=2, backoffPolicy="linear", backoffDelay="PT0.2S", timeout="PT0.3S"), [0.2, 0.2], [0.2]
    ),
    "retries-encoded-twice": Row(request_headers("ce-ext", ext="%25"), ["%25", "%25"], ["%25", "%2525"]),
    "failing-answers-leak": Row(failing_answers(102), 102, 100),
    "ten-retries-at-most": Row(attempts(500, retry=12), (13, 1), (11, 1)),
    "reply-invited-once": Row(request_headers("prefer"), ["reply", "reply"], ["reply", None]),
    "retries-without-extensions": Row(request_headers("ce-ext"), ["1", "1"], ["1", None]),
    "no-backoff": Row(waits(500, retry=1, **FAST), [0.05], [0.0]),
    "unresolved-host-dropped": Row(unresolved_host, 1, 0),
    "connection-error-dropped": Row(refused_connection, 1, 0),
    "dead-letter-skipped": Row(attempts(500, retry=1), (2, 1), (2, 0)),
    "dead-letter-bare": Row(
        attempts(400, look=lambda got: sorted(name for name in got[0].headers if "knative" in name)),
        (1, ["ce-knativeerrorcode", "ce-knativeerrordest"]),
        (1, []),
    ),
    "reply-dropped": Row(replying(Reply(200, REPLY, b"1")), (1, 0), (0, 0)),
    "structured-reply-dropped": Row(replying(STRUCTURED_REPLY), (1, 0), (0, 0)),
    "every-success-read-as-reply": Row(replying(Reply(201, {}, b"text")), (0, 0), (0, 1)),
    "reply-values-left-encoded": Row(
        reply_seen(lambda got: got.headers["ce-ext"], {**REPLY, "ce-ext": "%25"}), "%25", "%2525"
    ),
    "reply-on-202": Row(replying(Reply(202, REPLY, b"1")), (0, 0), (1, 0)),
    "empty-reply-is-failure": Row(replying(Reply(200)), (0, 0), (0, 1)),
    "typed-empty-reply-is-failure": Row(replying(Reply(200, {"Content-Type": "text/html"})), (0, 0), (0, 1)),
    "malformed-reply-ignored": Row(replying(Reply(200, {}, b"text")), (0, 1), (0, 0)),
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
    "commits-stop-after-64": Row(commits_of(70, Reply(), 65), honest=True, faulty=False),
    "failures-hold-commits": Row(commits_of(40, Reply(400), 30), honest=True, faulty=False),
    "discarded-holds-commits": Row(commits_past_others, honest=True, faulty=False),
    **ARRIVAL_ROWS,
    **FILTER_ROWS,
    **SECURED_ROWS,
    **TRACE_ROWS,
}
