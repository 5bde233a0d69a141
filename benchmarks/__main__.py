"""The command `python -m benchmarks` (`tox -e bench`): it prints figures; --write keeps them in docs/performance.md."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import checks, driver, loops, probe, runs
from benchmarks.figures import Figure, machine, render_table
from fixtures.processes.interrupts import Interrupts
from fixtures.processes.parent import end_with_parent
from fixtures.processes.streams import outlast_readers
from fixtures.targets.base import TargetInfo

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BY_HAND = "\n## By other commands\n"
"""The heading of what somebody has measured by hand: `--write` leaves it, and all behind it, as it is."""
INTERRUPTED = 130
NOTES = """\
The load driver is pinned to one core; who answers it is a cheap server on another one, since a sink of the probe costs
more than to send to it. An event costs less at 5000/s than at 1000/s: one wake-up then serves several.

Collection and first test include starting Python and pytest, as the peer does. The plan's bounds: a warm run 60 s, the
first test 8 s, the kill matrix 4 minutes on two cores, 500,000 records a second through the checks; the last holds for
tests with a few expectations, not for thousands of them. `tox -e dev` may take 30 s, `tox -e selftest` 180 s.
`before` is what was measured when the catalogue was smaller. `tox -e bench -- --slow --write` writes this page down to
here; nothing else may run on the machine meanwhile.
"""

BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "checks": checks.measure,
    "probe": lambda: probe.measure(TargetInfo("none")),
    "driver": lambda: driver.measure(TargetInfo("none")),
    "runs": runs.measure,
    "loops": loops.measure,
}
SLOW = ("loops",)


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `names` are the benchmarks to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"the benchmarks: {', '.join(BENCHES)} (default: all but {SLOW[0]})"
    )
    parser.add_argument(
        "--slow", action="store_true", help=f"{SLOW[0]} too: `tox -e dev` and `tox -e selftest`, minutes"
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md; only with --slow and no NAME")
    options = parser.parse_args(words)
    unknown = set(options.names) - set(BENCHES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    if options.write and (options.names or not options.slow):
        parser.error("--write needs all benchmarks: expected --slow and no NAME")
    options.names = options.names or [name for name in BENCHES if options.slow or name not in SLOW]
    return options


def main() -> int:
    """Run the benchmarks that were asked for."""
    options = parse()
    interrupts = Interrupts()
    interrupts.install()
    outlast_readers()
    end_with_parent()
    try:
        return _measure(
            options.names or [name for name in BENCHES if options.slow or name not in SLOW], write=options.write
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201 - this is a command
        return INTERRUPTED


def _measure(names: Sequence[str], *, write: bool) -> int:
    figures = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)  # noqa: T201 - this is a command
        figures += BENCHES[name]()
    text = f"Measured by `tox -e bench -- --slow` on: {machine()}.\n\n{render_table(figures)}\n"
    print(text)  # noqa: T201
    if write:
        _, heading, kept = PAGE.read_text(encoding="utf-8").partition(BY_HAND)
        PAGE.write_text(f"# Performance\n\n{text}\n{NOTES}{heading}{kept}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
