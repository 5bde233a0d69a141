"""A comparison as its JSON document, and the JSON Schema that every such document fits."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reports import schemas
from reports.compare.model import Change, Comparison, Comparisons, RunName, Witness, Word
from reports.document import API_VERSION
from reports.speeds import StageChange

KIND = "RunComparison"
SCHEMA = schemas.FOLDER / "comparison.schema.json"


def to_json(comparisons: Comparisons) -> dict[str, Any]:
    """Return the document, keys in reading order; times in seconds, null where there is no bound.

    Raises:
        ReportError: It does not fit its schema.
    """
    document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "exit": comparisons.exit,
        "comparisons": [_pair(pair) for pair in comparisons.pairs],
    }
    schemas.validate(document, SCHEMA, "the comparison")
    return document


def _pair(pair: Comparison) -> dict[str, Any]:
    return {
        "outcome": pair.outcome,
        "exit": pair.exit,
        "base": _run(pair.base),
        "new": _run(pair.new),
        "catalogue": {"sha256": pair.catalogue_sha256},
        "differences": [asdict(difference) for difference in pair.differences],
        "counts": {str(word): count for word, count in pair.counts.items()},
        "changes": [_change(change) for change in pair.changed],
        "unchanged": [change.id for change in pair.changes if change.word is Word.UNCHANGED],
        "rejudged": [asdict(case) | {"requirements": list(case.requirements)} for case in pair.rejudged],
        "latency": {
            "compared": not pair.stages_why,
            "why": pair.stages_why,
            "stages": [_stage(s) for s in pair.stages],
        },
    }


def _run(run: RunName) -> dict[str, Any]:
    return asdict(run) | {"faults": list(run.faults)}


def _change(change: Change) -> dict[str, Any]:
    evidence = change.evidence
    return {
        "id": change.id,
        "level": change.level,
        "profile": change.profile,
        "area": change.area,
        "word": str(change.word),
        "worse": change.worse,
        "documented": change.documented,
        "base": change.base,
        "new": change.new,
        "cases": [
            {
                "case": case.case,
                "word": str(case.word),
                "base": None if case.base is None else asdict(case.base),
                "new": None if case.new is None else asdict(case.new),
                "rates": case.rates,
            }
            for case in change.cases
        ],
        "evidence": None
        if evidence is None
        else {"headline": evidence.headline, "base": _witness(evidence.base), "new": _witness(evidence.new)},
    }


def _witness(witness: Witness | None) -> Mapping[str, Any] | None:
    if witness is None:
        return None
    return {
        "test": witness.test,
        "check": witness.check,
        "verdict": witness.verdict,
        "message": witness.message,
        "where": witness.where,
        "path": witness.line,
        "records": sorted(witness.seqs),
    }


def _stage(stage: StageChange) -> dict[str, Any]:
    return {
        "case": stage.case,
        "stage": stage.stage,
        "percentile": stage.percentile,
        "word": str(stage.word),
        "why": stage.why,
        "samples": {"base": stage.samples[0], "new": stage.samples[1]},
        "value": {"base": stage.values[0], "new": stage.values[1]},
        "difference": {"low": stage.interval[0], "high": stage.interval[1]},
        "p": stage.p,
        "floor": stage.floor,
        "needed": stage.needed,
    }
