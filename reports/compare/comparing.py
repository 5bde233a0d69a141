"""Two runs compared: a pure function of two histories and today's catalogue; anybody can compute it again."""

from collections.abc import Sequence
from pathlib import Path

from common.errors import UsageError
from evidence.catalogue import Catalogue
from reports import latency
from reports.compare import sides, transitions, witnesses
from reports.compare.model import Comparison, Comparisons
from reports.compare.sides import Side
from reports.latency import Key, Stage


def compare(base: Path, others: Sequence[Path], catalogue: Catalogue) -> Comparisons:
    """Compare runs with an old one.

    Args:
        base: The old run: its folder, or its history.
        others: The new runs.
        catalogue: Today's catalogue; it judges all of them.

    Raises:
        UsageError: A path is no run, or a run is given twice.
        ReportError: A run cannot be read, or did not come to its end.
    """
    old = sides.read(base, catalogue)
    seen = {old.report.history_sha256: base}
    measured = latency.stages(old.history)
    pairs: list[Comparison] = []
    for path in others:
        new = sides.read(path, catalogue)
        digest = new.report.history_sha256
        if digest in seen:
            raise UsageError(
                f"{path}: expected a run of its own, got the one of {seen[digest]} again (history sha256 {digest[:16]})"
            )
        seen[digest] = path
        pairs.append(_pair(old, new, measured, latency.stages(new.history)))
    return Comparisons(pairs)


def _pair(base: Side, new: Side, before: dict[Key, Stage], now: dict[Key, Stage]) -> Comparison:
    differences = sides.differences(base, new, (latency.machine(before), latency.machine(now)))
    other = [difference.what for difference in differences if difference.environment]
    comparable = not other and any(key in now for key in before)
    return Comparison(
        base=base.name,
        new=new.name,
        catalogue_sha256=base.report.catalogue_sha256,
        differences=differences,
        changes=witnesses.explain(transitions.changes(base, new), base, new),
        rejudged=(*sides.rejudged(base, "base"), *sides.rejudged(new, "new")),
        stages=latency.compare(before, now) if comparable else (),
        stages_why=_why_not(other) if not comparable else "",
        allowances=new.report.allowances,
    )


def _why_not(environment: Sequence[str]) -> str:
    if environment:
        return f"the environment is another one: {', '.join(environment)}"
    return "no stage was measured in both runs, with the same rate and count"
