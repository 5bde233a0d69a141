"""Fills the report in: a pure function of (history, catalogue, known nonconformities); anybody can compute it again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import UsageError
from common.redaction import PLAIN, REDACTED, is_secret_name
from evidence.aggregate import Outcome
from evidence.allowances import Allowance, day_of, recorded
from evidence.catalogue import OURS, PROFILES, Catalogue, Requirement
from evidence.verdict import Verdict
from reports import again, allowances, cases, from_replay, gate, matrix, run
from reports import known as known_module
from reports.cases import Asked
from reports.model import VERDICTS, Cases, Known, Report, Result, Tally, Test
from reports.repeated import Again

if TYPE_CHECKING:
    from evidence.record_values import Selection

PERSONALITY = "personality"
"""The part of the system under test that names the real product that a platform behaves as."""
_LEVELS_THAT_BIND = ("MUST", "MUST NOT")
_NOT_MET = {"fail", "flaky", "not_supported"}


def build(history: Path, catalogue: Catalogue, known: Sequence[Known] | None = None) -> Report:
    """Return the report of a run.

    Args:
        history: The run's `history.ndjson`.
        catalogue: Every requirement, in the order in which the report lists them.
        known: Known nonconformities; those of `reports/known/` when None.

    Raises:
        ReportError: The history cannot be read.
        UsageError: The run asked for requirements of a vendor's catalogue that is not among these.
    """
    told = run.read(history)
    replayed = from_replay.judge(history, told.expectations)
    tests = from_replay.tests(replayed, told.diagnostics)
    mutated = [test for test in tests if test.mutant]
    started = told.started
    selection: Selection = started["selection"] if started else {}
    _expect_catalogues(selection, catalogue)
    sut = {name: str(version) for name, version in (started["sut"] if started else {}).items()}
    # Workloads that run their conforming entry points: what is known of released ones says nothing there.
    plain = not (is_unreleased(selection) or mutated)
    applying = known_module.applying(known_module.load() if known is None else known, sut) if plain else {}
    files = tuple(started.get("allowances") or ()) if started and plain else ()
    entries, wrong = recorded(files, started["wall"] if started else None)
    entries = tuple(map(allowances.cleaned, entries))
    day = day_of(started["wall"] if started else None)
    proof = proving(selection)
    # Without --prove, a mutant was asked for to see the suite fail: then it is the system under test.
    honest = [test for test in tests if not test.mutant] if proof else tests
    reason = PLAIN.one_line((told.finished["reason"] if told.finished else "") or "cut off")
    completed = reason == "completed"
    asked = cases.asked(started, told.collection.cases(), _ended(reason), honest=proof)
    faults = [
        PLAIN.one_line(fault)
        for fault in (
            *told.faults,
            *wrong,
            *from_replay.faults(replayed),
            *cases.faults(asked, tests, completed=completed),
        )
    ]
    seed = selection.get("saboteur")
    sabotages = None if seed is None else from_replay.sabotages(replayed, seed)
    if sabotages is None and replayed.cases:
        faults.append("it has cases of the saboteur, and run.started does not tell that they were asked for")
    unproved = proof and not honest and all(case.left_out or case.mutant for case in asked.cases or ())
    results = _results(catalogue, honest, applying, asked, unproved=unproved)
    results = _allowing(results, allowances.applying(entries, sut, day))
    judged = allowances.judge(entries, results, sut, day)
    repeated = None if told.baseline is None else again.judge(told.baseline, tests, history)
    faults += _of_baseline(selection, repeated, completed=completed)
    whole = not asked.narrowed
    unrun = cases.not_run(asked, mutated)
    requested = _without(catalogue, {result.id for result in results if result.unrequested} if whole else set())
    mutation = matrix.compute(requested, mutated, whole=whole, unrun=unrun) if mutated or proof else None
    name = str(selection.get("gate") or "known")
    profiles = tuple(map(str, selection.get("profiles") or ()))
    decided = gate.decide(
        name,
        results,
        faults,
        profiles=profiles,
        completed=completed,
        part=not whole,
        exact=plain and PERSONALITY in sut,
        allowances=judged,
        sabotages=sabotages,
        again=repeated,
        conforming=bool(selection.get("conforming")),
    )
    if proof and mutation is not None:
        proven = gate.decide_proof(name, mutation, faults, completed=completed, part=not whole)
        decided = gate.both(decided, proven) if any(result.tests for result in results) else proven
    return Report(
        run=PLAIN.one_line(told.name),
        reason=reason,
        started=started["wall"] if started else None,
        finished=told.finished["wall"] if told.finished else None,
        duration=told.duration,
        suite=_clean(started["suite"] if started else None),
        catalogue_sha256=from_replay.catalogue_sha256(catalogue),
        catalogue_version=catalogue.version or None,
        target=_clean(started["target"] if started else None),
        sut={name: PLAIN.one_line(version) for name, version in sut.items()},
        selection=_clean(selection),
        gate=decided,
        results=results,
        profiles=_tallies(results, "profile"),
        areas=_tallies(results, "area"),
        overall=tally("all", results),
        origins=_tallies(results, "origin"),
        mutation=mutation,
        history_sha256=told.sha256,
        history_records=told.records,
        history_faults=tuple(faults[:100]),
        history_head=told.head,
        first_t=told.first_t,
        sabotages=sabotages,
        mutant_tests=tuple(mutated),
        again=repeated,
        allowance_files=files,
        allowances=judged,
        groups=catalogue.groups,
    )


def _without(catalogue: Catalogue, ids: Collection[str]) -> Catalogue:
    """Return a catalogue without requirements, and without the mutants that no other requirement names."""
    kept = tuple(requirement for requirement in catalogue.requirements if requirement.id not in ids)
    named = {name for requirement in kept for name in requirement.mutants}
    return replace(
        catalogue, requirements=kept, mutants=tuple(mutant for mutant in catalogue.mutants if mutant.name in named)
    )


def _expect_catalogues(selection: Mapping[str, object], catalogue: Catalogue) -> None:
    """Refuse a run of whose vendors' catalogues one is missing: its requirements would go without a verdict."""
    asked = selection.get("catalogues")
    missing = [
        PLAIN.one_line(name, 100)
        for name in (asked if isinstance(asked, list) else ())
        if isinstance(name, str) and name not in catalogue.origins
    ]
    if missing:
        raise UsageError(
            f"the run asked for the requirements of {', '.join(missing)} too: expected the folder of that catalogue,"
            " got none; name it: --catalogue DIR"
        )


def _of_baseline(selection: Mapping[str, object], repeated: Again | None, *, completed: bool) -> list[str]:
    """Why what was held against an earlier run is not what an honest run leaves."""
    wanted = selection.get("again")
    if repeated is None:
        return ["it was to be held against an earlier run, and does not tell what looked worse"] * bool(
            wanted and completed
        )
    if repeated.times != wanted:
        return [f"what looked worse was to run {wanted or 0} times again, and {repeated.times} times were recorded"]
    return []


def proving(selection: Mapping[str, object]) -> bool:
    """Whether the run was to prove the suite: to show that mutants are caught, not what the system under test does."""
    return bool(selection.get("prove"))


def is_unreleased(selection: Mapping[str, object]) -> bool:
    """Whether the run judged another system than the released one: mutants, or conforming entry points of workloads."""
    return any(selection.get(option) for option in ("prove", "mutant", "conforming"))


def _ended(reason: str) -> str:
    """Why a selected case never ran, by the reason of the run's end."""
    if reason == "interrupted":
        return "the run was interrupted before it"
    return "it was selected and never began" if reason == "completed" else f"the run ended before it ({reason})"


def _results(
    catalogue: Catalogue, tests: Sequence[Test], known: Mapping[str, Known], asked: Asked, *, unproved: bool
) -> tuple[Result, ...]:
    by_requirement: dict[str, list[Test]] = {}
    for test in tests:
        for name in test.requirements:
            by_requirement.setdefault(name, []).append(test)
    found: list[Result] = []
    for requirement in catalogue.requirements:
        group = sorted(by_requirement.get(requirement.id, []), key=lambda test: (test.node, test.scope))
        ran = cases.of_requirement(requirement, group, asked)
        ruling = ("skipped", "a prove run asks it under mutants only") if unproved else _ruling(group, ran)
        found.append(_result(requirement, group, ran, ruling, known.get(requirement.id)))
    return tuple(found)


def _ruling(tests: Sequence[Test], ran: Cases) -> tuple[str, str]:
    """Verdict and reason, by the tests that ran and by what did not: what is missing is never passed over."""
    missing: list[Outcome] = []
    if ran.missing:
        chosen = all(case.chosen for case in ran.missing)
        missing.append(Outcome(Verdict.SKIPPED if chosen else Verdict.UNKNOWN, cases.reason(ran)))
    return from_replay.combine(tests, missing)


def _result(
    requirement: Requirement, tests: Sequence[Test], ran: Cases, ruling: tuple[str, str], known: Known | None
) -> Result:
    verdict, reason = ruling
    return Result(
        id=requirement.id,
        level=str(requirement.level),
        profile=str(requirement.profile),
        area=str(requirement.area),
        text=requirement.text,
        source=requirement.source,
        url=requirement.url or None,
        verdict=verdict,
        reason=PLAIN.clean(reason),
        tests=tuple(tests),
        known=known,
        cases=ran,
        origin=requirement.origin,
    )


def _allowing(results: Sequence[Result], entries: Mapping[tuple[str, str], Allowance]) -> tuple[Result, ...]:
    """Put the operator's entries beside the results that they speak of."""
    return tuple(
        replace(result, allowance=entries.get(("known", result.id)), waiver=entries.get(("waiver", result.id)))
        for result in results
    )


def tally(name: str, results: Iterable[Result], origin: str = OURS) -> Tally:
    """Count a group of a catalogue, and say what may be claimed for it over its MUSTs."""
    group = list(results)
    counted = [result for result in group if not result.waived and not result.unrequested]
    binding = [result.verdict for result in counted if result.level in _LEVELS_THAT_BIND]
    binding = binding or [result.verdict for result in counted]
    if any(verdict in _NOT_MET for verdict in binding):
        verdict = "fail"
    else:
        verdict = "pass" if binding and all(verdict == "pass" for verdict in binding) else "unknown"
    counts = {verdict: sum(result.verdict == verdict for result in group) for verdict in VERDICTS}
    return Tally(
        name=name,
        verdict=verdict,
        counts=counts,
        known=sum(result.excused for result in group),
        origin=origin,
        waived=sum(result.waived for result in group),
    )


def _tallies(results: Sequence[Result], by: str) -> tuple[Tally, ...]:
    """Count by profile, area or origin; the profiles of ours in their order, and vendors' behind."""
    origins = {getattr(result, by): result.origin for result in results}
    names = sorted(origins, key=lambda name: PROFILES.index(name) if name in PROFILES else len(PROFILES))
    return tuple(
        tally(name, [result for result in results if getattr(result, by) == name], origins[name]) for name in names
    )


def _clean(value: object, depth: int = 6) -> dict[str, object]:
    """Return a recorded object made fit for the report: bounded texts, no secrets."""
    cleaned = _clean_value(value or {}, depth)
    return cleaned if isinstance(cleaned, dict) else {}


def _clean_value(value: object, depth: int) -> object:
    if isinstance(value, Mapping) and depth:
        return {
            PLAIN.one_line(key, 100): REDACTED if is_secret_name(str(key)) else _clean_value(item, depth - 1)
            for key, item in list(value.items())[:200]
        }
    if isinstance(value, list | tuple) and depth:
        return [_clean_value(item, depth - 1) for item in list(value)[:500]]
    if value is None or isinstance(value, bool | int | float):
        return value
    return PLAIN.clean(value)
