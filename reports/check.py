"""Computes a run's verdicts again, from its history alone, and compares them with what its report.json says."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.redaction import PLAIN
from evidence import history_file
from evidence.catalogue import Catalogue
from reports import build
from reports.document import to_json, validate
from reports.errors import ReportError
from reports.model import Known, Report
from reports.written import load

LONGEST_LEAF: Final = 200


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What came of it: the report as computed now, and everything in which the written one differs."""

    computed: Report
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    catalogue: Mapping[str, Any]
    """What the written report says of the catalogue that was asked."""

    @property
    def agrees(self) -> bool:
        """Whether the written report says what the history says."""
        return not self.differences


def check(
    folder: Path,
    catalogue: Catalogue,
    known: tuple[Known, ...] | None = None,
    history: Path | None = None,
    head: str | None = None,
) -> Recomputation:
    """Judge a run's folder.

    Args:
        folder: The folder where report.json and the history lie.
        catalogue: Today's catalogue; another one than the report's is noted.
        known: Known nonconformities; those of `reports/known/` when None.
        history: The history, plain or packed; `history.ndjson` of the folder when None.
        head: The head of the history as it was published: 32 hexadecimal digits; None: only the report has one.

    Raises:
        ReportError: A file is missing or is no report.
    """
    written = _read(folder / "report.json")
    report = build.build(history or folder / history_file.NAMES[0], catalogue, known)
    computed: dict[str, Any] = json.loads(json.dumps(to_json(report)))
    notes: list[str] = []
    was, now = written["suite"]["catalogue"], computed["suite"]["catalogue"]
    if was != now:
        versions = f"{now.get('version') or 'no version'} here, {was.get('version') or 'no version'} there"
        notes.append(
            "the catalogue here is another one than that of the run"
            f" ({versions}): only the verdicts of ids in both are compared"
        )
    differences = [
        *_published(head, report),
        *_history(written, computed),
        *_results(written, computed, same_catalogue=not notes),
    ]
    differences += _mutation(written.get("mutation"), computed.get("mutation"))
    if not notes:
        differences += _rest(written, computed)
    return Recomputation(report, tuple(differences), tuple(notes), was)


def _read(path: Path) -> Any:
    """Return the written report, which fits the schema."""
    document = load(path)
    try:
        validate(document)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error
    return document


def _published(head: str | None, report: Report) -> Iterable[str]:
    if head is not None and head != report.history_head:
        told = f"published {head}, computed {report.history_head or 'none'}: it is not the history that was published"
        yield f"history head: {told}"


def _history(written: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterable[str]:
    was, now = written["history"], computed["history"]
    if was["sha256"] != now["sha256"]:
        digests = f"reported sha256 {was['sha256'][:16]}, computed {now['sha256'][:16]}"
        yield f"history.ndjson: {digests}: it is not the file of that run"
    if was["head"] != now["head"]:
        yield f"history head: reported {was['head'] or 'none'}, computed {now['head'] or 'none'}"
    if was["records"] != now["records"]:
        yield f"history.ndjson: reported {was['records']} records, computed {now['records']}"
    yield from (f"history.ndjson: {fault}" for fault in now["faults"] if fault not in was["faults"])
    yield from (f"history.ndjson: no such fault: {fault}" for fault in was["faults"] if fault not in now["faults"])


def _results(written: Mapping[str, Any], computed: Mapping[str, Any], *, same_catalogue: bool) -> Iterable[str]:
    was = {result["id"]: result for result in written["results"]}
    now = {result["id"]: result for result in computed["results"]}
    if len(was) != len(written["results"]):
        yield "results: an id is reported twice"
    if same_catalogue and list(was) != list(now) and was.keys() == now.keys():
        yield "results: their order is not the catalogue's"
    for id_, result in now.items():
        if id_ not in was:
            if same_catalogue:
                yield f"{id_}: expected verdict {result['verdict']}, got no result"
        elif same_catalogue:
            yield from _compared(f"{id_}: ", result, was[id_])
        elif was[id_]["verdict"] != result["verdict"]:
            yield f"{id_}: verdict: expected {result['verdict']!r}, got {was[id_]['verdict']!r}"
    for id_ in was:
        if id_ not in now and same_catalogue:
            yield f"{id_}: expected nothing, for the catalogue has no such requirement; got {was[id_]['verdict']}"


def _compared(place: str, expected: Mapping[str, Any], got: Mapping[str, Any]) -> Iterable[str]:
    """Every leaf in which two objects differ, by its place."""
    wanted, given = dict(_leaves("", expected)), dict(_leaves("", got))
    for leaf in dict.fromkeys([*wanted, *given]):
        if wanted.get(leaf) != given.get(leaf):
            yield f"{place}{leaf}: expected {_short(wanted.get(leaf))}, got {_short(given.get(leaf))}"


def _short(leaf: str | None) -> str:
    if leaf is None:
        return "nothing"
    return leaf if len(leaf) <= LONGEST_LEAF else f"{leaf[:LONGEST_LEAF]}... ({len(leaf)} characters)"


def _mutation(written: Mapping[str, Any] | None, computed: Mapping[str, Any] | None) -> Iterable[str]:
    if (written is None) != (computed is None):
        yield f"mutation: expected {_none(computed)}, got {_none(written)}"
    elif written is not None and computed is not None:
        yield from _compared("", {"mutation": _by_name(computed)}, {"mutation": _by_name(written)})


def _none(matrix: object) -> str:
    return "none" if matrix is None else "a matrix"


def _by_name(matrix: Mapping[str, Any]) -> dict[str, Any]:
    return {**matrix, "mutants": {row["name"]: row for row in matrix["mutants"]}}


def _rest(written: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterable[str]:
    """All that is neither a result, the matrix nor the history."""
    apart = {"results", "mutation", "history"}
    for key in dict.fromkeys([*computed, *written]):
        if key not in apart:
            yield from _compared("", {key: computed.get(key)}, {key: written.get(key)})


def _leaves(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every value that is no object and no list, as JSON by its place; an empty one counts as a value."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{place}.{key}" if place else str(key), item)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(f"{place}[{number}]", item)
    else:
        yield place, PLAIN.text(json.dumps(value), 200)
