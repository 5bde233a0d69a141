"""The suite as a pod: it runs the whole catalogue against its own cluster, and leaves the reports behind.

    python -m images.suite.certify [options of the suite]

It runs `pytest suites --target cluster --saboteur --gate strict` with those options, and ends with its exit code. The
run's folder is left under $TOUCHSTONE_RESULTS (a volume; default /results), and report.json goes to standard output, so
that it outlives the pod in its log. Where Sonobuoy runs it ($SONOBUOY_RESULTS_DIR), all goes into one archive, named in
the file `done`, which Sonobuoy waits for: it is written whatever happens.
"""

import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

SUITE = [sys.executable, "-m", "pytest", "suites", "--target", "cluster", "--saboteur", "--gate", "strict"]
# Nothing is written outside the volumes. One line for each test: a container's log shows only whole lines.
IN_A_POD = ["-p", "no:cacheprovider", "-n", "2", "--dist", "loadscope", "-v"]
ARCHIVE = "touchstone.tar.gz"
DONE = "done"
UNDECIDED, USAGE = 2, 3
# The exit code of pytest for an option that it does not know.
PYTEST_USAGE = 4


def main(options: Sequence[str], suite: Sequence[str] = SUITE) -> int:
    """Run the suite and leave its results; return its exit code."""
    results = Path(os.environ.get("TOUCHSTONE_RESULTS") or "/results")
    sonobuoy = os.environ.get("SONOBUOY_RESULTS_DIR")
    code, before = UNDECIDED, latest(results)
    try:
        code = run([*suite, *IN_A_POD, "--out", str(results), *options])
        print_report(latest(results, before), code)
    finally:
        if sonobuoy:
            hand_over(latest(results, before), Path(sonobuoy), code)
    return code


def latest(results: Path, before: Path | None = None) -> Path | None:
    """Return the folder of the latest run; None when it is `before`, of an earlier pod with the same volume."""
    link = results / "latest"
    return link.resolve() if link.is_dir() and link.resolve() != before else None


def run(command: Sequence[str]) -> int:
    """Run a command to its end and return its exit code; signals go to the command, which cleans the cluster up."""
    with subprocess.Popen(command) as process:

        def pass_on(number: int, frame: FrameType | None) -> None:
            del frame
            process.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, pass_on)
        code = process.wait()
    if code < 0:
        # Killed, out of memory most likely: nothing was decided.
        return UNDECIDED
    return USAGE if code == PYTEST_USAGE else code


def print_report(run_dir: Path | None, code: int) -> None:
    """Print a run's report between two marker lines, by which it can be found in a log."""
    report = run_dir / "report.json" if run_dir else None
    if report is None or not report.is_file():
        if code:
            print("touchstone: there is no report.json; the output above says why", flush=True)
        return
    print(
        "----- BEGIN report.json -----",
        report.read_text().rstrip(),
        "----- END report.json -----",
        sep="\n",
        flush=True,
    )


def hand_over(run_dir: Path | None, folder: Path, code: int) -> None:
    """Hand a run's files to Sonobuoy, which reads the archive's junit.xml and keeps the rest."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / ARCHIVE
    with tarfile.open(archive, "w:gz") as packed:
        if run_dir:
            for path in sorted(run_dir.iterdir()):
                packed.add(path, path.name)
        else:
            note = folder / "error.txt"
            note.write_text(f"The suite ended with exit code {code} before it made a report; the pod's log says why.\n")
            packed.add(note, note.name)
    # Written beside and renamed, so that Sonobuoy never reads a partial name.
    part = folder / f".{DONE}.part"
    part.write_text(str(archive))
    part.replace(folder / DONE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
