"""Reports with a vendor's catalogue: whose each requirement is stands everywhere, and ours are judged as ever."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from common.errors import UsageError
from evidence.catalogue import Catalogue
from evidence.vendor import load_beside
from reports import __main__ as cli
from reports import build, check, terminal, write
from reports.errors import ReportError
from reports.model import Report
from selftest.reports.conftest import KNOWN, History
from selftest.vendors import REQUIREMENT, write_catalogue


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """Return a vendor's catalogue."""
    return write_catalogue(tmp_path / "acme", routing=REQUIREMENT.replace("broken", "ingress-down"))


@pytest.fixture
def joined(acme: Path, catalogue: Catalogue) -> Catalogue:
    return load_beside(catalogue, [acme])[0]


def asked(status: int = 202) -> History:
    history = History().start()
    history.records[0]["selection"]["catalogues"] = ["acme"]
    history.records[0]["requirements"]["ACME-RTE-001"] = 1
    for name in ("EVT-ING-001", "EVT-RTE-003", "EVT-FLT-003"):
        history.test(name)
    return history.test("ACME-RTE-001", status).finish()


def reported(history: History, run_dir: Path, joined: Catalogue) -> Report:
    path = history.write(run_dir)
    report = build.build(path, joined, KNOWN)
    write.write(report, run_dir, path)
    return report


def test_a_failing_must_of_theirs_fails_the_run_and_no_profile_of_ours(run_dir: Path, joined: Catalogue) -> None:
    report = reported(asked(500), run_dir, joined)
    assert report.gate.exit == 1
    assert {tally.name: (tally.origin, tally.verdict) for tally in report.profiles} == {
        "broker-core": ("touchstone", "pass"),
        "broker-extended": ("touchstone", "pass"),
        "acme-routing": ("acme", "fail"),
    }
    assert [tally.name for tally in report.profiles][-1] == "acme-routing"
    assert {tally.name: (tally.verdict, tally.total) for tally in report.origins} == {
        "touchstone": ("pass", 3),
        "acme": ("fail", 1),
    }


def test_the_document_says_whose_each_requirement_is(run_dir: Path, joined: Catalogue) -> None:
    reported(asked(), run_dir, joined)
    document = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    assert {each["id"]: each["origin"] for each in document["results"]} == {
        "EVT-FLT-003": "touchstone",
        "EVT-ING-001": "touchstone",
        "EVT-RTE-003": "touchstone",
        "ACME-RTE-001": "acme",
    }
    assert document["suite"]["catalogue"]["origins"] == {"touchstone": 3, "acme": 1}
    assert document["summary"]["origins"]["acme"]["verdict"] == "pass"


def test_junit_and_allure_say_it_too(run_dir: Path, joined: Catalogue) -> None:
    reported(asked(), run_dir, joined)
    root = ET.parse(run_dir / "junit.xml").getroot()  # noqa: S314 - our own file
    origins = {
        case.get("classname"): prop.get("value")
        for case in root.iter("testcase")
        for prop in case.iter("property")
        if prop.get("name") == "origin"
    }
    assert origins["acme.routing.ACME-RTE-001"] == "acme"
    assert origins["eventing.EVT-ING-001"] == "touchstone"
    results = [json.loads(path.read_text(encoding="utf-8")) for path in (run_dir / "allure").glob("*-result.json")]
    theirs = next(result for result in results if result["name"].startswith("ACME-RTE-001"))
    assert {"name": "origin", "value": "acme"} in theirs["labels"]


def test_the_page_has_a_section_of_theirs(run_dir: Path, joined: Catalogue) -> None:
    reported(asked(500), run_dir, joined)
    page = (run_dir / "index.html").read_text(encoding="utf-8")
    section = page.index('<h2 id="of-acme">Requirements of acme')
    assert page.index('id="EVT-RTE-003"') < section < page.index('id="ACME-RTE-001"')
    assert "1 of them are asked by the catalogue of acme, not by Touchstone" in page


def test_the_page_of_a_run_without_vendors_has_none(run_dir: Path, catalogue: Catalogue, history: History) -> None:
    reported(history.start().test("EVT-ING-001").finish(), run_dir, catalogue)
    assert "catalogue of" not in (run_dir / "index.html").read_text(encoding="utf-8")


def test_the_terminal_sets_theirs_apart(run_dir: Path, joined: Catalogue) -> None:
    report = reported(asked(500), run_dir, joined)
    lines = terminal.text(report, width=110, color=False, folder=Path("run")).splitlines()
    place = lines.index("catalogue of acme")
    assert lines[place + 1].startswith("acme-routing")
    assert any("ACME-RTE-001  fail  MUST  acme-routing  catalogue of acme" in line for line in lines)
    assert any(line.endswith("--catalogue DIR-OF-ACME") for line in lines)


def test_check_agrees_with_the_vendors_catalogue_and_asks_for_it_without(
    run_dir: Path, joined: Catalogue, acme: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = asked().write(run_dir)
    write.write(build.build(path, joined), run_dir, path)
    monkeypatch.setattr(cli, "CATALOGUE", acme.parents[1] / "catalogue")
    assert cli.main(["check", str(run_dir), "--catalogue", str(acme)]) == 0
    assert capsys.readouterr().out.startswith("agrees")
    assert cli.main(["show", str(run_dir), "--catalogue", str(acme), "--requirement", "ACME-RTE-001"]) == 0
    capsys.readouterr()
    for command in ("check", "show", "render"):
        assert cli.main([command, str(run_dir)]) == 3
        told = capsys.readouterr().err
        assert "the run asked for the requirements of acme too" in told
        assert "--catalogue DIR" in told


def test_check_sees_an_edited_verdict_of_theirs(run_dir: Path, joined: Catalogue) -> None:
    reported(asked(500), run_dir, joined)
    path = run_dir / "report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["results"][-1]["verdict"] = "pass"
    path.write_text(json.dumps(document), encoding="utf-8")
    told = check.check(run_dir, joined, KNOWN).differences
    assert 'ACME-RTE-001: verdict: expected "fail", got "pass"' in told


def test_check_sees_a_requirement_of_theirs_that_is_passed_off_as_ours(run_dir: Path, joined: Catalogue) -> None:
    reported(asked(), run_dir, joined)
    path = run_dir / "report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["results"][-1]["origin"] = "touchstone"
    path.write_text(json.dumps(document), encoding="utf-8")
    told = check.check(run_dir, joined, KNOWN).differences
    assert 'ACME-RTE-001: origin: expected "acme", got "touchstone"' in told


@pytest.mark.parametrize("catalogues", [["zeta"], ["acme", "zeta"]])
def test_a_run_is_not_reported_without_a_catalogue_that_it_asked(
    run_dir: Path, joined: Catalogue, catalogues: list[str]
) -> None:
    history = asked()
    history.records[0]["selection"]["catalogues"] = catalogues
    with pytest.raises(UsageError, match="the run asked for the requirements of zeta too"):
        build.build(history.write(run_dir), joined, ())


@pytest.mark.parametrize("catalogues", [None, 3, "acme", [3, None]])
def test_a_history_with_nonsense_of_catalogues_is_refused(run_dir: Path, joined: Catalogue, catalogues: Any) -> None:
    history = asked()
    history.records[0]["selection"]["catalogues"] = catalogues
    with pytest.raises(ReportError, match=r"selection\.catalogues: expected a list"):
        build.build(history.write(run_dir), joined, ())


def test_the_list_says_whose_each_is(
    acme: Path, joined: Catalogue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del joined
    monkeypatch.setattr(cli, "CATALOGUE", acme.parents[1] / "catalogue")
    assert cli.main(["list", "--catalogue", str(acme)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["id", "origin"]
    assert any(line.split()[:2] == ["ACME-RTE-001", "acme"] for line in lines)
    assert lines[-1] == "4 of 4 requirements"
    assert cli.main(["list", "--json", "--catalogue", str(acme), "--profile", "acme-routing"]) == 0
    assert [each["origin"] for each in json.loads(capsys.readouterr().out)] == ["acme"]
    assert cli.main(["list", "--catalogue", str(acme.parent)]) == 2
    assert "expected a vendor's catalogue with a file catalogue.toml" in capsys.readouterr().err
