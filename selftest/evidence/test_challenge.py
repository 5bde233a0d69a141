"""A challenge computed again from a history alone: an honest one fits, and each way to forge one is named."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from evidence import challenge
from evidence.challenge import Discrepancy, verify
from evidence.collection import Case, parts, summary
from evidence.run_names import run_hash, scope_name
from selftest.histories import Raw, typed

NONCE, RUN, START = "lab-2026-11", "20261128-120000-1", "2026-11-28T12:00:00.000+00:00"
MODULES = ("suites/eventing/test_a.py", "suites/eventing/test_b.py", "suites/latency/test_c.py")
TESTS = [f"{module}::test_{number}" for module in MODULES for number in range(4)]
OTHER = "0b0e6c5a-8f0e-4b5e-9d0e-0a1b2c3d4e5f"


def in_order(key: str, tests: list[str]) -> list[str]:
    """Return tests in the order of a run: measurements last, the rest as the challenge has it."""
    return sorted(tests, key=lambda test: ("latency" in test, challenge.rank(key, test)))


def honest(nonce: str = NONCE, start: str = START) -> list[Raw]:
    """Return the history of a run of two processes: the second has the second module."""
    key = challenge.key_of(nonce, RUN, start)
    tests = in_order(key, TESTS)
    records: list[Raw] = [
        {
            "record": "run.started",
            "scope": "",
            "run": RUN,
            "selection": {"challenge": nonce, "repeat": 1},
            "wall": start,
        }
    ]
    cases = [Case(test, ("A-1",), None) for test in tests] + [Case("left", ("A-1",), None, left_out="-k x")]
    records += [dict(part) | {"scope": ""} for part in parts("gw0", cases)]
    records.append(dict(summary("gw0", cases)) | {"scope": ""})
    numbers = {"gw0": 0, "gw1": 0}
    for test in tests:
        worker = "gw1" if test.startswith(MODULES[1]) else "gw0"
        numbers[worker] += 1
        records += of_test(key, scope_name(run_hash(RUN), worker, numbers[worker]), test)
    return numbered(records)


def of_test(key: str, scope: str, test: str) -> list[Raw]:
    """Return a test's records: two events of its own, one with an id that is written in the test, and a trace id."""
    ids = [challenge.minted(key, scope, number) for number in (1, 2, 3)]
    names = [ids[0], f"reply-{ids[1]}", "7"]
    sent: list[Raw] = [
        {"record": "sent", "headers": [["ce-id", name], ["ce-source", "/s"]], "body": ids[2], "event": None}
        for name in names
    ]
    begin: Raw = {"record": "test.started", "test": test, "requirements": ["A-1"], "mutant": None}
    end: Raw = {"record": "test.finished", "outcome": "passed", "reason": None, "minted": 3}
    return [{**record, "scope": scope} for record in (begin, *sent, end)]


def numbered(records: list[Raw]) -> list[Raw]:
    for number, record in enumerate(records, start=1):
        record |= {"seq": number, "t": number / 10}
    return records


def found(records: list[Raw], nonce: str = NONCE) -> list[Discrepancy]:
    return verify(typed(numbered(records)), nonce)


def rules(discrepancies: list[Discrepancy]) -> set[str]:
    return {each.rule for each in discrepancies}


def test_an_honest_history_fits() -> None:
    assert found(honest()) == []


def test_a_history_of_another_nonce_does_not_fit() -> None:
    (first, *_) = found(honest("another-nonce"))
    assert (first.rule, first.expected, first.got) == ("nonce", "'lab-2026-11'", "'another-nonce'")
    assert first.where == "record 1, field selection.challenge"


def test_a_history_of_no_challenge_does_not_fit() -> None:
    records = honest()
    del records[0]["selection"]["challenge"]
    assert [(each.rule, each.got) for each in found(records)] == [("nonce", "none")]


@pytest.mark.parametrize(
    "change", [{"wall": "2026-11-28T12:00:00.001+00:00"}, {"run": "20261128-120000-2"}], ids=["start", "run"]
)
def test_a_history_with_another_beginning_does_not_fit(change: dict[str, str]) -> None:
    records = honest()
    records[0] |= change
    discrepancies = found(records)
    assert {"id", "order"} <= rules(discrepancies)
    assert len(discrepancies) <= challenge.MOST_FOUND


def test_a_nonce_put_over_another_one_does_not_help() -> None:
    records = honest("another-nonce")
    records[0]["selection"]["challenge"] = NONCE
    assert {"id", "order"} <= rules(found(records))


def glued(records: list[Raw]) -> None:
    """Put the second half of another run's tests in the place of one's own."""
    other = honest(start="2026-11-28T13:00:00.000+00:00")
    half = len(records) // 2
    records[half:] = other[half:]


def exchanged(name: str) -> Callable[[list[Raw]], None]:
    def change(records: list[Raw]) -> None:
        next(each for each in records if each["record"] == "sent")["headers"][0][1] = name

    return change


def dropped(records: list[Raw]) -> None:
    """Leave a test out, and the case too: the numbers of the scopes tell."""
    scope = next(each["scope"] for each in records if each["record"] == "test.started")
    test = next(each["test"] for each in records if each["scope"] == scope and each["record"] == "test.started")
    records[:] = [each for each in records if each["scope"] != scope]
    collected = next(each for each in records if each["record"] == "collected")
    cases = [
        Case(each["test"], ("A-1",), None, each["left_out"]) for each in collected["cases"] if each["test"] != test
    ]
    collected |= next(parts("gw0", cases))
    next(each for each in records if each["record"] == "collection").update(summary("gw0", cases))


def not_run(records: list[Raw]) -> None:
    scope = [each["scope"] for each in records if each["record"] == "test.started"][-1]
    records[:] = [each for each in records if each["scope"] != scope]


def not_collected(records: list[Raw]) -> None:
    records += of_test(challenge.key_of(NONCE, RUN, START), f"{run_hash(RUN)}-gw0-9", "suites/eventing/test_a.py::x")


def collected_otherwise(records: list[Raw]) -> None:
    part = next(each for each in records if each["record"] == "collected")
    part["cases"][0], part["cases"][1] = part["cases"][1], part["cases"][0]
    cases = [Case(each["test"], ("A-1",), None, each["left_out"]) for each in part["cases"]]
    next(each for each in records if each["record"] == "collection").update(summary("gw0", cases))


def ran_otherwise(records: list[Raw]) -> None:
    first, second = [each for each in records if each["record"] == "test.started" and "gw1" in each["scope"]][:2]
    first["test"], second["test"] = second["test"], first["test"]


def uncounted(records: list[Raw]) -> None:
    del next(each for each in records if each["record"] == "test.finished")["minted"]


def overcounted(records: list[Raw]) -> None:
    next(each for each in records if each["record"] == "test.finished")["minted"] = 4


@pytest.mark.parametrize(
    ("change", "rule", "told"),
    [
        (glued, "id", "one of the 3 that derive for scope"),
        (exchanged(OTHER), "id", f"got {OTHER}"),
        (exchanged("1"), "id", "the id number 1, got no record that has it"),
        (exchanged(str(uuid.UUID(int=0, version=4))), "id", "one of the 3 that derive for scope"),
        (dropped, "case", "a test was left out"),
        (not_run, "case", "expected a run of suites/"),
        (not_collected, "case", "expected a case that was collected and selected"),
        (collected_otherwise, "order", "the order that derives from the challenge"),
        (ran_otherwise, "order", "the cases of a module in the order of their collection"),
        (uncounted, "id", "how many ids the test has minted"),
        (overcounted, "id", "the id number 4"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_forged_history_is_named(change: Callable[[list[Raw]], None], rule: str, told: str) -> None:
    records = honest()
    change(records)
    discrepancies = found(records)
    assert [str(each) for each in discrepancies if each.rule == rule and told in str(each)], discrepancies


def repeated(records: list[Raw]) -> None:
    """Let all cases run twice, as with `--repeat 2`."""
    key, tests = challenge.key_of(NONCE, RUN, START), in_order(challenge.key_of(NONCE, RUN, START), TESTS)
    cases = [Case(test, ("A-1",), None) for test in [*tests, *tests]]
    del records[1:]
    records[0]["selection"]["repeat"] = 2
    records += [dict(part) | {"scope": ""} for part in parts("main", cases)]
    records.append(dict(summary("main", cases)) | {"scope": ""})
    for number, test in enumerate([*tests, *tests], start=1):
        records += of_test(key, scope_name(run_hash(RUN), "main", number), test)


def confined(records: list[Raw]) -> None:
    """Let the first case come last, as a destructive one does where all share a namespace."""
    repeated(records)
    key, tests = challenge.key_of(NONCE, RUN, START), in_order(challenge.key_of(NONCE, RUN, START), TESTS)
    tests = [*tests[1:], tests[0]]
    cases = [Case(test, ("A-1",), None) for test in tests]
    del records[1:]
    records[0]["selection"] |= {"repeat": 1, "argv": ["--namespace", "ours"]}
    records += [dict(part) | {"scope": ""} for part in parts("main", cases)]
    records.append(dict(summary("main", cases)) | {"scope": ""})
    for number, test in enumerate(tests, start=1):
        records += of_test(key, scope_name(run_hash(RUN), "main", number), test)


@pytest.mark.parametrize("change", [repeated, confined])
def test_an_honest_run_of_another_kind_fits(change: Callable[[list[Raw]], None]) -> None:
    records = honest()
    change(records)
    assert found(records) == []


def test_a_history_with_many_faults_is_told_up_to_a_bound() -> None:
    records = honest()
    scope = next(each["scope"] for each in records if each["record"] == "test.started")
    end = next(each for each in records if each["scope"] == scope and each["record"] == "test.finished")
    end["minted"] = 99_999
    assert len(found(records)) == challenge.MOST_FOUND


def test_a_count_beyond_all_bounds_is_not_computed() -> None:
    records = honest()
    next(each for each in records if each["record"] == "test.finished")["minted"] = 10**9
    assert "how many ids the test has minted, got 1000000000" in str(found(records)[0])


def test_nothing_is_no_history() -> None:
    assert [each.where for each in found([])] == ["the history has no beginning"]


@pytest.mark.parametrize(
    ("nonce", "told"),
    [
        ("", "got ''"),
        ("short", "got 'short'"),
        ("x" * 129, "got 129 characters"),
        ("with a space", "got 'with a space'"),
        ("line\nend-of-it", "got 'line\\nend-of-it'"),
        ("nöt-ascii", "got 'nöt-ascii'"),
    ],
)
def test_a_nonce_that_cannot_be_used_is_told(nonce: str, told: str) -> None:
    assert challenge.fault_of(nonce) == f"expected 8 to 128 printable characters of ASCII without a space, {told}"


@pytest.mark.parametrize("nonce", ["12345678", "x" * 128, "!~%'\"\\{}"])
def test_a_nonce_within_the_bounds_is_taken(nonce: str) -> None:
    assert challenge.fault_of(nonce) == ""


def test_ids_differ_by_key_scope_and_number() -> None:
    keys: list[Any] = [challenge.key_of(NONCE, RUN, START), challenge.key_of(NONCE, RUN, START + "1")]
    ids = {challenge.minted(key, scope, number) for key in keys for scope in ("a", "b") for number in (1, 2)}
    assert len(ids) == 8
    assert all(str(uuid.UUID(each)) == each for each in ids)
