"""A trend as its JSON document, and the JSON Schema that every such document fits."""

from typing import Any, Final

from reports import schemas
from reports.document import API_VERSION
from reports.trend.model import Column, Row, StageRow, Trend

KIND: Final = "RunTrend"
SCHEMA: Final = schemas.FOLDER / "trend.schema.json"


def to_json(trend: Trend) -> dict[str, Any]:
    """Return the document, keys in reading order; runs are named by their place, from 0, the oldest first.

    Raises:
        ReportError: It does not fit its schema.
    """
    document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "exit": trend.exit,
        "runs": [_run(column) for column in trend.columns],
        "requirements": [_row(row) for row in trend.rows],
        "stages": [_stage(row) for row in trend.stages],
        "leftOut": list(trend.left_out),
    }
    schemas.validate(document, SCHEMA, "the trend")
    return document


def _run(column: Column) -> dict[str, Any]:
    run = column.run
    return {
        "run": run.name,
        "folder": str(run.folder),
        "started": run.started,
        "sha256": run.digest,
        "suite": run.suite,
        "catalogue": run.catalogue,
        "products": dict(run.products),
        "facts": dict(run.facts),
        "outcome": run.outcome,
        "exit": run.exit,
        "comparable": column.comparable,
        "other": list(column.other),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "level": row.level,
        "profile": row.profile,
        "area": row.area,
        "marks": [mark or None for mark in row.marks],
        "since": row.since,
        "passed": row.passed,
        "worse": row.worse,
    }


def _stage(row: StageRow) -> dict[str, Any]:
    return {
        "requirement": row.requirement,
        "stage": row.stage,
        "samples": row.samples,
        "p95": list(row.values),
        "comparable": list(row.comparable),
    }
