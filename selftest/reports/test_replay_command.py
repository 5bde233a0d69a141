"""`python -m reports replay` before anything is sent: what it refuses, and that it starts nothing then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import __main__ as cli
from reports.replay import sessions
from selftest.reports.conftest import BAD, History

Replay = Callable[..., tuple[int, str]]


@pytest.fixture
def replay(
    tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Replay:
    """Return what runs the command on a run with a case that failed, and returns the exit code and standard error."""
    del catalogue
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")
    history = History().start().test("EVT-ING-001", BAD, name="test_bad").test("EVT-RTE-003", name="test_good")
    history.test("EVT-FLT-003", BAD, name="test_load").test("EVT-FLT-003", BAD, name="test_secured")
    further: dict[str, dict[str, Any]] = {
        "_load": {"record": "load", "load": "l1", "samples": []},
        "_secured": {"record": "sink.opened", "sink": "s/1", "url": "https://127.0.0.1:1/sinks/s/1", "answers": []},
    }
    for end, record in further.items():
        place = next(number for number, each in enumerate(history.records) if each.get("test", "").endswith(end))
        history.records.insert(place + 1, {**history.records[place], **record})
    for number, record in enumerate(history.records, start=1):
        record["seq"] = number
        if record["record"] == "expectation":
            record["upto"] = number - 1
    run = history.finish().write(tmp_path)

    def refuse(*_: Any) -> None:
        raise AssertionError("a session began")

    monkeypatch.setattr(sessions.Sessions, "play", refuse)

    def main(*words: object) -> tuple[int, str]:
        code = cli.main(["replay", str(run), *map(str, words)])
        return code, capsys.readouterr().err

    return main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["test_none"], "unknown test of the run 'test_none'"),
        (["test_good"], "expected a case that failed, got verdict pass"),
        (["d"], "expected the name of one test"),
        (["test_bad"], "sends to http://ingress/ns/b, which is not below a Broker that it has made"),
        (["test_load"], "puts a load on the system"),
        (["test_secured"], "sink s/1 shows a certificate that no other run has"),
        (["test_bad", "--attempts", "-1"], "--attempts: expected a whole number from 0 to 10000, got '-1'"),
        (["test_bad", "--again", "0"], "--again: expected a whole number from 1 to 100, got '0'"),
    ],
    ids=["unknown", "passed", "ambiguous", "of-a-pipeline", "load", "secured", "attempts", "again"],
)
def test_what_cannot_be_replayed_is_refused_with_the_reason(replay: Replay, words: list[str], told: str) -> None:
    code, err = replay(*words)
    assert code == 3, err
    assert told in err


def test_options_behind_two_dashes_are_for_replay_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["list", "--", "--context", "lab"])
    assert ended.value.code == 3
    assert "only replay takes options of a session behind --" in capsys.readouterr().err
