"""`python -m mutation` (`tox -e mutate`): random faults in the system under test, and the share that the suite notices.

Each mutant is one change that an operator makes at a place chosen by a seed. The tests that execute the place in an
honest run are run on it, in a copy of the checkout, within limits of time and memory. The exit code is 0, or 1 when
fewer were noticed than `--at-least` asks for; 2 when something could not be measured, 3 for wrong usage, 130 after an
interrupt.
"""

import argparse
import datetime as dt
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from common import files
from common.errors import TouchstoneError, UnknownNameError, UsageError
from fixtures.processes.interrupts import Interrupts
from fixtures.processes.parent import end_with_parent
from fixtures.processes.streams import outlast_readers
from fixtures.processes.temporary import temporary_folder
from mutation import equivalents, project, report, sampling
from mutation.campaign import Campaign
from mutation.outcomes import Finding, Outcome
from mutation.project import Project
from mutation.report import Sample
from mutation.sampling import Mutant

ROOT = Path(__file__).resolve().parents[1]
BELOW, OURS, USAGE, INTERRUPTED = 1, 2, 3, 130
MOST_JOBS = 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"tox -e mutate: {message}\n")
        raise AssertionError("exit does not return")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = _Parser(
        prog="tox -e mutate --",
        description=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--sample", type=_positive, default=100, metavar="N", help="how many mutants (default: 100)")
    options.add_argument("--seed", type=int, default=1, metavar="S", help="chooses them (default: 1)")
    options.add_argument(
        "--room", action="append", default=[], metavar="NAME", help="only of this room; may repeat (default: all)"
    )
    options.add_argument(
        "--only", action="append", default=[], metavar="ID", help="this mutant, instead of a sample; may repeat"
    )
    options.add_argument("--list", action="store_true", help="show the mutants, and run nothing")
    options.add_argument(
        "--at-least", type=_percent, metavar="SHARE", help="exit with 1 when less than so many percent are noticed"
    )
    options.add_argument(
        "--jobs",
        type=_jobs,
        default=3,
        metavar="N",
        help="how many run side by side; each waits for most of its time (default: 3)",
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="folder of reports (default: reports/out)")
    return options


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def _jobs(text: str) -> int:
    if (number := _positive(text)) > MOST_JOBS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {MOST_JOBS}, got {text!r}")
    return number


def _percent(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 100:
        raise argparse.ArgumentTypeError(f"expected percent, from 0 to 100, got {text!r}")
    return share


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command and return the exit code.

    Args:
        argv: The words of the command line; None: those of this process.
        root: The folder of the checkout.
    """
    options = parser().parse_args(argv)
    interrupts = Interrupts()
    interrupts.install()
    outlast_readers()
    end_with_parent()
    try:
        described = project.read(root)
        mutants = _chosen(described, options)
        if options.list:
            _list(mutants)
            return 0
        out = _folder(root, options.out)
        return _measure(described, mutants, options, out, interrupts)
    except (UsageError, UnknownNameError) as error:
        sys.stderr.write(f"tox -e mutate: {error}\n")
        return USAGE
    except (TouchstoneError, OSError) as error:
        sys.stderr.write(f"tox -e mutate: {error}\n")
        return OURS
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    finally:
        interrupts.uninstall()


def _chosen(described: Project, options: argparse.Namespace) -> list[Mutant]:
    rooms = described.chosen(options.room)
    known = equivalents.read(described.root)
    if unfit := sampling.unfit(described.root, list(described.rooms.values()), known):
        entries = "; ".join(f"{entry.file}: {entry.operator}: {entry.line}" for entry in unfit)
        raise UsageError(f"{equivalents.FILE}: expected entries that fit the source, got {entries}")
    if options.only:
        return sampling.by_id(described.root, rooms, list(dict.fromkeys(options.only)))
    return sampling.draw(described.root, rooms, known, options.seed, options.sample)


def _list(mutants: Sequence[Mutant]) -> None:
    for mutant in mutants:
        _say(f"{mutant.id}  {mutant.room}  {mutant.site.kind}  {mutant.change.operator}\n{mutant.diff}\n")


def _folder(root: Path, out: Path | None) -> Path:
    """Make the folder of the report.

    Raises:
        UsageError: It cannot be made.
    """
    place = out or root / "reports" / "out"
    folder = place / f"mutate-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    try:
        files.make_folder(folder)
    except OSError as error:
        raise UsageError(f"--out {place}: expected a folder that can be written, got: {error.strerror}") from error
    return folder


def _measure(
    described: Project, mutants: Sequence[Mutant], options: argparse.Namespace, out: Path, interrupts: Interrupts
) -> int:
    began = time.monotonic()
    findings: list[Finding] = []
    complete = False
    with temporary_folder() as folder:
        campaign = Campaign(described, folder, options.jobs)
        try:
            with campaign:
                complete = _find(campaign, mutants, findings, interrupts)
        finally:
            seed = None if options.only else options.seed
            rooms = [room.name for room in described.chosen(options.room)]
            honest = list(campaign.honest.values())
            sample = Sample(seed, rooms, len(mutants), findings, honest, time.monotonic() - began, complete)
            report.write(sample, out)
    _say(f"\n{report.table(sample)}\n\n{report.summary(sample)}\nreport: {out / report.PAGE}")
    if not complete:
        return INTERRUPTED
    if any(finding.outcome is Outcome.OURS for finding in findings):
        return OURS
    return BELOW if options.at_least is not None and (sample.share.percent or 0.0) < options.at_least else 0


def _find(campaign: Campaign, mutants: Sequence[Mutant], findings: list[Finding], interrupts: Interrupts) -> bool:
    """Run all mutants and tell of each; return whether that came to its end. What comes then cannot be interrupted."""
    try:
        for run in campaign.measure_honest(mutants):
            _say(f"honest run of {run.area}: {len(run.tests)} tests in {run.seconds:.1f} s")
        for finding in campaign.test(mutants):
            findings.append(finding)
            _say(_progress(finding, len(findings), len(mutants)))
    except KeyboardInterrupt:
        return False
    finally:
        interrupts.hold()
    return True


def _progress(finding: Finding, number: int, count: int) -> str:
    mutant = finding.mutant
    place = f"{mutant.site.file}:{mutant.site.last}"
    how = f"{finding.asked} tests, {finding.seconds:.1f} s, CPU {finding.cpu:.1f} s"
    by = f"  {finding.by or finding.reason}" if finding.by or finding.reason else ""
    return f"[{number:>3}/{count}] {mutant.id} {finding.outcome:9}  {place} {mutant.change.operator} ({how}){by}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
