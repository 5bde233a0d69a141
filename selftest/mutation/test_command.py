"""The command line: what it refuses, what it lists, the report's files, its exit codes, and its interrupt."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.processes.children import process_alive
from fixtures.processes.temporary import PREFIX
from fixtures.waiting import wait_until
from mutation import equivalents
from mutation.__main__ import main
from mutation.project import Project
from selftest.interrupts.processes import command_line
from selftest.mutation import toys

RUN = """
import sys
from pathlib import Path
from mutation.__main__ import main
sys.exit(main(sys.argv[2:], Path(sys.argv[1])))
"""


@pytest.fixture
def toy(tmp_path: Path) -> Project:
    """Make the small project."""
    return toys.make(tmp_path / "project")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--sample", "0"], "--sample: expected a number from 1 on, got '0'"),
        (["--sample", "many"], "--sample: expected a number from 1 on, got 'many'"),
        (["--seed", "x"], "--seed: invalid int value: 'x'"),
        (["--room", "sum"], "unknown room 'sum'"),
        (["--only", "0000"], "unknown mutant of this source '0000'"),
        (["--at-least", "101"], "--at-least: expected percent, from 0 to 100, got '101'"),
        (["--at-least", "nan"], "--at-least: expected percent, from 0 to 100, got 'nan'"),
        (["--jobs", "0"], "--jobs: expected a number from 1 on, got '0'"),
        (["--jobs", "65"], "--jobs: expected a number from 1 to 64, got '65'"),
        (["--out", "/dev/null"], "--out /dev/null: expected a folder that can be written, got: "),
        (["--samples", "1"], "unrecognized arguments: --samples 1"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_told_in_a_line(
    toy: Project, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    try:
        code = main(words, toy.root)
    except SystemExit as error:
        code = int(str(error.code))
    told = capsys.readouterr().err
    assert (code, told.count("Traceback")) == (3, 0)
    assert says in told


def test_an_entry_that_fits_nothing_is_wrong_usage(toy: Project, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"file": "toy/sums.py", "operator": "AddNot", "line": "gone()", "becomes": "pass", "reason": "It was."}
    entry = "\n".join(f"{name} = {json.dumps(text)}" for name, text in fields.items())
    (toy.root / equivalents.FILE).write_text(f"[[equivalent]]\n{entry}\n")
    assert main(["--list"], toy.root) == 3
    assert "expected entries that fit the source, got toy/sums.py: AddNot: gone()" in capsys.readouterr().err


def test_a_list_shows_the_sample_and_runs_nothing(toy: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--sample", "2", "--seed", "7"], toy.root) == 0
    listed = capsys.readouterr().out
    assert listed.count("+++ b/toy/sums.py") == 2
    first = listed.split()[0]
    assert main(["--list", "--only", first], toy.root) == 0
    assert capsys.readouterr().out == listed.partition("\n\n")[0] + "\n\n"
    assert not (toy.root / "reports").exists()


def test_a_sample_is_measured_and_reported(toy: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [
        toys.mutant(toy, "return left + right", "ReplaceBinaryOperator_Add_Sub").id,
        toys.mutant(toy, "return left + right", "ReplaceBinaryOperator_Add_Mul").id,
        toys.mutant(toy, "return value * 2", "NumberReplacer").id,
    ]
    words = [word for name in chosen for word in ("--only", name)] + ["--out", str(tmp_path / "out")]
    assert main([*words, "--at-least", "33"], toy.root) == 0
    said = capsys.readouterr().out
    assert "noticed 1 of 3 mutants, 33 % (1 failed, 0 undecided, 0 start, 0 limit); by a verdict 33 %" in said
    assert f"{chosen[1]}  survived: 1 tests passed over it" in said
    assert "+    return left * right" in said
    (folder,) = (tmp_path / "out").iterdir()
    report = json.loads((folder / "mutation.json").read_text())
    outcomes = {mutant["id"]: mutant["outcome"] for mutant in report["mutants"]}
    assert outcomes == dict(zip(chosen, ["failed", "survived", "not_run"], strict=True))
    assert (report["complete"], report["summary"]["counted"], report["seed"]) == (True, 3, None)
    assert {name: share["counted"] for name, share in report["by"]["kind"].items()} == {"arithmetic": 2, "constant": 1}
    page = (folder / "index.html").read_text()
    assert all(name in page for name in chosen)
    assert "suites/sums/test_sums.py::test_a_sum" in page
    assert main([*words, "--at-least", "34"], toy.root) == 1


@pytest.fixture
def running(toy: Project, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the command with a mutant that never ends."""
    endless = toys.mutant(toy, "done += 1", "RemoveStatement").id
    argv = [sys.executable, "-c", RUN, str(toy.root), "--only", endless, "--jobs", "1", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(toys.ROOT)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupt_reports_what_was_measured_and_leaves_nothing(
    running: "subprocess.Popen[str]", toy: Project, tmp_path: Path, number: signal.Signals
) -> None:
    assert running.stdout is not None
    assert running.stdout.readline().startswith("honest run of sums: 3 tests")
    below = wait_until(lambda: _deep(running.pid), 20, "the run of the mutant")
    (folder,) = {Path(word) for pid in below for word in command_line(pid) if Path(word).name.startswith(PREFIX)}
    assert folder.is_dir()
    running.send_signal(number)
    code = running.wait(20)
    wait_until(lambda: not any(map(process_alive, below)), 10, "all processes to end")
    if number is not signal.SIGKILL:
        assert code == 130
        report = json.loads(next((tmp_path / "out").glob("*/mutation.json")).read_text())
        assert (report["complete"], report["mutants"], report["drawn"]) == (False, [], 1)
    wait_until(lambda: not folder.exists(), 10, "the temporary folder to go")


def _deep(pid: int) -> list[int] | None:
    """Return the processes below one, once the worker below it has a child."""
    below = _below(pid)
    return below if len(below) >= 3 else None  # the sweeper of the folder, the worker, and its run


def _below(pid: int) -> list[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
    ]
    return children + [deeper for child in children for deeper in _below(child)]
