"""The cost of reading and judging: history records a second, parsed and checked, and through delivery and order checks.

The history has one busy scope: every event is sent, answered, stored, delivered and replied to. There are expectations
of their deliveries and of their order. The peer is orjson, which parses the same records.
"""

import functools
import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import orjson

from benchmarks.figures import Figure
from evidence.chain import sealed
from evidence.checks import check_of
from evidence.expectations import Expectation, delivered_once, in_order
from evidence.history import parse
from evidence.history_index import HistoryIndex
from evidence.records import (
    FORMAT,
    Answered,
    ObservedOffsets,
    Received,
    Record,
    Replied,
    Sent,
    TopicRecord,
)
from evidence.refs import EventRef, SinkRef, TriggerRef
from evidence.verdict import Verdict

EVENTS = 20_000
BYSTANDERS = 4
ROUNDS = 5
TRIGGER = TriggerRef("ns", "trigger", SinkRef("s/1", "http://probe/s/1"), "topic", "group")


def _event(number: int) -> EventRef:
    return EventRef("/bench", f"e{number:06d}", f"s{number}")


def history(events: int = EVENTS) -> Iterator[Record]:
    """Yield the history of a scope without faults; one event in every `BYSTANDERS` has an expectation."""
    seq = 0

    def numbered(record: Record) -> Record:
        nonlocal seq
        seq += 1
        record["seq"], record["t"], record["scope"] = seq, seq / 1000, "s"
        if seq == 1:
            record["format"] = FORMAT
        return record

    for number in range(events):
        event = _event(number)
        attributes = {"specversion": "1.0", "id": event.id, "source": event.source, "type": "bench", "subject": "x"}
        http = [["content-type", "application/json"], *([f"ce-{name}", value] for name, value in attributes.items())]
        kafka = [["content-type", "application/json"], *([f"ce_{name}", value] for name, value in attributes.items())]
        body = '{"n": 1}'
        send, receive = str(event.send), f"r{number}"
        received = [["host", "probe"], ["prefer", "reply"], *http]
        records: tuple[Record, ...] = (
            Sent(record="sent", send=send, url="http://i", method="POST", headers=http, body=body, event=None),
            Answered(record="answered", send=send, status=202, headers=[], body="", error=None),
            TopicRecord(
                record="topic.record",
                topic="topic",
                partition=0,
                offset=number,
                key=None,
                headers=kafka,
                value=body,
            ),
            Received(
                record="received",
                sink="s/1",
                path="/s/1",
                method="POST",
                receive=receive,
                headers=received,
                body=body,
            ),
            Replied(record="replied", receive=receive, status=202, headers=[], body=""),
        )
        yield from map(numbered, records)
    ends: dict[str, int | None] = {"0": events}
    yield numbered(ObservedOffsets(record="offsets", group="group", topic="topic", committed=ends, end=ends))


def sealed_lines(records: Iterable[Record]) -> Iterator[bytes]:
    """Yield the lines of a history, each with its digest."""
    head = ""
    for record in records:
        line, head = sealed(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), head)
        yield line


def _best(work: Callable[[], None]) -> float:
    """Return the CPU seconds of the fastest of several rounds; CPU time does not count other processes."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def measure(count_of_events: int = EVENTS) -> list[Figure]:
    """Measure feeding and judging, in records a second."""
    records = list(history(count_of_events))
    lines = list(sealed_lines(records))
    events = [_event(number) for number in range(0, count_of_events, BYSTANDERS)]
    many = [delivered_once(event, TRIGGER) for event in events]

    def judge(expectations: Sequence[Expectation]) -> None:
        index = HistoryIndex()
        checks = [check_of(expectation.check, expectation.args, index) for expectation in expectations]
        feed = index.feed
        for record in records:
            feed(record)
        wrong = [check for check in checks if check.judge(final=True).verdict is not Verdict.PASS]
        if wrong:
            raise RuntimeError(
                f"{len(wrong)} expectations of a good history did not pass: the figure would mean nothing"
            )

    def load() -> None:
        for line in lines:
            orjson.loads(line)

    def read() -> None:
        for _ in parse(lines):
            pass

    parsed = len(records) / _best(load)
    peer = "orjson parsing the same records"
    count = f"{len(records) // 1000}k records"
    workloads = {
        f"history records a second, fed and judged (deliveries of 20 events, {count})": many[:20],
        f"history records a second, fed and judged (order of {len(events)} events, {count})": [
            in_order(events, TRIGGER)
        ],
        f"history records a second, fed and judged ({len(many)} expectations opened on {count})": many,
    }
    reading = Figure(
        f"history records a second, read and validated ({count})", len(records) / _best(read), peer, parsed
    )
    return [reading] + [
        Figure(text, len(records) / _best(functools.partial(judge, expectations)), peer, parsed)
        for text, expectations in workloads.items()
    ]
