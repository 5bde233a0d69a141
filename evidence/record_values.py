"""What the fields of records hold: types for mypy, each with the rule that the reader enforces (`evidence.fields`).

A text here follows its type and says what the value is: `docs/history.md` and the JSON Schema print it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypeAlias, TypedDict

from evidence import fields

Text: TypeAlias = Annotated[str, fields.TEXT]
Name: TypeAlias = Annotated[str, fields.NAME]
Time: TypeAlias = Annotated[str, fields.TIME]
Sha256: TypeAlias = Annotated[str, fields.SHA256]
Chained: TypeAlias = Annotated[str, fields.CHAINED]
Body: TypeAlias = Annotated[str, fields.BODY]
Bool: TypeAlias = Annotated[bool, fields.BOOL]
Whole: TypeAlias = Annotated[int, fields.WHOLE]
Count: TypeAlias = Annotated[int, fields.COUNT]
Ordinal: TypeAlias = Annotated[int, fields.ORDINAL]
Status: TypeAlias = Annotated[int, fields.STATUS]
Number: TypeAlias = Annotated[float, fields.NUMBER]
Seconds: TypeAlias = Annotated[float, fields.SECONDS]
Object: TypeAlias = Annotated[dict[str, Any], fields.OBJECT]
List: TypeAlias = Annotated[list[Any], fields.LIST]
Headers: TypeAlias = Annotated[list[list[str]], fields.HEADERS]
KafkaHeaders: TypeAlias = Annotated[list[list[Any]], fields.KAFKA_HEADERS]
Offsets: TypeAlias = Annotated[dict[str, int | None], fields.OFFSETS]
Names: TypeAlias = Annotated[list[str], fields.NAMES]
Texts: TypeAlias = Annotated[list[str], fields.TEXTS]
Counts: TypeAlias = Annotated[dict[str, int], fields.COUNTS]
Lists: TypeAlias = Annotated[list[list[Any]], fields.LISTS]
Latencies: TypeAlias = Annotated[list[float | None], fields.LATENCIES]
Versions: TypeAlias = Annotated[dict[str, str | None], fields.VERSIONS]

Outcome: TypeAlias = Literal["passed", "failed", "error", "unknown", "not_supported", "not_testable", "skipped"]
GateName: TypeAlias = Literal["known", "strict"]
AllowanceKind: TypeAlias = Literal["known", "waiver"]
Sabotage: TypeAlias = Literal["lost", "doubled", "delayed", "reordered", "body", "attribute", "answer"]
SabotagePlace: TypeAlias = Literal["ingress", "sink"]
WorseWord: TypeAlias = Literal["regressed", "lost", "newly failing"]
WindowPhase: TypeAlias = Literal["begin", "end"]


class EventId(TypedDict):
    """What makes an event one of its own."""

    source: Annotated[Text, "The attribute `source`."]
    id: Annotated[Text, "The attribute `id`."]


class Suite(TypedDict):
    """The suite that wrote the history."""

    version: NotRequired[Annotated[Text | None, "Its version."]]
    commit: NotRequired[Annotated[Text | None, "Its commit, with `-dirty` behind it when files differed from that."]]
    dirty: NotRequired[Annotated[Bool, "Whether its files differed from that commit."]]


class CatalogueVersion(TypedDict):
    """The catalogue of requirements that a run asked."""

    version: NotRequired[Annotated[Text, "Its version."]]


class TargetName(TypedDict):
    """Where the system under test is."""

    name: NotRequired[Annotated[Text | None, "The target: `embedded`, `kind` or `cluster`."]]
    kafka: NotRequired[Annotated[Object | None, "What is public of its Kafka: `kind` and `version`."]]
    patience: NotRequired[Annotated[Number, "The factor on every deadline."]]


class Selection(TypedDict):
    """What the operator asked of the run."""

    argv: NotRequired[Annotated[Texts, "The command line of pytest."]]
    gate: NotRequired[Annotated[GateName, "What the exit code forgives: known nonconformities, or nothing."]]
    prove: NotRequired[Annotated[Bool, "Whether the run is a proof: every test under its mutants too."]]
    mutant: NotRequired[Annotated[Names, "The mutants that were asked for."]]
    conforming: NotRequired[Annotated[Bool, "Whether workloads ran their conforming entry points, without a mutant."]]
    repeat: NotRequired[Annotated[Count, "How often the selection runs; left out: once."]]
    requirements: NotRequired[Annotated[Names, "The requirements that were asked for; none: all."]]
    profiles: NotRequired[Annotated[Names, "The profiles that were asked for; none: all."]]
    catalogues: NotRequired[Annotated[Names, "The catalogues of vendors that were asked beside the suite's own."]]
    challenge: NotRequired[Annotated[Text, "The nonce that ids and the order of the cases derive from."]]
    saboteur: NotRequired[Annotated[Count, "The seed of the saboteur's cases; absent: they were not asked for."]]
    again: NotRequired[Annotated[Count, "How often what looks worse than in an earlier run runs again."]]
    narrowed: NotRequired[Annotated[Texts, "The words that leave cases out."]]
    uncollected: NotRequired[Annotated[Texts, "Those among them that keep cases from being collected."]]
    whole: NotRequired[Annotated[Texts, "The areas that are collected all the same."]]


class AllowanceFile(TypedDict):
    """A file of the operator's that forgives failures, whole."""

    kind: Annotated[AllowanceKind, "Its entries: `known` failures, or a `waiver` for each fault of the suite."]
    file: Annotated[Name, "Its name, without folders."]
    sha256: Annotated[Sha256, "Its digest."]
    text: Annotated[Text, "Its content, in TOML."]


class CollectedCase(TypedDict):
    """One test case, as it was collected."""

    test: Annotated[Name, "Its node id, without the mutant."]
    requirements: Annotated[Names, "The requirements that it asks."]
    mutant: Annotated[Name | None, "What it runs under, or null."]
    left_out: Annotated[Text, "Why it was not selected; empty when it was."]


class WorseCase(TypedDict):
    """A case that looks worse than in an earlier run."""

    test: Annotated[Name, "Its node id, without the mutant."]
    word: Annotated[WorseWord, "What became of it: `regressed`, `lost` or `newly failing`."]
    requirements: Annotated[Names, "The requirements that look worse by it."]


class SlowerStage(TypedDict):
    """A stage of a load that looks slower than in an earlier run, with the samples of that run."""

    test: Annotated[Name, "The node id of its case."]
    stage: Annotated[Name, "Its name: `ack`, `topic`, `dispatch`, `answer` or `result`."]
    percentile: Annotated[Number, "The percentile that looks slower."]
    rate: Annotated[Number, "The events a second of the load."]
    count: Annotated[Count, "The events of the load."]
    samples: Annotated[Latencies, "The seconds of the earlier run, sorted; null for what never ended."]


class Component(TypedDict):
    """A container of a pod of the platform's own."""

    namespace: Annotated[Name, "The namespace of the pod."]
    part: Annotated[Name, "What it is a part of: the pod's label `app`, or else its name."]
    pod: Annotated[Name, "The name of the pod."]
    uid: Annotated[Name, "The uid of the pod: another pod of the same name has another."]
    container: Annotated[Name, "The name of the container."]
    restarts: Annotated[Count, "How often it was restarted in this pod."]


class CalibrationSamples(TypedDict):
    """What the probe's own echo showed beside a load."""

    latencies: NotRequired[Annotated[List, "The seconds of each exchange with the echo."]]
    lacking: NotRequired[Annotated[Text | None, "Why there are no more of them."]]


class LoadLag(TypedDict):
    """How late a load was sent. Each latency holds its request's lag, since it counts from the intended time."""

    worst: NotRequired[Annotated[Number, "The seconds by which its latest request left too late."]]
    p95: NotRequired[Annotated[Number, "The seconds by which one request of twenty left too late, or more."]]
    rate: NotRequired[Annotated[Number, "The requests a second that left."]]


def _list_of(rules: Mapping[str, fields.Field]) -> dict[str, Any]:
    """Return the JSON Schema of a list of objects, all fields of which are required and none may be null."""
    properties = {name: rule.schema for name, rule in rules.items()}
    return {"type": "array", "items": {"type": "object", "properties": properties, "required": list(rules)}}


def _list_field(what: str, rules: Mapping[str, fields.Field]) -> fields.Field:
    """Return the field of a list of such objects, named in words by what they are."""
    return fields.Field(
        f"a list of {what} ({', '.join(rules)})",
        frozenset({list}),
        lambda value: all(type(each) is dict and fields.fault_in(each, rules) is None for each in value),
        schema=_list_of(rules),
    )


_CASE = {
    "test": fields.NAME,
    "requirements": fields.NAMES,
    "mutant": fields.maybe(fields.NAME),
    "left_out": fields.TEXT,
}
CASES = fields.Field(
    "a list of cases (test, requirements, mutant, left_out)",
    frozenset({list}),
    lambda value: all(type(case) is dict and fields.fault_in(case, _CASE) is None for case in value),
    schema={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                name: rule.schema if name != "mutant" else {"anyOf": [rule.schema, {"type": "null"}]}
                for name, rule in _CASE.items()
            },
            "required": list(_CASE),
        },
    },
)
Cases: TypeAlias = Annotated[list[CollectedCase], CASES]

_ALLOWANCE = {
    "kind": fields.one_of("known", "waiver"),
    "file": fields.NAME,
    "sha256": fields.SHA256,
    "text": fields.TEXT,
}
ALLOWANCES = _list_field("files", _ALLOWANCE)
Allowances: TypeAlias = Annotated[list[AllowanceFile], ALLOWANCES]

_WORSE_CASE = {
    "test": fields.NAME,
    "word": fields.one_of("regressed", "lost", "newly failing"),
    "requirements": fields.NAMES,
}
WORSE_CASES = _list_field("cases", _WORSE_CASE)
WorseCases: TypeAlias = Annotated[list[WorseCase], WORSE_CASES]

_SLOWER_STAGE = {
    "test": fields.NAME,
    "stage": fields.NAME,
    "percentile": fields.NUMBER,
    "rate": fields.NUMBER,
    "count": fields.COUNT,
    "samples": fields.LATENCIES,
}
SLOWER_STAGES = _list_field("stages", _SLOWER_STAGE)
SlowerStages: TypeAlias = Annotated[list[SlowerStage], SLOWER_STAGES]

_COMPONENT = {
    "namespace": fields.NAME,
    "part": fields.NAME,
    "pod": fields.NAME,
    "uid": fields.NAME,
    "container": fields.NAME,
    "restarts": fields.COUNT,
}
COMPONENTS = _list_field("containers", _COMPONENT)
Components: TypeAlias = Annotated[list[Component], COMPONENTS]
