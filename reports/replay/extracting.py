"""Takes the stimulus of one failing case out of a history: what was applied, sent and claimed, up to what failed."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

from common.errors import UnknownNameError, UsageError
from evidence.history import HistoryError, read
from evidence.records import Answered, ApiObject, GrpcCalled, JudgedRecord, Produced, Record, Sent, SinkOpened
from evidence.replay import TestRun, replay
from evidence.stimulus import (
    FORMAT,
    AnsweredStep,
    ClaimStep,
    ObjectStep,
    ProduceStep,
    ReadyStep,
    Request,
    SendStep,
    SinkStep,
    Step,
    Stimulus,
    TopicStep,
    fault_of,
)
from evidence.verdict import Verdict
from reports.errors import ReportError

CHANGES = ("create", "apply", "patch", "delete")
_CONFIGURATION = re.compile(r"broker-config-([1-9][0-9]{0,4})(?:-[0-9a-f]{6})?")
_OWN_TOPIC = "touchstone-"
_PARTITIONS = 1


@dataclass(frozen=True, slots=True)
class Case:
    """A failing case, as it was recorded.

    Attributes:
        stimulus: What was done to the system, up to the claim that failed.
        message: The violation, in words.
        mutant: What it ran under; None: nothing.
        target: The name of the target.
        sut: The versions of the system under test, by product.
    """

    stimulus: Stimulus
    message: str
    mutant: str | None
    target: str
    sut: dict[str, str | None]


def extract(history: Path, test: str) -> Case:
    """Return the first run of a case that failed.

    Args:
        history: The history.
        test: The node id of the case, or its end.

    Raises:
        UsageError: The run has no such case, none that failed, or one that stands on more than a replay can make.
        ReportError: The history cannot be read.
    """
    try:
        chosen = _choose(replay(history).tests, test)
        return _Extraction(history, chosen).case()
    except HistoryError as error:
        raise ReportError(str(error)) from error


def _choose(tests: list[TestRun], name: str) -> TestRun:
    found = [run for run in tests if run.test == name] or [run for run in tests if run.test.endswith(name)]
    names = list(dict.fromkeys(run.test for run in found))
    if not names:
        raise UnknownNameError("test of the run", name, {run.test for run in tests})
    if len(names) > 1:
        raise UsageError(
            f"expected the name of one test, got {name!r}, which {len(names)} have: {', '.join(names[:5])}"
        )
    failed = [run for run in found if run.ruling().verdict is Verdict.FAIL]
    if not failed:
        verdicts = ", ".join(sorted({str(run.ruling().verdict) for run in found}))
        raise UsageError(f"{names[0]}: expected a case that failed, got verdict {verdicts}: there is nothing to shrink")
    return failed[0]


class _Extraction:
    """One pass over the records of a scope.

    Args:
        history: The history.
        run: The run of the case.
    """

    def __init__(self, history: Path, run: TestRun) -> None:
        self._history = history
        self._run = run
        failed = [each for each in run.expectations if each.judgement.verdict is Verdict.FAIL]
        self._failed = failed[0]
        self._patience = 1.0
        self._name = self._target = ""
        self._sut: dict[str, str | None] = {}
        self._steps: list[Step] = []
        self._made: set[tuple[str, str]] = set()
        self._waiting: set[tuple[str, str]] = set()
        self._sinks: set[str] = set()
        self._own_topics: dict[str, TopicStep] = {}
        self._namespace = ""
        self._ingress = ""
        self._exchanges: set[str] = set()
        self._flying: set[str] = set()
        self._answered: list[str] = []
        self._over = False

    def case(self) -> Case:
        """Return the case."""
        kinds: dict[str, Callable[[Any], None]] = {
            "sink.opened": self._sink,
            "object": self._object,
            "sent": self._sent,
            "answered": self._answer,
            "grpc.called": self._called,
            "produced": self._produced,
            "load": self._load,
            "expectation": self._claim,
        }
        for record in self._records():
            if (take := kinds.get(record["record"])) is not None:
                take(record)
            if self._over:
                break
        document = Stimulus(
            touchstone_replay=FORMAT,
            requirement=self._run.requirements[0] if self._run.requirements else "",
            test=self._run.test,
            run=self._name,
            namespace=self._namespace,
            ingress=self._ingress,
            steps=[*self._own_topics.values(), *self._steps],
        )
        if fault := fault_of(document):
            self._refuse(fault)
        return Case(document, self._failed.reason, self._run.mutant, self._target, self._sut)

    def _records(self) -> Iterator[Record]:
        for record in read(self._history):
            if record["record"] == "run.started":
                self._name, self._sut = record["run"], record["sut"]
                self._patience = record["target"].get("patience") or 1.0
                self._target = record["target"].get("name") or ""
            elif record["scope"] == self._run.scope:
                yield record

    def _refuse(self, reason: str) -> NoReturn:
        raise UsageError(f"{self._run.test}: expected a case that makes all that it stands on; {reason}")

    def _sink(self, record: SinkOpened) -> None:
        if record["url"].startswith("https:"):
            self._refuse(f"sink {record['sink']} shows a certificate that no other run has")
        self._sinks.add(record["sink"])
        self._steps.append(
            SinkStep(step="sink", sink=record["sink"], url=record["url"], answers=list(record["answers"]))
        )

    def _object(self, record: ApiObject) -> None:
        key = (record["kind"], record["name"])
        if record["verb"] not in CHANGES:
            self._seen(record, key)
            return
        if record["kind"] == "ConfigMap" and _CONFIGURATION.fullmatch(record["name"]):
            return  # each target has a configuration of its own for Brokers
        asked = record.get("asked")
        if asked is None and record["verb"] != "delete":
            self._refuse(f"the history does not say what was asked of the API in record {record['seq']}")
        self._change(record, record["verb"], asked or {})

    def _change(self, record: ApiObject, verb: str, asked: dict[str, Any]) -> None:
        namespace = record["namespace"]
        if namespace and self._namespace not in ("", namespace):
            self._refuse(f"this one has objects in {self._namespace} and in {namespace}")
        self._namespace = self._namespace or namespace or ""
        self._await_answers()
        key = (record["kind"], record["name"])
        self._made.add(key)
        self._waiting.add(key)
        step = ObjectStep(
            step="object",
            verb=cast("Any", verb),
            apiVersion=record["apiVersion"],
            kind=record["kind"],
            namespace=namespace,
            name=record["name"],
            asked=asked,
            call=record["seq"],
        )
        spec = asked.get("spec") or {}
        named = (spec.get("config") or {}).get("name") if isinstance(spec, dict) else None
        if record["kind"] == "Broker" and (found := _CONFIGURATION.fullmatch(str(named))):
            step["asked"] = {**asked, "spec": {name: value for name, value in spec.items() if name != "config"}}
            step["partitions"] = int(found[1])
        self._steps.append(step)

    def _seen(self, record: ApiObject, key: tuple[str, str]) -> None:
        """Take note that an object was Ready: the test has waited for that."""
        said = record.get("object")
        if said is None or not _is_ready(said):
            return
        if record["kind"] == "Broker" and key not in self._made:
            self._change(record, "create", _as_made(said))  # it was made ahead of the test, while another one ran
        if key not in self._waiting:
            return
        self._waiting.discard(key)
        place = {"apiVersion": record["apiVersion"], "kind": record["kind"], "namespace": record["namespace"]}
        step = cast("ReadyStep", {"step": "ready", **place, "name": record["name"]})
        annotations = (said.get("status") or {}).get("annotations") or {}
        if record["kind"] == "Broker" and isinstance(topic := annotations.get("default.topic"), str):
            step["topic"] = topic
        self._steps.append(step)

    def _called(self, record: GrpcCalled) -> None:
        self._refuse(f"record {record['seq']} calls a server over gRPC, which no replay does")

    def _sent(self, record: Sent) -> None:
        prefix = self._prefix(record["url"])
        if self._ingress not in ("", prefix):
            self._refuse(f"this one sends to {prefix} and to {self._ingress}")
        self._ingress = prefix
        request = Request(
            send=record["send"],
            url=record["url"],
            method=record["method"],
            headers=record["headers"],
            body=record["body"],
            event=record.get("event"),
        )
        last = self._steps[-1] if self._steps else None
        if last is not None and last["step"] == "send" and (self._flying or last["concurrency"] == 1):
            last["requests"].append(request)
            last["concurrency"] = max(last["concurrency"], len(self._flying) + 1)
        else:
            self._steps.append(SendStep(step="send", requests=[request], concurrency=1))
        self._flying.add(record["send"])
        self._exchanges.add(record["send"])

    def _prefix(self, url: str) -> str:
        """Return what stands before the path of a Broker: its ingress."""
        brokers = [name for kind, name in self._made if kind == "Broker"]
        before, found, _ = url.partition(f"/{self._namespace}/")
        if self._namespace and found:
            return before
        place = urlsplit(url)
        origin = f"{place.scheme}://{place.netloc}"
        if not brokers or self._ingress not in ("", origin):
            self._refuse(f"this one sends to {url}, which is not below a Broker that it has made")
        return origin

    def _answer(self, record: Answered) -> None:
        self._flying.discard(record["send"])
        self._answered.append(record["send"])

    def _await_answers(self) -> None:
        if self._answered:
            self._steps.append(AnsweredStep(step="answered", sends=self._answered))
            self._answered = []

    def _produced(self, record: Produced) -> None:
        self._topic(record["topic"])
        self._exchanges.add(record["produce"])
        self._await_answers()
        self._steps.append(
            ProduceStep(
                step="produce",
                produce=record["produce"],
                topic=record["topic"],
                partition=record.get("partition"),
                key=record["key"],
                headers=record["headers"],
                value=record["value"],
            )
        )

    def _topic(self, name: str) -> None:
        """Look where a topic comes from: a Broker's comes with it, the test's own is made again."""
        known = {step.get("topic") for step in self._steps if step["step"] == "ready"}
        if not name or name in known or (self._namespace and self._namespace in name):
            return
        if not name.startswith(_OWN_TOPIC):
            self._refuse(f"this one uses topic {name}, which belongs to a pipeline")
        self._own_topics.setdefault(name, TopicStep(step="topic", topic=name, partitions=_PARTITIONS))

    def _load(self, _: Any) -> None:
        self._refuse("this one puts a load on the system: a rate and a number, and no bytes")

    def _claim(self, record: JudgedRecord) -> None:
        self._look(record["args"])
        within = (record.get("deadline") or 0.0) / self._patience
        args = without_unsent(record["args"], self._exchanges)
        self._steps.append(ClaimStep(step="claim", check=record["check"], args=args, within=within))
        self._over = record["seq"] == self._failed.record["seq"]

    def _look(self, value: Any) -> None:
        """Look whether a claim names only what the case has made."""
        if isinstance(value, list):
            for item in value:
                self._look(item)
        elif isinstance(value, dict):
            match value.get("$ref"):
                case "load":
                    self._load(value)
                case "sink" if value.get("name") not in self._sinks:
                    self._refuse(f"the history does not say how sink {value.get('name')} answers")
                case "trigger" | "broker" as kind if (kind.title(), value.get("name")) not in self._made:
                    self._refuse(f"this one uses {kind.title()} {value.get('name')}, which belongs to a pipeline")
                case "topic":
                    self._topic(str(value.get("name")))
            for item in value.values():
                self._look(item)


def without_unsent(args: dict[str, Any], sent: Collection[str]) -> dict[str, Any]:
    """Return the arguments of a claim without the events, in its lists, that had not been sent when it was judged.

    A claim on many events may be refuted by the first of them, while the others still wait to be sent.

    Args:
        args: The arguments.
        sent: The ids of the requests and records that were.
    """

    def unsent(value: Any) -> bool:
        name = value.get("send") or value.get("produce") if isinstance(value, dict) and "$ref" in value else None
        return name is not None and name not in sent

    return {
        name: [item for item in value if not unsent(item)] if isinstance(value, list) else value
        for name, value in args.items()
    }


def _is_ready(said: dict[str, Any]) -> bool:
    status = said.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return any(
        isinstance(each, dict) and (each.get("type"), each.get("status")) == ("Ready", "True")
        for each in (conditions if isinstance(conditions, list) else ())
    )


def _as_made(said: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of an object, of what the API said of it later."""
    metadata = said.get("metadata") or {}
    kept = {name: metadata[name] for name in ("name", "namespace", "annotations", "labels") if name in metadata}
    return {"apiVersion": said.get("apiVersion"), "kind": said.get("kind"), "metadata": kept, "spec": said.get("spec")}
