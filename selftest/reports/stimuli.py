"""Recorded stimuli made by hand: a Broker, a Trigger with a filter, and events that a claim counts."""

from collections.abc import Sequence
from typing import Any

from evidence.stimulus import FORMAT, Stimulus, fault_of

NAMESPACE = "touchstone-bursts-abcdef-gw0-1"
INGRESS = "http://127.0.0.1:4000"
SINK = "abcdef-gw0-1/1"
SINK_URL = f"http://127.0.0.1:5000/sinks/{SINK}"
HEADERS = [["ce-specversion", "1.0"], ["ce-source", "/s"], ["ce-type", "t"], ["ce-extra", "é"], ["Content-Type", "a/b"]]


def send_id(number: int) -> str:
    return f"abcdef-gw0-1-s{number}"


def request(number: int, body: str = '{"n": 1}', headers: Sequence[list[str]] = HEADERS) -> dict[str, Any]:
    return {
        "send": send_id(number),
        "url": f"{INGRESS}/{NAMESPACE}/broker",
        "method": "POST",
        "headers": [["ce-id", f"e{number}"], *headers],
        "body": body,
        "event": {"source": "/s", "id": f"e{number}"},
    }


def event(number: int) -> dict[str, Any]:
    return {"$ref": "event", "source": "/s", "id": f"e{number}", "send": send_id(number), "produce": None}


def trigger(name: str = "trigger") -> dict[str, Any]:
    sink = {"$ref": "sink", "name": SINK, "url": SINK_URL}
    place = {"$ref": "trigger", "namespace": NAMESPACE, "name": name, "sink": sink}
    return {**place, "topic": "t", "group": "g", "ordered": False, "settle": 0.0}


def change(kind: str, name: str, spec: dict[str, Any], call: int, **more: Any) -> dict[str, Any]:
    version = "eventing.knative.dev/v1"
    place = {"apiVersion": version, "kind": kind, "namespace": NAMESPACE, "name": name}
    metadata = {"name": name, "namespace": NAMESPACE}
    asked = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
    return {"step": "object", "verb": "create", **place, "asked": asked, "call": call, **more}


def ready(kind: str, name: str) -> dict[str, Any]:
    place = {"apiVersion": "eventing.knative.dev/v1", "kind": kind, "namespace": NAMESPACE, "name": name}
    return {"step": "ready", **place}


def claim(check: str, **args: Any) -> dict[str, Any]:
    return {"step": "claim", "check": check, "args": args, "within": 10.0}


def stimulus(*steps: dict[str, Any]) -> Stimulus:
    made = Stimulus(
        touchstone_replay=FORMAT,
        requirement="EVT-FLT-003",
        test="suites/eventing/test_it.py::test_it",
        run="20261121-000000-1",
        namespace=NAMESPACE,
        ingress=INGRESS,
        steps=list(steps),
    )
    assert fault_of(made) is None
    return made


def burst(count: int) -> Stimulus:
    """Return a Broker with two Triggers, `count` events sent eight at once, and the claim that each came once."""
    spec = {
        "broker": "broker",
        "subscriber": {"uri": SINK_URL},
        "filters": [{"all": [{"exact": {"type": "t"}}, {"prefix": {"source": "/"}}]}],
    }
    events = [event(number) for number in range(count)]
    return stimulus(
        change("Broker", "broker", {}, 3, partitions=3),
        ready("Broker", "broker"),
        {"step": "sink", "sink": SINK, "url": SINK_URL, "answers": [{"status": 503}, {"status": 200}]},
        change("Trigger", "trigger", spec, 5),
        change("Trigger", "other", {"broker": "broker", "subscriber": {"uri": "http://nowhere"}}, 6),
        ready("Trigger", "trigger"),
        {"step": "send", "requests": [request(number) for number in range(count)], "concurrency": 8},
        claim("accepted", exchange=event(0), status=[202]),
        claim("each_once", events=events, to=[trigger()]),
    )
