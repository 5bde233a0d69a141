"""An example of each kind of record, for `docs/history.md`; a selftest reads them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import orjson

from evidence.bodies import body_record, digest
from evidence.chain import sealed
from evidence.lines import line_of
from evidence.record_values import AllowanceFile, EventId, Selection, SlowerStage, Suite, TargetName, WorseCase
from evidence.records import (
    ANCHORS,
    Answered,
    ApiObject,
    BaselineCompared,
    CollectedPart,
    CollectionSummary,
    DiagnosticsTaken,
    FaultWindow,
    Fence,
    GrpcAnswered,
    GrpcCalled,
    HistoryGap,
    JudgedRecord,
    LoadChunk,
    ObservedComponents,
    ObservedOffsets,
    PreflightRows,
    ProbeRestarted,
    ProbeShortage,
    ProbeStarted,
    Produced,
    Received,
    Replied,
    RunFinished,
    RunStarted,
    SabotageDone,
    Sent,
    SinkOpened,
    TestFinished,
    TestStarted,
    TopicListed,
    TopicRecord,
)
from evidence.run_names import run_hash, scope_name

if TYPE_CHECKING:
    from evidence.records import Record

_OF_THE_RUN = ("run.", "collect", "baseline", "preflight", "probe.started", "probe.restarted", "history.", "body")
_RUN = "20261121-000000-1"
_SCOPE = scope_name(run_hash(_RUN), "gw0", 1)
_TEST = "suites/eventing/test_delivery.py::test_delivered"
_BODY = '{"n": 1}'
_KNOWN = """[[known]]
requirement = "EVT-DLV-001"
reason = "The Broker of our lab loses events."
owner = "the lab"
expires = 2027-01-31
"""
_HTTP = [["ce-specversion", "1.0"], ["ce-id", "1"], ["ce-source", "/s"], ["ce-type", "t"]]
_KAFKA = [["ce_specversion", "1.0"], ["ce_id", "1"], ["ce_source", "/s"], ["ce_type", "t"]]

_RECORDS: Final[tuple[Record, ...]] = (
    RunStarted(
        record="run.started",
        run=_RUN,
        suite=Suite(version="0.1.0", commit="4f0c"),
        target=TargetName(name="embedded", kafka={"kind": "mock", "version": "2.16.1"}, patience=1.0),
        sut={"kserve": "0.21.0"},
        selection=Selection(argv=["suites"], gate="known", prove=False, repeat=1, narrowed=[]),
        requirements={"EVT-DLV-001": 1},
        allowances=[AllowanceFile(kind="known", file="known.toml", sha256=digest(_KNOWN), text=_KNOWN)],
        wall="2026-11-21T00:00:00.000+00:00",
    ),
    RunFinished(record="run.finished", reason="completed", wall="2026-11-21T00:01:00.000+00:00"),
    CollectionSummary(record="collection", worker="gw0", cases=1, sha256=digest("cases")),
    CollectedPart(
        record="collected",
        worker="gw0",
        part=1,
        parts=1,
        cases=[{"test": _TEST, "requirements": ["EVT-DLV-001"], "mutant": None, "left_out": ""}],
    ),
    TestStarted(record="test.started", test=_TEST, requirements=["EVT-DLV-001"], mutant=None),
    TestFinished(record="test.finished", outcome="passed", reason=None, duration=0.25),
    Sent(
        record="sent",
        send=f"{_SCOPE}-s1",
        url="http://ingress/ns/broker",
        method="POST",
        headers=_HTTP,
        body=_BODY,
        event=EventId(source="/s", id="1"),
    ),
    Answered(
        record="answered",
        send=f"{_SCOPE}-s1",
        status=202,
        headers=[],
        body="",
        error=None,
        sent_t=2201.5,
        answered_t=2201.6,
    ),
    GrpcCalled(
        record="grpc.called",
        call=f"{_SCOPE}-g1",
        target="open-inference-grpc.ns.svc.cluster.local:8081",
        method="/inference.GRPCInferenceService/ServerLive",
        metadata=[],
        message="",
    ),
    GrpcAnswered(
        record="grpc.answered",
        call=f"{_SCOPE}-g1",
        code="OK",
        details="",
        metadata=[],
        trailers=[],
        message="\x08\x01",
        error=None,
        sent_t=2201.5,
        answered_t=2201.6,
    ),
    SinkOpened(
        record="sink.opened",
        sink=f"{_SCOPE}/1",
        url=f"http://probe/sinks/{_SCOPE}/1",
        answers=[{"status": 503, "headers": [], "body": "", "delay": 0.0, "close": False, "broken": ""}],
    ),
    Received(
        record="received",
        sink=f"{_SCOPE}/1",
        receive=f"{_SCOPE}-r1",
        path=f"/sinks/{_SCOPE}/1",
        method="POST",
        headers=_HTTP,
        body=_BODY,
    ),
    Replied(record="replied", receive=f"{_SCOPE}-r1", status=200, headers=[], body=""),
    TopicRecord(
        record="topic.record",
        topic="knative-broker-ns-broker",
        partition=0,
        offset=0,
        key=None,
        headers=_KAFKA,
        value=_BODY,
        timestamp=1795219200000,
    ),
    Produced(
        record="produced",
        produce=f"{_SCOPE}-p1",
        topic="in",
        partition=0,
        offset=3,
        key="k",
        headers=[],
        value=_BODY,
        error=None,
    ),
    ObservedOffsets(
        record="offsets",
        group="knative-trigger-ns-trigger",
        topic="knative-broker-ns-broker",
        committed={"0": 1},
        begin={"0": 0},
        end={"0": 1},
        asked_t=2201.7,
    ),
    ApiObject(
        record="object",
        verb="get",
        apiVersion="eventing.knative.dev/v1",
        kind="Broker",
        namespace="ns",
        name="broker",
        code=200,
        reason="",
        message="",
        object={"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
    ),
    TopicListed(record="topic.listed", topic="knative-broker-ns-broker", exists=False),
    Fence(
        record="fence",
        namespace="ns",
        trigger="trigger-1",
        source="/touchstone/fence",
        id="fence-1",
    ),
    FaultWindow(
        record="fault.window",
        window=f"{_SCOPE}-w1",
        phase="begin",
        fault="the dispatcher was killed",
        namespace="ns",
        broker="broker",
        excuses=["repeated"],
    ),
    ObservedComponents(
        record="components",
        components=[
            {
                "namespace": "knative-eventing",
                "part": "kafka-broker-dispatcher",
                "pod": "kafka-broker-dispatcher-0",
                "uid": "6f1f3c0e-2f8e-4a53-8f0e-6d5a8f1e2c11",
                "container": "kafka-broker-dispatcher",
                "restarts": 0,
            }
        ],
    ),
    LoadChunk(
        record="load",
        load=f"{_SCOPE}-l1",
        rate=20.0,
        count=1,
        samples=[[2201.5, 2201.5, 2201.51, 202, "load-0000000"]],
        done=True,
        lag={"worst": 0.0021, "p95": 0.0004, "rate": 20.0},
        calibration={"latencies": [0.0004], "lacking": None},
        machine={"cpus": 2.0, "seconds": 5.0, "pressure": 0.1},
    ),
    PreflightRows(
        record="preflight",
        rows=[{"what": "Kafka, from a pod", "expected": "an answer", "found": "answers", "state": "ok"}],
        versions={"kserve": "0.21.0"},
        observed={"kserve": "0.21.0"},
        images=["docker.io/kserve/kserve-controller:v0.21.0@sha256:" + "4f0c" * 16],
        not_testable={"STR-CNT-001": "Seldon is not installed"},
        blocked="",
    ),
    ProbeStarted(record="probe.started", instance="4f0c9d3b2a17"),
    ProbeRestarted(record="probe.restarted", instance="9d3b2a174f0c", reason="the probe's process ended", cut=0),
    HistoryGap(record="history.gap", instance="9d3b2a174f0c", reason="another pod of the probe took over"),
    ProbeShortage(record="probe.shortage", reason=f"request {_SCOPE}-s1: cannot connect: too many open files"),
    DiagnosticsTaken(record="diagnostics", folder="diagnostics/test_delivered", files=["summary.md"]),
    BaselineCompared(
        record="baseline",
        run="20261120-000000-1",
        sha256="4f0c" * 16,
        again=3,
        differences=["product kserve: 0.20.0 -> 0.21.0"],
        cases=[WorseCase(test=_TEST, word="regressed", requirements=["EVT-DLV-001"])],
        stages=[
            SlowerStage(
                test="suites/latency/test_latency.py::test_ack",
                stage="ack",
                percentile=95.0,
                rate=40.0,
                count=4,
                samples=[0.004, 0.005, 0.007, None],
            )
        ],
    ),
    JudgedRecord(
        record="expectation",
        expectation=f"{_SCOPE}-e1",
        check="answered",
        args={"exchange": {"$ref": "exchange", "send": f"{_SCOPE}-s1"}, "status": [202]},
        deadline=10.0,
        timed_out=False,
        upto=14,
        verdict="pass",
        violations=[],
        figures={},
    ),
    SabotageDone(
        record="sabotage.done",
        what="lost",
        place="ingress",
        event=EventId(source="/s", id="1"),
        seed=7,
        detail="the ingress never got it; 202 was answered in its place",
    ),
    body_record(digest("0123456789"), "0123456789"),
)


def _numbered() -> dict[str, Record]:
    examples: dict[str, Record] = {}
    head = ""
    for number, record in enumerate(_RECORDS, start=1):
        kind = record["record"]
        scope = "" if kind.startswith(_OF_THE_RUN) else _SCOPE
        anchor = {"wall_t": 1795219200.0 + number, "instance": "4f0c9d3b2a17"} if kind in ANCHORS else {}
        line = line_of(number, 2201.25 + number, scope, {**record, **anchor}, first=number == 1)
        line, head = sealed(line, head)
        examples[kind] = cast("Record", orjson.loads(line))
    return examples


EXAMPLES: Final = _numbered()
"""The examples, by kind."""
