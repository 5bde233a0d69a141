"""The words of a test: each builds one `Expectation` about the history. Nothing is judged here.

Every word takes refs or handles that have a `ref`. Where an expectation is about absence ("not", "once", "exactly n"),
it takes what can prove it: a Trigger with its consumer group, or the input topic's group. A sink alone proves nothing.
`replied_by` names the Trigger whose subscriber replied the event, for events that no request of ours carried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from evidence import arguments
from evidence.arguments import (
    TRACE_KEY,
    Event,
    Exchange,
    Load,
    Object,
    Place,
    Produced,
    Sink,
    Status,
    Topic,
    Trigger,
    cause_of,
    event_of,
    expectation,
    places_of,
    ref_of,
    status_of,
    topic_of,
    trigger_of,
    triggers_of,
    witness_of,
)
from evidence.refs import (
    BrokerRef,
    EventRef,
    ExchangeRef,
    Has,
    LoadRef,
    ObjectRef,
    ProducedRef,
    RefError,
    SinkRef,
    TopicRef,
    TriggerRef,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Expectation: TypeAlias = arguments.Expectation

# Answers of the ingress and of an inference service.


def answered(exchange: Exchange | Event, status: Status) -> Expectation:
    """Expect that the request got an HTTP answer with this status (a code, a range, or several codes)."""
    return expectation("answered", exchange=ref_of(exchange, ExchangeRef, EventRef), status=status_of(status))


def accepted(event: Event | Exchange) -> Expectation:
    """Expect that the request was answered 2xx."""
    return expectation("accepted", exchange=ref_of(event, EventRef, ExchangeRef), status=status_of(range(200, 300)))


def refused(
    exchange: Exchange | Event, status: Status = range(400, 500), *, control: Exchange | Event | None = None
) -> Expectation:
    """Expect that the request was answered with this refusal.

    `control`: a valid request that was sent after it. Where that one is accepted the system is there, so an answer that
    says "not now" is a failure.
    """
    more = {} if control is None else {"control": ref_of(control, ExchangeRef, EventRef)}
    return expectation("refused", exchange=ref_of(exchange, ExchangeRef, EventRef), status=status_of(status), **more)


def answered_before(event: Event, other: Event) -> Expectation:
    """Expect that a request was accepted while another one, sent before it, was still under way."""
    accepting = status_of(range(200, 300))
    return expectation("answered_before", exchange=event_of(event), other=event_of(other), status=accepting)


def header(exchange: Exchange | Event, name: str, value: str | None) -> Expectation:
    """Expect that the answer has this header with this value, also as a member of a comma list; None: it has it not."""
    return expectation("header", exchange=ref_of(exchange, ExchangeRef, EventRef), name=name, value=value)


def response_body(exchange: Exchange | Event, json: Any) -> Expectation:
    """Expect that the answer's body is this JSON value (numbers to within 1e-6 of each other)."""
    return expectation("response_body", exchange=ref_of(exchange, ExchangeRef, EventRef), json=json)


def response_event(
    exchange: Exchange | Event,
    *,
    json: Any = None,
    attributes: Mapping[str, str] | None = None,
    new_id: bool = False,
    own_type: bool = False,
) -> Expectation:
    """Expect that the answer is a valid CloudEvent, with this JSON data and these attributes.

    `new_id`: its id differs from the request event's; `own_type`: so does its type.
    """
    ref = ref_of(exchange, ExchangeRef, EventRef)
    wanted = dict(attributes or {})
    return expectation("response_event", exchange=ref, json=json, attributes=wanted, new_id=new_id, own_type=own_type)


# Records of a topic.


def recorded(event: Event, on: Topic, *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event is in the topic, once for each time it was accepted, in whatever content mode.

    Of a Broker that shows no topic: that its witness, a Trigger without a filter, gets the event.
    """
    if (witness := witness_of(on)) is not None:
        return delivered(event, to=witness, replied_by=replied_by)
    return expectation("recorded", event=event_of(event), on=topic_of(on), replied_by=trigger_of(replied_by))


def not_recorded(event: Event | Exchange, on: Topic, *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that nothing of the event, or of the request's bytes, is in the topic once its end has been read.

    Of a Broker that shows no topic: that nothing of it comes to its witness, which a later event proves.
    """
    ref = ref_of(event, EventRef, ExchangeRef)
    if (witness := witness_of(on)) is not None:
        if ref.send is None:
            return not_delivered(ref, to=witness, replied_by=replied_by)
        return expectation("not_passed_on", event=ref, by=witness)
    return expectation("not_recorded", event=ref, on=topic_of(on), replied_by=trigger_of(replied_by))


def record_shape(event: Event, on: Topic) -> Expectation:
    """Expect that the event's record is in the Kafka binding's binary mode, with the attributes and data as sent."""
    return expectation("record_shape", event=event_of(event), on=topic_of(on))


def record_key(event: Event, on: Topic, key: str | None) -> Expectation:
    """Expect that the event's record has this key."""
    return expectation("record_key", event=event_of(event), on=topic_of(on), key=key)


# Delivery to subscribers. `to` may be several Triggers (of one destination, say).


def delivered(event: Event, to: Place | Sequence[Place], *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event reached the subscriber, at least once."""
    return expectation("delivered", event=event_of(event), to=places_of(to), replied_by=trigger_of(replied_by))


def delivered_once(event: Event, to: Trigger | Sequence[Trigger], *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event reached the subscriber in exactly one request."""
    return expectation(
        "delivered_once", event=event_of(event), to=triggers_of(to), count=1, replied_by=trigger_of(replied_by)
    )


def attempts(
    event: Event, to: Trigger | Sequence[Trigger], count: int, *, replied_by: Trigger | None = None
) -> Expectation:
    """Expect that the event reached the subscriber in exactly `count` requests, when its handling was over."""
    return expectation(
        "attempts", event=event_of(event), to=triggers_of(to), count=count, replied_by=trigger_of(replied_by)
    )


def not_delivered(event: Event, to: Trigger | Sequence[Trigger], *, replied_by: Trigger | None = None) -> Expectation:
    """Expect that the event was stored, the Trigger passed it, and the subscriber never saw it.

    With `replied_by` an event that was never stored counts as well, once that Trigger is done with what caused it.
    """
    return expectation("not_delivered", event=event_of(event), to=triggers_of(to), replied_by=trigger_of(replied_by))


def unchanged(event: Event, to: Place | Sequence[Place], ignore: Collection[str] = ()) -> Expectation:
    """Each delivery is a POST, valid by the HTTP binding, with the attributes and the data that were sent.

    `ignore`: attributes that may differ, be absent or be added; `data` for the data.
    """
    return expectation("unchanged", event=event_of(event), to=places_of(to), ignore=sorted(ignore))


def data_kept(event: Event, to: Place | Sequence[Place]) -> Expectation:
    """Each delivery carries the data that was sent, byte for byte (JSON of structured mode: value for value)."""
    return expectation("data_kept", event=event_of(event), to=places_of(to))


def attribute_kept(event: Event, to: Place | Topic, name: str) -> Expectation:
    """Expect that the attribute has at the subscriber, or in the topic's record, the value that was sent."""
    ref = ref_of(to, TriggerRef, SinkRef, TopicRef, BrokerRef)
    if isinstance(ref, BrokerRef):
        ref = witness_of(ref) or topic_of(ref)
    return expectation("attribute_kept", event=event_of(event), to=ref, name=name)


def request_header(event: Event, to: Place | Sequence[Place], name: str, value: str | None) -> Expectation:
    """Each delivery has this HTTP header with this value (also as a member of a comma list); None: none has it."""
    return expectation("request_header", event=event_of(event), to=places_of(to), name=name, value=value)


def binary_mode(event: Event, to: Place | Sequence[Place]) -> Expectation:
    """Each delivery is a POST in the HTTP binding's binary mode."""
    return expectation("binary_mode", event=event_of(event), to=places_of(to))


def in_order(events: Sequence[Event], to: Trigger) -> Expectation:
    """All the events were delivered, per partition in the topic's order; an earlier one never after a later one."""
    return expectation("in_order", events=[event_of(event) for event in events], to=triggers_of(to))


def spaced(event: Event, to: Trigger, at_least: Sequence[float]) -> Expectation:
    """Expect that the gap before the n-th retry is at least the n-th of `at_least`, in seconds."""
    return expectation("spaced", event=event_of(event), to=triggers_of(to), at_least=list(at_least))


def each_once(events: Sequence[Event], to: Trigger | Sequence[Trigger]) -> Expectation:
    """Expect that each of the events reached the subscriber in exactly one request; of several Triggers: one in all."""
    return expectation("each_once", events=[event_of(event) for event in events], to=triggers_of(to))


def none_late(events: Sequence[Event], to: Trigger, *, by: float, overtaken: int) -> Expectation:
    """Expect that no event came more than `by` seconds after `overtaken` others that were accepted after it.

    A busy machine delays all events alike, and so fails nobody here.
    """
    refs = [event_of(event) for event in events]
    return expectation("none_late", events=refs, to=triggers_of(to), by=by, overtaken=overtaken)


def none_received(events: Sequence[Event], at: Sink, *, by: Trigger) -> Expectation:
    """Expect that none of the events came to the sink, once the Trigger `by`, which delivers elsewhere, is done."""
    refs = [event_of(event) for event in events]
    return expectation("none_received", events=refs, to=triggers_of(by), at=ref_of(at, SinkRef))


def in_flight(
    events: Sequence[Event], to: Trigger, *, at_most: int | None = None, at_least: int | None = None
) -> Expectation:
    """Expect that at most, or at some moment at least, so many of the events were with the subscriber at once."""
    if (at_most is None) == (at_least is None):
        raise RefError("in_flight takes one of at_most and at_least")
    refs = [event_of(event) for event in events]
    return expectation("in_flight", events=refs, to=triggers_of(to), at_most=at_most, at_least=at_least)


def not_held_up(event: Event, to: Trigger, *, by: Trigger, during: Event) -> Expectation:
    """Expect that the event reached the subscriber before that of another Trigger, `by`, had answered `during`."""
    (slow,) = triggers_of(by)
    return expectation("not_held_up", event=event_of(event), to=triggers_of(to), by=slow, during=event_of(during))


def selection(
    events: Sequence[Event],
    to: Trigger,
    *,
    all_of: Sequence[Trigger] | None = None,
    any_of: Sequence[Trigger] | None = None,
    none_of: Sequence[Trigger] | None = None,
    twins: Sequence[Event] | None = None,
) -> Expectation:
    """Expect that the Trigger gets exactly those events that all, any or none of others get.

    Args:
        events: The events.
        to: The Trigger.
        all_of: The others, of which all get an event that it gets, and no other.
        any_of: Likewise any of them.
        none_of: Likewise none of them.
        twins: The event that the others are asked about, for each event; None: the same ones.
    """
    given = {"all": all_of, "any": any_of, "none": none_of}
    named = [(op, others) for op, others in given.items() if others is not None]
    if len(named) != 1:
        raise RefError("selection takes one of all_of, any_of and none_of")
    ((op, others),) = named
    refs = [event_of(event) for event in events]
    pairs = refs if twins is None else [event_of(event) for event in twins]
    if len(pairs) != len(refs):
        raise RefError(f"selection takes a twin for each of {len(refs)} events, got {len(pairs)}")
    return expectation("selection", events=refs, twins=pairs, to=triggers_of(to), op=op, of=triggers_of(list(others)))


def survived(events: Sequence[Event], to: Trigger, *, of: BrokerRef | Has[BrokerRef]) -> Expectation:
    """Expect that faults made on purpose lost no accepted event, and repeated only what was uncommitted.

    A request that a fault left without an answer is no delivery. An event comes again at most once for each fault
    window of the Broker, and only where its offset was not seen committed when that window began. An event that the
    ingress did not accept is not asked about.

    Args:
        events: The events.
        to: The Trigger.
        of: The Broker whose fault windows count.
    """
    broker = ref_of(of, BrokerRef)
    refs = [event_of(event) for event in events]
    return expectation("survived", events=refs, to=triggers_of(to), namespace=broker.namespace, broker=broker.name)


# Dead letters.


def dead_lettered(
    event: Event,
    to: Sink,
    *,
    by: Trigger,
    code: int | None = None,
    dest: str | None = None,
    data: bytes | None = None,
    control: Event | None = None,
) -> Expectation:
    """Expect that the dead letter sink got the event with its id, source, type and data.

    Args:
        event: The event.
        to: The dead letter sink.
        by: The Trigger that gives up on the event; its committed offset proves an absence.
        code: Extension `knativeerrorcode`.
        dest: Extension `knativeerrordest`.
        data: The failed answer's body: base64 of its first 1024 bytes stands in extension `knativeerrordata`.
        control: An earlier event that the sink has got: silence until the deadline is a failure then.
    """
    sink, trigger = ref_of(to, SinkRef), ref_of(by, TriggerRef)
    more = {} if control is None else {"control": event_of(control)}
    return expectation(
        "dead_lettered", event=event_of(event), to=sink, by=trigger, code=code, dest=dest, data=data, **more
    )


def not_dead_lettered(event: Event, to: Sink, *, by: Trigger) -> Expectation:
    """Expect that the Trigger is done with the event, and the dead letter sink never saw it."""
    return expectation("not_dead_lettered", event=event_of(event), to=ref_of(to, SinkRef), by=ref_of(by, TriggerRef))


def dead_letter_attempts(event: Event, to: Sink, count: int, *, by: Trigger) -> Expectation:
    """Expect that the dead letter sink got the event in exactly `count` requests, once the Trigger is done with it."""
    sink, trigger = ref_of(to, SinkRef), ref_of(by, TriggerRef)
    return expectation("dead_letter_attempts", event=event_of(event), to=sink, by=trigger, count=count)


def not_received(event: Event, at: Sink, *, by: Trigger) -> Expectation:
    """Expect that the sink never saw the event, once the Trigger `by`, which delivers elsewhere, is done with it."""
    return expectation("not_received", event=event_of(event), to=ref_of(at, SinkRef), by=ref_of(by, TriggerRef))


# Traces.


def traced(event: Event, to: Place | Sequence[Place], traceparent: str | None = None) -> Expectation:
    """Each delivery continues the W3C trace (default: the one sent): same trace-id, another span id."""
    return expectation("traced", event=event_of(event), to=places_of(to), traceparent=traceparent)


# What the Kubernetes API says.


def condition(
    obj: Object,
    type: str,  # noqa: A002 - the name of the field in Kubernetes
    status: str | Collection[str],
    reason: str | None = None,
    *,
    control: Object | None = None,
) -> Expectation:
    """Expect that the object has a condition of this type with this status (or one of these), and reason.

    `control`: an object of the same kind, in the same namespace, that has become Ready. Its controller is at work then,
    so an object that has no such condition at the deadline is a failure.
    """
    wanted = [status] if isinstance(status, str) else sorted(status)
    more = {} if control is None else {"control": ref_of(control, ObjectRef)}
    return expectation("condition", obj=ref_of(obj, ObjectRef), type=type, status=wanted, reason=reason, **more)


def untouched(obj: Object, *, control: Object) -> Expectation:
    """Expect that no controller says anything of the object, or finalizes it, while it makes `control` Ready."""
    return expectation("untouched", obj=ref_of(obj, ObjectRef), control=ref_of(control, ObjectRef))


def api_refused(obj: Object, status: Status = range(400, 500), message: str | None = None) -> Expectation:
    """Expect that the API refused the call (`obj.seq`, else the last change); `message` is a part of its words."""
    return expectation("api_refused", obj=ref_of(obj, ObjectRef), status=status_of(status), message=message)


def field(obj: Object, path: str | Sequence[str], *equals: Any) -> Expectation:
    """Expect that the object has this field, with one of these values if any is given.

    `path`: names, or text with dots (`status.address.url`), or a JSON pointer (`/status/annotations/default.topic`).
    """
    names: Sequence[str] = path if not isinstance(path, str) else path.split(".")
    if isinstance(path, str) and path.startswith("/"):
        names = [name.replace("~1", "/").replace("~0", "~") for name in path[1:].split("/")]
    return expectation("field", obj=ref_of(obj, ObjectRef), path=list(names), equals=list(equals))


# Results of the async inference flow. `of` is what caused the result: with `by`, the Trigger that delivered it (or a
# direct call, which needs none), absence can be proven.


def result_for(
    trace_id: str,
    on: Topic,
    predictions: Sequence[Any],
    *,
    key: str = TRACE_KEY,
    of: Event | Exchange | None = None,
    by: Trigger | None = None,
) -> Expectation:
    """Expect that the topic has a result under the trace id, and every such result has these predictions."""
    args = {"on": topic_of(on), "key": key, "of": {trace_id: cause_of(of)} if of else {}, "by": trigger_of(by)}
    return expectation("result_for", results={trace_id: list(predictions)}, **args)


def results_paired(
    results: Mapping[str, Sequence[Any]],
    on: Topic,
    *,
    key: str = TRACE_KEY,
    of: Mapping[str, Event | Exchange] | None = None,
    by: Trigger | None = None,
) -> Expectation:
    """Like `result_for` for many trace ids at once."""
    causes = {trace_id: cause_of(cause) for trace_id, cause in (of or {}).items()}
    wanted = {trace_id: list(predictions) for trace_id, predictions in results.items()}
    return expectation("results_paired", results=wanted, on=topic_of(on), key=key, of=causes, by=trigger_of(by))


def exactly_one_result(
    trace_id: str, on: Topic, *, of: Event | Exchange, by: Trigger | None = None, key: str = TRACE_KEY
) -> Expectation:
    """Expect that the topic has one result under the trace id when the event's handling is over."""
    return expectation(
        "exactly_one_result",
        trace_id=trace_id,
        on=topic_of(on),
        key=key,
        of={trace_id: cause_of(of)},
        by=trigger_of(by),
    )


def envelope(
    trace_id: str,
    on: Topic,
    fields: Mapping[str, Any],
    *,
    key: str = TRACE_KEY,
    of: Event | Exchange | None = None,
    by: Trigger | None = None,
) -> Expectation:
    """Expect that the result's JSON object has these members: a value to equal, or None for any non-empty one."""
    args = {"on": topic_of(on), "key": key, "of": {trace_id: cause_of(of)} if of else {}, "by": trigger_of(by)}
    return expectation("envelope", trace_id=trace_id, fields=dict(fields), **args)


# Topic-to-topic streaming. `group` is the consumer group of the input topic, which is the request record's own topic.


def stream_answer(
    produced: Produced,
    on: Topic,
    *,
    group: str,
    json: Any = None,
    tensor: Any = None,
    keyed: bool = True,
    control: Produced | None = None,
) -> Expectation:
    """Expect that the output topic answers the record, rightly computed, in every answer.

    Args:
        produced: The request record.
        on: The output topic.
        group: Consumer group of the input topic.
        json: The answer as JSON (numbers to within 1e-6).
        tensor: The single output tensor of a TensorFlow PredictResponse, as nested lists.
        keyed: Answers are told by the record's key; if False, any record of the output topic with the value will do.
        control: An earlier request of the test whose answer has come: silence until the deadline is a failure then.
    """
    if (json is None) == (tensor is None):
        raise RefError("stream_answer takes one of json and tensor")
    args = {"group": group, "json": json, "tensor": tensor, "keyed": keyed}
    if control is not None:
        args["control"] = ref_of(control, ProducedRef)
    return expectation("stream_answer", produced=ref_of(produced, ProducedRef), on=topic_of(on), **args)


def one_stream_answer(produced: Produced, on: Topic, *, group: str) -> Expectation:
    """Expect exactly one record of the output topic under the request's key, once the group has passed the request."""
    return expectation("one_stream_answer", produced=ref_of(produced, ProducedRef), on=topic_of(on), group=group)


def no_stream_answer(produced: Produced, on: Topic, *, group: str) -> Expectation:
    """Expect that the group has passed the request, and the output topic has no record under its key."""
    return expectation("no_stream_answer", produced=ref_of(produced, ProducedRef), on=topic_of(on), group=group)


def no_prediction(produced: Produced, on: Topic, *, group: str) -> Expectation:
    """Expect that the group has passed the request, and that nothing under its key in the output topic is a prediction.

    An error that the topic holds under the key is no prediction.
    """
    return expectation("no_prediction", produced=ref_of(produced, ProducedRef), on=topic_of(on), group=group)


def stream_key_kept(produced: Produced, on: Topic, *, group: str, json: Any) -> Expectation:
    """Expect that the record of the output topic that has this JSON value has the request's key."""
    return expectation(
        "stream_key_kept", produced=ref_of(produced, ProducedRef), on=topic_of(on), group=group, json=json
    )


def offset_after_answer(produced: Produced | Sequence[Produced], on: Topic, *, group: str) -> Expectation:
    """At no observed moment was the group's offset past a request whose answer the output topic did not yet hold."""
    things = produced if isinstance(produced, list | tuple) else [produced]
    refs = [ref_of(thing, ProducedRef) for thing in things]
    return expectation("offset_after_answer", produced=refs, on=topic_of(on), group=group)


# Latency.


def within(
    load: Load,
    stage: str,
    percentile: float,
    budget: float,
    *,
    confidence: float = 0.95,
    to: Place | None = None,
    on: Topic | None = None,
    key: str = TRACE_KEY,
    max_lag: float | None = None,
) -> Expectation:
    """Expect that a percentile of one stage's latency, from the intended send times, keeps its budget.

    Args:
        load: The load.
        stage: `ack` (to the ingress' answer), `dispatch` (to the first request at `to`), `result` (to the record in
            `on` whose JSON value has the event's id under `key`).
        percentile: Between 0 and 100.
        budget: Seconds.
        confidence: The confidence of each decision, one-sided, by the order statistics' binomial bounds.
        to: Subscriber, for `dispatch`.
        on: Topic, for `result`.
        key: Member of the result that carries the trace id.
        max_lag: Seconds that the generator may lag behind its intended times (99th percentile) before a failure is
            void that the lag may have made (a pass stands: lag only adds); default a fifth of the budget.
    """
    if stage not in {"ack", "dispatch", "result"}:
        raise RefError(f"unknown stage {stage!r}; known: ack, dispatch, result")
    if (stage == "dispatch") != (to is not None) or (stage == "result") != (on is not None):
        raise RefError("dispatch takes `to`, result takes `on`, ack takes neither")
    return expectation(
        "within",
        load=ref_of(load, LoadRef),
        stage=stage,
        percentile=percentile,
        budget=budget,
        confidence=confidence,
        to=places_of(to) if to else [],
        on=topic_of(on) if on else None,
        key=key,
        max_lag=budget / 5 if max_lag is None else max_lag,
    )
