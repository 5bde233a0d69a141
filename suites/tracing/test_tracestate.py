"""W3C tracestate through a Broker: what the sender's vendors put there goes with the trace, whole and in order."""

import pytest

from evidence.expectations import delivered, trace_not_continued, traced, tracestate_kept
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.wire import attributes, binary, fresh

WANTED = {"attributes": {"type": "wanted"}}
ANSWER = {"attributes": {"type": "answer"}}
TRACEPARENT = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
# A tenant's key, an opaque value with punctuation, and a pair that is in no alphabetical order.
MEMBERS = ["rojo=00f067aa0ba902b7", "fw529a3039@dt=FfffffeefXz:1;~", "congo=t61rcWkgMzE"]
FIRST, SECOND, THIRD = MEMBERS


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
@pytest.mark.parametrize(
    "members",
    [
        [f"vendor-{number}={'x' * 54}" for number in range(8)],  # 511 characters with their commas
        [f"v{number:02d}={number:06d}" for number in range(32)],
        ["a_b=1", "a-b=2", "a*b=3", "a/b=4", "0a_b*c/d@e-f=5"],
        [f"rojo={'x' * 200}", "congo=1"],
    ],
    ids=["512-characters", "32-members", "keys", "long-value"],
)
def test_a_tracestate_of_512_characters_is_kept(broker: Broker, members: list[str]) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[TRACEPARENT, ("tracestate", ",".join(members))])
    expect(tracestate_kept(event, to=trigger, members=members))


@pytest.mark.requirement("TRC-W3C-023")
@pytest.mark.parametrize(
    "state",
    ["", "foo", "a=1,bad", "A=1", "a=", "=1", ",".join(f"a{number}=1" for number in range(33))],
    ids=["empty", "no-value", "one-bad-member", "upper-case-key", "empty-value", "empty-key", "33-members"],
)
def test_a_bad_tracestate_leaves_traceparent_alone(broker: Broker, state: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[TRACEPARENT, ("tracestate", state)])
    expect(traced(event, to=trigger))


@pytest.mark.requirement("TRC-W3C-024")
@pytest.mark.parametrize(
    "states",
    [
        [f"{FIRST},,{SECOND}, ,{THIRD}"],
        [f",{','.join(MEMBERS)}"],
        [f"{','.join(MEMBERS)},"],
        ["", ",".join(MEMBERS)],
        [",".join(MEMBERS), ""],
    ],
    ids=["between", "before", "behind", "field-before", "field-behind"],
)
def test_empty_members_of_tracestate_take_no_other_away(broker: Broker, states: list[str]) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[TRACEPARENT, *(("tracestate", state) for state in states)])
    expect(tracestate_kept(event, to=trigger, members=MEMBERS))


@pytest.mark.requirement("TRC-W3C-025")
@pytest.mark.parametrize("comma", [" , ", "\t,\t", ", \t "], ids=["spaces", "tabs", "behind"])
def test_white_space_round_a_comma_takes_no_member_away(broker: Broker, comma: str) -> None:
    trigger = broker.trigger(filter=WANTED)
    event = broker.send(type="wanted", headers=[TRACEPARENT, ("tracestate", comma.join(MEMBERS))])
    expect(tracestate_kept(event, to=trigger, members=MEMBERS))
