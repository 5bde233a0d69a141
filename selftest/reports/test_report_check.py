"""`python -m reports`: agrees with an honest run, disagrees with every edit, and says what it does not know."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.records import FORMAT
from reports import __main__ as cli
from reports import build, check, write
from reports.errors import ReportError
from selftest.histories import lines
from selftest.reports.conftest import History

Change = Callable[[list[dict[str, Any]]], None]


def fail_it(records: list[dict[str, Any]]) -> None:
    next(record for record in records if record["record"] == "answered")["status"] = 500


def drop_one(records: list[dict[str, Any]]) -> None:
    del records[4]


def whiten(records: list[dict[str, Any]]) -> None:
    next(record for record in records if record["record"] == "test.started")["requirements"] = ["EVT-RTE-003"]


@pytest.fixture
def written(history: Any, run_dir: Path, catalogue: Any) -> Path:
    history.start().test("EVT-ING-001").test("EVT-RTE-003").test("EVT-FLT-003").finish()
    path = history.write(run_dir)
    write.write(build.build(path, catalogue, ()), run_dir, path)
    return run_dir


def test_an_honest_run_agrees(written: Path, catalogue: Any) -> None:
    assert check.check(written, catalogue, ()).differences == ()


def test_the_version_of_the_catalogue_is_reported_and_another_one_noted(written: Path, catalogue: Any) -> None:
    report = json.loads((written / "report.json").read_text(encoding="utf-8"))
    assert report["suite"]["catalogue"]["version"] == "3.1"
    assert "Catalogue 3.1," in (written / "index.html").read_text(encoding="utf-8")
    (note,) = check.check(written, replace(catalogue, version="4.0"), ()).notes
    assert "(4.0 here, 3.1 there)" in note


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (fail_it, 'EVT-ING-001: verdict: expected "fail", got "pass"'),
        (drop_one, "record"),
        (whiten, 'EVT-ING-001: verdict: expected "unknown", got "pass"'),
    ],
)
def test_an_edited_history_disagrees(written: Path, catalogue: Any, change: Change, told: str) -> None:
    path = written / "history.ndjson"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(records)
    path.write_bytes(b"".join(lines(records)))
    differences = check.check(written, catalogue, ()).differences
    assert any(told in difference for difference in differences), differences
    assert any("sha256" in difference for difference in differences)


def test_an_edited_report_disagrees(written: Path, catalogue: Any) -> None:
    path = written / "report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["results"][0]["verdict"] = "fail"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert any(
        told == 'EVT-FLT-003: verdict: expected "pass", got "fail"'
        for told in check.check(written, catalogue, ()).differences
    )


def test_a_result_left_out_of_the_report_disagrees(written: Path, catalogue: Any) -> None:
    path = written / "report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    left_out = document["results"].pop()
    path.write_text(json.dumps(document), encoding="utf-8")
    assert any(
        told == f"{left_out['id']}: expected verdict pass, got no result"
        for told in check.check(written, catalogue, ()).differences
    )


@pytest.fixture
def at_catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, catalogue: Any) -> None:
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")


@pytest.mark.usefixtures("at_catalogue")
def test_the_commands(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(written)]) == 0
    assert capsys.readouterr().out.startswith("agrees")
    assert cli.main(["show", str(written)]) == 0
    assert "as expected" in capsys.readouterr().out
    assert cli.main(["show", str(written), "--requirement", "EVT-ING-001"]) == 0
    assert "path of 1 of" in capsys.readouterr().out
    assert cli.main(["render", str(written)]) == 0
    assert "index.html" in capsys.readouterr().out


@pytest.mark.usefixtures("at_catalogue")
def test_a_tampered_run_exits_1(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written / "history.ndjson"
    path.write_text(path.read_text(encoding="utf-8").replace('"status":202', '"status":500'), encoding="utf-8")
    assert cli.main(["check", str(written)]) == 1
    assert 'EVT-ING-001: verdict: expected "fail", got "pass"' in capsys.readouterr().out


@pytest.mark.usefixtures("at_catalogue")
def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "--json", "--level", "must"]) == 0
    listed = {entry["id"]: entry["cases"] for entry in json.loads(capsys.readouterr().out)}
    assert listed == {"EVT-FLT-003": 1, "EVT-ING-001": 1}
    assert cli.main(["list", "--profile", "broker-extended"]) == 0
    told = capsys.readouterr().out
    assert "EVT-RTE-003" in told
    assert "1 of 3 requirements" in told
    assert "next free" not in told
    assert cli.main(["list", "--area", "eventing"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == "next free: EVT-FLT-004, EVT-ING-002, EVT-RTE-004"


@pytest.mark.usefixtures("at_catalogue")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "--profile", "broker-cor"], "did you mean broker-core?"),
        (["list", "--area", "eventng"], "did you mean eventing?"),
        (["list", "--level", "MUSTN"], "did you mean MUST"),
        (["show", "RUN", "--requirement", "EVT-FLT-03"], "did you mean EVT-FLT-003"),
        (["check", "nowhere"], "is no folder"),
    ],
)
def test_usage_errors_exit_3(written: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert cli.main([str(written) if word == "RUN" else word for word in words]) == 3
    assert told in capsys.readouterr().err


def test_an_unknown_command_exits_3(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["frobnicate"])
    assert stopped.value.code == 3
    assert "usage" in capsys.readouterr().err


@pytest.mark.usefixtures("at_catalogue")
def test_a_broken_report_is_our_fault(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (written / "report.json").write_text("{", encoding="utf-8")
    assert cli.main(["check", str(written)]) == 2
    assert "report.json is no JSON" in capsys.readouterr().err


RESTARTED = {"record": "probe.restarted", "scope": "", "instance": "b", "reason": "its container did"}
GAP = {"record": "history.gap", "scope": "", "reason": "another pod took its place"}


@pytest.mark.parametrize(("record", "faults"), [(RESTARTED, 0), (GAP, 1)], ids=["restart", "gap"])
def test_a_break_is_an_error_of_the_test_it_hit_and_the_check_agrees(
    history: Any, run_dir: Path, catalogue: Any, record: dict[str, Any], faults: int
) -> None:
    history.start().test("EVT-ING-001")
    finished = history.records.pop()
    history.add(**record)
    history.add(**{name: value for name, value in finished.items() if name not in {"seq", "t"}})
    path = history.test("EVT-RTE-003").finish().write(run_dir)
    report = build.build(path, catalogue, ())
    write.write(report, run_dir, path)
    verdicts = {result.id: result.verdict for result in report.results}
    assert (verdicts["EVT-ING-001"], verdicts["EVT-RTE-003"]) == ("error", "pass")
    assert "its container did" in report.results[1].reason or "another pod" in report.results[1].reason
    assert len(report.history_faults) == faults
    assert report.gate.exit == 2
    assert check.check(run_dir, catalogue, ()).differences == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.integers(0, 60))
def test_lines_that_are_missing_or_cut_off_are_told_and_never_break_the_reader(
    tmp_path: Path, catalogue: Any, missing: list[int], cut: int
) -> None:
    history = History().start().test("EVT-ING-001").test("EVT-RTE-003").test("EVT-FLT-003").finish()
    lines = history.write(tmp_path).read_bytes().splitlines(keepends=True)
    gone = {place % len(lines) for place in missing}
    left = b"".join(line for place, line in enumerate(lines) if place not in gone)
    (tmp_path / "history.ndjson").write_bytes(left[: len(left) - cut])
    if 0 in gone and len(gone) < len(lines):
        told = f"expected a history of format {FORMAT}, got one whose first record names none"
        with pytest.raises(ReportError, match=told):
            build.build(tmp_path / "history.ndjson", catalogue, ())
        return
    report = build.build(tmp_path / "history.ndjson", catalogue, ())
    assert report.history_faults
    assert report.gate.exit in {1, 2}
    for result in report.results:
        for test in result.tests:
            assert test.verdict != "fail"
