"""Every report leads to what was read of the cluster when a test failed, and nowhere else."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reports import allure, terminal, write
from reports.check import check
from reports.document import to_json, validate
from reports.model import Report
from selftest.reports.conftest import KNOWN

Reported = Callable[[Any], Report]
FOLDER = "diagnostics/e-test_e-EVT-ING-001-12ab34cd"
LOG = "logs/ns/pod-1/main.previous.txt"
FILES = ["summary.md", "objects/brokers.yaml", "events.txt", LOG]


class Links(HTMLParser):
    """Collects where links lead, with the words that they stand on."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        self._open = dict(attrs).get("href") or "" if tag == "a" else ""

    def handle_data(self, data: str) -> None:
        """Note the words of a link."""
        if self._open:
            self.found[self._open] = data
            self._open = ""


def links(folder: Path) -> dict[str, str]:
    page = Links()
    page.feed((folder / "index.html").read_text(encoding="utf-8"))
    return page.found


@pytest.fixture
def told(history: Any) -> Any:
    """Return a run in which one test passed and one failed; what was read then is in the history as the last thing."""
    history.start().test("EVT-RTE-003").test("EVT-ING-001", 500)
    return history


def diagnosed(history: Any, folder: Any = FOLDER, files: Any = FILES) -> Any:
    scope = [record["scope"] for record in history.records if record["record"] == "test.started"][-1]
    finished = history.records.pop()
    history.add("diagnostics", scope, folder=folder, files=files)
    history.add(finished["record"], scope, **{key: finished[key] for key in ("outcome", "reason", "duration")})
    return history.finish()


@pytest.fixture
def folder(reported: Reported, told: Any, run_dir: Path) -> Path:
    for name in FILES:
        place = run_dir / FOLDER / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"<b>{name}</b>\n", encoding="utf-8")
    write.write(reported(diagnosed(told)), run_dir, run_dir / "history.ndjson")
    return run_dir


def test_the_page_links_every_file_from_the_runs_own_folder(folder: Path) -> None:
    found = links(folder)
    assert {href: found[href] for href in found if href.startswith("diag")} == {
        f"{FOLDER}/summary.md": "summary",
        f"{FOLDER}/objects/brokers.yaml": "brokers",
        f"{FOLDER}/events.txt": "events",
        f"{FOLDER}/{LOG}": "ns/pod-1/main.previous",
    }
    assert all((folder / href).is_file() for href in found if href.startswith("diag"))


def test_the_page_leads_to_what_was_left_of_a_run_that_died(folder: Path, reported: Reported, told: Any) -> None:
    place = folder / "diagnostics" / "run" / "summary.md"
    assert str(place.relative_to(folder)) not in links(folder)
    place.parent.mkdir()
    place.touch()
    write.write(reported(told), folder, folder / "history.ndjson")
    assert str(place.relative_to(folder)) in links(folder)


def test_report_json_names_the_folder_and_still_fits_its_schema(folder: Path, catalogue: Any) -> None:
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    validate(document)
    found = {result["id"]: [test["diagnostics"] for test in result["tests"]] for result in document["results"]}
    assert found == {"EVT-FLT-003": [], "EVT-ING-001": [FOLDER], "EVT-RTE-003": [None]}
    assert check(folder, catalogue, KNOWN).agrees


def test_a_report_of_before_still_fits(reported: Reported, told: Any) -> None:
    document = to_json(reported(told.finish()))
    for result in document["results"]:
        for test in result["tests"]:
            del test["diagnostics"]
    validate(document)


def test_junit_names_the_folder(folder: Path) -> None:
    root = ET.parse(folder / "junit.xml").getroot()  # noqa: S314 - our own file
    assert [one.get("value") for one in root.iter("property") if one.get("name") == "diagnostics"] == [FOLDER]


def test_the_terminal_names_the_folder_once(reported: Reported, told: Any) -> None:
    text = terminal.text(reported(diagnosed(told)), width=100, color=False)
    assert text.count(FOLDER) == 1


def attachments(folder: Path) -> dict[str, str]:
    found = {}
    for path in (folder / "allure").glob("*-result.json"):
        for one in json.loads(path.read_text(encoding="utf-8")).get("attachments", []):
            assert one["type"] == "text/plain"
            found[one["name"]] = (folder / "allure" / one["source"]).read_text(encoding="utf-8")
    return found


def test_allure_has_the_files_as_plain_texts(folder: Path) -> None:
    assert attachments(folder) == {name: f"<b>{name}</b>\n" for name in FILES}


def test_allure_takes_no_more_than_a_page_can_bear(
    folder: Path, reported: Reported, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allure, "MOST_ATTACHED", len("<b>summary.md</b>\n<b>events.txt</b>\n"))
    write.write(reported(told), folder, folder / "history.ndjson")
    assert set(attachments(folder)) == {"summary.md", "events.txt"}
    assert len(list((folder / "allure").glob("*-attachment.txt"))) == 2


def test_a_report_made_elsewhere_does_without_the_files(reported: Reported, told: Any, run_dir: Path) -> None:
    write.write(reported(diagnosed(told)), run_dir, run_dir / "history.ndjson")
    assert attachments(run_dir) == {}


@pytest.mark.parametrize(
    "folder",
    [
        "/etc",
        "../other",
        "diagnostics/..",
        "diagnostics/../x",
        "diagnostics/a/b",
        "diagnostics/",
        "https://evil/x",
        "javascript:alert(1)",
        'diagnostics/"onclick="x',
        "diagnostics/" + "x" * 5000,
    ],
)
def test_a_history_cannot_make_a_report_lead_elsewhere(
    reported: Reported, told: Any, run_dir: Path, folder: str
) -> None:
    report = reported(diagnosed(told, folder))
    write.write(report, run_dir, run_dir / "history.ndjson")
    assert not [href for href in links(run_dir) if not href.startswith(("#", "https://github.com/"))]


def test_files_outside_of_the_folder_are_left_out(reported: Reported, told: Any) -> None:
    files = ["summary.md", "../report.json", "/etc/passwd", "a/../../b", ".hidden", "x y", 'a"b', 5, None, "a\n"]
    report = reported(diagnosed(told, files=files))
    found = report.find("EVT-ING-001")
    assert found is not None
    assert [test.diagnostics.paths for test in found.tests if test.diagnostics] == [(f"{FOLDER}/summary.md",)]


def test_allure_takes_several_tests_of_a_requirement_for_several(
    reported: Reported, history: Any, run_dir: Path
) -> None:
    history.start().test("EVT-ING-001", 500)
    for record in history.records:
        if record["record"] == "test.started":
            record["test"] += "[first]"
    write.write(reported(history.test("EVT-ING-001").finish()), run_dir, run_dir / "history.ndjson")
    results = [json.loads(path.read_text("utf-8")) for path in (run_dir / "allure").glob("*-result.json")]
    of_one = [result for result in results if result["name"].startswith("EVT-ING-001 ")]
    # Were it one test case, the later result would hide the earlier one, failed or not.
    assert sorted(result["status"] for result in of_one) == ["failed", "passed"]
    assert len({result["testCaseId"] for result in of_one}) == 2
