"""Mutants of a small project, run: each outcome, the limits, and that nothing is left of a run."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mutation import honest
from mutation.campaign import Campaign
from mutation.honest import HonestError
from mutation.outcomes import Finding, Outcome
from mutation.project import Project
from mutation.sampling import Mutant
from mutation.tree import Tree
from mutation.workers import Worker, WorkerError
from selftest.interrupts.processes import command_line, descendants
from selftest.mutation import toys

SUMS = "suites/sums/test_sums.py"
ENDLESS = "import time\n\ndef add(left, right):\n    while True:\n        {}\n"
UNDECIDED = """
import pathlib
LEAST = 3

def add(left, right):
    return left + right

def count(steps):
    calls = pathlib.Path("{file}")
    calls.write_text(calls.read_text() + "." if calls.exists() else ".")
    if len(calls.read_text()) <= {errors}:
        raise Undecided
    return steps

def fill(blocks):
    return blocks

class Undecided(Exception):
    pass
"""

# Four forks of a process with 200 MiB, of which none writes to it: 1,000 MiB by a quick count.
SHARING = """
import os, signal, time
LEAST, FIRST = 3, os.getpid()

def add(left, right):
    shared, forks = bytearray(200 << 20), []
    while os.getpid() == FIRST and len(forks) < 4:
        forks.append(os.fork())
    time.sleep(3 if os.getpid() == FIRST else 100)
    for fork in forks:
        os.kill(fork, signal.SIGKILL)
        os.waitpid(fork, 0)
    return left + right
"""


class Toy:
    """The small project, measured honestly, with one worker."""

    def __init__(self, campaign: Campaign, project: Project) -> None:
        self.campaign = campaign
        self.project = project
        (self.honest,) = campaign.measure_honest([self.mutant("done += 1", "RemoveStatement")])

    def mutant(self, text: str, operator: str, source: str | None = None) -> Mutant:
        """Return a mutant by line and operator; with another source in the place of what the operator makes."""
        mutant = toys.mutant(self.project, text, operator)
        return mutant if source is None else replace(mutant, source=source)

    def find(self, text: str, operator: str, source: str | None = None) -> Finding:
        """Run a mutant."""
        (finding,) = self.campaign.test([self.mutant(text, operator, source)])
        return finding


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    """Measure the small project honestly, and keep its worker."""
    folder = tmp_path_factory.mktemp("toy")
    project = toys.make(folder / "project")
    with Campaign(project, folder / "work", 1) as campaign:
        yield Toy(campaign, project)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can wait for."""
    monkeypatch.setattr(honest, "SPARE_WALL", 20.0)
    monkeypatch.setattr(honest, "SPARE_CPU", 2.0)
    monkeypatch.setattr(honest, "MEMORY", 400 << 20)


def working() -> list[list[str]]:
    """Return the command lines of what runs below a worker."""
    lines = {pid: command_line(pid) for pid in descendants()}
    return [lines[pid] for pid, parent in descendants().items() if "mutation.worker" in lines.get(parent, ())]


def test_the_honest_run_tells_the_tests_and_which_lines_each_executes(toy: Toy) -> None:
    tests = [f"{SUMS}::test_a_sum", f"{SUMS}::test_a_count", f"{SUMS}::test_a_filling"]
    assert list(toy.honest.tests) == list(toy.honest.passed) == tests
    lines = toys.PACKAGE.splitlines()
    executed = {
        text: toy.honest.lines.get(("toy/sums.py", lines.index(text) + 1))
        for text in ("LEAST: int = 3", "    return left + right", "        done += 1", "    return value * 2")
    }
    assert executed == {
        "LEAST: int = 3": {0},
        "    return left + right": {1},
        "        done += 1": {2},
        "    return value * 2": None,
    }


def test_tests_that_execute_the_line_are_asked_and_all_when_a_module_does(toy: Toy) -> None:
    inside = toy.campaign.seeing(toy.mutant("done += 1", "RemoveStatement"))
    outside = toy.campaign.seeing(toy.mutant("LEAST: int = 3", "NumberReplacer"))
    assert inside == [f"{SUMS}::test_a_count"]
    assert sorted(outside) == sorted(toy.honest.tests)


def test_what_one_test_deploys_serves_the_others_in_an_area_that_shares(toy: Toy) -> None:
    site = toy.mutant("done += 1", "RemoveStatement").site
    assert toy.honest.seeing(site, shared=True) == [
        f"{SUMS}::test_a_count",
        f"{SUMS}::test_a_sum",
        f"{SUMS}::test_a_filling",
    ]


def test_a_failing_test_notices_it(toy: Toy) -> None:
    finding = toy.find("return left + right", "ReplaceBinaryOperator_Add_Sub")
    assert (finding.outcome, finding.by) == (Outcome.FAILED, f"SUM-001 {SUMS}::test_a_sum")
    assert "assert 0 == 4" in finding.reason
    assert finding.passed == ()


def test_a_survivor_names_the_tests_that_passed_over_it(toy: Toy) -> None:
    finding = toy.find("return left + right", "ReplaceBinaryOperator_Add_Mul")
    assert (finding.outcome, finding.passed) == (Outcome.SURVIVED, (f"{SUMS}::test_a_sum",))
    assert finding.asked == 1


def test_a_line_that_no_test_runs_costs_no_run(toy: Toy) -> None:
    finding = toy.find("return value * 2", "NumberReplacer")
    assert (finding.outcome, finding.seconds) == (Outcome.NOT_RUN, 0.0)


def test_a_module_that_does_not_start_is_noticed_at_start(toy: Toy) -> None:
    finding = toy.find("LEAST: int = 3", "NumberReplacer", "raise RuntimeError('no start')\n")
    assert finding.outcome is Outcome.START
    assert "RuntimeError: no start" in finding.reason


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [(1, Outcome.SURVIVED), (2, Outcome.UNDECIDED), (9, Outcome.UNDECIDED)],
    ids=["once", "twice", "always"],
)
def test_what_is_undecided_is_asked_again(toy: Toy, tmp_path: Path, errors: int, outcome: Outcome) -> None:
    finding = toy.find("LEAST: int = 3", "NumberReplacer", UNDECIDED.format(file=tmp_path / "calls", errors=errors))
    assert finding.outcome is outcome
    assert (f"{SUMS}::test_a_count" in finding.by) == (outcome is Outcome.UNDECIDED)
    assert {f"{SUMS}::test_a_sum", f"{SUMS}::test_a_filling"} <= set(finding.passed)


def test_a_verdict_behind_an_undecided_test_says_more(toy: Toy, tmp_path: Path) -> None:
    source = UNDECIDED.format(file=tmp_path / "calls", errors=9).replace("return blocks", "return 7")
    finding = toy.find("LEAST: int = 3", "NumberReplacer", source)
    assert (finding.outcome, finding.by) == (Outcome.FAILED, f"SUM-001 {SUMS}::test_a_filling")
    assert finding.passed == (f"{SUMS}::test_a_sum",)


def test_a_run_without_a_report_is_a_fault_of_ours(toy: Toy) -> None:
    finding = toy.find("LEAST: int = 3", "NumberReplacer", "import os\nos._exit(7)\n")
    assert finding.outcome is Outcome.OURS
    assert "the run ended with 7 and left no report" in finding.reason


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        (ENDLESS.format("pass"), "cpu"),
        (ENDLESS.format("kept = bytearray(500 << 20); time.sleep(100)"), "memory"),
        (ENDLESS.format("time.sleep(1)"), "wall"),
        ("import subprocess, sys\n" + ENDLESS.format("subprocess.Popen([sys.executable, '-c', 'while True: pass'], "
         "start_new_session=True).wait()"), "cpu"),
    ],
    ids=["loop", "memory", "sleep", "child-in-a-session-of-its-own"],
)  # fmt: skip
def test_a_mutant_without_an_end_is_ended_and_nothing_is_left(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, source: str, limit: str
) -> None:
    # Whatever the machine does beside: the other limits are far away.
    monkeypatch.setattr(honest, "SPARE_WALL", 1.0 if limit == "wall" else 100.0)
    monkeypatch.setattr(honest, "SPARE_CPU", 1.0 if limit == "cpu" else 100.0)
    finding = toy.find("return left + right", "ReplaceBinaryOperator_Add_Sub", source)
    assert (finding.outcome, finding.reason.partition(" after")[0]) == (Outcome.LIMIT, f"passed its limit of {limit}")
    assert working() == []


def test_what_asks_for_too_much_memory_at_once_is_refused_it(toy: Toy) -> None:
    source = "def add(left, right):\n    return len(bytearray(1 << 30))\n"
    finding = toy.find("return left + right", "ReplaceBinaryOperator_Add_Sub", source)
    assert finding.outcome is Outcome.FAILED
    assert "MemoryError" in finding.reason


def test_a_run_leaves_the_copy_as_it_was_and_the_users_files_alone(toy: Toy) -> None:
    assert toy.find("return left + right", "ReplaceBinaryOperator_Add_Sub").outcome is Outcome.FAILED
    assert toy.find("return left + right", "ReplaceBinaryOperator_Add_Mul").outcome is Outcome.SURVIVED
    assert (toy.project.root / "toy" / "sums.py").read_text() == toys.PACKAGE
    assert [file for file in (toy.project.root / "toy").iterdir() if file.suffix != ".py"] == []


def test_a_worker_that_is_not_ready_yet_ends_at_once(tmp_path: Path) -> None:
    project = toys.make(tmp_path / "project")
    (project.root / "toy" / "slow.py").write_text("import time\n\ntime.sleep(60)\n")
    worker = Worker(Tree(replace(project, preload="toy.slow"), tmp_path / "tree"), tmp_path / "runs").start()
    began = time.monotonic()
    worker.close()
    assert time.monotonic() - began < 40  # it would sleep for a minute
    assert working() == []
    with pytest.raises(WorkerError, match="a worker of the mutants ended: expected an answer, got none"):
        worker.wait_until_ready()


def test_an_honest_run_that_fails_measures_nothing(tmp_path: Path) -> None:
    project = toys.make(tmp_path / "project", toys.PACKAGE.replace("left + right", "left - right"))
    with Campaign(project, tmp_path / "work", 1) as campaign:
        mutant = toys.mutant(project, "done += 1", "RemoveStatement")
        with pytest.raises(HonestError, match=r"sums: expected every test to pass, got .*::test_a_sum: fail: "):
            list(campaign.measure_honest([mutant]))


def test_tests_that_enter_the_file_are_asked_before_the_others(toy: Toy) -> None:
    site = toy.mutant("LEAST: int = 3", "NumberReplacer").site
    count = toys.PACKAGE.splitlines().index("        done += 1") + 1
    run = replace(toy.honest, lines={("toy/sums.py", site.line): {0}, ("toy/sums.py", count): {2}})
    assert run.seeing(site, shared=False) == [f"{SUMS}::test_a_count", f"{SUMS}::test_a_sum", f"{SUMS}::test_a_filling"]


def test_areas_that_enter_the_file_are_asked_before_the_others(tmp_path: Path) -> None:
    project = toys.make(tmp_path / "project", areas=("sums", "others"))
    with Campaign(project, tmp_path / "work", 1) as campaign:
        mutant = toys.mutant(project, "LEAST: int = 3", "NumberReplacer")
        for run in list(campaign.measure_honest([mutant])):
            if run.area == "sums":  # as if only the module's own lines were executed there
                campaign.honest["sums"] = replace(run, lines={("toy/sums.py", mutant.site.line): {0}})
        areas = [test.split("/")[1] for test in campaign.seeing(mutant)]
    assert areas == ["others"] * 3 + ["sums"] * 3


def test_a_system_that_passes_area_by_area_and_not_in_one_process_measures_nothing(tmp_path: Path) -> None:
    counting = "_log.calls = getattr(_log, 'calls', 0) + 1"
    worn = toys.PACKAGE.replace("return left + right", f"{counting}; return left + right - (_log.calls > 1)")
    project = toys.make(tmp_path / "project", worn, ("sums", "others"))
    with Campaign(project, tmp_path / "work", 1) as campaign:
        mutant = toys.mutant(project, "done += 1", "RemoveStatement")
        assert len(list(campaign.measure_honest([mutant]))) == 2
        with pytest.raises(HonestError, match=r"the unchanged system, asked as the mutants of sums are: .*got failed"):
            list(campaign.test([mutant]))


def test_what_forks_share_is_counted_once(toy: Toy) -> None:
    finding = toy.find("return left + right", "ReplaceBinaryOperator_Add_Sub", SHARING)
    assert (finding.outcome, finding.reason) == (Outcome.SURVIVED, "")


def test_an_interrupt_before_all_workers_serve_ends_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = toys.make(tmp_path / "project")
    start, begun = threading.Thread.start, list[threading.Thread]()

    def interrupted(thread: threading.Thread) -> None:
        if begun:
            raise KeyboardInterrupt
        begun.append(thread)
        start(thread)

    def measure() -> None:
        with Campaign(project, tmp_path / "work", 2) as campaign:
            monkeypatch.setattr(threading.Thread, "start", interrupted)
            list(campaign.measure_honest([toys.mutant(project, "done += 1", "RemoveStatement")]))

    with pytest.raises(KeyboardInterrupt):
        measure()
    assert working() == []
