"""The command `python -m benchmarks` (`tox -e bench`): it prints figures; --write keeps them in docs/performance.md."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import checks, probe, runs
from benchmarks.figures import Figure, machine, render_table
from fixtures.processes.interrupts import Interrupts
from fixtures.processes.parent import end_with_parent
from fixtures.processes.streams import outlast_readers
from fixtures.targets.base import TargetInfo

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
INTERRUPTED = 130

BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "checks": checks.measure,
    "probe": lambda: probe.measure(TargetInfo("none")),
    "runs": runs.measure,
}


def main() -> int:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"the benchmarks: {', '.join(BENCHES)} (default: all)")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md; only with all benchmarks")
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHES)
    if unknown or (options.write and options.names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}" if unknown else "--write needs all benchmarks")
    interrupts = Interrupts()
    interrupts.install()
    outlast_readers()
    end_with_parent()
    try:
        return _measure(options.names or list(BENCHES), write=options.write)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201 - this is a command
        return INTERRUPTED


def _measure(names: Sequence[str], *, write: bool) -> int:
    figures = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)  # noqa: T201 - this is a command
        figures += BENCHES[name]()
    text = f"Measured by `tox -e bench` on: {machine()}.\n\n{render_table(figures)}\n"
    print(text)  # noqa: T201
    if write:
        PAGE.write_text(f"# Performance\n\n{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
