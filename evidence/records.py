"""Every kind of record that a history may have, as a type: the one definition of the format.

Writers build records through these types and readers read them through these, so that a wrong field or a wrong kind is
an error of mypy. The rules by which the reader validates (`evidence.rules`), the JSON Schema and `docs/history.md` are
derived from them (`python -m evidence.schema`). They are dictionaries at run time: the checks pay nothing for them.

The writer of the history gives `seq`, `t`, `scope` and `digest` (and `format`, to the first record; `wall_t` and
`instance`, to some kinds): what is handed to it lacks them, what a reader gives has them.
"""

from typing import Annotated, Final, Literal, NotRequired, TypeAlias, TypedDict, get_args, get_type_hints

from evidence.record_values import (
    Allowances,
    Body,
    Bool,
    CalibrationSamples,
    Cases,
    CatalogueVersion,
    Chained,
    Components,
    Count,
    Counts,
    EventId,
    Headers,
    KafkaHeaders,
    List,
    Lists,
    LoadLag,
    Name,
    Names,
    Number,
    Object,
    Offsets,
    Ordinal,
    Outcome,
    Sabotage,
    SabotagePlace,
    Seconds,
    Selection,
    Sha256,
    SlowerStages,
    Status,
    Suite,
    TargetName,
    Text,
    Texts,
    Time,
    Versions,
    Whole,
    WindowPhase,
    WorseCases,
)

FORMAT: Final = 6
"""The number of this format. It stands in the first record of a history, whatever its kind."""


class Numbered(TypedDict):
    """What every record has."""

    seq: NotRequired[Annotated[Ordinal, "The number of the record: 1, 2, 3 ... without a gap."]]
    t: NotRequired[Annotated[Seconds, "The time on the probe's monotonic clock, in seconds. It never goes back."]]
    scope: NotRequired[Annotated[Text, "The scope of the test that it belongs to; empty: the run."]]
    format: NotRequired[
        Annotated[Ordinal, "The number of the history's format; the first record has it, no other needs it."]
    ]
    digest: NotRequired[Annotated[Chained, "What chains the record to the one before it; the last field of its line."]]


class Anchored(Numbered):
    """What those records have that anchor the history in the time of day, where the probe wrote them."""

    wall_t: NotRequired[Annotated[Seconds, "The time of day at `t` on the probe's machine: seconds since 1970."]]
    instance: NotRequired[Annotated[Text, "The id of the probe's process that wrote it."]]


class RunStarted(Anchored):
    """The beginning of a run.

    Writer: the controller of the run.
    """

    record: Literal["run.started"]
    run: Annotated[Name, "The name of the run."]
    suite: Annotated[Suite, "The suite that ran."]
    target: Annotated[TargetName, "Where the system under test is."]
    sut: Annotated[Versions, "The versions of the system under test, by product."]
    selection: Annotated[Selection, "What the operator asked for."]
    wall: Annotated[Time, "The time of day."]
    requirements: NotRequired[Annotated[Counts, "How many cases the catalogue of the run pins, by requirement."]]
    catalogue: NotRequired[Annotated[CatalogueVersion, "The catalogue that was asked."]]
    allowances: NotRequired[
        Annotated[Allowances, "The operator's files of known failures and waivers, as they were when the run began."]
    ]


class RunFinished(Anchored):
    """The end of a run.

    Writer: the controller of the run.
    """

    record: Literal["run.finished"]
    reason: Annotated[Text, "How it ended: `completed`, `interrupted` or `error`."]
    wall: Annotated[Time, "The time of day."]


class CollectionSummary(Numbered):
    """What one process has collected, as a digest: all processes of a run must have the same.

    Writer: each process that collects tests.
    """

    record: Literal["collection"]
    worker: Annotated[Name, "The name of the process."]
    cases: Annotated[Count, "How many cases it has, those that were left out included."]
    sha256: Annotated[Sha256, "The digest of all cases, in their order."]


class CollectedPart(Numbered):
    """A part of the cases that were collected, selected or not.

    Writer: the first process that collects tests.
    """

    record: Literal["collected"]
    worker: Annotated[Name, "The name of the process."]
    part: Annotated[Ordinal, "The number of this part."]
    parts: Annotated[Ordinal, "How many parts there are."]
    cases: Annotated[Cases, "The cases."]


class TestStarted(Anchored):
    """The beginning of a test. Its scope is the test's own from here on.

    Writer: the process that runs the test.
    """

    record: Literal["test.started"]
    test: Annotated[Name, "Its node id, without the mutant."]
    requirements: Annotated[Names, "The requirements that it asks."]
    mutant: Annotated[Name | None, "What it runs under, or null."]
    sabotage: NotRequired[
        Annotated[Name, "The saboteur's case that it is, which asks no requirement; absent: it is a test of the suite."]
    ]
    twin: NotRequired[Annotated[Bool, "Whether it is the honest twin of the case: the same traffic, and no sabotage."]]


class TestFinished(Anchored):
    """The end of a test.

    Writer: the process that runs the test.
    """

    record: Literal["test.finished"]
    outcome: Annotated[Outcome, "How it ended."]
    reason: Annotated[Text | None, "Why, where it did not pass."]
    duration: Annotated[Seconds, "The seconds that it took."]
    minted: NotRequired[Annotated[Count, "How many ids it has minted of the challenge; absent: the run had none."]]


class Sent(Numbered):
    """A request of the probe, written before it leaves.

    Writer: the probe.
    """

    record: Literal["sent"]
    send: Annotated[Text, "The id of the exchange, unique in the run."]
    url: Annotated[Text, "The URL that it goes to."]
    method: Annotated[Text, "The HTTP method."]
    headers: Annotated[Headers, "The headers as given, in order."]
    body: Annotated[Body, "The body as given."]
    event: NotRequired[Annotated[EventId | None, "The event that it carries, as the test calls it."]]
    broken: NotRequired[
        Annotated[
            Text,
            "How its body is broken off on purpose: one of unsent, stalled (half of it, given up when nothing comes), "
            "closed, reset (half of it).",
        ]
    ]
    parts: NotRequired[Annotated[Count, "In how many parts its body leaves, with pauses between them."]]
    connection: NotRequired[Annotated[Text, "The connection that it shares with others of its scope, by name."]]
    absolute: NotRequired[Annotated[Bool, "Whether its request line names the whole URL, and not a path."]]


class Answered(Numbered):
    """The answer to a request of the probe, or why there is none.

    Writer: the probe.
    """

    record: Literal["answered"]
    send: Annotated[Text, "The id of the exchange."]
    status: Annotated[Status | None, "The status code; null without an answer that is whole."]
    headers: Annotated[Headers, "The headers and trailers as they came."]
    body: Annotated[Body, "The body as it came, up to what the probe keeps."]
    error: Annotated[Text | None, "Why there is no answer, or none that is whole."]
    sent_t: NotRequired[Annotated[Seconds, "When the request left, on the probe's clock."]]
    answered_t: NotRequired[Annotated[Seconds, "When the answer was whole."]]
    raw: NotRequired[Annotated[Text, "The first bytes as they came, where they are no HTTP."]]
    excess: NotRequired[Annotated[Text, "The first bytes that came behind the end of the answer."]]
    served: NotRequired[Annotated[Count, "How many requests its shared connection had served before."]]


class GrpcCalled(Numbered):
    """A unary gRPC call of the probe, written before it leaves.

    Writer: the probe.
    """

    record: Literal["grpc.called"]
    call: Annotated[Text, "The id of the call, unique in the run."]
    target: Annotated[Text, "The host and port that it goes to, as the test names them."]
    method: Annotated[Text, "The path of the method: `/package.Service/Method`."]
    metadata: Annotated[Headers, "The metadata as given, in order."]
    message: Annotated[Body, "The bytes of the request message."]


class GrpcAnswered(Numbered):
    """The end of a gRPC call of the probe, or why there is none.

    Writer: the probe.
    """

    record: Literal["grpc.answered"]
    call: Annotated[Text, "The id of the call."]
    code: Annotated[Text | None, "The name of the status, like `OK` or `NOT_FOUND`; null where nobody answered."]
    details: Annotated[Text, "The message of the status."]
    metadata: Annotated[Headers, "The initial metadata as they came."]
    trailers: Annotated[Headers, "The trailing metadata as they came."]
    message: Annotated[Body | None, "The bytes of the answer; null without one."]
    error: Annotated[Text | None, "Why nobody answered; null where somebody did."]
    sent_t: NotRequired[Annotated[Seconds, "When the call began, on the probe's clock."]]
    answered_t: NotRequired[Annotated[Seconds, "When it had ended."]]


class SinkOpened(Numbered):
    """A sink that the probe opened for a test, with the script of its answers.

    Writer: the probe.
    """

    record: Literal["sink.opened"]
    sink: Annotated[Text, "The name of the sink, unique in the run."]
    url: Annotated[Text, "The URL under which the system under test reaches it."]
    answers: Annotated[List, "Its answers in order, as the control API takes them; the last one repeats."]


class Received(Numbered):
    """A request that the system under test made to a sink of the probe.

    Writer: the probe.
    """

    record: Literal["received"]
    sink: Annotated[Text, "The name of the sink; empty where the request does not tell."]
    path: Annotated[Text, "The target of the request line."]
    method: Annotated[Text, "The HTTP method; `?` where it could not be read."]
    headers: Annotated[Headers, "The headers and trailers as they came."]
    body: Annotated[Body, "The body as it came."]
    receive: Annotated[Text, "The id of the request, unique in the run."]
    error: NotRequired[Annotated[Text | None, "Why it is not whole."]]
    raw: NotRequired[Annotated[Text, "The first bytes as they came, where it is not whole."]]


class Replied(Numbered):
    """The answer of a sink, written before it leaves.

    Writer: the probe.
    """

    record: Literal["replied"]
    receive: Annotated[Text, "The id of the request."]
    status: Annotated[Status | None, "The status code."]
    headers: Annotated[Headers, "The headers, in order."]
    body: Annotated[Body, "The body."]
    broken: NotRequired[Annotated[Text, "How the answer is broken on purpose: one of reset, cut, unended, endless."]]


class TopicRecord(Numbered):
    """A record of a Kafka topic, as a tap of the probe read it.

    Writer: the probe.
    """

    record: Literal["topic.record"]
    topic: Annotated[Text, "The topic."]
    partition: Annotated[Count, "The partition."]
    offset: Annotated[Count, "The offset."]
    key: Annotated[Text | None, "The key."]
    headers: Annotated[KafkaHeaders, "The headers, in order."]
    value: Annotated[Body | None, "The value."]
    timestamp: NotRequired[Annotated[Whole, "Kafka's time of the record, in milliseconds since 1970."]]
    headers_error: NotRequired[Annotated[Text, "Why the headers could not be read."]]


class Produced(Numbered):
    """A record that the probe wrote to Kafka, with what Kafka said.

    Writer: the probe.
    """

    record: Literal["produced"]
    produce: Annotated[Text, "The id of the record, unique in the run."]
    topic: Annotated[Text, "The topic."]
    partition: NotRequired[Annotated[Whole | None, "The partition; null when Kafka did not take it."]]
    offset: NotRequired[Annotated[Whole | None, "The offset; null when Kafka did not take it."]]
    key: Annotated[Text | None, "The key."]
    headers: Annotated[KafkaHeaders, "The headers, in order."]
    value: Annotated[Body | None, "The value."]
    error: Annotated[Text | None, "Why Kafka did not take it; null when it did."]


class ObservedOffsets(Numbered):
    """One observation of a topic's ends, and of what a consumer group has committed.

    Writer: the probe.
    """

    record: Literal["offsets"]
    group: Annotated[Text | None, "The consumer group; empty: the ends alone were looked at."]
    topic: Annotated[Text, "The topic."]
    committed: Annotated[Offsets, "The committed offsets by partition; one without a commit is left out."]
    begin: NotRequired[Annotated[Offsets, "The first offset by partition."]]
    end: Annotated[Offsets, "The next offset to be written, by partition."]
    asked_t: NotRequired[Annotated[Seconds, "When the observation began, on the probe's clock."]]
    opens: NotRequired[
        Annotated[Bool, "Whether nothing had been asked of the system before: taps of the topic begin at these ends."]
    ]


class ApiObject(Numbered):
    """What the Kubernetes API said of one object.

    Writer: the process that runs the test.
    """

    record: Literal["object"]
    verb: Annotated[Text, "What was asked: `get`, `apply`, `create`, `delete` ..."]
    apiVersion: Annotated[Text, "The group and version of the object."]
    kind: Annotated[Text, "The kind of the object."]
    namespace: Annotated[Text | None, "Its namespace; null where it has none."]
    name: Annotated[Text, "Its name."]
    code: Annotated[Whole, "The HTTP status; 0 without an answer."]
    reason: NotRequired[Annotated[Text | None, "The reason of a refusal, in the API's word."]]
    message: NotRequired[Annotated[Text | None, "The message of a refusal."]]
    object: NotRequired[Annotated[Object | None, "The object; null with a refusal."]]
    asked: NotRequired[Annotated[Object, "What was sent: the manifest or the patch, where one was."]]


class TopicListed(Numbered):
    """Whether Kafka has a topic.

    Writer: the process that runs the test, of what Kafka lists.
    """

    record: Literal["topic.listed"]
    topic: Annotated[Name, "The topic."]
    exists: Annotated[Bool, "Whether it is there."]


class Fence(Numbered):
    """A later event came to a Trigger's subscriber, and then nothing for the time that the Trigger's ref states.

    Writer: the process that runs the test. The check looks whether the records bear it out.
    """

    record: Literal["fence"]
    namespace: Annotated[Name, "The namespace of the Trigger."]
    trigger: Annotated[Name, "The name of the Trigger."]
    source: Annotated[Name, "The source of the later event."]
    id: Annotated[Name, "The id of the later event."]


class FaultWindow(Numbered):
    """The beginning or the end of a fault that the test made on purpose.

    Writer: the process that runs the test. The beginning is written before the fault, the end after it was over.
    """

    record: Literal["fault.window"]
    window: Annotated[Text, "The id of the window, the same in its beginning and its end."]
    phase: Annotated[WindowPhase, "Which of the two it is."]
    fault: Annotated[Text, "What was done, in words."]
    namespace: Annotated[Name, "The namespace of the Broker, or of the SeldonDeployment, that it was done to."]
    broker: Annotated[Name, "The name of it."]
    excuses: Annotated[Names, "What it may excuse: `repeated`, deliveries of what was uncommitted at its beginning."]
    pods: NotRequired[
        Annotated[Components, "Pods that are deleted (beginning), or that are Ready in their place (end)."]
    ]


class ObservedComponents(Numbered):
    """The pods of the platform's own parts, as they were at a moment.

    Writer: the process that runs the test.
    """

    record: Literal["components"]
    components: Annotated[Components, "The containers of these pods: one entry each."]


class LoadChunk(Numbered):
    """A part of a load's samples: (intended, actual, done, status, event id) each.

    Writer: the probe.
    """

    record: Literal["load"]
    load: Annotated[Text, "The id of the load, unique in the run."]
    rate: NotRequired[Annotated[Number, "The requests a second that were asked for."]]
    count: NotRequired[Annotated[Count, "How many requests were asked for."]]
    samples: Annotated[Lists, "The samples since the last such record."]
    done: NotRequired[Annotated[Bool, "Whether the load is over."]]
    error: NotRequired[Annotated[Text | None, "Why the load did not run."]]
    shortage: NotRequired[Annotated[Text | None, "What the probe's machine ran short of."]]
    lag: NotRequired[Annotated[LoadLag | None, "How late it was sent, with its last samples."]]
    calibration: NotRequired[Annotated[CalibrationSamples | None, "What the probe's own echo showed meanwhile."]]
    machine: NotRequired[Annotated[Object | None, "What the kernel counted meanwhile: shares of the time."]]


class PreflightRows(Numbered):
    """What preflight found on a cluster.

    Writer: the controller of the run.
    """

    record: Literal["preflight"]
    rows: Annotated[List, "What was looked at: what, expected, found, state."]
    versions: NotRequired[Annotated[Versions, "The versions of what is installed."]]
    observed: NotRequired[
        Annotated[
            Versions, "The versions that the products' own Deployments tell, whatever the platform says of itself."
        ]
    ]
    images: NotRequired[Annotated[Texts, "The images of these Deployments, as they name them."]]
    not_testable: Annotated[Object, "Why a requirement cannot be asked here, by its id."]
    blocked: NotRequired[Annotated[Text, "Why no run is possible; empty: one is."]]


class ProbeStarted(Numbered):
    """The probe is up and begins the history.

    Writer: the probe, where it is a pod.
    """

    record: Literal["probe.started"]
    instance: Annotated[Text, "The id of the probe's process."]


class ProbeRestarted(Numbered):
    """The probe's process ended and another one went on with its history: meanwhile nobody listened.

    Writer: the probe. No test that ran meanwhile can be judged.
    """

    record: Literal["probe.restarted"]
    instance: Annotated[Text, "The id of the new process."]
    reason: Annotated[Text, "What happened."]
    cut: NotRequired[Annotated[Count, "How many bytes of a half-written line were cut off."]]


class HistoryGap(Numbered):
    """Records are missing here, for good.

    Writer: whoever knows of it. No test that ran then can be judged.
    """

    record: Literal["history.gap"]
    reason: Annotated[Text, "What happened."]
    instance: NotRequired[Annotated[Text, "The id of the process that wrote this."]]


class ProbeShortage(Numbered):
    """What the probe could not do, or may have missed, because its machine ran short.

    Writer: the probe. The test of its scope cannot be judged; with an empty scope none that ran then.
    """

    record: Literal["probe.shortage"]
    reason: Annotated[Text, "What ran short, and what may have been missed."]


class DiagnosticsTaken(Numbered):
    """What was kept of the system's state when a test failed.

    Writer: the process that runs the test.
    """

    record: Literal["diagnostics"]
    folder: Annotated[Text, "The folder, in the folder of the run."]
    files: Annotated[List, "The names of the files in it."]


class BaselineCompared(Numbered):
    """What looks worse than in an earlier run, once every selected case has run once: behind it these run again.

    Writer: the process that starts the run.
    """

    record: Literal["baseline"]
    run: Annotated[Name, "The name of the earlier run."]
    sha256: Annotated[Sha256, "The digest of its history."]
    again: Annotated[Ordinal, "How often each of them runs again."]
    differences: Annotated[Texts, "What is not the same around both runs: the thing, before and now."]
    cases: Annotated[WorseCases, "The cases that look worse: test, word, requirements."]
    stages: Annotated[SlowerStages, "The stages that look slower: test, stage, percentile, rate, count, samples."]


class JudgedRecord(Numbered):
    """An expectation of a test, with the verdict that the records up to `upto` gave.

    Writer: the process that runs the test.
    """

    record: Literal["expectation"]
    expectation: Annotated[Name, "The id of the expectation, unique in the run."]
    check: Annotated[Name, "The check that judges it."]
    args: Annotated[Object, "The arguments of the check."]
    deadline: NotRequired[Annotated[Seconds, "The seconds in which it had to be decided."]]
    timed_out: Annotated[Bool, "Whether these had passed: what is not there then, is absent."]
    upto: Annotated[Count, "The number of the last record of the scope that it was judged by."]
    verdict: Annotated[Text, "The verdict."]
    violations: Annotated[List, "The differences: message, witness (numbers of records), where."]
    figures: NotRequired[Annotated[Object, "What was measured."]]
    proof: NotRequired[Annotated[Text, "The kind of proof that a Trigger was done: offsets, order, fence, or none."]]


class SabotageDone(Numbered):
    """What the probe's saboteur did to one event, between the records and the wire. No check reads it.

    Writer: the probe, when it does it. What the checks say of the case is held against it afterwards.
    """

    record: Literal["sabotage.done"]
    what: Annotated[Sabotage, "What was done: the event, its body, an attribute or the answer to it."]
    place: Annotated[SabotagePlace, "Where: between the sender and the ingress, or before the sink."]
    event: Annotated[EventId, "The event that it was done to."]
    seed: Annotated[Count, "The number that chose the rest."]
    detail: Annotated[Text, "How it was done, in words."]
    idle: NotRequired[Annotated[Bool, "Whether it came to nothing, as what it needs did not happen."]]


class BodyRecord(Numbered):
    """A large body, packed and stored once: records behind it name its digest in the body's place.

    Writer: the probe, before the first record that names it. Another process of the probe may write it again.
    """

    record: Literal["body"]
    sha256: Annotated[Sha256, "The SHA-256 of the body's bytes, in hexadecimal digits."]
    packed: Annotated[Text, "The body's bytes, packed by zlib (RFC 1950) and written in Base64."]


Record: TypeAlias = (
    RunStarted
    | RunFinished
    | CollectionSummary
    | CollectedPart
    | TestStarted
    | TestFinished
    | Sent
    | Answered
    | GrpcCalled
    | GrpcAnswered
    | SinkOpened
    | Received
    | Replied
    | TopicRecord
    | Produced
    | ObservedOffsets
    | ApiObject
    | TopicListed
    | Fence
    | FaultWindow
    | ObservedComponents
    | LoadChunk
    | PreflightRows
    | ProbeStarted
    | ProbeRestarted
    | HistoryGap
    | ProbeShortage
    | DiagnosticsTaken
    | BaselineCompared
    | JudgedRecord
    | SabotageDone
    | BodyRecord
)

TYPES: Final[dict[str, type]] = {str(get_args(get_type_hints(kind)["record"])[0]): kind for kind in get_args(Record)}
"""The types by what the field `record` says."""

# After a restart of the probe the history is whole, but nobody listened for a while; a gap says that records are
# missing for good. After a shortage the test of its scope cannot be judged, nor any running one if its scope is "".
RESTART: Final = "probe.restarted"
GAP: Final = "history.gap"
SHORTAGE: Final = "probe.shortage"
STIMULI: Final = frozenset({"sent", "produced", "grpc.called", "load"})
"""The kinds of records that tell of something that was asked of the system."""
ANCHORS: Final = frozenset(
    name for name, kind in TYPES.items() if {"wall_t", "instance"} <= get_type_hints(kind).keys()
)
"""The kinds of records to which the probe gives its time of day and the id of its process."""
