"""What became of a case: every pair of verdicts, flake rates, levels, and cases and requirements of one run only."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evidence.catalogue import Catalogue, load
from evidence.collection import Case
from reports.compare.comparing import compare
from reports.compare.model import Comparison, State, Word
from reports.compare.transitions import rate_difference, word
from reports.model import VERDICTS
from selftest.reports.conftest import BAD, GOOD, History

# One row a verdict of the old run, one column a verdict of the new one. A flaky case passed once in two runs, a passing
# or a failing one ran once; R regressed, L lost, U undecided now, N newly failing, F flake rate moved, P newly passing,
# r repaired, . unchanged.
TABLE = """
              pass fail error unknown flaky not_supported not_testable skipped
pass          .    R    U     U       R     L             L            L
fail          r    .    U     U       F     L             L            L
error         P    N    .     .       N     L             L            L
unknown       P    N    .     .       N     L             L            L
flaky         F    F    U     U       .     L             L            L
not_supported P    N    U     U       N     .             .            .
not_testable  P    N    U     U       N     .             .            .
skipped       P    N    U     U       N     .             .            .
"""
LETTERS = {
    "R": Word.REGRESSED,
    "L": Word.LOST,
    "U": Word.UNDECIDED,
    "N": Word.NEWLY_FAILING,
    "F": Word.FLAKE_RATE_MOVED,
    "P": Word.NEWLY_PASSING,
    "r": Word.REPAIRED,
    ".": Word.UNCHANGED,
}
Paired = Callable[[History, History], Comparison]


def pairs() -> list[tuple[str, str, Word]]:
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [(row[0], new, LETTERS[letter]) for row in rows for new, letter in zip(head, row[1:], strict=True)]


def state(verdict: str, *, excused: bool = False) -> State:
    passes, runs = {"pass": (1, 1), "flaky": (1, 2)}.get(verdict, (0, 1))
    return State(verdict, passes=passes, runs=runs, excused=excused)


def test_the_table_has_every_pair_of_verdicts_once() -> None:
    told = [(base, new) for base, new, _ in pairs()]
    assert sorted(told) == sorted((base, new) for base in VERDICTS for new in VERDICTS)


@pytest.mark.parametrize(("base", "new", "expected"), pairs(), ids=[f"{base}-{new}" for base, new, _ in pairs()])
def test_a_pair_of_verdicts_has_one_word(base: str, new: str, expected: Word) -> None:
    assert word(state(base), state(new)) is expected


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        (state("fail", excused=True), state("pass"), Word.KNOWN_AND_GONE),
        (state("fail", excused=True), state("fail", excused=True), Word.UNCHANGED),
        (state("fail", excused=True), state("fail"), Word.UNCHANGED),
        (State("unknown"), State("skipped"), Word.UNCHANGED),
        (State("flaky", passes=9, runs=10), State("flaky", passes=18, runs=20), Word.UNCHANGED),
        (State("flaky", passes=9, runs=10), State("flaky", passes=8, runs=10), Word.FLAKE_RATE_MOVED),
        (State("flaky", passes=19, runs=20), State("flaky", passes=1, runs=20), Word.REGRESSED),
        (State("flaky", passes=19, runs=20), State("fail", passes=0, runs=20), Word.REGRESSED),
        (State("flaky", passes=1, runs=20), State("pass", passes=20, runs=20), Word.REPAIRED),
        (State("flaky", passes=1, runs=20), State("flaky", passes=19, runs=20), Word.FLAKE_RATE_MOVED),
    ],
    ids=[
        "known-gone",
        "known-still",
        "known-no-more-documented",
        "ran-in-neither",
        "same-rate",
        "rate-within-chance",
        "rate-fell",
        "flaky-to-failing",
        "flaky-to-passing",
        "rate-rose",
    ],
)
def test_known_failures_and_rates(base: State, new: State, expected: Word) -> None:
    assert word(base, new) is expected


def test_the_interval_of_a_rate_is_newcombes() -> None:
    # Newcombe (1998), method 10, his example 56/70 and 48/80: 0.0524 to 0.3339.
    low, high = rate_difference(State("flaky", passes=48, runs=80), State("flaky", passes=56, runs=70))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


@pytest.fixture
def paired(tmp_path: Path, catalogue: Catalogue) -> Paired:
    def make(base: History, new: History) -> Comparison:
        folders = []
        for name, history in (("base", base), ("new", new)):
            folder = tmp_path / name
            folder.mkdir()
            history.of_run(name).write(folder)
            folders.append(folder)
        (pair,) = compare(folders[0], folders[1:], catalogue).pairs
        return pair

    return make


def words(pair: Comparison) -> dict[str, str]:
    return {change.id: str(change.word) for change in pair.changed}


ALL = ("EVT-FLT-003", "EVT-ING-001", "EVT-RTE-003")


def run(*bad: str, asked: Sequence[str] = ALL) -> History:
    history = History().start()
    for name in asked:
        history.test(name, BAD if name in bad else GOOD)
    return history.finish()


def test_runs_that_say_the_same_have_no_change(paired: Paired) -> None:
    pair = paired(run(), run())
    assert (words(pair), pair.exit) == ({}, 0)


def test_a_swap_does_not_cancel_out(paired: Paired) -> None:
    pair = paired(run("EVT-ING-001"), run("EVT-RTE-003"))
    assert words(pair) == {"EVT-RTE-003": "regressed", "EVT-ING-001": "repaired"}
    assert pair.exit == 1


def test_a_swap_of_two_cases_of_one_requirement_does_not_cancel_out(paired: Paired) -> None:
    def made(first: int, second: int) -> History:
        history = History().start().test("EVT-FLT-003").test("EVT-ING-001")
        return history.test("EVT-RTE-003", first, name="a").test("EVT-RTE-003", second, name="b").finish()

    pair = paired(made(GOOD, BAD), made(BAD, GOOD))
    assert words(pair) == {"EVT-RTE-003": "regressed"}
    assert [(case.case[-1], str(case.word)) for case in pair.changed[0].cases] == [
        ("a", "regressed"),
        ("b", "repaired"),
    ]


@pytest.mark.parametrize(
    ("level", "code"), [("MUST", 1), ("MUST NOT", 1), ("SHOULD", 1), ("SHOULD NOT", 1), ("MAY", 0)]
)
@pytest.mark.parametrize("what", ["regressed", "lost"])
def test_a_may_never_decides(catalogue: Catalogue, tmp_path: Path, level: str, code: int, what: str) -> None:
    file = tmp_path / "catalogue" / "eventing.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"SHOULD"', f'"{level}"'), encoding="utf-8")
    folders = [tmp_path / "b", tmp_path / "n"]
    bad = run("EVT-RTE-003") if what == "regressed" else without_last()
    for folder, history in zip(folders, (run(), bad), strict=True):
        folder.mkdir()
        history.write(folder)
    (pair,) = compare(folders[0], folders[1:], load(tmp_path / "catalogue")).pairs
    assert (words(pair), pair.exit) == ({"EVT-RTE-003": what}, code)


def without_last() -> History:
    history = History().start(argv=["-k", "not last"])
    history.test("EVT-FLT-003").test("EVT-ING-001")
    return history.finish()


def test_levels_order_the_changes(paired: Paired) -> None:
    pair = paired(run(), run(*ALL))
    assert [change.level for change in pair.changed] == ["MUST", "MUST", "SHOULD"]


def test_what_was_not_run_before_and_fails_is_newly_failing(paired: Paired) -> None:
    pair = paired(without_last(), run("EVT-RTE-003"))
    assert (words(pair), pair.exit) == ({"EVT-RTE-003": "newly failing"}, 0)


def test_what_cannot_be_decided_any_more_makes_it_undecided(paired: Paired) -> None:
    new = History().start().test("EVT-FLT-003").test("EVT-ING-001")
    new.test("EVT-RTE-003", outcome="error", reason="no probe")
    new.records[-2]["verdict"] = "pass"
    del new.records[-2]  # the expectation: the test broke before it
    for number, record in enumerate(new.records, start=1):
        record["seq"] = number
    pair = paired(run(), new.finish())
    assert (words(pair), pair.exit) == ({"EVT-RTE-003": "undecided now"}, 2)


def test_a_case_of_one_run_only_is_added_or_removed(paired: Paired) -> None:
    base = History().start().test("EVT-FLT-003").test("EVT-ING-001").test("EVT-RTE-003", name="old").finish()
    new = History().start().test("EVT-FLT-003").test("EVT-ING-001").test("EVT-RTE-003", BAD, name="new").finish()
    pair = paired(base, new)
    assert (words(pair), pair.exit) == ({"EVT-RTE-003": "added"}, 0)
    assert [str(case.word) for case in pair.changed[0].cases] == ["added", "removed"]


def test_a_case_that_was_collected_and_never_ran_is_no_removed_one(paired: Paired) -> None:
    never = Case("suites/e/test_e.py::EVT-RTE-003", ("EVT-RTE-003",), None)
    new = History().start().test("EVT-FLT-003").test("EVT-ING-001").finish("completed", never)
    pair = paired(run(), new)
    assert words(pair) == {"EVT-RTE-003": "undecided now"}


@pytest.mark.parametrize(
    ("missing", "expected"), [("base", "added"), ("new", "removed")], ids=["in-the-new", "in-the-old"]
)
def test_a_requirement_of_one_catalogue_only_is_added_or_removed(paired: Paired, missing: str, expected: str) -> None:
    sides = {"base": run(), "new": run()}
    short = run(asked=ALL[:2])
    del short.records[0]["requirements"]["EVT-RTE-003"]
    sides[missing] = short
    pair = paired(sides["base"], sides["new"])
    assert words(pair) == {"EVT-RTE-003": expected}
    assert pair.exit == 0


def test_a_requirement_that_todays_catalogue_lacks_is_named(paired: Paired) -> None:
    base = run()
    base.records[0]["requirements"]["OLD-OLD-001"] = 1
    pair = paired(base, run())
    assert words(pair) == {"OLD-OLD-001": "removed"}
