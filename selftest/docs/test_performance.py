"""The page of the benchmarks: its rows are what the benchmarks return, and only a whole measurement is written."""

import functools
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from benchmarks import __main__ as command
from benchmarks import checks, driver, probe
from benchmarks.figures import Figure, render_table
from benchmarks.runs import _packed, _sizes
from fixtures.targets.base import TargetInfo

if TYPE_CHECKING:
    from fixtures.probe_control.client import ProbeClient


def test_a_row_has_what_was_measured_before_beside_it() -> None:
    row = render_table([Figure("seconds", 12.5, "nothing", 5.0, before="340")]).splitlines()[-1]
    assert row == "| seconds | 12.5 | 340 | nothing | 5 | 2.50 |"


def test_the_sizes_of_a_history_are_told_by_kind(tmp_path: Path) -> None:
    lines = [b'{"record":"run.started","requirements":{"A":1,"B":1}}\n', b'{"record":"body","text":"x"}\n']
    path = tmp_path / "history.ndjson"
    path.write_bytes(b"".join(lines * 100))
    sizes, asked = _sizes(path)
    assert (sizes["body"], sum(sizes.values()), asked) == (100 * len(lines[1]), path.stat().st_size, 2)
    assert _packed(path) == len(zlib.compress(path.read_bytes(), wbits=31))


@pytest.mark.parametrize(
    ("words", "names"), [((), {"fast"}), (("--slow",), {"fast", "loops"}), (("loops",), {"loops"})]
)
def test_what_takes_minutes_is_measured_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], names: set[str]
) -> None:
    benches = {name: functools.partial(lambda what: [Figure(what, 1.0)], name) for name in ("fast", "loops")}
    monkeypatch.setattr(command, "BENCHES", benches)
    assert command._measure(command.parse(words).names, write=False) == 0
    printed = capsys.readouterr().out
    assert {name for name in ("fast", "loops") if f"| {name} |" in printed} == names


@pytest.mark.parametrize("words", [("--write",), ("--write", "--slow", "loops"), ("none",)])
def test_a_part_is_not_written_and_an_unknown_name_is_wrong_usage(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        command.parse(words)


def test_the_peer_of_the_load_driver_is_answered_and_the_cores_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PEER_REQUESTS", 40)
    cpus = sorted(os.sched_getaffinity(0))
    with driver._server(cpus[-1]) as url:
        rate, spent = driver._peer(url, cpus)
    assert rate > 0
    assert spent > 0
    assert sorted(os.sched_getaffinity(0)) == cpus


class OneRecord:
    """A probe whose load is over at once."""

    def __init__(self, status: int) -> None:
        self.status = status

    def load(self, scope: str, *, count: int, **_: Any) -> None:
        """Take a load."""
        self.scope, self.count = scope, count

    def read(self, scope: str, *_: Any) -> list[dict[str, Any]]:
        """Return the load's only record."""
        assert scope == self.scope
        rows = [[0.0, 0.0, 0.1, self.status, "e"]] * self.count
        return [{"record": "load", "seq": 1, "samples": rows, "done": True, "lag": {"p95": 0.5}}]


def test_a_load_that_was_refused_is_no_figure() -> None:
    assert driver._load(cast("ProbeClient", OneRecord(202)), "http://here/") == {"p95": 0.5}
    with pytest.raises(RuntimeError, match="expected 25000 requests answered with 202, got 0"):
        driver._load(cast("ProbeClient", OneRecord(503)), "http://here/")


def test_reading_and_judging_are_measured_on_a_history_as_the_probe_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "ROUNDS", 1)
    figures = checks.measure(200)
    assert len(figures) == 4
    assert all(figure.value > 0 and figure.peer_value for figure in figures)


def test_sending_and_receiving_are_measured_in_two_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RATE": 200, "SECONDS": 1, "PEER_REQUESTS": 5}.items():
        monkeypatch.setattr(probe, name, value)
    assert [figure.peer for figure in probe.measure(TargetInfo("none"))] == ["httpx, closed loop"] * 2


def test_what_is_measured_by_hand_stays_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\nold figures\n{command.BY_HAND}\nBy hand.\n", encoding="utf-8")
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(command, "BENCHES", {"fast": lambda: [Figure("fast", 1.0)]})
    assert command._measure(["fast"], write=True) == 0
    written = page.read_text(encoding="utf-8")
    assert "old figures" not in written
    assert "| fast |" in written
    assert written.endswith(f"{command.BY_HAND}\nBy hand.\n")
