"""The honest data plane, from a request at the ingress to what subscribers and Kafka get."""

import asyncio
import base64
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from embedded.dataplane import NoTopicError, delivery
from embedded.dataplane.cloudevents import CloudEvent, Record, write_record
from embedded.dataplane.specs import BrokerSpec
from embedded.types import Endpoint
from selftest.embedded_dataplane.observing_ingress import said_before_the_body
from selftest.embedded_dataplane.world import HANG, Place, Reply, World, binary, pauses, until, until_true

pytestmark = pytest.mark.anyio

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
FAST = {"backoffPolicy": "linear", "backoffDelay": "PT0.01S"}


def reply(**attributes: str) -> Reply:
    return Reply(200, binary(**{**EVENT, "source": "/reply", **attributes}), b'"reply"')


async def test_a_binary_event_is_stored_and_delivered(world: World) -> None:
    place, sink = await world.broker(), world.sink()
    await place.trigger(sink)
    posted = await place.post(binary(**EVENT, subject="Euro%20%E2%82%AC%20%25", ext="x"), b"\x00\xff")
    assert (posted.status, posted.text) == (202, "")
    await until(lambda: bool(sink.received))
    (record,) = await place.records(1)
    wanted = {f"ce_{name}": value.encode() for name, value in EVENT.items()}
    wanted |= {"ce_subject": "Euro € %".encode(), "ce_ext": b"x", "content-type": b"application/json"}
    assert (dict(record.headers), record.value, record.key) == (wanted, b"\x00\xff", None)
    (got,) = sink.received
    assert (got.method, got.body) == ("POST", b"\x00\xff")
    wanted_headers = {f"ce-{name}": value for name, value in EVENT.items()}
    wanted_headers |= {"ce-subject": "Euro%20%E2%82%AC%20%25", "ce-ext": "x", "content-type": "application/json"}
    wanted_headers |= {"prefer": "reply", "kn-namespace": place.spec.namespace, "content-length": "2"}
    assert {name: value for name, value in got.headers.items() if name != "host"} == wanted_headers


async def test_a_body_that_is_too_large_is_not_asked_for(world: World) -> None:
    said = await said_before_the_body(2 << 20)(world, None)
    assert said.startswith(b"HTTP/1.1 413 ")


async def test_a_structured_event_arrives_in_binary_mode(world: World) -> None:
    place, sink = await world.broker(), world.sink()
    await place.trigger(sink)
    body = json.dumps({**EVENT, "subject": 'a "€"', "n": 7}).encode()[:-1] + b', "data": {"a":  1.0}}'
    assert (await place.post({"Content-Type": "Application/CloudEvents+JSON; charset=UTF-8"}, body)).status == 202
    await until(lambda: bool(sink.received))
    got = sink.received[0]
    assert got.body == b'{"a":  1.0}'
    assert (got.headers["ce-subject"], got.headers["ce-n"]) == ("a%20%22%E2%82%AC%22", "7")


@pytest.mark.parametrize("data", [b"", bytes(range(256)) * 3600], ids=["empty", "900-kib"])
async def test_data_is_not_touched(world: World, data: bytes) -> None:
    place, sink = await world.broker(), world.sink()
    await place.trigger(sink)
    await place.send(data, datacontenttype="application/octet-stream")
    await until(lambda: bool(sink.received))
    assert sink.received[0].body == data
    assert (await place.records(1))[0].value == (data or None)


async def test_what_is_refused_and_how(world: World) -> None:
    place = await world.broker()
    good = binary(**EVENT)
    refused = await place.post(binary(**{**EVENT, "id": ""}))
    assert refused.status == 400
    assert "'id' is empty" in refused.text
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        answer = await place.post(good, method=method)
        assert (answer.status, answer.headers.get("Allow")) == (405, "POST"), method
    base = f"/{place.spec.namespace}"
    for path, status in [(f"{base}/b/", 202), (f"{base}/b/x", 404), (f"{base}/c", 404), (base, 404), ("/", 404)]:
        assert (await place.post(good, path=path)).status == status, path
    assert (await place.post(good, b"x" * 2 * 1024 * 1024)).status == 413
    # Within our limit, beyond Kafka's.
    assert (await place.post(good, b"x" * 1024 * 1024)).status == 413
    assert len(await place.records(1)) == 1


async def test_content_codings_that_are_known_are_taken_off(world: World) -> None:
    place, sink = await world.broker(), world.sink()
    await place.trigger(sink)
    for coding, body in (
        ("GZIP", gzip.compress(b"1")),
        ("x-gzip", gzip.compress(b"1")),
        ("deflate", zlib.compress(b"1")),
        ("deflate, gzip", gzip.compress(zlib.compress(b"1"))),
    ):
        assert (await place.post({**binary(**EVENT), "Content-Encoding": coding}, body)).status == 202, coding
    await until(lambda: len(sink.received) == 4)
    assert {(got.body, got.headers.get("content-encoding")) for got in sink.received} == {(b"1", None)}


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"1", 415),
        ("gzip, compress", gzip.compress(b"1"), 415),
        ("gzip", b"1", 400),
        ("gzip", gzip.compress(b"1")[:-1], 400),
        ("deflate", zlib.compress(b"1") + b"more", 400),
        ("gzip", gzip.compress(bytes(2 << 20)), 413),
    ],
    ids=["unknown", "unknown-outside", "not-in-it", "cut", "more-behind", "large-inside"],
)
async def test_a_body_whose_content_coding_cannot_be_taken_off_is_refused(
    world: World, coding: str, body: bytes, status: int
) -> None:
    place = await world.broker()
    assert (await place.post({**binary(**EVENT), "Content-Encoding": coding}, body)).status == status
    await place.send()
    assert len(await place.records(1)) == 1


async def test_probes_are_answered(world: World) -> None:
    place = await world.broker()
    for path in ("/healthz", "/readyz"):
        assert (await place.post({}, method="GET", path=path)).status == 200


async def test_64_kib_of_attributes_pass(world: World) -> None:
    place, sink = await world.broker(), world.sink()
    await place.trigger(sink)
    await place.send(large="x" * 64_000)
    await until(lambda: bool(sink.received))
    assert sink.received[0].headers["ce-large"] == "x" * 64_000


async def test_every_matching_trigger_gets_one_delivery_and_others_commit(world: World) -> None:
    place, sink, other = await world.broker(), world.sink(), world.sink()
    await place.trigger(sink)
    await place.trigger(sink)
    missed = await place.trigger(other, filter={"attributes": {"type": "other"}})
    for _ in range(5):
        await place.send()
    await until_true(lambda: _committed(world, place, missed.group, 5))
    await until(lambda: len(sink.received) == 10)
    assert other.received == []


async def _committed(world: World, place: Place, group: str, count: int) -> bool:
    return await world.committed(place.spec.topic, group) == count


async def test_a_trigger_misses_nothing_from_the_moment_it_is_added(world: World) -> None:
    place = await world.broker()
    earlier = await place.send()
    for _ in range(5):
        sink = world.sink()
        await place.trigger(sink)
        later = await place.send()
        await until(lambda sink=sink: bool(sink.received))  # type: ignore[misc]  # mypy knows no defaults of lambdas
        assert sink.ids == [later]
        assert earlier not in sink.ids


async def test_a_paused_trigger_goes_on_where_it_is_unless_it_is_removed(world: World) -> None:
    place, sink = await world.broker(partitions=1), world.sink(Reply(), Reply(delay=60.0), Reply())
    trigger = await place.trigger(sink, ordered=True)
    done, under_way, waiting = [await place.send() for _ in range(3)]
    await until(lambda: len(sink.received) == 2)
    await world.plane.pause_trigger(trigger.namespace, trigger.name)
    meanwhile = await place.send()
    await world.plane.add_trigger(trigger)
    await until(lambda: len(sink.received) == 5)
    assert sink.ids == [done, under_way, under_way, waiting, meanwhile]
    await world.plane.pause_trigger(trigger.namespace, trigger.name)
    await world.plane.remove_trigger(trigger.namespace, trigger.name)
    await place.send()
    await world.plane.add_trigger(trigger)
    last = await place.send()
    await until(lambda: len(sink.received) == 6)
    assert sink.ids[-1] == last


async def test_a_removed_trigger_gets_nothing_and_begins_anew(world: World) -> None:
    place, sink, witness = await world.broker(), world.sink(), world.sink()
    spec = await place.trigger(sink, name="comes-and-goes")
    await place.trigger(witness)
    await world.plane.remove_trigger(spec.namespace, spec.name)
    await world.plane.remove_trigger(spec.namespace, spec.name)
    between = await place.send()
    await until(lambda: between in witness.ids)
    await place.trigger(sink, name="comes-and-goes")
    after = await place.send()
    await until(lambda: after in sink.ids)
    assert sink.ids == [after]


async def test_a_changed_filter_takes_effect_without_losing_the_place(world: World) -> None:
    place, sink = await world.broker(), world.sink(Reply(delay=0.1), Reply())
    terms: dict[str, Any] = {"name": "changing"}
    await place.trigger(sink, filter={"attributes": {"type": "a"}}, **terms)
    in_flight = await place.send(type="a")
    await until(lambda: bool(sink.received))
    await place.trigger(sink, filter={"attributes": {"type": "b"}}, **terms)
    await place.send(type="a")
    fence = await place.send(type="b")
    await until(lambda: fence in sink.ids)
    await until_true(lambda: _committed(world, place, f"g-{place.spec.topic}-changing", 3))
    assert sink.ids == [in_flight, fence]


@pytest.mark.parametrize(
    ("retry", "script", "attempts"),
    [
        (3, [500, 503, 429, 200], 4),
        (1, [500, 500, 200], 2),
        (0, [500, 200], 1),
        (2, [404, 408, 409, 200], 3),
        (3, [400, 200], 1),
        (3, [302, 200], 1),
    ],
    ids=str,
)
async def test_attempts(world: World, retry: int, script: Sequence[int], attempts: int) -> None:
    place, dead = await world.broker(), world.sink()
    sink = world.sink(*(Reply(status, {"Location": dead.url} if status == 302 else {}) for status in script))
    trigger = await place.trigger(sink, delivery={"retry": retry, **FAST}, dead_letter=dead.url)
    await place.send()
    await until_true(lambda: _committed(world, place, trigger.group, 1))
    assert len(sink.received) == attempts
    assert len(dead.received) == (script[attempts - 1] != 200)


async def test_waits_between_attempts(world: World) -> None:
    place, sink = await world.broker(), world.sink(Reply(500), Reply(500), Reply(500), Reply())
    await place.trigger(sink, delivery={"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT0.03S"})
    with pauses(delivery, waited=True) as asked:
        await place.send()
        await until(lambda: len(sink.received) == 4)
    assert asked == [0.06, 0.12, 0.24]
    times = [request.at for request in sink.received]
    gaps = [after - before for before, after in pairwise(times)]
    assert all(gap >= wait for gap, wait in zip(gaps, asked, strict=True)), gaps


async def test_a_dead_letter_says_why(world: World) -> None:
    place, dead = await world.broker(), world.sink(Reply(500), Reply())
    body = b"\r\n<html>\xff" * 200
    sink = world.sink(Reply(422, {"Kne-Foo-Bar": "x", "Kne-Foo": "y"}, body))
    await place.trigger(sink, delivery={"retry": 1, **FAST}, dead_letter=dead.url)
    sent = await place.send(b"data", ext="x")
    await until(lambda: len(dead.received) == 2)
    letter = dead.received[1]
    assert (letter.body, letter.headers["ce-id"], letter.headers["ce-ext"]) == (b"data", sent, "x")
    assert letter.headers["ce-knativeerrordest"] == sink.url
    assert letter.headers["ce-knativeerrorcode"] == "422"
    assert base64.b64decode(letter.headers["ce-knativeerrordata"]) == body[:1024]
    assert "ce-foo" not in letter.headers


async def test_where_nobody_answers(world: World) -> None:
    place, dead = await world.broker(), world.sink()
    for subscriber in (
        "http://127.0.0.1:9/",
        "http://no-pod.ns.svc.cluster.local/",
        "http://service/",
        "ftp://x/",
        "?",
    ):
        await place.trigger(subscriber, delivery={"retry": 1, **FAST}, dead_letter=dead.url)
    slow = world.sink(Reply(delay=HANG))
    await place.trigger(slow, delivery={"timeout": "PT0.05S", "retry": 1, **FAST}, dead_letter=dead.url)
    await place.send()
    await until(lambda: len(dead.received) == 6)
    assert len(slow.received) == 2
    assert {"ce-knativeerrorcode" in letter.headers for letter in dead.received} == {False}


async def test_cluster_names_lead_to_endpoints_and_keep_the_authority(world: World) -> None:
    place, sink = await world.broker(), world.sink()
    host = "isvc.ns.svc.cluster.local"
    world.names[host] = Endpoint("127.0.0.1", world.subscribers.port, "other.ns.svc.cluster.local")
    await place.trigger(f"http://{host}{sink.url.removeprefix(f'http://127.0.0.1:{world.subscribers.port}')}")
    await place.send()
    await until(lambda: bool(sink.received))
    assert sink.received[0].headers["host"] == "other.ns.svc.cluster.local"


async def test_replies_are_routed_to_all_triggers(world: World) -> None:
    place, replied = await world.broker(), world.sink()
    structured = Reply(
        200, {"Content-Type": "application/cloudevents+json"}, json.dumps({**EVENT, "type": "r", "id": "s"}).encode()
    )
    await place.trigger(world.sink(reply(type="r", id="b")), filter={"attributes": {"type": "a"}})
    await place.trigger(world.sink(structured), filter={"attributes": {"type": "a"}})
    await place.trigger(replied, filter={"attributes": {"type": "r"}})
    await place.send(type="a")
    await until(lambda: len(replied.received) == 2)
    assert set(replied.ids) == {"b", "s"}


@pytest.mark.parametrize(
    ("answer", "replies", "letters"),
    [
        (Reply(200), 0, 0),
        (Reply(204), 0, 0),
        (Reply(202, binary(**{**EVENT, "type": "r"}), b"1"), 0, 0),
        (Reply(202, {}, b"thanks"), 0, 0),
        (Reply(200, {"Content-Type": "application/json"}, b'{"predictions": [1]}'), 0, 1),
        (Reply(200, {"ce-specversion": "1.0"}), 0, 1),
        (Reply(200, {"Content-Type": "application/cloudevents+json"}, b"{"), 0, 1),
        (Reply(200, binary(**{**EVENT, "type": "r"}), b"x" * 2 * 1024 * 1024), 0, 1),
        (Reply(200, {}, b"x" * 5 * 1024 * 1024), 0, 1),
    ],
    ids=["empty", "204", "202", "202-text", "json", "few-attributes", "broken", "too-large-to-store", "too-large"],
)
async def test_answers_that_are_no_reply(world: World, answer: Reply, replies: int, letters: int) -> None:
    place, replied, dead = await world.broker(), world.sink(), world.sink()
    await place.trigger(replied, filter={"attributes": {"type": "r"}})
    trigger = await place.trigger(world.sink(answer), filter={"attributes": {"type": "a"}}, dead_letter=dead.url)
    await place.send(type="a")
    await until_true(lambda: _committed(world, place, trigger.group, 1))
    assert (len(replied.received), len(dead.received)) == (replies, letters)


async def test_an_ordered_trigger_keeps_order_through_retries(world: World) -> None:
    place, sink = await world.broker(partitions=1), world.sink(Reply(500), Reply(500), Reply())
    await place.trigger(sink, ordered=True, delivery={"retry": 3, **FAST})
    sent = [await place.send(partitionkey="k") for _ in range(5)]
    await until(lambda: len(sink.received) == 7)
    assert sink.ids == [sent[0], sent[0], *sent]
    assert {record.key for record in await place.records(5)} == {b"k"}


async def test_an_unordered_trigger_is_not_held_up(world: World) -> None:
    over = asyncio.Event()
    place, sink = await world.broker(partitions=1), world.sink(Reply(delay=HANG, until=over), Reply())
    trigger = await place.trigger(sink)
    sent = [await place.send() for _ in range(20)]
    await until(lambda: len(sink.received) == 20)
    assert set(sink.ids) == set(sent)
    assert await world.committed(place.spec.topic, trigger.group) == 0
    over.set()
    await until_true(lambda: _committed(world, place, trigger.group, 20))


async def test_a_backlog_is_worked_off_in_bounds(world: World) -> None:
    place, sink = await world.broker(), world.sink(Reply(delay=0.02))
    trigger = await place.trigger(sink)
    await asyncio.gather(*(place.send() for _ in range(400)))
    await until_true(lambda: _committed(world, place, trigger.group, 400))
    assert len(set(sink.ids)) == len(sink.ids) == 400


async def test_a_slow_partition_of_an_ordered_trigger_holds_up_no_other(world: World) -> None:
    over = asyncio.Event()
    place, sink = await world.broker(partitions=2), world.sink(Reply(delay=HANG, until=over), Reply())
    trigger = await place.trigger(sink, ordered=True)

    async def produce(name: str, partition: int) -> None:
        record = write_record(CloudEvent({**EVENT, "id": name}))
        await world.producer.send(place.spec.topic, replace(record, partition=partition))

    # More than may wait at once, so that fetching for the partition stops and begins again.
    names = [str(number) for number in range(200)]
    for name in names:
        await produce(name, 0)
    await until(lambda: bool(sink.received))
    await produce("other", 1)
    await until(lambda: sink.ids == ["0", "other"])
    over.set()
    await until_true(lambda: _committed(world, place, trigger.group, 201))
    assert [name for name in sink.ids if name != "other"] == names


async def test_foreign_and_structured_records(world: World) -> None:
    place, sink = await world.broker(partitions=1), world.sink()
    await place.trigger(sink)
    for headers, value in [
        ([], b"no event"),
        ([("ce_id", b"\xff")], None),
        ([("content-type", b"application/cloudevents+json")], json.dumps({**EVENT, "id": "s"}).encode()),
    ]:
        await world.producer.send(place.spec.topic, Record(None, headers, value))
    last = await place.send()
    await until(lambda: last in sink.ids)
    assert sink.ids == ["s", last]


async def test_a_trace_goes_all_the_way(world: World) -> None:
    place, sink, replied = await world.broker(), world.sink(reply(type="r")), world.sink()
    await place.trigger(sink, filter={"attributes": {"type": "a"}})
    await place.trigger(replied, filter={"attributes": {"type": "r"}})
    own = PARENT.replace("0af7", "ffff")
    headers = binary(**{**EVENT, "type": "a", "traceparent": own})
    await place.post({**headers, "traceparent": PARENT, "tracestate": "k=v"}, b"1")
    await until(lambda: bool(replied.received))
    records = [dict(record.headers) for record in await place.records(2)]
    seen = [r["traceparent"].decode() for r in records] + [  # type: ignore[union-attr]  # they have values
        request.headers["traceparent"] for request in (*sink.received, *replied.received)
    ]
    assert {parent.split("-")[1] for parent in seen} == {PARENT.split("-")[1]}
    assert len({parent.split("-")[2] for parent in [*seen, PARENT]}) == 5
    assert replied.received[0].headers["tracestate"] == "k=v"
    assert sink.received[0].headers["ce-traceparent"] == own
    assert own.encode() in {record.get("ce_traceparent") for record in records}


async def test_no_trace_is_begun_and_an_invalid_one_ends(world: World) -> None:
    place, sink = await world.broker(), world.sink()
    await place.trigger(sink)
    await place.post({**binary(**EVENT), "traceparent": "nonsense", "tracestate": "k=v"})
    await place.post({**binary(**EVENT), "ce-traceparent": PARENT})
    await until(lambda: len(sink.received) == 2)
    assert all("traceparent" not in r.headers and "tracestate" not in r.headers for r in sink.received)


async def test_what_cannot_be_served_is_said(world: World) -> None:
    place = await world.broker()
    with pytest.raises(ValueError, match="cesql"):
        await place.trigger("http://x/", filters=({"cesql": "TRUE AND"},))
    with pytest.raises(ValueError, match="ISO 8601"):
        await place.trigger("http://x/", delivery={"backoffDelay": "soon"})
    other = Place(world, BrokerSpec("n", "b", "no-such-topic", 1, policies=place.spec.policies))
    with pytest.raises(NoTopicError, match="no-such-topic"):
        await other.trigger("http://x/")


async def test_many_triggers_come_and_go(world: World) -> None:
    place = await world.broker(partitions=10)
    async with asyncio.timeout(HANG):  # each comes and goes within milliseconds; only a hang lasts as long
        specs = [await place.trigger("http://127.0.0.1:9/") for _ in range(20)]
        await asyncio.gather(*(world.plane.remove_trigger(spec.namespace, spec.name) for spec in specs))


async def test_what_a_test_has_made_goes_with_it(world: World) -> None:
    place = await world.broker()
    await place.trigger(world.sink())
    await world.clear()
    assert (await place.post(binary(specversion="1.0", id="1", source="/s", type="t"))).status == 404
    assert (world.plane._triggers, world.brokers, world.triggers) == ({}, [], [])
