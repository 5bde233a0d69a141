"""The plug-in in a real pytest: the hook writes all files, the table is printed, the exit code is the gate's."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import plugin
from reports.model import Report
from selftest.warm.running import run as run_command

Reported = Callable[[Any], Report]
ROOT = Path(__file__).resolve().parents[2]
CONFTEST = """
import pathlib, pytest

class Hooks:
    @pytest.hookspec
    def pytest_touchstone_finished(self, config, run_dir, history):
        ...

def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Hooks)

def pytest_sessionfinish(session):
    here = pathlib.Path(__file__).parent
    session.config.hook.pytest_touchstone_finished(config=session.config, run_dir=here, history=here / "history.ndjson")
"""


def run_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "reports.plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        *words,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return run_command([*command, f"--rootdir={folder}", str(folder)], cwd=folder, env=environment, timeout=60)


def test_the_gate_decides_and_everything_is_written(history: Any, run_dir: Path) -> None:
    (run_dir / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (run_dir / "test_e.py").write_text("def test_ok(): assert True\n", encoding="utf-8")
    history.start(argv=["suites/e"]).test("EVT-ING-001").test("EVT-ING-001", name="EVT-ING-001[2]")
    history.records[0]["selection"]["uncollected"] = ["suites/e"]
    history.finish().write(run_dir)
    done = run_pytest(run_dir)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as expected" in done.stdout
    assert {"report.json", "junit.xml", "index.html", "allure"} <= {path.name for path in run_dir.iterdir()}


def test_a_run_cut_off_before_its_beginning_still_gets_a_report(run_dir: Path) -> None:
    (run_dir / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (run_dir / "test_e.py").write_text("def test_ok(): assert True\n", encoding="utf-8")
    (run_dir / "history.ndjson").write_text('{"seq":1,"t":1.0,"record":"run.fi', encoding="utf-8")
    done = run_pytest(run_dir)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "undecided" in done.stdout
    assert (run_dir / "index.html").exists()


def test_without_the_hook_it_changes_nothing(run_dir: Path) -> None:
    (run_dir / "test_e.py").write_text("def test_no(): assert False\n", encoding="utf-8")
    done = run_pytest(run_dir)
    assert done.returncode == 1
    assert "Touchstone" not in done.stdout


@pytest.mark.parametrize(
    ("status", "failed", "code"),
    [(0, 0, 0), (1, 1, 0), (1, 2, 2), (2, 0, 2), (3, 0, 2), (4, 0, 3), (5, 0, 2)],
)
def test_pytest_and_the_history_must_agree(
    reported: Reported, history: Any, status: int, failed: int, code: int
) -> None:
    report = reported(history.start(argv=["-k", "x"]).test("EVT-FLT-003", 500).finish())
    assert plugin.exit_code(plugin._State(report=report), status, failed) == code


def test_no_report_is_our_fault() -> None:
    assert plugin.exit_code(plugin._State(trouble="no history"), 0, 0) == 2
