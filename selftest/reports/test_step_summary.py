"""What a run adds to the summary of a step in GitHub Actions: bounded, and without markup of others."""

from pathlib import Path
from typing import Any

import pytest

from evidence import catalogue as catalogues
from reports import build, markdown, step_summary
from reports.errors import ReportError
from selftest.reports.conftest import BAD, KNOWN, History

HOSTILE = "x[</code><script>alert(1)</script>|`@octocat` ![a](http://evil/)]\r\n# h\n```\n"


def rendered(tmp_path: Path, catalogue: Any) -> str:
    del catalogue
    history = History().start().test("EVT-ING-001", BAD, text=HOSTILE).test("EVT-FLT-003", BAD)
    path = history.test("EVT-RTE-003", outcome="error", reason=HOSTILE).finish().write(tmp_path)
    return markdown.render(build.build(path, catalogues.load(tmp_path / "catalogue"), KNOWN))


def test_it_has_the_outcome_the_table_and_what_failed(tmp_path: Path, catalogue: Any) -> None:
    text = rendered(tmp_path, catalogue)
    assert text.startswith("## Touchstone: not as expected\n")
    assert "| profile | area | fail | error |" in text
    assert "<summary>fail: <code>EVT-ING-001</code> (MUST)</summary>" in text
    assert "Failed as documented: `EVT-FLT-003`." in text
    assert "got HTTP 500" in text


def test_nothing_of_a_run_is_markup(tmp_path: Path, catalogue: Any) -> None:
    text = rendered(tmp_path, catalogue)
    assert "octocat" in text
    inside = False
    for line in text.split("\n"):
        if line.startswith("```"):
            inside = not inside
            continue
        plain = "" if inside else "".join(line.split("`")[::2])
        assert "octocat" not in plain
        assert "<script" not in plain
    assert not inside


@pytest.mark.parametrize("there", ["", "# of another step\n"])
def test_it_is_added_to_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    file = tmp_path / "summary.md"
    file.write_text(there)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    step_summary.append("told\n")
    assert file.read_text() == f"{there}told\n"


def test_without_the_variable_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "")
    monkeypatch.chdir(tmp_path)
    step_summary.append("told\n")
    assert list(tmp_path.iterdir()) == []


def test_the_summary_of_a_step_never_exceeds_what_github_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    for _ in range(4):
        step_summary.append("é" * 80 + "\n```text\n" + ("line\n" * 60_000) + "```\n")
    data = file.read_bytes()
    assert 1_000_000 < len(data) <= 1 << 20
    data.decode()
    assert data.count(b"\n```") % 2 == 0
    assert data.endswith(b"the reports have it.\n")


@pytest.mark.parametrize("room", [0, 1, 50, 99])
def test_where_no_line_fits_nothing_is_added(room: int) -> None:
    assert len(step_summary.bounded("x" * 100 + "\n", room)) <= room


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "summary.md"))
    with pytest.raises(ReportError, match=r"which GITHUB_STEP_SUMMARY names: No such file"):
        step_summary.append("told\n")
