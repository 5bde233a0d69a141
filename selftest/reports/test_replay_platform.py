"""A failing case on the embedded platform, from its run to the file in an issue: played, made small, done by hand."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evidence import catalogue as catalogues
from evidence.stimulus import read, steps_of
from fixtures.waiting import wait_until
from reports import build
from reports.replay.extracting import extract
from reports.replay.reducing import size_of
from selftest.walkthrough.conftest import up
from selftest.warm.running import run as run_command

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = catalogues.load(ROOT / "suites" / "catalogue")
MUTANT = "attributes-ored"
REQUIREMENT = "EVT-FLT-002"
TEST = "test_all_attributes_of_a_filter_must_match"
TESTS = "suites/eventing/test_filters.py"

__all__ = ["up"]

pytestmark = pytest.mark.timeout(900)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours to its end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_"))}
    return run_command([sys.executable, "-m", *words], env=environment, timeout=800)


def session(out: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return run("pytest", "-q", "-n0", "-p", "no:cacheprovider", "--default-path", "suites", f"--out={out}", *words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


@pytest.fixture(scope="module")
def failed(folder: Path) -> Path:
    """Return a run in which the mutant fails the case."""
    done = session(folder / "failed", f"{TESTS}::{TEST}", "--mutant", MUTANT)
    assert done.returncode == 1, done.stdout + done.stderr
    return (folder / "failed" / "latest").resolve()


@pytest.fixture(scope="module")
def replayed(folder: Path, failed: Path) -> tuple[Path, dict[str, Any], str]:
    """Return the file of the smallest case, what the command said of it, and its progress."""
    file = folder / f"{REQUIREMENT}.replay.md"
    words = ["--mutant", MUTANT, "--out", str(file), "--again", "1", "--attempts", "16", "--json"]
    done = run("reports", "replay", str(failed), TEST, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    return file, json.loads(done.stdout), done.stderr


def test_the_case_becomes_smaller_and_still_fails_by_the_same_claim(
    failed: Path, replayed: tuple[Path, dict[str, Any], str]
) -> None:
    file, told, progress = replayed
    recorded, smallest = extract(failed / "history.ndjson", TEST).stimulus, read(file)
    assert (told["requirement"], told["failed"], told["plays"]) == (REQUIREMENT, 1, 1)
    assert (told["before"], told["after"]) == (size_of(recorded), size_of(smallest))
    assert size_of(recorded)["events"] > size_of(smallest)["events"]
    assert size_of(recorded)["claims"] > size_of(smallest)["claims"] == 1
    assert told["attempts"] <= 16
    assert told["reference"] == "The reference platform passes it."
    assert steps_of(smallest)[-1]["check"] == told["check"] == steps_of(recorded)[-1]["check"]  # type: ignore[typeddict-item]
    assert "attempts: " in progress


@pytest.mark.parametrize(("words", "code", "verdict"), [(["--mutant", MUTANT], 1, "fail"), ([], 0, "pass")])
def test_the_file_is_red_under_the_mutant_and_green_on_the_honest_platform(
    folder: Path, replayed: tuple[Path, dict[str, Any], str], words: list[str], code: int, verdict: str
) -> None:
    out = folder / f"played-{verdict}"
    done = session(out, "--replay", str(replayed[0]), *words)
    assert done.returncode == code, done.stdout + done.stderr
    report = build.build(out / "latest" / "history.ndjson", CATALOGUE)
    tests = [test for result in report.results for test in result.tests] + list(report.mutant_tests)
    assert {(test.node, test.verdict) for test in tests} == {(f"replay:{replayed[0].name}::test_replay", verdict)}


def test_what_does_not_fail_again_is_said(folder: Path, failed: Path) -> None:
    file = folder / "none.md"
    done = run("reports", "replay", str(failed), TEST, "--again", "1", "--out", str(file))
    assert (done.returncode, done.stdout) == (0, "does not fail again, 0 of 1\n"), done.stderr
    assert f"--mutant {MUTANT} asks for it again" in done.stderr
    assert not file.exists()


class Sink(BaseHTTPRequestHandler):
    """Answers 200 and keeps what it gets."""

    got: list[dict[str, str]]

    def do_POST(self) -> None:
        """Take a delivery."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.got.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def sink() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield the URL of a subscriber, and what it gets."""
    got: list[dict[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Sink,), {"got": got}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.skipif(not (shutil.which("kubectl") and shutil.which("curl")), reason="needs kubectl and curl")
def test_the_lines_for_a_shell_show_the_fault_by_hand(
    replayed: tuple[Path, dict[str, Any], str], up: dict[str, str], sink: tuple[str, list[dict[str, str]]]
) -> None:
    """The mutant delivers what the filter leaves out: the lines alone make the sink get it."""
    url, got = sink
    (lines,) = re.findall(r"^```shell\n(.*?)^```$", replayed[0].read_text(), re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["sh", "-euc", lines], env={**up, "SINK_1": url}, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    smallest = read(replayed[0])
    assert done.stdout.splitlines().count("202") == size_of(smallest)["events"]
    wanted = [step for step in steps_of(smallest) if step["step"] == "claim"][-1]["args"]["event"]["id"]
    wait_until(lambda: wanted in [headers.get("ce-id") for headers in got], 60, "the sink to get the event")
