"""Fills the report in: a pure function of (history, catalogue, known nonconformities); anybody can compute it again."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from evidence.catalogue import PROFILES, Catalogue, Requirement
from reports import gate, judged, matrix, redact, run
from reports import known as known_module
from reports.model import VERDICTS, Known, Report, Result, Tally, Test

_LEVELS_THAT_BIND = ("MUST", "MUST NOT")
_NOT_MET = {"fail", "flaky", "not_supported"}
_SELECTING = (
    "-k",
    "-m",
    "--requirement",
    "--profile",
    "--mutant",
    "--deselect",
    "--ignore",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
)
_TAKES_VALUE = {"-k", "-m", "--requirement", "--profile", "--mutant", "--deselect", "--ignore"}


def build(history: Path, catalogue: Catalogue, known: Sequence[Known] | None = None) -> Report:
    """The report of a run.

    Args:
        history: The run's `history.ndjson`.
        catalogue: Every requirement, in the order in which the report lists them.
        known: Known nonconformities; those of `reports/known/` when None.

    Raises:
        ReportError: The history cannot be read.
    """
    told = run.read(history)
    replayed = judged.judge(history)
    faults = [*told.faults, *judged.faults(replayed)]
    tests = judged.tests(replayed, told.diagnostics)
    mutated = [test for test in tests if test.mutant]
    started, selection = told.started, dict(told.started.get("selection") or {})
    sut = {str(name): str(version) for name, version in (started.get("sut") or {}).items()}
    # Beside mutants, workloads run their conforming entry points: what is known of released ones says nothing there.
    plain = not (proving(selection) or selection.get("mutant") or mutated)
    applying = known_module.applying(known_module.load() if known is None else known, sut) if plain else {}
    left_out = narrowed(selection)
    proof = proving(selection)
    # Without --prove, a mutant was asked for to see the suite fail: then it is the system under test.
    honest = [test for test in tests if not test.mutant] if proof else tests
    reason = str((told.finished or {}).get("reason") or "cut off")
    completed = reason == "completed"
    silence = _silence(left_out, honest=bool(not proof or any(not test.mutant for test in tests)), completed=completed)
    results = _results(catalogue, honest, applying, silence)
    mutation = matrix.compute(catalogue, mutated, whole=not left_out) if mutated or proof else None
    name = str(selection.get("gate") or "known")
    decided = gate.decide(name, results, faults, profiles=profiles_selected(selection), completed=completed)
    if proof and mutation is not None:
        proven = gate.decide_proof(name, mutation, faults, completed=completed)
        decided = gate.both(decided, proven) if any(result.tests for result in results) else proven
    return Report(
        run=told.name,
        reason=reason,
        started=started.get("wall"),
        finished=(told.finished or {}).get("wall"),
        duration=told.duration,
        suite=_clean(started.get("suite")),
        catalogue_sha256=judged.catalogue_sha256(catalogue),
        target=_clean(started.get("target")),
        sut={name: redact.one_line(version) for name, version in sut.items()},
        selection=_clean(selection),
        gate=decided,
        results=results,
        profiles=_tallies(results, "profile"),
        areas=_tallies(results, "area"),
        overall=tally("all", results),
        mutation=mutation,
        history_sha256=told.sha256,
        history_records=told.records,
        history_faults=tuple(redact.one_line(fault) for fault in faults[:100]),
        first_t=told.first_t,
        mutant_tests=tuple(mutated),
    )


def narrowed(selection: Mapping[str, object]) -> str:
    """The words of the command line that leave tests out, or an empty text when the whole catalogue was asked for."""
    argv = [str(word) for word in _sequence(selection.get("argv"))]
    kept: list[str] = []
    taking = False
    for word in argv:
        option = word.split("=", 1)[0]
        if taking or option in _SELECTING or _selects(word):
            kept.append(word)
        taking = word in _TAKES_VALUE
    if not kept:  # options may also come from the environment (PYTEST_ADDOPTS)
        for option, key in (("--requirement", "requirements"), ("--profile", "profiles"), ("--mutant", "mutant")):
            kept += [f"{option} {name}" for name in _sequence(selection.get(key))]
    return " ".join(kept)


def _selects(word: str) -> bool:
    """Whether a word is a path, a node id, or a short option with its value."""
    if word.startswith("--"):
        return False
    folder = "suites/" in word.rstrip("/")
    return word.startswith(("-k", "-m")) or "::" in word or word.endswith(".py") or folder


def proving(selection: Mapping[str, object]) -> bool:
    """Whether the run was to prove the suite: to show that mutants are caught, not what the system under test does."""
    return bool(selection.get("prove")) or "--prove" in _sequence(selection.get("argv"))


def profiles_selected(selection: Mapping[str, object]) -> tuple[str, ...]:
    """The profiles that the operator restricted the run to; none means all."""
    argv = [str(word) for word in _sequence(selection.get("argv"))]
    named = [argv[place + 1] for place, word in enumerate(argv[:-1]) if word == "--profile"]
    named += [word.removeprefix("--profile=") for word in argv if word.startswith("--profile=")]
    named += [str(name) for name in _sequence(selection.get("profiles")) or _sequence(selection.get("profile"))]
    return tuple(dict.fromkeys(named))


def _sequence(value: object) -> Sequence[object]:
    if isinstance(value, str):
        return [value] if value else []
    return value if isinstance(value, list | tuple) else []


def _silence(left_out: str, *, honest: bool, completed: bool) -> tuple[str, str]:
    """Verdict and reason of a requirement that no test ran for."""
    if not completed:
        # Nobody knows any more whether it was left out or would still have come.
        return "unknown", "no test of it ran before the run ended"
    if not honest:
        return "skipped", "a prove run asks it under mutants only"
    if left_out:
        return "skipped", redact.one_line(f"left out by {left_out}")
    return "unknown", "no test of it ran"


def _results(
    catalogue: Catalogue, tests: Sequence[Test], known: Mapping[str, Known], silence: tuple[str, str]
) -> tuple[Result, ...]:
    by_requirement: dict[str, list[Test]] = {}
    for test in tests:
        for requirement in test.requirements:
            by_requirement.setdefault(requirement, []).append(test)
    return tuple(
        _result(requirement, by_requirement.get(requirement.id, []), known.get(requirement.id), silence)
        for requirement in catalogue.requirements
    )


def _result(requirement: Requirement, tests: list[Test], known: Known | None, silence: tuple[str, str]) -> Result:
    tests.sort(key=lambda test: (test.node, test.scope))
    verdict, reason = judged.combine(tests) if tests else silence
    return Result(
        id=requirement.id,
        level=str(requirement.level),
        profile=str(requirement.profile),
        area=str(requirement.area),
        text=requirement.text,
        source=requirement.source,
        url=requirement.url or None,
        verdict=verdict,
        reason=redact.clean(reason),
        tests=tuple(tests),
        known=known,
    )


def tally(name: str, results: Iterable[Result]) -> Tally:
    """Count a group, and say what may be claimed for it over its MUSTs."""
    group = list(results)
    binding = [result.verdict for result in group if result.level in _LEVELS_THAT_BIND] or [r.verdict for r in group]
    if any(verdict in _NOT_MET for verdict in binding):
        verdict = "fail"
    else:
        verdict = "pass" if binding and all(verdict == "pass" for verdict in binding) else "unknown"
    counts = {verdict: sum(result.verdict == verdict for result in group) for verdict in VERDICTS}
    return Tally(name=name, verdict=verdict, counts=counts, known=sum(result.excused for result in group))


def _tallies(results: Sequence[Result], by: str) -> tuple[Tally, ...]:
    names = list(dict.fromkeys(getattr(result, by) for result in results))
    names.sort(key=lambda name: PROFILES.index(name) if name in PROFILES else 0)
    return tuple(tally(name, [result for result in results if getattr(result, by) == name]) for name in names)


def _clean(value: object, depth: int = 6) -> dict[str, object]:
    """A recorded object made fit for the report: bounded texts, no secrets."""
    cleaned = _clean_value(value or {}, depth)
    return cleaned if isinstance(cleaned, dict) else {}


def _clean_value(value: object, depth: int) -> object:
    if isinstance(value, Mapping) and depth:
        return {
            redact.one_line(key, 100): redact.REDACTED
            if redact.is_secret_name(str(key))
            else _clean_value(item, depth - 1)
            for key, item in list(value.items())[:200]
        }
    if isinstance(value, list | tuple) and depth:
        return [_clean_value(item, depth - 1) for item in list(value)[:500]]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact.clean(value)
