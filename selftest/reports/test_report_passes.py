"""How often a report reads its history: a large one costs seconds a pass, at a run's end, when nothing else runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence import history_file
from reports import build, html

READ_BY_BUILD = 2  # once for what stands around the tests and the expectations, once to judge
READ_BY_PAGE = 1  # witnesses and paths


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files whose lines were read, once a pass."""
    seen: list[Path] = []
    lines = history_file.lines

    def counted(path: Path) -> Iterator[bytes]:
        seen.append(path)
        return lines(path)

    monkeypatch.setattr(history_file, "lines", counted)
    return seen


def test_a_report_reads_its_history_as_often_as_it_must(
    history: Any, run_dir: Path, catalogue: Any, passes: list[Path]
) -> None:
    history.start().test("EVT-ING-001", 500).test("EVT-RTE-003").finish()
    path = history.write(run_dir)
    report = build.build(path, catalogue, ())
    assert passes == [path] * READ_BY_BUILD
    assert "EVT-ING-001" in html.render(report, path)
    assert passes == [path] * (READ_BY_BUILD + READ_BY_PAGE)
