"""The suite's entry point in a pod: what it runs, what it leaves, and what Sonobuoy finds, whatever happens."""

import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from selftest.images.conftest import Load

ROOT = Path(__file__).resolve().parents[2]

# A suite that leaves a run's folder as the real one does; its last argument is the exit code.
SUITE = """
import sys
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--out") + 1])
run = out / "20260101-000000-1"
(run / "diagnostics").mkdir(parents=True)
(run / "report.json").write_text('{"verdict": "pass"}')
(run / "junit.xml").write_text("<testsuites/>")
(run / "diagnostics" / "pods.txt").write_text(" ".join(sys.argv[1:]))
(out / "latest").symlink_to(run.name)
sys.exit(int(sys.argv[-1]))
"""


@pytest.fixture
def certify(suite: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("TOUCHSTONE_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("SONOBUOY_RESULTS_DIR", raising=False)
    # This process is pytest's: its signals stay its own.
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return suite("certify")


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_is_the_suites_and_the_report_is_in_the_log(
    certify: ModuleType, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certify.main([str(code)], [sys.executable, "-c", SUITE]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["----- BEGIN report.json -----", '{"verdict": "pass"}', "----- END report.json -----"]


def test_it_certifies_a_cluster_and_writes_to_volumes_only(certify: ModuleType, tmp_path: Path) -> None:
    assert certify.SUITE[1:] == ["-m", "pytest", "suites", "--target", "cluster", "--saboteur", "--gate", "strict"]
    certify.main(["--kafka=kafka:9092", "0"], [sys.executable, "-c", SUITE])
    told = (tmp_path / "results" / "latest" / "diagnostics" / "pods.txt").read_text()
    assert told == (f"-p no:cacheprovider -n 2 --dist loadscope -v --out {tmp_path / 'results'} --kafka=kafka:9092 0")


TESTS = """
import time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(3))
def test_at_once(number):
    pass

def test_last():
    end = time.monotonic() + 60
    while not Path(__file__).with_name("seen").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
"""


def test_the_log_has_whole_lines_while_the_suite_runs(certify: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "test_it.py", *certify.IN_A_POD]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        # The last test waits for this one to have read a line of an earlier test: else it fails.
        line = next((line for line in run.stdout if "PASSED" in line), "")
        (tmp_path / "seen").touch()
        rest = run.stdout.read()
    assert "test_at_once" in line
    assert run.returncode == 0, rest


@pytest.mark.parametrize("code", [0, 1])
def test_sonobuoy_gets_one_archive_and_is_told_of_it_last(
    certify: ModuleType, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sonobuoy"
    monkeypatch.setenv("SONOBUOY_RESULTS_DIR", str(folder))
    certify.main([str(code)], [sys.executable, "-c", SUITE])
    archive = Path((folder / "done").read_text())
    with tarfile.open(archive) as packed:
        assert {"junit.xml", "report.json", "diagnostics/pods.txt"} <= set(packed.getnames())
    assert {path.name for path in folder.iterdir()} == {"done", archive.name}


def test_sonobuoy_is_told_of_a_suite_that_did_not_begin(
    certify: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONOBUOY_RESULTS_DIR", str(tmp_path))
    assert certify.main([], [sys.executable, "-c", "raise SystemExit(3)"]) == 3
    with tarfile.open((tmp_path / "done").read_text()) as packed:
        assert packed.getnames() == ["error.txt"]
    assert "no report.json" in capsys.readouterr().out


def test_an_earlier_runs_report_on_the_same_volume_is_not_this_ones(
    certify: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certify.main(["0"], [sys.executable, "-c", SUITE]) == 0
    capsys.readouterr()
    assert certify.main([], [sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert capsys.readouterr().out == "touchstone: there is no report.json; the output above says why\n"


def test_a_suite_that_was_killed_decided_nothing(certify: ModuleType) -> None:
    assert certify.main([], [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 2


def test_a_request_to_end_reaches_the_suite(tmp_path: Path) -> None:
    suite = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
        "print('up', flush=True); time.sleep(60)"
    )
    program = (
        f"import sys; from images.suite.certify import main; sys.exit(main([], [sys.executable, '-c', {suite!r}]))"
    )
    environment = {"TOUCHSTONE_RESULTS": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.wait(timeout=50) == 7  # before the suite would end by itself
