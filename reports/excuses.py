"""Which failures are forgiven in a run, before it has any: for results that are written while the tests run."""

from collections.abc import Mapping, Sequence

from common.redaction import PLAIN
from evidence.allowances import day_of, recorded
from evidence.record_values import AllowanceFile
from reports import allowances, known


def of_run(
    sut: Mapping[str, str], files: Sequence[AllowanceFile], wall: str
) -> list[tuple[str, str, tuple[str, ...], bool]]:
    """Return what is forgiven: requirement, reason in words, cases that it is for (none: all), whether it is a waiver.

    Args:
        sut: The versions under test.
        files: The operator's files.
        wall: The time of day at which the run began.

    Raises:
        ReportError: A list of `reports/known/` cannot be read.
    """
    told: list[tuple[str, str, tuple[str, ...], bool]] = [
        (requirement, f"known nonconformity: {entry.summary}", (), False)
        for requirement, entry in known.applying(known.load(), sut).items()
    ]
    entries, _ = recorded(files, wall)
    own = allowances.applying(map(allowances.cleaned, entries), sut, day_of(wall))
    for (kind, requirement), entry in own.items():
        word = "waived as a fault of the suite" if kind == "waiver" else "known"
        cases = tuple(PLAIN.one_line(case, 500) for case in entry.cases)
        told.append((requirement, f"{word}: {entry.reason} ({entry.told})", cases, kind == "waiver"))
    return told
