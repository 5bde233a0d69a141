"""Computes a run's verdicts again, from its history alone, and compares them with what its report.json says."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.catalogue import Catalogue
from reports import build
from reports.document import to_json, validate
from reports.errors import ReportError
from reports.model import Known, Report


@dataclass(frozen=True, slots=True)
class Check:
    """What came of it: the report as computed now, and everything in which the written one differs."""

    computed: Report
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the written report says what the history says."""
        return not self.differences


def check(folder: Path, catalogue: Catalogue, known: tuple[Known, ...] | None = None) -> Check:
    """Judge a run's folder.

    Args:
        folder: Where report.json and history.ndjson lie.
        catalogue: Today's catalogue; another one than the report's is noted.
        known: Known nonconformities; those of `reports/known/` when None.

    Raises:
        ReportError: A file is missing or is no report.
    """
    path = folder / "report.json"
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ReportError(f"{path} is no JSON: {error}") from error
    try:
        validate(written)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error
    report = build.build(folder / "history.ndjson", catalogue, known)
    computed: dict[str, Any] = json.loads(json.dumps(to_json(report)))
    notes: list[str] = []
    if written["suite"]["catalogue"] != computed["suite"]["catalogue"]:
        notes.append(
            "the catalogue here is another one than that of the run: only the verdicts of ids in both are compared"
        )
    differences = [*_history(written, computed), *_results(written, computed, same_catalogue=not notes)]
    differences += _mutation(written.get("mutation"), computed.get("mutation"))
    if not notes:
        differences += _rest(written, computed)
    return Check(report, tuple(differences), tuple(notes))


def _history(written: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterable[str]:
    was, now = written["history"], computed["history"]
    if was["sha256"] != now["sha256"]:
        digests = f"reported sha256 {was['sha256'][:16]}, computed {now['sha256'][:16]}"
        yield f"history.ndjson: {digests}: it is not the file of that run"
    if was["records"] != now["records"]:
        yield f"history.ndjson: reported {was['records']} records, computed {now['records']}"
    for fault in now["faults"]:
        if fault not in was["faults"]:
            yield f"history.ndjson: {fault}"


def _results(written: Mapping[str, Any], computed: Mapping[str, Any], *, same_catalogue: bool) -> Iterable[str]:
    was = {result["id"]: result for result in written["results"]}
    now = {result["id"]: result for result in computed["results"]}
    if len(was) != len(written["results"]):
        yield "results: an id is reported twice"
    for id_, result in now.items():
        if id_ not in was:
            if same_catalogue:
                yield f"{id_}: reported nothing, computed {result['verdict']}"
        elif was[id_]["verdict"] != result["verdict"]:
            yield f"{id_}: reported {was[id_]['verdict']}, computed {result['verdict']} ({result['reason'][:200]})"
        else:
            yield from _tests(id_, was[id_]["tests"], result["tests"])
    for id_ in was:
        if id_ not in now and same_catalogue:
            yield f"{id_}: reported {was[id_]['verdict']}, and the catalogue has no such requirement"


def _tests(id_: str, was: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterable[str]:
    reported = {(test["id"], test["scope"]): test["verdict"] for test in was}
    judged = {(test["id"], test["scope"]): test["verdict"] for test in now}
    for key in dict.fromkeys([*reported, *judged]):
        if reported.get(key) != judged.get(key):
            yield f"{id_}: {key[0]}: reported {reported.get(key, 'nothing')}, computed {judged.get(key, 'nothing')}"


def _mutation(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Iterable[str]:
    if (was is None) != (now is None):
        yield f"mutation: reported {'none' if was is None else 'a matrix'}, computed {'none' if now is None else 'one'}"
    if was is None or now is None:
        return
    reported = {row["name"]: row for row in was["mutants"]}
    for row in now["mutants"]:
        before = reported.get(row["name"])
        if before is None:
            yield f"mutant {row['name']}: reported nothing, computed {row['status']}"
        elif before["status"] != row["status"]:
            yield f"mutant {row['name']}: reported {before['status']}, computed {row['status']}"
        elif before["cells"] != row["cells"]:
            yield f"mutant {row['name']}: its cells differ"


def _rest(written: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterable[str]:
    for key in ("gate", "summary", "run", "target", "sut", "selection", "suite"):
        was, now = dict(_leaves(key, written[key])), dict(_leaves(key, computed[key]))
        for place in dict.fromkeys([*was, *now]):
            if was.get(place) != now.get(place):
                yield f"{place}: reported {was.get(place, 'nothing')}, computed {now.get(place, 'nothing')}"


def _leaves(place: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{place}.{key}", item)
    else:
        yield place, json.dumps(value)[:200]
