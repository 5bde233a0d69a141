"""The report as its JSON document, and the JSON Schema that every such document fits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from common.redaction import PLAIN
from reports import schemas
from reports.errors import ReportError
from reports.model import Allowed, Mutation, Report, Result, Sabotages, Tally, Test
from reports.repeated import Again

API_VERSION = "touchstone/v1"
KIND = "ConformanceReport"
MOST_MISSING = 100
SCHEMA = schemas.FOLDER / "report.schema.json"


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as its JSON document, keys in reading order, seconds rounded to milliseconds."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "run": {
            "id": report.run,
            "reason": report.reason,
            "started": report.started,
            "finished": report.finished,
            "duration": round(report.duration, 3),
        },
        "suite": {
            **report.suite,
            "catalogue": {
                "version": report.catalogue_version,
                "requirements": len(report.results),
                "sha256": report.catalogue_sha256,
                "origins": {tally.name: tally.total for tally in report.origins},
            },
        },
        "target": dict(report.target),
        "sut": dict(report.sut),
        "selection": dict(report.selection),
        "gate": {
            "name": report.gate.name,
            "outcome": report.gate.outcome,
            "exit": report.gate.exit,
            "reasons": list(report.gate.reasons),
        },
        "summary": {
            **_tally(report.overall),
            "profiles": {tally.name: _tally(tally) for tally in report.profiles},
            "areas": {tally.name: _tally(tally) for tally in report.areas},
            "origins": {tally.name: _tally(tally) for tally in report.origins},
        },
        "results": [_result(result) for result in report.results],
        "sabotages": None if report.sabotages is None else _sabotages(report.sabotages),
        "mutation": None if report.mutation is None else mutation_json(report.mutation),
        **({} if report.again is None else {"baseline": _again(report.again)}),
        **({"allowances": _allowances(report)} if report.allowance_files else {}),
        "history": {
            "file": "history.ndjson",
            "sha256": report.history_sha256,
            "records": report.history_records,
            "head": report.history_head,
            "faults": list(report.history_faults),
        },
    }


def _tally(tally: Tally) -> dict[str, Any]:
    waived = {"waived": tally.waived} if tally.waived else {}
    return {
        "verdict": tally.verdict,
        "total": tally.total,
        "known": tally.known,
        **waived,
        "counts": dict(tally.counts),
    }


def _allowances(report: Report) -> dict[str, Any]:
    """Return the operator's files, and what became of their entries."""
    return {
        "files": [
            {"kind": file["kind"], "file": PLAIN.one_line(file["file"], 200), "sha256": file["sha256"]}
            for file in report.allowance_files
        ],
        "entries": [_allowed(allowed) for allowed in report.allowances],
    }


def _allowed(allowed: Allowed) -> dict[str, Any]:
    entry = allowed.entry
    return {
        "kind": entry.kind,
        "file": entry.file,
        "requirement": entry.requirement,
        "status": allowed.status,
        "note": allowed.note,
        "reason": entry.reason,
        "owner": entry.owner,
        "expires": entry.expires.isoformat(),
        "url": entry.url or None,
        "cases": [PLAIN.one_line(case, 1000) for case in entry.cases],
        "sut": entry.sut or None,
        "versions": list(entry.versions),
    }


def _again(again: Again) -> dict[str, Any]:
    """Return what looked worse than in an earlier run, and what its repetitions showed."""
    return {
        "run": again.base,
        "sha256": again.sha256,
        "again": again.times,
        "told": again.told,
        "differences": list(again.differences),
        "cases": [
            {
                "case": case.case,
                "word": case.word,
                "requirements": list(case.requirements),
                "status": case.status,
                "told": case.told,
                "seen": case.seen,
                "decided": case.runs,
            }
            for case in again.cases
        ],
        "stages": [
            {
                "case": stage.case,
                "stage": stage.stage,
                "percentile": stage.percentile,
                "status": stage.status,
                "told": stage.told,
                "seen": stage.seen,
                "decided": stage.runs,
            }
            for stage in again.stages
        ],
    }


def _sabotages(sabotages: Sabotages) -> dict[str, Any]:
    return {
        "seed": sabotages.seed,
        "asked": len(sabotages.asked),
        "found": len(sabotages.found),
        "cases": [{**asdict(finding), "status": str(finding.status)} for finding in sabotages.findings],
    }


def _result(result: Result) -> dict[str, Any]:
    known = result.known
    return {
        "id": result.id,
        "origin": result.origin,
        "level": result.level,
        "profile": result.profile,
        "area": result.area,
        "text": result.text,
        "source": result.source,
        "url": result.url,
        "verdict": result.verdict,
        "reason": result.reason,
        "duration": round(result.duration, 3),
        "cases": {
            "pinned": result.cases.pinned,
            "ran": result.cases.ran,
            "missing": [asdict(case) for case in result.cases.missing[:MOST_MISSING]],
        },
        "tests": [_test(test) for test in result.tests],
        "known": None
        if known is None
        else {
            "sut": known.sut,
            "versions": list(known.versions),
            "summary": known.summary,
            "source": known.source,
            "url": known.url,
            "evidence": known.evidence,
            "status": "gone" if result.gone else "seen" if result.excused else "undecided",
        },
    }


def _test(test: Test) -> dict[str, Any]:
    return {
        "id": test.node,
        "scope": test.scope,
        "outcome": test.outcome,
        "verdict": test.verdict,
        "reason": test.reason,
        "duration": round(test.duration, 3),
        "expectations": len(test.expectations),
        "proofs": test.proofs,
        "diagnostics": None if test.diagnostics is None else test.diagnostics.folder,
        "figures": [
            {"check": expectation.check, **expectation.figures}
            for expectation in test.expectations
            if expectation.figures
        ],
    }


def mutation_json(mutation: Mutation) -> dict[str, Any]:
    """Return the kill matrix as JSON, as `matrix.json` and the report's `mutation` hold it."""
    return {
        "complete": mutation.complete,
        "counts": {
            status: sum(row.status == status for row in mutation.mutants)
            for status in ("killed", "survived", "undecided", "not_run", "not_asked")
        },
        "unproven": list(mutation.unproven),
        "mutants": [
            {
                "name": row.name,
                "host": row.host,
                "status": row.status,
                "killers": list(row.killers),
                "missed": list(row.missed),
                "falseKills": list(row.false_kills),
                "about": row.about,
                "source": row.source,
                "cells": {cell.requirement: {"verdict": cell.verdict, "expected": cell.expected} for cell in row.cells},
            }
            for row in mutation.mutants
        ],
    }


def validate(document: Any) -> None:
    """Hold a document against the report's JSON Schema.

    Raises:
        ReportError: It does not fit; the message names the first few places.
    """
    schemas.validate(document, SCHEMA, "the report")


def dump(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON text as all our files have it: indented, in the given key order, with a line end."""
    try:
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise ReportError(f"the report holds a number that JSON has no word for: {error}") from error
