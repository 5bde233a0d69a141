"""A history judged again gives what was judged live, whatever stands between; a changed one does not."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.aggregate import Outcome
from evidence.checks import CheckError, create
from evidence.expectations import Expectation, attempts, delivered, in_order, not_delivered, recorded, unchanged
from evidence.replay import Replay, replay, replay_records
from evidence.verdict import Verdict
from selftest.evidence.story import BROKER, TRIGGER, Story, event
from selftest.histories import Raw, lines, typed

E, OTHER = event("e1"), event("e2")
CLAIMS: list[Expectation] = [
    delivered(E, TRIGGER),
    not_delivered(OTHER, TRIGGER),
    attempts(E, TRIGGER, 1),
    unchanged(E, TRIGGER),
    recorded(E, BROKER),
    in_order([E], TRIGGER),
]


def live(story: Story, expectations: list[Expectation], *, timed_out: bool = True) -> None:
    """Append what `expect` would have: each expectation judged by the records so far."""
    for number, expectation in enumerate(expectations, start=1):
        check = create(expectation.check, expectation.args)
        for record in typed(story.records):
            check.feed(record)
        judgement = check.judge(final=timed_out)
        story.add(
            "expectation",
            expectation=f"{story.scope}-e{number}",
            check=expectation.check,
            args=dict(expectation.args),
            deadline=10.0,
            timed_out=timed_out,
            upto=check.upto,
            verdict=str(judgement.verdict),
            violations=[violation.to_json() for violation in judgement.violations],
        )


def a_test(
    scope: str = "s",
    *,
    arrives: bool = True,
    mutant: str | None = None,
    outcome: str = "passed",
    expectations: Any = None,
) -> Story:
    story = Story(scope)
    story.add("test.started", test=f"test_{scope}", requirements=["A-B-001"], mutant=mutant)
    story.accepted("e1")
    story.accepted("e2")
    if arrives:
        story.delivered("e1")
    story.offsets(2)
    live(story, CLAIMS if expectations is None else expectations)
    story.add("test.finished", outcome=outcome, reason=None, duration=0.1)
    return story


def numbered(stories: list[Story], order: list[int]) -> list[Raw]:
    """Return the stories interleaved in the order of these choices, numbered anew as one history."""
    queues = [list(story.records) for story in stories]
    records: list[Raw] = []
    numbers: dict[tuple[str, int], int] = {}
    turn = 0
    while any(queues):
        choice = [queue for queue in queues if queue]
        record = copy.deepcopy(choice[(order[turn % len(order)]) % len(choice)].pop(0))
        turn += 1
        scope, before = record["scope"], record["seq"]
        record["seq"] = numbers[scope, before] = len(records) + 1
        if "asked_t" in record:
            record["asked_t"] += 100 + record["seq"] / 100 - record["t"]
        record["t"] = 100 + record["seq"] / 100
        if record["record"] == "expectation":
            record["upto"] = numbers[scope, record["upto"]]
        records.append(record)
    return records


def again(records: list[Raw]) -> Replay:
    return replay_records(lambda: typed(records))


def verdicts(result: Replay) -> dict[str, list[str]]:
    return {
        test.scope: [str(expectation.judgement.verdict) for expectation in test.expectations] for test in result.tests
    }


def test_replay_agrees_with_live() -> None:
    result = again(a_test().records)
    assert result.disagreements() == []
    assert verdicts(result) == {"s": ["pass", "pass", "pass", "pass", "pass", "pass"]}


def test_a_file_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson"
    path.write_bytes(b"".join(lines(a_test(arrives=False).records)))
    result = replay(path)
    assert result.disagreements() == []
    assert result.records == len(a_test(arrives=False).records)
    assert result.tests[0].ruling().verdict is Verdict.FAIL
    assert "delivered: expected event e1" in result.tests[0].ruling().reason


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.booleans())
def test_verdicts_do_not_depend_on_what_unrelated_scopes_do_in_between(order: list[int], arrives: object) -> None:
    stories = [a_test("a", arrives=bool(arrives)), a_test("b", arrives=not arrives), a_test("c")]
    alone = {story.scope: verdicts(again(story.records))[story.scope] for story in stories}
    result = again(numbered(stories, order))
    assert verdicts(result) == alone
    assert result.disagreements() == []


ACTIONS = st.lists(
    st.sampled_from(["sent", "answered", "stored", "received", "offsets", "other-stored", "other-received", "again"]),
    max_size=14,
)


@settings(max_examples=150)
@given(ACTIONS, st.integers(0, 3))
def test_checks_that_share_their_sightings_and_are_asked_all_along_judge_as_each_alone(
    actions: list[str], committed: int
) -> None:
    story = Story()
    for action in actions:
        match action:
            case "sent" | "answered" | "stored" | "received":
                getattr(story, action)("e1")
            case "offsets":
                story.offsets(committed)
            case "other-stored":
                story.stored("e2")
            case "other-received":
                story.received("e2")
            case _:
                story.sent("again", headers=[["ce-id", "e1"], ["ce-source", "/src"]])
    alone = []
    for expectation in CLAIMS:
        check = create(expectation.check, expectation.args)
        for record in typed(story.records):
            check.feed(record)
            check.judge()  # asking early must change nothing
        alone.append(str(check.judge(final=True).verdict))
    live(story, CLAIMS)
    start = {
        "seq": 0,
        "t": 0.0,
        "record": "test.started",
        "scope": "s",
        "test": "t",
        "requirements": [],
        "mutant": None,
    }
    story.records.insert(0, start | {"mutant": None})
    assert verdicts(again(story.records)) == {"s": alone}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("received", {"body": "tampered"}),
        ("received", {"sink": "elsewhere"}),
        ("offsets", {"committed": {"0": 1}}),
        ("expectation", {"verdict": "fail"}),
        ("expectation", {"upto": 3}),
        ("expectation", {"check": "no_such_check"}),
        ("expectation", {"args": {}}),
        ("expectation", {"upto": 10_000}),
    ],
    ids=map(str, range(8)),
)
def test_a_tampered_history_disagrees(kind: str, fields: dict[str, Any]) -> None:
    records = copy.deepcopy(a_test().records)
    next(record for record in records if record["record"] == kind).update(fields)
    assert again(records).disagreements()


def test_a_verdict_recorded_before_its_deadline_must_be_decided_by_then() -> None:
    story = a_test(expectations=[])
    live(story, [delivered(event("never"), TRIGGER)])
    story.records[-1] |= {"timed_out": False, "verdict": "pass"}
    (expectation,) = again(story.records).disagreements()
    assert expectation.judgement.verdict is Verdict.UNKNOWN
    assert expectation.judgement.violations


def test_what_a_test_was_and_ran_under_is_told() -> None:
    one, other = again(numbered([a_test("a"), a_test("b", arrives=False, mutant="eats-events")], [0])).tests
    assert (one.test, one.mutant, one.requirements) == ("test_a", None, ("A-B-001",))
    assert (other.mutant, other.ruling().verdict) == ("eats-events", Verdict.FAIL)
    assert again(a_test(expectations=[]).records).tests[0].ruling().verdict is Verdict.UNKNOWN


def test_a_test_that_never_finished_is_unknown() -> None:
    result = again(a_test(expectations=CLAIMS[:1]).records[:-1])
    assert result.tests[0].ruling() == Outcome(Verdict.UNKNOWN, "the test did not finish")


def test_a_check_that_breaks_gives_error_and_says_where() -> None:
    story = Story()
    story.accepted()
    story.received()
    story.records[-1]["body"] = "beyond a byte: €"
    live(story, [unchanged(E, TRIGGER)])
    assert story.records[-1]["verdict"] == "error"
    assert story.records[-1]["violations"][0]["where"].startswith("history.py:")


def test_an_unknown_check_has_near_names() -> None:
    with pytest.raises(CheckError, match="did you mean delivered"):
        create("delivred", {})
