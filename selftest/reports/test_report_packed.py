"""`check`, `show` and `render` read a packed history as they read a plain one, by its folder and by its file."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from evidence.records import FORMAT
from reports import __main__ as cli
from reports import build, write


@pytest.fixture(autouse=True)
def at_catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, catalogue: Any) -> None:
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")


@pytest.fixture
def packed(history: Any, run_dir: Path, catalogue: Any) -> Path:
    """Return a run that was reported, and whose history was packed afterwards."""
    history.start().test("EVT-ING-001", 500).test("EVT-RTE-003").test("EVT-FLT-003").finish()
    path = history.write(run_dir)
    write.write(build.build(path, catalogue, ()), run_dir, path)
    (run_dir / "history.ndjson.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return run_dir


@pytest.mark.parametrize("place", ["", "history.ndjson.gz"], ids=["folder", "file"])
def test_every_command_reads_it(packed: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(packed / place)
    assert cli.main(["check", run]) == 0
    assert capsys.readouterr().out.startswith("agrees  3 verdicts")
    assert cli.main(["show", run]) == 1
    assert "judge it again" in capsys.readouterr().out
    assert cli.main(["show", run, "--requirement", "EVT-ING-001"]) == 1
    assert "path of 1 of" in capsys.readouterr().out
    (packed / "index.html").unlink()
    assert cli.main(["render", run]) == 0
    assert "EVT-ING-001" in (packed / "index.html").read_text(encoding="utf-8")
    assert cli.main(["check", run]) == 0


@pytest.mark.parametrize("words", [["check"], ["show"], ["render"]], ids=lambda words: words[0])
def test_one_that_is_cut_off_is_one_clear_error(
    packed: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed / "history.ndjson.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert cli.main([*words, str(packed)]) == 2
    assert capsys.readouterr().err == f"error: {path}: expected a whole gzip file, got one that is cut off\n"


@pytest.mark.parametrize("words", [["check"], ["show"], ["render"]], ids=lambda words: words[0])
def test_another_format_is_one_clear_error(packed: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = packed / "history.ndjson.gz"
    ours = f'"format":{FORMAT}'.encode()
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(ours, b'"format":3')))
    assert cli.main([*words, str(packed)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {path}:1: expected a history of format {FORMAT}, got one of format 3")
    assert told.count("\n") == 1


def test_a_folder_without_a_history_names_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path)]) == 3
    assert "it holds no history.ndjson and no history.ndjson.gz" in capsys.readouterr().err
