"""Loads by hand: tests that measured one, judged as the run itself would have judged them."""

from collections.abc import Sequence
from typing import Any

from evidence.checks import create
from evidence.collection import Case
from evidence.expectations import Expectation, first_within, ready_within, within
from evidence.refs import LoadRef, ObjectRef
from evidence.run_names import run_hash, scope_name
from selftest.histories import typed
from selftest.reports.conftest import RUN, History

RATE = 20.0
CALM = {"cpus": 2.0, "pressure": 0.1, "run_wait": 0.01, "steal": 0.0, "runnable": 1.0}
BUSY = {**CALM, "pressure": 0.9, "runnable": 40.0}
TRIGGER = ObjectRef("eventing.knative.dev/v1", "Trigger", "ns", "t")


def samples(latencies: Sequence[float | None], lag: float) -> list[list[Any]]:
    """Return the samples of a load by their latencies; None: no answer came."""
    rows = []
    for number, latency in enumerate(latencies):
        intended = 100 + number / RATE
        done = None if latency is None else intended + latency
        rows.append([intended, intended + lag, done, None if latency is None else 202, f"e{number}"])
    return rows


def measure(
    history: History,
    requirement: str,
    latencies: Sequence[float | None],
    *,
    percentiles: Sequence[float] = (95,),
    budget: float = 0.1,
    lag: float = 0.0,
    machine: dict[str, float] | None = None,
    mutant: str | None = None,
    stage: str = "ack",
) -> None:
    """Write a test down that sent one load and claims percentiles of its acknowledgement."""
    scope = _begin(history, requirement, mutant)
    begin = len(history.records)
    load = _load(history, scope, samples(latencies, lag), machine or CALM)
    claims = [within(load, "ack", percentile, budget) for percentile in percentiles]
    given = [Expectation(claim.check, {**claim.args, "stage": stage}) for claim in claims]
    _end(history, scope, [_judge(history, scope, claim, begin) for claim in given])


def start_cold(history: History, requirement: str, took: float) -> None:
    """Write a test down whose Trigger was Ready, and whose first event was acknowledged, after so many seconds."""
    scope = _begin(history, requirement, None)
    begin = len(history.records)
    name = {"apiVersion": TRIGGER.api_version, "kind": TRIGGER.kind, "namespace": "ns", "name": TRIGGER.name}
    for verb, status in (("create", "False"), ("get", "True")):
        state = {"status": {"conditions": [{"type": "Ready", "status": status}]}}
        history.add("object", scope, verb=verb, **name, code=200, reason="", message="", object=state)
        history.later += took - 0.001  # the millisecond of the next record
    load = _load(history, scope, samples([took, 0.004, 0.004], 0.0), CALM)
    claims = (ready_within(TRIGGER, 1.0), first_within(load, "ack", 1.0))
    _end(history, scope, [_judge(history, scope, claim, begin) for claim in claims])


def _begin(history: History, requirement: str, mutant: str | None) -> str:
    scope = scope_name(run_hash(RUN), "gw0", len(history.records))
    case = Case(f"suites/e/test_e.py::{requirement}", (requirement,), mutant)
    history.cases += [case] if case not in history.cases else []
    history.add("test.started", scope, test=case.test, requirements=[requirement], mutant=mutant)
    return scope


def _load(history: History, scope: str, rows: list[list[Any]], machine: dict[str, float]) -> LoadRef:
    name = f"{scope}-l1"
    history.add(
        "load",
        scope,
        load=name,
        rate=RATE,
        count=len(rows),
        samples=rows,
        done=True,
        calibration={"latencies": [0.001] * 20, "lacking": None},
        machine=machine,
    )
    return LoadRef(name, len(rows))


def _end(history: History, scope: str, verdicts: Sequence[str]) -> None:
    """End a test as `expect` does: by its first verdict that is no pass."""
    verdict = next((verdict for verdict in verdicts if verdict != "pass"), "pass")
    outcome = {"pass": "passed", "fail": "failed"}.get(verdict, verdict)
    history.add("test.finished", scope, outcome=outcome, reason="", duration=3.0)


def _judge(history: History, scope: str, claim: Expectation, begin: int) -> str:
    """Judge a claim by the records of its test, and write both down; returns the verdict."""
    check = create(claim.check, claim.args)
    for record in typed(history.records[begin:]):
        check.feed(record)
    judgement = check.judge(final=True)
    number = 1 + sum(record["record"] == "expectation" for record in history.records[begin:])
    history.add(
        "expectation",
        scope,
        expectation=f"{scope}-e{number}",
        check=claim.check,
        args=claim.args,
        deadline=1.0,
        timed_out=True,
        upto=len(history.records),
        verdict=str(judgement.verdict),
        violations=[violation.to_json() for violation in judgement.violations],
        figures=dict(judgement.figures),
    )
    return str(judgement.verdict)
