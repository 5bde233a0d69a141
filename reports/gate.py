"""Decides whether a run ended as expected, and so the exit code of the process.

| exit | known (e2e)                                            | strict (certify)                                 |
|------|--------------------------------------------------------|--------------------------------------------------|
| 0    | nothing failed but documented nonconformities          | every requirement in scope passed                |
| 1    | another requirement failed or was flaky                | a requirement failed, was flaky or not supported |
| 2    | one is unknown or an error, or the history has a fault | likewise, or one was not testable or skipped     |
| 3    | usage (decided before a run starts)                    | usage                                            |

A known nonconformity that is gone is good news: it is reported loudly and does not fail the run; delete its entry.
On a platform with a personality the list must be exact, since it and the platform tell of the same observations:
there a nonconformity that is gone fails the run.
The operator's own entries (`--known`) are expected under gate known only, and told under both. A waiver (`--waivers`)
is a fault of the suite that an issue proves: no gate counts the requirement, and every report shows it. An entry that
has ended forgives nothing.
A sabotage that the checks did not find, or found as something else, makes the run end with 2, whatever else it shows:
the instrument is blind, and no verdict of it can be trusted. A sabotage that proves nothing is undecided.
A run that is held against an earlier one (`--baseline`) ends with 1 only where a requirement regressed or was lost, and
each repetition showed it again; what is flaky, failed in the earlier run too, or is newly failing is told.
A certain failure (1) outweighs what is undecided (2). A MAY cannot be violated: its failure is shown, never counted.
A requirement of which some cases did not run is skipped where the operator left them out, and unknown otherwise.
With `--profile`, strict judges those profiles only; what the operator left out is skipped, never passed. What
stands on a pipeline that is there on request only counts in runs that request it (`--pipeline`).
A prove run ends by its kill matrix (`reports.matrix`): 0 when every mutant and every MUST of the selection is killed
and nothing was killed falsely, 1 when not, 2 when undecided. A mutant of which the operator left out every requirement
that must catch it is not asked: it is named, and decides nothing but its false kills.
"""

from collections.abc import Collection, Sequence

from reports.model import Allowed, Exit, Gate, Mutation, Result, Sabotages
from reports.repeated import Again

_SAID = {
    "error": "ended in an error of ours",
    "unknown": "undecided",
    "not_testable": "not testable on this target",
    "skipped": "skipped",
}
_OUTCOME: dict[Exit, str] = {0: "as expected", 1: "not as expected", 2: "undecided", 3: "usage"}
MOST_SABOTAGES = 5
OF_PART = "as expected, of the part that was asked"


def decide(
    name: str,
    results: Sequence[Result],
    faults: Sequence[str],
    *,
    profiles: Collection[str] = (),
    completed: bool = True,
    part: bool = False,
    exact: bool = False,
    allowances: Sequence[Allowed] = (),
    sabotages: Sabotages | None = None,
    again: Again | None = None,
    conforming: bool = False,
) -> Gate:
    """Return the gate's word on a run without mutants.

    Args:
        name: `known` or `strict`.
        results: One per requirement of the catalogue.
        faults: What is wrong with the history itself.
        profiles: What the operator restricted the run to; all when empty.
        completed: Whether the run came to its own end.
        part: Whether the operator asked for a part only.
        exact: Whether every known nonconformity that was asked for must have shown.
        allowances: What became of the operator's own entries.
        sabotages: What the saboteur's cases showed; None: they were not asked for.
        again: What looked worse than in an earlier run, and was repeated; None: the run was held against none.
        conforming: Whether workloads ran their conforming entry points, which is told.
    """
    strict = name == "strict"
    failing = {"fail", "flaky"} | ({"not_supported"} if strict else set())
    undecided = {"error", "unknown"} | ({"not_testable", "skipped"} if strict else set())
    scope = [result for result in results if not (strict and profiles) or result.profile in profiles]
    counted = [r for r in scope if not r.waived and not r.unrequested]
    bad = [r for r in counted if r.verdict in failing and r.level != "MAY" and (strict or not r.excused)]
    open_ = [r for r in counted if r.verdict in undecided]
    gone = [r for r in scope if r.gone]
    failed = bad
    if again is not None:
        bad = [r for r in counted if r.id in again.certain and r.level != "MAY"]
    reasons: list[str] = []
    if bad:
        told = "failed" if again is None else f"worse than in run {again.base}, seen again each time"
        reasons.append(f"{_count(bad)} {told}: {_ids(bad)}")
    reasons += [
        f"{_count(group)} {_SAID[verdict]}: {_ids(group)}" for verdict in _SAID if (group := _by(open_, verdict))
    ]
    reasons += [f"the history has a fault: {fault}" for fault in faults[:3]]
    if not completed and not faults:
        reasons.append("the run did not come to its end")
    if not any(result.tests for result in results):
        reasons.append("no test ran")
    reasons += _of_sabotages(sabotages)
    if again is not None and (doubtful := sorted(again.requirements("undecided"))):
        reasons.append(f"{_n(doubtful, 'requirement')} undecided in a repetition: {_some(doubtful)}")
    code: Exit = 1 if bad or (exact and gone) else 2 if reasons else 0
    if sabotages is not None and sabotages.blind:
        code = 2
    if again is not None:
        reasons += _of_again(again, [r for r in failed if r not in bad])
    excused = [r for r in scope if r.excused]
    if documented := [r for r in excused if r.known is not None and not strict]:
        reasons.append(f"{_count(documented)} failed as documented: {_ids(documented)}")
    if own := [r for r in excused if r.known is None]:
        told = "known to the operator, which this gate does not forgive" if strict else "failed as the operator knows"
        reasons.append(f"{_count(own)} {told}: {_ids(own)}")
    if waived := [r for r in scope if r.waived]:
        reasons.append(f"WAIVED: {_count(waived)} not counted, as faults of the suite: {_ids(waived)}")
    if gone:
        reasons.append(
            f"GONE: {_count(gone)} documented as failing passed: {_ids(gone)}; "
            + ("the personality and the list differ" if exact else "delete the entry in reports/known/")
        )
    reasons += _ended(allowances)
    if conforming:
        reasons.append("the workloads ran their conforming entry points: this says nothing of released ones")
    return Gate(name=name, exit=code, outcome=_outcome(code, part=part), reasons=tuple(reasons))


def _of_again(again: Again, failed: Sequence[Result]) -> list[str]:
    """Return what else was found beside an earlier run; it decides nothing.

    Args:
        again: What looked worse, and was repeated.
        failed: The requirements that failed or were flaky, and are not worse for certain.
    """
    flaky, gone, new = again.requirements("flaky"), again.requirements("gone"), again.requirements("seen")
    groups = (
        ("newly failing, which run {} does not speak of", [r.id for r in failed if r.id in new]),
        ("flaky beside run {}", [r.id for r in failed if r.id in flaky - new]),
        ("worse than in run {} once, and not seen again", [r.id for r in failed if r.id in gone - flaky - new]),
        (
            "failing as in run {}",
            [r.id for r in failed if r.id not in again.requirements("seen", "flaky", "gone", "undecided")],
        ),
    )
    return [f"{_n(ids, 'requirement')} {words.format(again.base)}: {_some(ids)}" for words, ids in groups if ids]


def _ended(allowances: Sequence[Allowed]) -> list[str]:
    """Return what the operator should do about their entries."""
    told: list[str] = []
    for status, word, advice in (
        ("expired", "EXPIRED", "that forgive nothing any more, look at them again"),
        ("gone", "GONE", "whose requirement passed, delete them"),
    ):
        ids = [f"{each.entry.requirement} ({each.entry.file})" for each in allowances if each.status == status]
        if ids:
            told.append(f"{word}: entries of the operator {advice}: {_some(ids)}")
    return told


def _of_sabotages(sabotages: Sabotages | None) -> list[str]:
    """Return why the saboteur's cases leave the run undecided."""
    if sabotages is None:
        return []
    told = (
        (sabotages.blind, "blind instrument: {} not found: {}"),
        (sabotages.undecided, "{} proved nothing: {}"),
    )
    return [
        words.format(
            _n(group, "sabotage"), "; ".join(f"{each.case}: {each.message}" for each in group[:MOST_SABOTAGES])
        )
        for group, words in told
        if group
    ]


def decide_proof(
    name: str, mutation: Mutation, faults: Sequence[str], *, completed: bool = True, part: bool = False
) -> Gate:
    """Return the gate's word on a prove run."""
    survived = [row.name for row in mutation.mutants if row.status == "survived"]
    undecided = [row.name for row in mutation.mutants if row.status == "undecided"]
    false_kills = [f"{row.name} x {requirement}" for row in mutation.mutants for requirement in row.false_kills]
    doubtful = [
        f"{row.name} x {cell.requirement} ({cell.verdict})"
        for row in mutation.mutants
        for cell in row.cells
        if not cell.expected and cell.verdict in {"error", "unknown", "flaky"}
    ]
    reasons: list[str] = []
    if survived:
        reasons.append(f"{_n(survived, 'mutant')} not noticed by a requirement that must notice: {_some(survived)}")
    if false_kills:
        reasons.append(f"{_n(false_kills, 'false kill')}: {_some(false_kills)}")
    if mutation.unproven:
        reasons.append(f"{_n(mutation.unproven, 'MUST')} killed by no mutant: {_some(mutation.unproven)}")
    code: Exit = 1 if reasons else 0
    if undecided:
        reasons.append(f"{_n(undecided, 'mutant')} undecided: {_some(undecided)}")
    if doubtful:
        reasons.append(f"{_n(doubtful, 'cell')} undecided: {_some(doubtful)}")
    if not_run := [row.name for row in mutation.mutants if row.status == "not_run"]:
        reasons.append(f"{_n(not_run, 'mutant')} not run: {_some(not_run)}")
    reasons += [f"the history has a fault: {fault}" for fault in faults[:3]]
    if not completed and not faults:
        reasons.append("the run did not come to its end")
    not_asked = [row.name for row in mutation.mutants if row.status == "not_asked"]
    if not any(row.status not in {"not_run", "not_asked"} for row in mutation.mutants):
        reasons.append("no mutant ran against a requirement that must catch it" if not_asked else "no mutant ran")
    if code == 0 and reasons:
        code = 2
    if not_asked:
        reasons.append(f"{_n(not_asked, 'mutant')} not asked, by the selection: {_some(not_asked)}")
    return Gate(name=name, exit=code, outcome=_outcome(code, part=part), reasons=tuple(reasons))


def both(honest: Gate, proof: Gate) -> Gate:
    """One word on a prove run that also ran honestly: certainly wrong before undecided before all well."""
    codes = {honest.exit, proof.exit}
    code: Exit = 1 if 1 in codes else 2 if 2 in codes else 0
    part = OF_PART in (honest.outcome, proof.outcome)
    return Gate(honest.name, code, _outcome(code, part=part), tuple(dict.fromkeys((*honest.reasons, *proof.reasons))))


def _by(results: Sequence[Result], verdict: str) -> list[Result]:
    return [result for result in results if result.verdict == verdict]


def _count(results: Sequence[Result]) -> str:
    return _n(results, "requirement")


def _outcome(code: Exit, *, part: bool) -> str:
    return OF_PART if part and code == 0 else _OUTCOME[code]


def _n(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}" + ("" if len(things) == 1 else "s")


def _ids(results: Sequence[Result]) -> str:
    return _some([result.id for result in results])


def _some(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
