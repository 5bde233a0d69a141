"""W3C tracestate through a Broker: what the sender's vendors put there goes with the trace, whole and in order."""

import pytest

from evidence.expectations import delivered, trace_not_continued, tracestate_kept
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import attributes, binary, fresh

WANTED = {"attributes": {"type": "wanted"}}
ANSWER = {"attributes": {"type": "answer"}}
TRACEPARENT = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
# A tenant's key, an opaque value with an equals sign, and a pair that is in no alphabetical order.
MEMBERS = ["rojo=00f067aa0ba902b7", "fw529a3039@dt=FfffffeefXz=1", "congo=t61rcWkgMzE"]


@pytest.mark.requirement("TRC-W3C-008")
def test_the_members_of_tracestate_keep_their_order(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[TRACEPARENT, ("tracestate", ",".join(MEMBERS))])
    expect(tracestate_kept(event, to=trigger, members=MEMBERS))


@pytest.mark.requirement("TRC-W3C-009")
def test_several_tracestate_fields_are_one_list(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[TRACEPARENT, *(("tracestate", member) for member in MEMBERS)])
    expect(tracestate_kept(event, to=trigger, members=MEMBERS))


@pytest.mark.requirement("TRC-W3C-010")
def test_a_reply_has_the_tracestate(broker: Broker, sinks: Sinks) -> None:
    answer = EventRef("/touchstone/subscriber", fresh("reply"))
    carrier = attributes(id=answer.id, source=answer.source, type="answer")
    asked = broker.trigger(filter=WANTED, subscriber=sinks([Answer(200, headers=binary(carrier), body=b'{"n": 2}')]))
    receiver = broker.trigger(filter=ANSWER)
    broker.send(type="wanted", headers=[TRACEPARENT, ("tracestate", ",".join(MEMBERS))])
    expect(delivered(answer, to=receiver, replied_by=asked))
    expect(tracestate_kept(answer, to=receiver, members=MEMBERS))


@pytest.mark.requirement("TRC-W3C-016")
@pytest.mark.parametrize("parent", [[], [("traceparent", "00-0-0-01")]], ids=["no-parent", "malformed-parent"])
def test_tracestate_alone_goes_no_further(broker: Broker, parent: list[tuple[str, str]]) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[*parent, ("tracestate", ",".join(MEMBERS))])
    expect(trace_not_continued(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-020")
def test_a_tracestate_of_512_characters_is_kept(broker: Broker) -> None:
    trigger = broker.trigger(filter=WANTED)
    members = [f"vendor-{number}={'x' * 54}" for number in range(8)]  # 511 characters with their commas
    event = broker.send(type="wanted", headers=[TRACEPARENT, ("tracestate", ",".join(members))])
    expect(tracestate_kept(event, to=trigger, members=members))
