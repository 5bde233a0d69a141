"""`python -m selftest.interrupts` (`tox -e interrupts`): interrupt the documented commands at moments chosen by a seed.

Each command runs through the real tox and gets a signal. Afterwards nothing may be left: no process, no port, no
temporary folder; the report is there, lists every requirement and says why the run ended; the next command comes up.
"""

import argparse
import sys

from fixtures.errors import TouchstoneError
from fixtures.processes.interrupts import Interrupts
from fixtures.processes.parent import end_with_parent
from selftest.interrupts import processes
from selftest.interrupts.commands import find_tox, moments
from selftest.interrupts.moment import play

ROW = "{:>3}  {:9} {:8} {:9} {:>6} {:>8} {:>5} {:>9} {:>5} {:>7}  {:32} {}"
FAILED, OURS, INTERRUPTED = 1, 2, 130


def main() -> int:
    """Play the moments; returns 0 when everything holds at each of them."""
    parser = argparse.ArgumentParser(prog="python -m selftest.interrupts", description=__doc__)
    parser.add_argument("--moments", type=int, default=40, metavar="N", help="how many interrupts (default: 40)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="chooses the moments (default: 1)")
    parser.add_argument("--only", type=int, metavar="N", help="only the moment of this number, to look at it again")
    parser.add_argument(
        "--longest", type=float, default=20, metavar="S", help="a command runs so long at most before (default: 20)"
    )
    parser.add_argument(
        "--within", type=float, default=15, metavar="S", help="it must end in this time when asked to (default: 15)"
    )
    parser.add_argument(
        "--bound", type=float, default=150, metavar="S", help="it counts as hanging after this time (default: 150)"
    )
    options = parser.parse_args()
    Interrupts().install()
    end_with_parent()
    processes.adopt_orphans()
    try:
        return _play_all(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (FileNotFoundError, TouchstoneError) as error:
        sys.stderr.write(f"{error}\n")
        return OURS


def _play_all(options: argparse.Namespace) -> int:
    tox = find_tox()
    heads = ("", "command", "signal", "receiver", "after", "seconds", "exit", "processes", "ports", "folders")
    _say(ROW.format(*heads, "report", "next run"))
    failed = 0
    for number, moment in enumerate(moments(options.seed, options.moments, options.longest), start=1):
        if options.only not in (None, number):
            continue
        seen = play(moment, tox, options.within, options.bound)
        failed += bool(seen.faults)
        _say(
            ROW.format(
                number,
                moment.command.environment,
                moment.signal.name,
                moment.receiver,
                f"{seen.after:.1f}",
                f"{seen.seconds:.1f}",
                "-" if seen.code is None else seen.code,
                len(seen.processes),
                seen.ports,
                len(seen.folders),
                seen.report,
                "starts" if seen.next_run else "FAILS",
            )
        )
        for fault in seen.faults:
            _say(f"     {fault.replace(chr(10), chr(10) + '       ')}")
    _say(f"{failed} of {options.moments if options.only is None else 1} moments failed (seed {options.seed})")
    return FAILED if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
