"""Where a history has a break, no test that was running is judged: error, never pass, never the system's failure."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.history import fault_of
from evidence.replay import replay_records
from evidence.verdict import Verdict
from selftest.evidence.test_replay import a_test, numbered
from selftest.histories import Raw, typed

RESTARTED = {"record": "probe.restarted", "scope": "", "instance": "b", "reason": "its container did"}
GAP = {"record": "history.gap", "scope": "", "reason": "another pod took its place"}
STORIES = ("a", "b", "c")


def one_after_the_other(arrives: bool = True) -> list[Raw]:  # noqa: FBT001, FBT002 - a test's parameter
    records: list[Raw] = []
    for scope in STORIES:
        story = a_test(scope, arrives=arrives).records
        records += [
            record | {"seq": len(records) + place, "upto": record.get("upto", 0) + len(records)}
            for place, record in enumerate(story, start=1)
        ]
    return records


def with_break(records: list[Raw], place: int, record: Raw) -> list[Raw]:
    """Put a record before the one at this place; all that follow, and what they point to, move on by one."""
    later = [
        {**one, "seq": one["seq"] + 1, "upto": one["upto"] + 1 if one["upto"] > place else one["upto"]}
        for one in records[place:]
    ]
    return [*records[:place], {**record, "seq": place + 1, "t": 0.0}, *later]


def rulings(records: list[Raw]) -> dict[str, Verdict]:
    return {test.scope: test.ruling().verdict for test in replay_records(lambda: typed(records)).tests}


@pytest.mark.parametrize("record", [RESTARTED, GAP], ids=["restart", "gap"])
@pytest.mark.parametrize("arrives", [True, False])
def test_whoever_ran_through_a_break_is_an_error_and_nobody_else(record: Raw, *, arrives: bool) -> None:
    length = len(a_test("a", arrives=arrives).records)
    plain = rulings(one_after_the_other(arrives))
    for place in range(3 * length + 1):
        found = rulings(with_break(one_after_the_other(arrives), place, record))
        hit = STORIES[place // length] if place % length else None
        assert found == {scope: Verdict.ERROR if scope == hit else plain[scope] for scope in STORIES}


def test_the_reason_names_the_break() -> None:
    records = with_break(one_after_the_other(), 3, RESTARTED)
    reason = replay_records(lambda: typed(records)).tests[0].ruling().reason
    assert reason == "the probe restarted while the test ran (record 4): its container did"


def test_a_restart_breaks_all_that_run_at_the_time() -> None:
    side_by_side = [{"upto": 0, **record} for record in numbered([a_test(scope) for scope in STORIES], [0, 1, 2])]
    found = rulings(with_break(side_by_side, 30, RESTARTED))
    assert set(found.values()) == {Verdict.ERROR}


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 100), min_size=1, max_size=6))
def test_records_that_are_missing_never_make_a_pass(missing: set[int]) -> None:
    whole = one_after_the_other()
    missing = {place % len(whole) for place in missing}
    left = [record for place, record in enumerate(whole) if place not in missing]
    length = len(whole) // len(STORIES)
    for test in replay_records(lambda: typed(left)).tests:
        ruling = test.ruling()
        touched = {place for place in missing if STORIES[place // length] == test.scope}
        # What is missing before its first record is no part of it; all else is, and a last one leaves it unfinished.
        inside = {place for place in touched if place % length}
        assert (ruling.verdict is Verdict.PASS) == (not inside), (test.scope, ruling)


@pytest.mark.parametrize("record", [RESTARTED, GAP], ids=["restart", "gap"])
def test_the_readers_know_these_records_and_want_their_reason(record: Raw) -> None:
    whole: dict[str, Any] = orjson.loads(orjson.dumps({**record, "seq": 1, "t": 1.0}))
    assert fault_of(whole) is None
    del whole["reason"]
    assert "reason" in (fault_of(whole) or "")
