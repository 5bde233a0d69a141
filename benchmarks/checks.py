"""The cost of judging: history records a second through the delivery and order checks, without parsing.

The history has one busy scope: every event is sent, answered, stored, delivered and replied to. There are expectations
of their deliveries and of their order. The peer is orjson, which parses the same records.
"""

import functools
import gc
import time
from collections.abc import Callable, Iterator, Sequence

import orjson

from benchmarks.figures import Figure
from evidence.checks import check_of
from evidence.expectations import Expectation, delivered_once, in_order
from evidence.history import Record
from evidence.history_index import HistoryIndex
from evidence.refs import EventRef, SinkRef, TriggerRef
from evidence.verdict import Verdict

EVENTS = 20_000
BYSTANDERS = 4
ROUNDS = 5
TRIGGER = TriggerRef("ns", "trigger", SinkRef("s/1", "http://probe/s/1"), "topic", "group")


def _event(number: int) -> EventRef:
    return EventRef("/bench", f"e{number:06d}", f"s{number}")


def history() -> Iterator[Record]:
    """Yield the history of a scope without faults; one event in every `BYSTANDERS` has an expectation."""
    seq = 0

    def record(kind: str, **fields: object) -> Record:
        nonlocal seq
        seq += 1
        return {"seq": seq, "t": seq / 1000, "kind": kind, "scope": "s", **fields}

    for number in range(EVENTS):
        event = _event(number)
        attributes = {"specversion": "1.0", "id": event.id, "source": event.source, "type": "bench", "subject": "x"}
        http = [["content-type", "application/json"], *([f"ce-{name}", value] for name, value in attributes.items())]
        kafka = [["content-type", "application/json"], *([f"ce_{name}", value] for name, value in attributes.items())]
        body = '{"n": 1}'
        yield record("sent", send=event.send, url="http://ingress", method="POST", headers=http, body=body, event=None)
        yield record("answered", send=event.send, status=202, headers=[], body="", error=None)
        yield record("record", topic="topic", partition=0, offset=number, key=None, headers=kafka, value=body)
        receipt = {"sink": "s/1", "path": "/s/1", "method": "POST", "receive": f"r{number}"}
        yield record("received", **receipt, headers=[["host", "probe"], ["prefer", "reply"], *http], body=body)
        yield record("replied", receive=f"r{number}", status=202, headers=[], body="")
    yield record("offsets", group="group", topic="topic", committed={"0": EVENTS}, end={"0": EVENTS})


def _best(work: Callable[[], None]) -> float:
    """Return the CPU seconds of the fastest of several rounds; CPU time does not count other processes."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def measure() -> list[Figure]:
    """Measure feeding and judging, in records a second."""
    records = list(history())
    lines = [orjson.dumps(record) for record in records]
    events = [_event(number) for number in range(0, EVENTS, BYSTANDERS)]
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

    def parse() -> None:
        for line in lines:
            orjson.loads(line)

    parsed = len(records) / _best(parse)
    peer = "orjson parsing the same records"
    count = f"{len(records) // 1000}k records"
    workloads = {
        f"history records a second, fed and judged (deliveries of 20 events, {count})": many[:20],
        f"history records a second, fed and judged (order of {len(events)} events, {count})": [
            in_order(events, TRIGGER)
        ],
        f"history records a second, fed and judged ({len(many)} expectations opened on {count})": many,
    }
    return [
        Figure(text, len(records) / _best(functools.partial(judge, expectations)), peer, parsed)
        for text, expectations in workloads.items()
    ]
