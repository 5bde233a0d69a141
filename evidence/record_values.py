"""What the fields of records hold: types for mypy, each with the rule that the reader enforces (`evidence.fields`).

A text here follows its type and says what the value is: `docs/history.md` and the JSON Schema print it.
"""

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
Versions: TypeAlias = Annotated[dict[str, str | None], fields.VERSIONS]

Outcome: TypeAlias = Literal["passed", "failed", "error", "unknown", "not_supported", "not_testable", "skipped"]
GateName: TypeAlias = Literal["known", "strict"]
AllowanceKind: TypeAlias = Literal["known", "waiver"]
Sabotage: TypeAlias = Literal["lost", "doubled", "delayed", "reordered", "body", "attribute", "answer"]
SabotagePlace: TypeAlias = Literal["ingress", "sink"]
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
    repeat: NotRequired[Annotated[Count, "How often the selection runs; left out: once."]]
    requirements: NotRequired[Annotated[Names, "The requirements that were asked for; none: all."]]
    profiles: NotRequired[Annotated[Names, "The profiles that were asked for; none: all."]]
    catalogues: NotRequired[Annotated[Names, "The catalogues of vendors that were asked beside the suite's own."]]
    challenge: NotRequired[Annotated[Text, "The nonce that ids and the order of the cases derive from."]]
    saboteur: NotRequired[Annotated[Count, "The seed of the saboteur's cases; absent: they were not asked for."]]
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


class CalibrationSamples(TypedDict):
    """What the probe's own echo showed beside a load."""

    latencies: NotRequired[Annotated[List, "The seconds of each exchange with the echo."]]
    lacking: NotRequired[Annotated[Text | None, "Why there are no more of them."]]


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
ALLOWANCES = fields.Field(
    "a list of files (kind, file, sha256, text)",
    frozenset({list}),
    lambda value: all(type(file) is dict and fields.fault_in(file, _ALLOWANCE) is None for file in value),
    schema={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {name: rule.schema for name, rule in _ALLOWANCE.items()},
            "required": list(_ALLOWANCE),
        },
    },
)
Allowances: TypeAlias = Annotated[list[AllowanceFile], ALLOWANCES]
