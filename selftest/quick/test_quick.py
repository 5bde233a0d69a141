"""The quick loop runs what a change touches, and says what it leaves out."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.changes import GitError, changed
from selftest.quick.affected import affected

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("file", "first", "never"),
    [
        ("embedded/dataplane/backoff.py", "selftest/embedded_dataplane/", "selftest/evidence/"),
        ("evidence/order.py", "", "selftest/evidence/"),
        ("evidence/checks/order.py", "selftest/evidence/", "selftest/embedded_api/"),
        ("suites/catalogue/eventing.toml", "selftest/evidence/", "selftest/embedded_api/"),
        ("manifests/platform/components.toml", "selftest/platform/", "selftest/evidence/"),
        ("README.md", "selftest/docs/", "selftest/walkthrough/"),
        ("selftest/evidence/test_verdicts.py", "selftest/evidence/test_verdicts.py", "selftest/reports/"),
    ],
)
def test_a_change_touches_the_tests_above_it(file: str, first: str, never: str) -> None:
    tests = affected(ROOT, [file])
    assert all(not name.startswith(never) for name in tests)
    assert tests == [] if not first else tests[0].startswith(first)


def test_what_starts_whole_platforms_is_left_out() -> None:
    tests = affected(ROOT, ["fixtures/processes/children.py", "README.md"])
    assert "selftest/fixtures/test_processes.py" in tests
    assert not {"selftest/walkthrough/test_readme.py", "selftest/fixtures/test_kube_client.py"} & set(tests)


def test_changed_files_are_those_that_differ_and_those_that_are_new(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True)

    for name in ("same", "edited"):
        (tmp_path / name).write_text("before")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    (tmp_path / "edited").write_text("after")
    (tmp_path / "new").touch()
    assert changed(tmp_path, "HEAD") == ["edited", "new"]
    with pytest.raises(GitError, match="nowhere"):
        changed(tmp_path, "nowhere")


def test_a_budget_ends_the_session_between_two_tests(tmp_path: Path) -> None:
    (tmp_path / "test_three.py").write_text(
        "import time\ndef test_a(): time.sleep(0.2)\ndef test_b(): pass\ndef test_c(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    command += ["-p", "selftest.quick.budget", "--within=0.1", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert "1 passed" in done.stdout
    assert "2 tests were left out" in done.stdout
