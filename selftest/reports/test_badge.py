"""Badges: every number that is not zero, green only where all passed, and files that others can read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reports import __main__ as cli
from reports import badge
from reports.badge import Badge
from selftest.reports.conftest import BAD, GOOD, IDS, History
from selftest.reports.test_allowances import entry, given

ING, RTE, FLT = "EVT-ING-001", "EVT-RTE-003", "EVT-FLT-003"
Command = Callable[..., tuple[int, str, str]]
SVG = "{http://www.w3.org/2000/svg}"


def run_of(*bad: str, gate: str = "known", version: str = "0.99.0") -> History:
    history = History().start(gate=gate, kserve=version)
    for requirement in IDS:
        history.test(requirement, BAD if requirement in bad else GOOD)
    return history


def allowing(kind: Any, gate: str) -> History:
    return given(run_of(ING, gate=gate), entry(ING, kind), kind=kind)


def part() -> History:
    return History().start(argv=["-k", "ingress"]).test(ING)


def undecided() -> History:
    return History().start().test(ING).test(RTE).test(FLT, outcome="unknown", reason="in time")


ROWS: dict[str, tuple[History, str, str]] = {
    "all": (run_of(gate="strict"), "3 of 3", "brightgreen"),
    "failed": (run_of(ING), "2 pass, 1 fail", "red"),
    "nothing-passed": (run_of(*IDS), "0 pass, 3 fail", "red"),
    "known": (allowing("known", "known"), "2 pass, 1 known", "yellowgreen"),
    "known-and-strict": (allowing("known", "strict"), "2 pass, 1 known", "red"),
    "waived": (allowing("waiver", "strict"), "2 pass, 1 waived", "yellowgreen"),
    "part": (part(), "1 pass, 2 left out", "yellowgreen"),
    "undecided": (undecided(), "2 pass, 1 undecided", "yellow"),
    "flaky": (run_of().test(ING, BAD), "2 pass, 1 flaky", "red"),
    "nothing-ran": (History().start(), "not judged", "lightgrey"),
    "conforming": (History().start(argv=["--conforming"]).test(ING).test(RTE).test(FLT), "not judged", "lightgrey"),
    "proof": (History().start(argv=["--prove"]).test(ING, BAD, mutant="ingress-down"), "not judged", "lightgrey"),
}


@pytest.fixture
def command(
    run_dir: Path, tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return what runs the command on a history and returns exit code, standard output and standard error."""
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")

    def run(history: History, *words: object) -> tuple[int, str, str]:
        history.finish().write(run_dir)
        code = cli.main(["badge", str(run_dir), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize(("history", "message", "color"), ROWS.values(), ids=ROWS)
def test_a_badge_says_every_number_that_is_not_zero(
    command: Command, history: History, message: str, color: str
) -> None:
    assert command(history)[:2] == (0, f"touchstone: {message} ({color})\n")


def test_both_files_are_written_and_say_the_same_each_time(command: Command, tmp_path: Path) -> None:
    picture, endpoint = tmp_path / "badge.svg", tmp_path / "badge.json"
    history = run_of(ING)
    history.finish()
    written = set()
    for _ in range(2):
        assert command(history, "--svg", picture, "--json-endpoint", endpoint)[0] == 0
        written.add((picture.read_bytes(), endpoint.read_bytes()))
    assert len(written) == 1
    told = json.loads(endpoint.read_text(encoding="utf-8"))
    assert told == {
        "schemaVersion": 1,
        "label": "touchstone",
        "message": "2 pass, 1 fail",
        "color": "red",
        "isError": True,
    }
    root = ET.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314 - our own picture
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == "touchstone: 2 pass, 1 fail"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["touchstone", "2 pass, 1 fail"]


def test_json_is_the_endpoints_on_standard_output(command: Command) -> None:
    _, out, _ = command(run_of(gate="strict"), "--json")
    assert json.loads(out) == badge.endpoint(Badge("3 of 3", "brightgreen"))


def test_texts_are_escaped_in_the_picture() -> None:
    root = ET.fromstring(badge.svg(Badge('<b>"&', "red")))  # noqa: S314 - our own picture
    assert [text.text for text in root.iter(f"{SVG}text")] == ["touchstone", '<b>"&']


def test_a_place_that_cannot_be_written_is_told(command: Command, tmp_path: Path) -> None:
    code, out, err = command(run_of(), "--svg", tmp_path / "none" / "badge.svg")
    assert (code, out) == (2, "")
    assert "cannot write" in err


def test_an_edited_report_changes_no_badge(command: Command, run_dir: Path) -> None:
    (run_dir / "report.json").write_text('{"summary": "all passed"}', encoding="utf-8")
    assert command(run_of(ING))[1] == "touchstone: 2 pass, 1 fail (red)\n"
