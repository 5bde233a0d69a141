"""A comparison as Markdown, for the summary of a pull request: the numbers, what changed, and the proof folded away.

Whatever a run says stands in code spans and code blocks: it is neither markup, nor a link, nor does it call anybody.
"""

from collections.abc import Iterable, Iterator, Sequence

from common.redaction import PLAIN
from reports import allowances
from reports.compare import wording
from reports.compare.model import Change, Comparison, Comparisons, Witness

MOST_SHOWN = 60
MOST_EXPLAINED = 20
LONGEST = 300


def render(comparisons: Comparisons) -> str:
    """Return the text."""
    lines = [line for pair in comparisons.pairs for line in _pair(pair)]
    return "\n".join(lines) + "\n"


def _pair(pair: Comparison) -> Iterator[str]:
    yield f"## Touchstone: {pair.outcome}"
    yield ""
    yield f"**{wording.numbers(pair)}** of {len(pair.changes)} requirements; exit {pair.exit}."
    yield ""
    yield from _changes(pair.changed)
    for change in [change for change in pair.changed if change.evidence is not None][:MOST_EXPLAINED]:
        yield from _evidence(change)
    yield from _rejudged(pair)
    yield from _allowances(pair)
    yield from _latencies(pair)
    yield from _runs(pair)


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield from _head("change", "requirement", "level", "verdict", "where the runs part")
    for change in changes[:MOST_SHOWN]:
        note = wording.excused(change.level, documented=change.documented)
        told = change.evidence.headline if change.evidence else change.text
        word = f"**{change.word}**" if change.worse else str(change.word)
        verdicts = wording.verdicts(change.base, change.new)
        yield _row(
            f"{word}, {note}" if note else word, _code(change.id), change.level, verdicts, _code(told) if told else ""
        )
    if len(changes) > MOST_SHOWN:
        yield ""
        yield f"and {len(changes) - MOST_SHOWN} more."
    yield ""


def _evidence(change: Change) -> Iterator[str]:
    evidence = change.evidence
    if evidence is None:
        return
    yield f"<details><summary>{change.word}: both witnesses of <code>{_escaped(change.id)}</code></summary>"
    yield ""
    yield f"{_code(change.text)}"
    yield ""
    for name, witness in (("old", evidence.base), ("new", evidence.new)):
        if witness is not None:
            yield f"{name} run, {_code(witness.test)}:"
            yield ""
            yield from _block(_told(witness))
    yield "</details>"
    yield ""


def _told(witness: Witness) -> Iterator[str]:
    yield f"{witness.check or 'test'}: {witness.verdict.replace('_', ' ')}"
    if witness.message:
        yield witness.message
    if witness.line:
        yield f"path: {witness.line}"


def _rejudged(pair: Comparison) -> Iterator[str]:
    if not pair.rejudged:
        return
    yield "### The suite, not the system"
    yield ""
    yield "Today's checks judge these cases otherwise than the runs themselves did."
    yield ""
    yield from _head("run", "case", "recorded", "today")
    for case in pair.rejudged[:MOST_SHOWN]:
        yield _row(wording.SIDES[case.side], _code(case.case), _code(case.recorded), case.now)
    yield ""


def _allowances(pair: Comparison) -> Iterator[str]:
    """Yield the operator's entries of the new run of which somebody should know: waivers, and what is no more."""
    told = [each for each in pair.allowances if each.entry.kind == "waiver" or each.status not in ("seen", "undecided")]
    if not told:
        return
    yield "### The operator's entries"
    yield ""
    yield from _head("", "requirement", "in the new run", "reason", "owner", "until", "file")
    for allowed in told[:MOST_SHOWN]:
        entry = allowed.entry
        yield _row(
            entry.kind,
            _code(entry.requirement),
            _code(f"{allowances.WORDS[allowed.status]} {allowed.note}"),
            _code(f"{entry.reason} {entry.url}"),
            _code(entry.owner),
            entry.expires.isoformat(),
            _code(entry.file),
        )
    yield ""


def _latencies(pair: Comparison) -> Iterator[str]:
    if pair.stages_why:
        yield f"Latencies are not compared: {_code(pair.stages_why)}"
        yield ""
        return
    yield from _head("latency", "stage", "samples", "old", "new", "difference (each end 95 %)", "p (Holm)", "why")
    for stage in pair.stages:
        yield _row(
            str(stage.word),
            _code(f"p{stage.percentile:g} {stage.stage}"),
            f"{stage.samples[0]}, {stage.samples[1]}",
            wording.milliseconds(stage.values[0]),
            wording.milliseconds(stage.values[1]),
            wording.interval(stage),
            wording.probability(stage),
            _code(wording.why(stage)),
        )
    yield ""


def _runs(pair: Comparison) -> Iterator[str]:
    yield "<details><summary>The runs, and what is not the same around them</summary>"
    yield ""
    yield from _head("", "old", "new")
    base, new = pair.base, pair.new
    yield _row("run", _code(base.run), _code(new.run))
    yield _row("history sha256", _code(base.sha256), _code(new.sha256))
    for difference in pair.differences:
        yield _row(_code(difference.what), _code(difference.base or "-"), _code(difference.new or "-"))
    for name, run in (("old", base), ("new", new)):
        for fault in run.faults[:5]:
            told = ("", _code(fault)) if name == "new" else (_code(fault), "")
            yield _row("fault of the history", *told)
    yield ""
    yield "</details>"
    yield ""


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*["---"] * len(names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Return a text as a code span that also holds in a table."""
    told = PLAIN.one_line(text, LONGEST).replace("`", "'").replace("|", "\\|").strip()
    return f"`{told}`" if told else ""


def _block(lines: Iterable[str]) -> Iterator[str]:
    yield "```text"
    yield from (PLAIN.one_line(line, 1200).replace("`", "'") for line in lines)
    yield "```"
    yield ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
