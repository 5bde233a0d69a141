"""HTML, JUnit, Allure and the terminal: what a system under test said stays text, and secrets stay out."""

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from common.redaction import PLAIN, REDACTED
from reports import html, terminal, write
from reports.model import VERDICTS, Report

Reported = Callable[[Any], Report]
EVIL = "<script>alert(1)</script>\x00\x1b[31m<img src=http://evil/x onerror=alert(1)>]]>\u202e"


class Page(HTMLParser):
    """Collects what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.fetched: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.squares: list[tuple[str | None, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        self.scripts += tag == "script"
        if (found := dict(attrs)) and tag == "a" and "square" in (found.get("class") or ""):
            self.squares.append((found["class"], found["href"], found["title"]))
        for name, value in attrs:
            if name in ("src", "srcset", "data") or (name == "href" and tag != "a"):
                self.fetched.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")


@pytest.fixture
def folder(reported: Reported, history: Any, run_dir: Path) -> Path:
    history.start().test("EVT-ING-001", 500, text=EVIL.encode().decode("latin-1"))
    history.test("EVT-RTE-003", outcome="error", reason=f"boom {EVIL} password=hunter22")
    report = reported(history.test("EVT-FLT-003", 500).finish())
    write.write(report, run_dir, run_dir / "history.ndjson")
    return run_dir


def test_the_page_runs_only_its_own_script_and_fetches_nothing(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.scripts == 1
    assert page.fetched == []
    assert page.handlers == []
    assert "alert(1)" in text
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert "url(" not in text


def test_the_page_shows_every_requirement_once_by_id(folder: Path) -> None:
    page = Page()
    page.feed((folder / "index.html").read_text(encoding="utf-8"))
    assert [name for name in page.ids if name.startswith("EVT-")] == ["EVT-FLT-003", "EVT-ING-001", "EVT-RTE-003"]


def test_a_square_tells_what_became_of_a_requirement_and_leads_to_it(folder: Path) -> None:
    page = Page()
    page.feed((folder / "index.html").read_text(encoding="utf-8"))
    case, binary = "Filter values are compared case-sensitively.", "A Broker accepts an event in binary mode."
    assert page.squares == [
        ("square bg-known", "#EVT-FLT-003", f"EVT-FLT-003 known: {case}"),
        ("square bg-fail", "#EVT-ING-001", f"EVT-ING-001 fail: {binary}"),
        ("square bg-error", "#EVT-RTE-003", "EVT-RTE-003 error: Extensions are kept."),
    ]


def test_areas_that_were_left_out_have_no_squares(reported: Reported, history: Any, run_dir: Path) -> None:
    report = reported(history.start().test("EVT-FLT-003").finish())
    tracing = replace(report.results[-1], id="TRC-W3C-001", area="tracing", verdict="skipped", tests=())
    tally = replace(report.areas[0], name="tracing", counts={**dict.fromkeys(VERDICTS, 0), "skipped": 1})
    wider = replace(report, results=(*report.results, tracing), areas=(*report.areas, tally))
    page, text = Page(), html.render(wider, run_dir / "history.ndjson")
    page.feed(text)
    assert [href for _, href, _ in page.squares] == ["#EVT-FLT-003", "#EVT-ING-001", "#EVT-RTE-003"]
    assert ">Left out: tracing<" in text


@pytest.mark.parametrize("title", ["letter case", EVIL])
def test_a_group_is_called_by_what_it_is_about(reported: Reported, history: Any, run_dir: Path, title: str) -> None:
    report = replace(reported(history.start().test("EVT-FLT-003").finish()), groups={"EVT-FLT": title})
    text = html.render(report, run_dir / "history.ndjson")
    assert f'<b title="EVT-FLT">{PLAIN.one_line(title).replace("<", "&lt;").replace(">", "&gt;")}</b>' in text
    assert '<b title="EVT-ING">EVT-ING</b>' in text, "nothing is said of this group"


def test_the_page_shows_witness_and_path_of_a_failure(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert '<svg class="path"' in text
    assert "HTTP 500" in text
    assert "POST http://ingress/ns/b -&gt; 500" in text


@pytest.mark.parametrize("name", ["index.html", "junit.xml", "report.json"])
def test_no_control_character_and_no_secret_reaches_a_file(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert not {"\x00", "\x1b", "\u202e"} & set(text)
    assert "abcdefghijk" not in text
    assert "hunter22" not in text


def test_junit_tells_failures_errors_and_known_ones_apart(folder: Path) -> None:
    root = ET.parse(folder / "junit.xml").getroot()  # noqa: S314 - our own file
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "3", "failures": "1", "errors": "1", "skipped": "1"}
    named = {prop.get("value") for prop in root.iter("property") if prop.get("name") == "requirement"}
    assert named == {"EVT-FLT-003", "EVT-ING-001", "EVT-RTE-003"}


def test_allure_has_a_result_for_every_requirement_and_test(folder: Path) -> None:
    results = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "allure").glob("*-result.json")]
    assert sorted(result["status"] for result in results) == ["broken", "failed", "failed"]
    failed = next(result for result in results if result["name"].startswith("EVT-ING-001"))
    assert [step["name"] for step in failed["steps"]] == ["accepted"]
    assert {"name": "feature", "value": "eventing"} in failed["labels"]
    known = next(result for result in results if result["name"].startswith("EVT-FLT-003"))
    assert known["statusDetails"]["known"]


def test_rendering_twice_gives_the_same_files(folder: Path, reported: Reported, history: Any) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write.write(reported(history), folder, folder / "history.ndjson")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_terminal_reads_in_plain_ascii(reported: Reported, history: Any) -> None:
    history.start().test("EVT-ING-001", 500, text=EVIL.encode().decode("latin-1")).test("EVT-FLT-003", 500)
    text = terminal.text(reported(history.finish()), width=100, color=False, ascii_only=True)
    assert text.isascii()
    assert "\x1b" not in text
    for told in ("F EVT-ING-001", "last seen: sender", "known nonconformities", "not as expected", "exit 1"):
        assert told in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_secret_headers_are_redacted() -> None:
    shown = PLAIN.headers([["X-Touchstone-Token", "t"], ["Cookie", "c"], ["ce-id", "1"], ["null", None]])
    assert shown == [
        ("X-Touchstone-Token", REDACTED),
        ("Cookie", REDACTED),
        ("ce-id", "1"),
        ("null", "null"),
    ]
