"""report.json: every id, in order, fits its schema, and follows from the history alone."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evidence.collection import Case
from reports import build, document, terminal, write
from reports.document import to_json, validate
from reports.errors import ReportError
from reports.model import Report

Reported = Callable[[Any], Report]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(document.SCHEMA.read_text(encoding="utf-8")))


def test_every_id_of_the_catalogue_is_there_in_its_order(reported: Reported, history: Any, catalogue: Any) -> None:
    document = to_json(reported(history.start().test("EVT-ING-001").finish()))
    assert [result["id"] for result in document["results"]] == [r.id for r in catalogue.requirements]
    verdicts = {result["id"]: result["verdict"] for result in document["results"]}
    assert verdicts == {"EVT-FLT-003": "unknown", "EVT-ING-001": "pass", "EVT-RTE-003": "unknown"}
    validate(document)


def test_the_same_history_gives_the_same_bytes(reported: Reported, history: Any) -> None:
    history.start().test("EVT-ING-001").test("EVT-FLT-003", 500).finish()
    assert document.dump(to_json(reported(history))) == document.dump(to_json(reported(history)))


def test_what_the_operator_left_out_is_skipped_with_the_reason(reported: Reported, history: Any) -> None:
    report = reported(history.start(argv=["-k", "ingress"]).test("EVT-ING-001").finish())
    left_out = report.find("EVT-RTE-003")
    assert left_out is not None
    assert (left_out.verdict, left_out.reason) == ("skipped", "left out by -k ingress")
    assert (report.gate.exit, report.gate.outcome) == (0, "as expected, of the part that was asked")


def test_what_an_interrupted_run_did_not_reach_is_unknown(reported: Reported, history: Any) -> None:
    more = Case("suites/e/test_e.py::EVT-RTE-003", ("EVT-RTE-003",), None)
    report = reported(history.start(argv=["-k", "ingress"]).test("EVT-ING-001").finish("interrupted", more))
    assert [result.verdict for result in report.results] == ["skipped", "pass", "unknown"]
    assert "interrupted" in report.results[2].reason
    assert report.gate.exit == 2


def test_a_cut_off_history_still_gives_a_report(
    reported: Reported, history: Any, run_dir: Path, catalogue: Any
) -> None:
    history.start().test("EVT-ING-001")
    path = history.write(run_dir)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"seq": 99, "ki')
    report = build.build(path, catalogue, ())
    assert report.reason == "cut off"
    assert report.gate.exit == 2
    assert report.history_faults
    validate(to_json(report))


def test_an_empty_history_is_undecided(run_dir: Path, catalogue: Any) -> None:
    path = run_dir / "history.ndjson"
    path.write_text("", encoding="utf-8")
    report = build.build(path, catalogue, ())
    assert {result.verdict for result in report.results} == {"unknown"}
    assert report.gate.exit == 2
    write.write(report, run_dir, path)
    assert "Undecided" in (run_dir / "index.html").read_text(encoding="utf-8")
    assert "undecided" in terminal.text(report, width=100, color=False)


def test_a_missing_history_says_which_file(tmp_path: Path, catalogue: Any) -> None:
    with pytest.raises(ReportError, match=r"history\.ndjson"):
        build.build(tmp_path / "history.ndjson", catalogue, ())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(apiVersion="touchstone/v2"), "apiVersion"),
        (lambda d: d["results"][0].update(verdict="fine"), "verdict"),
        (lambda d: d["results"][0].update(verdict="pass", tests=[]), "tests"),
        (lambda d: d["history"].update(sha256="0"), "sha256"),
        (lambda d: d.pop("gate"), "gate"),
    ],
)
def test_what_does_not_fit_the_schema_is_named(reported: Reported, history: Any, change: Any, place: str) -> None:
    document = copy.deepcopy(to_json(reported(history.start().test("EVT-ING-001").finish())))
    change(document)
    with pytest.raises(ReportError, match=place):
        validate(document)


def test_no_secret_reaches_the_report(reported: Reported, history: Any) -> None:
    history.start()
    history.records[0]["target"]["token"] = "s3cr3t-value"  # noqa: S105 - the point of the test
    history.records[0]["selection"]["env"] = {"PASSWORD": "hunter22"}
    text = document.dump(to_json(reported(history.test("EVT-ING-001").finish())))
    assert "s3cr3t" not in text
    assert "hunter22" not in text
