"""What a sample has shown: as JSON, as a page, and as a table for the terminal."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from mutation.honest import HonestRun
from mutation.outcomes import MEANINGS, NOTICED, Finding, Outcome, Share

API = "touchstone.dev/mutation/v1"
JSON, PAGE = "mutation.json", "index.html"


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample and what came of it.

    Attributes:
        seed: The number that drew it; None: the mutants were asked for by their ids.
        rooms: The names of the rooms it was drawn from.
        drawn: The number of mutants in it.
        findings: What became of those that were measured.
        honest: The honest runs.
        seconds: How long all of it took.
        complete: Whether all of it was measured.
    """

    seed: int | None
    rooms: Sequence[str]
    drawn: int
    findings: Sequence[Finding]
    honest: Sequence[HonestRun]
    seconds: float
    complete: bool

    @property
    def share(self) -> Share:
        """How many were noticed."""
        return Share.of(self.findings)

    @property
    def unnoticed(self) -> list[Finding]:
        """The mutants that were not noticed, in the order of the source."""
        found = [one for one in self.findings if one.outcome in (Outcome.SURVIVED, Outcome.NOT_RUN)]
        return sorted(found, key=lambda one: (one.mutant.site.file, one.mutant.site.line))

    def by(self, key: Callable[[Finding], str]) -> dict[str, Share]:
        """Return the shares of groups, by their names."""
        names = sorted({key(finding) for finding in self.findings})
        return {name: Share.of(one for one in self.findings if key(one) == name) for name in names}

    @property
    def groups(self) -> dict[str, dict[str, Share]]:
        """The shares by room, by kind of change and by operator."""
        return {
            "room": self.by(lambda one: one.mutant.room),
            "kind": self.by(lambda one: one.mutant.site.kind),
            "operator": self.by(lambda one: one.mutant.change.operator),
        }


def write(sample: Sample, folder: Path) -> None:
    """Write the report's files into a folder."""
    text = json.dumps(_document(sample), indent=1, ensure_ascii=False)
    (folder / JSON).write_text(f"{text}\n", encoding="utf-8")
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.get_template("report.html.j2")
    page = template.render(sample=sample, meanings=MEANINGS, percent=percent, summary=summary(sample))
    (folder / PAGE).write_text(page, encoding="utf-8")


def _document(sample: Sample) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "seed": sample.seed,
        "rooms": list(sample.rooms),
        "drawn": sample.drawn,
        "complete": sample.complete,
        "seconds": round(sample.seconds, 1),
        "summary": _share(sample.share),
        "by": {group: {name: _share(share) for name, share in of.items()} for group, of in sample.groups.items()},
        "honest": [{"area": run.area, "tests": len(run.tests), "seconds": run.seconds} for run in sample.honest],
        "mutants": [_finding(finding) for finding in sample.findings],
    }


def _share(share: Share) -> dict[str, Any]:
    counts = {str(outcome): number for outcome, number in share.counts.items()}
    return {"noticedPercent": share.percent, "byVerdictPercent": share.by_verdict, "counted": share.counted, **counts}


def _finding(finding: Finding) -> dict[str, Any]:
    mutant = finding.mutant
    return {
        "id": mutant.id,
        "room": mutant.room,
        "file": mutant.site.file,
        "line": mutant.site.last,
        "kind": mutant.site.kind,
        "operator": mutant.change.operator,
        "outcome": str(finding.outcome),
        "by": finding.by,
        "reason": finding.reason,
        "tests": finding.asked,
        "passed": list(finding.passed),
        "seconds": round(finding.seconds, 2),
        "cpuSeconds": round(finding.cpu, 2),
        "diff": mutant.diff,
    }


def percent(share: float | None) -> str:
    """Return a share for people."""
    return "-" if share is None else f"{share:.0f} %"


def summary(sample: Sample) -> str:
    """Return the result in one line."""
    share = sample.share
    ways = ", ".join(f"{share.counts[outcome]} {outcome}" for outcome in NOTICED)
    left = f"{share.counts[Outcome.SURVIVED]} survived, {share.counts[Outcome.NOT_RUN]} run by no test"
    ours = f"; {share.counts[Outcome.OURS]} not measured, a fault of ours" if share.counts[Outcome.OURS] else ""
    cut = "" if sample.complete else f"; cut off after {len(sample.findings)} of {sample.drawn}"
    return (
        f"noticed {share.noticed} of {share.counted} mutants, {percent(share.percent)} ({ways});"
        f" by a verdict {percent(share.by_verdict)}; not noticed: {left}{ours}{cut}"
    )


def table(sample: Sample) -> str:
    """Return the survivors and the shares for the terminal."""
    lines = []
    for finding in sample.unnoticed:
        mutant = finding.mutant
        over = f"{len(finding.passed)} tests passed over it" if finding.passed else "no test runs it"
        lines += [f"{mutant.id}  {finding.outcome}: {over}", mutant.diff]
        lines += [f"    {test}" for test in finding.passed[:5]]
        lines += [f"    and {len(finding.passed) - 5} more, in the report"] if len(finding.passed) > 5 else []
        lines.append("")
    head = ("", "mutants", "noticed", "by verdict", *(str(outcome) for outcome in Outcome))
    rows = [head]
    for group in ("room", "kind"):
        rows += [_row(name, share) for name, share in sample.groups[group].items()]
    rows.append(_row("all", sample.share))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join((row[0].ljust(widths[0]), *cells)))
    return "\n".join(lines)


def _row(name: str, share: Share) -> tuple[str, ...]:
    counts = (str(share.counts[outcome]) for outcome in Outcome)
    return (name, str(share.counted), percent(share.percent), percent(share.by_verdict), *counts)
