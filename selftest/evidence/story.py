"""Small histories written by hand: each call appends one record, as the probe would have.

Names are fixed so that tests stay short: one broker topic, one Trigger with group `g`, sinks by name.
"""

import json
from collections.abc import Sequence
from typing import Any

from evidence.checks import create
from evidence.expectations import Expectation
from evidence.records import FORMAT
from evidence.refs import (
    BrokerRef,
    EventRef,
    ExchangeRef,
    LoadRef,
    ObjectRef,
    ProducedRef,
    SinkRef,
    TopicRef,
    TriggerRef,
)
from evidence.verdict import Judgement
from selftest.histories import Raw, typed

TOPIC = "broker-topic"
GROUP = "g"
BROKER = BrokerRef("ns", "broker", TOPIC, "http://ingress/ns/broker")
SINK = SinkRef("s/1", "http://probe/s/1")
LETTERS = SinkRef("s/dls", "http://probe/s/dls")
TRIGGER = TriggerRef("ns", "trigger", SINK, TOPIC, GROUP)
ORDERED = TriggerRef("ns", "trigger", SINK, TOPIC, "", ordered=True)
OTHER = TriggerRef("ns", "other", SinkRef("s/2", "http://probe/s/2"), TOPIC, "g2")
RESULTS = TopicRef("results")
IN, OUT = "in", TopicRef("out")

Headers = Sequence[Sequence[str]]


def event(name: str = "e1", source: str = "/src") -> EventRef:
    """Return an event by the request that carries it."""
    return EventRef(source, name, f"send-{name}")


def binary(name: str = "e1", source: str = "/src", **more: str) -> list[list[str]]:
    """HTTP headers of an event in binary mode."""
    attributes = {"specversion": "1.0", "id": name, "source": source, "type": "t", **more}
    kind = attributes.pop("content_type", "application/json")
    return [["content-type", kind], *([f"ce-{key}", value] for key, value in attributes.items())]


def structured(name: str = "e1", source: str = "/src", **more: Any) -> str:
    """Return a structured event's body."""
    return json.dumps({"specversion": "1.0", "id": name, "source": source, "type": "t", "data": {"n": 1}, **more})


STRUCTURED = [["content-type", "application/cloudevents+json; charset=utf-8"]]


class Story:
    """A history under construction; `scope` is that of all records."""

    def __init__(self, scope: str = "s") -> None:
        self.scope = scope
        self.records: list[Raw] = []
        self.t = 100.0
        self._offsets: dict[tuple[str, int], int] = {}
        self._receives = 0

    def add(self, record: str, **fields: Any) -> int:
        """Append a record a hundredth of a second after the last; returns its number."""
        self.t += 0.01
        head = {} if self.records else {"format": FORMAT}
        self.records.append(
            {**head, "seq": len(self.records) + 1, "t": self.t, "record": record, "scope": self.scope, **fields}
        )
        return len(self.records)

    def sent(self, name: str = "e1", headers: Headers | None = None, body: str = '{"n": 1}', **more: Any) -> int:
        """Return a request to the ingress."""
        said = binary(name) if headers is None else headers
        return self.add("sent", send=f"send-{name}", url=BROKER.url, method="POST", headers=said, body=body, **more)

    def answered(self, name: str = "e1", status: int | None = 202, headers: Headers = (), body: str = "") -> int:
        """Return the ingress' answer."""
        error = None if status is not None else "connection refused"
        return self.add("answered", send=f"send-{name}", status=status, headers=list(headers), body=body, error=error)

    def stored(
        self,
        name: str = "e1",
        partition: int = 0,
        *,
        topic: str = TOPIC,
        headers: Sequence[Sequence[str | None]] | None = None,
        value: str | None = '{"n": 1}',
        key: str | None = None,
    ) -> int:
        """Return a record of a topic, as a tap read it."""
        if headers is None:
            headers = [[n.replace("ce-", "ce_"), v] for n, v in binary(name)]
        offset = self._offsets.get((topic, partition), 0)
        self._offsets[topic, partition] = offset + 1
        place = {"topic": topic, "partition": partition, "offset": offset}
        return self.add("topic.record", **place, key=key, headers=headers, value=value, timestamp=0)

    def offsets(
        self, committed: int | None = None, end: int | None = None, *, topic: str = TOPIC, group: str = GROUP
    ) -> int:
        """Append an observation of partition 0, and of the true end of the others, which began just before."""
        ends = {str(p): offset for (t, p), offset in self._offsets.items() if t == topic}
        ends["0"] = ends.get("0", 0) if end is None else end
        commits = {} if committed is None else {"0": committed}
        return self.add("offsets", group=group, topic=topic, committed=commits, end=ends, asked_t=self.t + 0.005)

    def received(
        self,
        name: str = "e1",
        sink: str = SINK.name,
        headers: Headers | None = None,
        body: str = '{"n": 1}',
        **more: Any,
    ) -> int:
        """Return a request at a sink."""
        self._receives += 1
        fields = {"sink": sink, "path": "/", "method": "POST", "receive": f"r{self._receives}"} | more
        return self.add("received", **fields, headers=binary(name) if headers is None else headers, body=body)

    def replied(self, status: int = 200, headers: Headers = (), body: str = "", receive: str | None = None) -> int:
        """Return the sink's answer to the last request."""
        return self.add(
            "replied", receive=receive or f"r{self._receives}", status=status, headers=list(headers), body=body
        )

    def accepted(self, name: str = "e1", partition: int = 0, **sent: Any) -> None:
        """Sent, answered 202 and stored."""
        self.sent(name, **sent)
        self.answered(name)
        self.stored(name, partition)

    def delivered(self, name: str = "e1", status: int = 200, sink: str = SINK.name) -> int:
        """Return a request at a sink, and its answer."""
        seq = self.received(name, sink)
        self.replied(status)
        return seq

    def produced(
        self, name: str, key: str | None = None, *, value: str = "{}", error: str | None = None
    ) -> ProducedRef:
        """Return a record that the probe wrote to the input topic."""
        offset = self._offsets.get((IN, 0), 0)
        self._offsets[IN, 0] = offset + (error is None)
        place = {"topic": IN, "partition": None if error else 0, "offset": None if error else offset}
        self.add("produced", produce=name, **place, key=key, headers=[], value=value, error=error)
        return ProducedRef(name, IN, key)

    def object(self, obj: ObjectRef, said: Any, *, verb: str = "get", code: int = 200, message: str = "") -> int:
        """Return what the Kubernetes API said."""
        name = {"apiVersion": obj.api_version, "kind": obj.kind, "namespace": obj.namespace, "name": obj.name}
        return self.add("object", verb=verb, **name, code=code, reason="", message=message, object=said)

    def load(self, samples: Sequence[Sequence[Any]], name: str = "l1") -> LoadRef:
        """Return a load's samples."""
        self.add("load", load=name, rate=20, samples=samples, done=True)
        return LoadRef(name, len(samples))


def exchange(name: str = "e1") -> ExchangeRef:
    """Return a request by the name of what it carries."""
    return ExchangeRef(f"send-{name}")


def judged(story: Story | Sequence[Raw], expectation: Expectation, *, final: bool = False) -> Judgement:
    """Feed everything, asking in between as `expect` does: asking must not change the answer."""
    check = create(expectation.check, expectation.args)
    for record in typed(story.records if isinstance(story, Story) else story):
        check.feed(record)
        check.judge(final=False)
        check.needs()
    return check.judge(final=final)
