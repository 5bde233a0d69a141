"""Forgeries and blindnesses, each done to the folder of a real run: what was forged is noticed, and nobody is accused.

A forger may make a history anew and render all of it again. What such a forger can still do is named here too: only a
head that was published elsewhere shows it.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.catalogue import load as load_catalogue
from reports.check import check
from selftest.fixtures import house
from selftest.histories import Raw, lines, read
from selftest.reports.forging import ID, Evidence, first, run, scopes, without


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return run(folder / "failing", 500), run(folder / "passing", 204)


@pytest.fixture
def evidence(runs: tuple[Path, Path], tmp_path: Path) -> Evidence:
    failing, passing = ([*read(house.run_folder(each) / "history.ndjson")] for each in runs)
    catalogue = load_catalogue(runs[0] / "suites" / "catalogue")
    return Evidence(tmp_path, catalogue, failing, passing, str(failing[-1]["digest"]))


def test_a_real_run_is_as_it_says(evidence: Evidence) -> None:
    whole = evidence.put(lines(evidence.failing))
    assert whole.report.history_faults == ()
    assert (whole.verdict(), whole.report.gate.exit) == ("fail", 1)
    assert whole.report.history_head == evidence.head, "sealed again it has the same head"
    assert check(evidence.folder, evidence.catalogue, (), head=evidence.head).agrees
    passing = evidence.put(lines(evidence.passing))
    assert (passing.verdict(), passing.report.gate.exit, passing.told()) == ("pass", 0, [])


REPORTED = {"verdict": "pass", "reason": "it was fine", "level": "MAY", "text": "It does.", "source": "mine"}


@pytest.mark.parametrize("field", REPORTED)
def test_an_edited_field_of_the_report(evidence: Evidence, field: str) -> None:
    evidence.put(lines(evidence.failing))
    file = evidence.folder / "report.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["results"][0][field] = REPORTED[field]
    file.write_text(json.dumps(document), encoding="utf-8")
    differences = check(evidence.folder, evidence.catalogue, ()).differences
    assert [difference for difference in differences if difference.startswith(f"{ID}: {field}: expected ")]


# What becomes of a history when somebody changes it and leaves the digests as they were.


def edited(records: list[Raw]) -> tuple[int, list[Raw]]:
    place = next(n for n, record in enumerate(records) if record.get("status") == 500)
    records[place]["status"] = 202
    return place + 1, records


def deleted(records: list[Raw]) -> tuple[int, list[Raw]]:
    place = next(n for n, record in enumerate(records) if record.get("status") == 500)
    return place + 1, [{**record, "seq": n} for n, record in enumerate([*records[:place], *records[place + 1 :]], 1)]


def inserted(records: list[Raw]) -> tuple[int, list[Raw]]:
    place = next(n for n, record in enumerate(records) if record["record"] == "received")
    twice = [*records[:place], records[place], *records[place:]]
    return place + 2, [{**record, "seq": n} for n, record in enumerate(twice, 1)]


def of_another_version(records: list[Raw]) -> tuple[int, list[Raw]]:
    records[0]["sut"] = {"kserve": "0.22.0"}
    return 1, records


@pytest.mark.parametrize("forgery", [edited, deleted, inserted, of_another_version])
def test_a_changed_history_breaks_the_chain_at_the_first_change(
    evidence: Evidence, forgery: Callable[[list[Raw]], tuple[int, list[Raw]]]
) -> None:
    place, records = forgery(copy.deepcopy(evidence.failing))
    forged = evidence.put(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)
    broken = [fault for fault in forged.report.history_faults if "field digest" in fault]
    assert broken[0].startswith(f"line {place}: record ")
    assert "a record was changed, added, removed or moved here" in broken[0]
    assert forged.report.gate.exit != 0


# Histories that are made anew: numbers closed up, digests chained again, every file rendered again.


def a_record_edited(evidence: Evidence) -> list[Raw]:
    records = copy.deepcopy(evidence.failing)
    for record in records:
        if record["record"] == "answered" and record["status"] == 500:
            record["status"] = 202
    return records


def a_failing_case_deleted(evidence: Evidence) -> list[Raw]:
    return without(evidence.failing, scopes(evidence.failing)[2])


def a_case_nowhere_collected(evidence: Evidence) -> list[Raw]:
    records = copy.deepcopy(a_failing_case_deleted(evidence))
    return recollected(records, most=2)


def one_case_left(evidence: Evidence) -> list[Raw]:
    records = copy.deepcopy(without(a_failing_case_deleted(evidence), scopes(evidence.failing)[1]))
    records[0]["requirements"] = {ID: 1}
    return recollected(records, most=1)


def recollected(records: list[Raw], most: int) -> list[Raw]:
    """Let a run have collected only its first cases, digests and all."""
    from evidence.collection import Case, sha256

    part = next(record for record in records if record["record"] == "collected")
    part["cases"] = part["cases"][:most]
    digest = sha256(
        [Case(case["test"], tuple(case["requirements"]), case["mutant"], case["left_out"]) for case in part["cases"]]
    )
    for record in records:
        if record["record"] == "collection":
            record |= {"cases": most, "sha256": digest}
    return records


def the_passing_part_of_another_run(evidence: Evidence) -> list[Raw]:
    """Put the passing case of another run in the place of the one that fails, under the name of that."""
    gone, come = scopes(evidence.failing)[2], scopes(evidence.passing)[2]
    place = next(n for n, record in enumerate(evidence.failing) if record["scope"] == gone)
    name = first(evidence.failing, "test.started", gone)["test"]
    part = [copy.deepcopy(record) for record in evidence.passing if record["scope"] == come]
    part[0]["test"] = name
    begin = max(record["seq"] for record in evidence.failing)
    for record in part:
        record["seq"] += begin  # numbers of its own, until they are closed up
        if record["record"] == "expectation":
            record["upto"] += begin
    rest = [record for record in evidence.failing[place:] if record["scope"] != gone]
    return [*evidence.failing[:place], *part, *rest]


ANEW: list[tuple[Callable[[Evidence], list[Raw]], str]] = [
    (a_record_edited, "recorded fail, judged pass"),
    (a_failing_case_deleted, "it was selected and never began"),
    (a_case_nowhere_collected, "2 of 3 cases ran; 1 did not run: not collected"),
    (one_case_left, "1 of 3 cases ran; 2 did not run: the run's own catalogue has 1 of it"),
    (the_passing_part_of_another_run, "expected a scope of this run"),
    (the_passing_part_of_another_run, "nothing tells of its restart"),
]


@pytest.mark.parametrize(("forgery", "said"), ANEW, ids=[f"{n}-{row[0].__name__}" for n, row in enumerate(ANEW)])
def test_a_history_made_anew_is_noticed(
    evidence: Evidence, forgery: Callable[[Evidence], list[Raw]], said: str
) -> None:
    forged = evidence.forge(forgery(evidence))
    result = forged.report.find(ID)
    assert result is not None
    assert result.verdict != "pass" or forged.report.gate.exit != 0
    assert forged.report.gate.exit != 0
    assert any(said in told for told in [*forged.told(), result.reason]), forged.told()


# What only a published head shows. The signature of a certificate will be about this head.


def a_delivery_that_never_was(evidence: Evidence) -> list[Raw]:
    records = a_record_edited(evidence)
    for record in records:
        if record["record"] == "replied" and record["status"] == 500:
            record["status"] = 202
        elif record["record"] == "expectation":
            record |= {"verdict": "pass", "violations": []}
        elif record["record"] == "test.finished":
            record |= {"outcome": "passed", "reason": None}
    gone = [record for record in records if record["scope"] == scopes(records)[2]]
    return with_a_second_exchange(records, gone)


def with_a_second_exchange(records: list[Raw], part: list[Raw]) -> list[Raw]:
    """Invent the second exchange of a test whose first one failed, as the other tests have it."""
    model = [record for record in records if record["scope"] == scopes(records)[1]]
    place = records.index(part[-1])
    more: list[Raw] = []
    second = model[next(n for n, record in enumerate(model) if record["record"] == "expectation") + 1 : -1]
    begin = max(record["seq"] for record in records)
    for number, record in enumerate(copy.deepcopy(second), 1):
        text = json.dumps(record).replace(model[0]["scope"], part[0]["scope"])
        more.append({**json.loads(text), "seq": begin + number, "t": part[-1]["t"]})
        if record["record"] == "expectation":
            more[-1]["upto"] = begin + number - 1
    return [*records[:place], *more, *records[place:]]


def other_versions(evidence: Evidence) -> list[Raw]:
    records = copy.deepcopy(evidence.passing)
    records[0] |= {"sut": {"kserve": "9.9"}, "target": {"name": "cluster"}, "wall": "2030-01-01T00:00:00+00:00"}
    return records


@pytest.mark.parametrize("forgery", [a_delivery_that_never_was, other_versions])
def test_what_is_left_to_the_published_head(evidence: Evidence, forgery: Callable[[Evidence], list[Raw]]) -> None:
    forged = evidence.forge(forgery(evidence))
    assert (forged.verdict(), forged.told()) == ("pass", []), "by itself the folder is sound"
    (told,) = forged.told(head=evidence.head)
    assert told.startswith(f"history head: published {evidence.head}, computed {forged.report.history_head}")
    assert told.endswith("it is not the history that was published")


# Blindnesses of the instrument: what the probe would have written then, in a run that passes or fails otherwise.


def dropped(kinds: set[str]) -> Callable[[Evidence], list[Raw]]:
    def drop(evidence: Evidence) -> list[Raw]:
        scope = scopes(evidence.failing)[1]
        lost = {first(evidence.failing, kind, scope)["seq"] for kind in kinds}
        return [record for record in evidence.failing if record["seq"] not in lost]

    return drop


def the_clock_jumps(seconds: float) -> Callable[[Evidence], list[Raw]]:
    def jump(evidence: Evidence) -> list[Raw]:
        records = copy.deepcopy(evidence.failing)
        begin = first(records, "expectation", scopes(records)[1])["seq"]
        for record in records[begin - 1 :]:
            record["t"] += seconds
        return records

    return jump


def another_instance(evidence: Evidence) -> list[Raw]:
    records = copy.deepcopy(evidence.failing)
    begin = first(records, "test.finished", scopes(records)[1])["seq"]
    for record in records[begin - 1 :]:
        if "instance" in record:
            record["instance"] = "0123456789ab"
    return records


BLIND: list[tuple[str, Callable[[Evidence], list[Raw]], str]] = [
    ("the recorder drops a request", dropped({"received"}), "before its `replied`, got none"),
    ("the recorder drops a delivery", dropped({"received", "replied"}), "-r1 next, got "),
    ("the recorder drops a send", dropped({"sent"}), "before its `answered`, got none"),
    ("the recorder drops an exchange", dropped({"sent", "answered"}), "-s1 next, got "),
    ("an expectation is lost", dropped({"expectation"}), "-e1 next, got "),
    ("the clock jumps back", the_clock_jumps(-2), "the clock went back"),
    ("the clock jumps forward", the_clock_jumps(2), "the clocks disagree"),
    ("another process of the probe", another_instance, "nothing tells of its restart"),
]


@pytest.mark.parametrize(("blindness", "said"), [row[1:] for row in BLIND], ids=[row[0] for row in BLIND])
def test_a_blind_instrument_accuses_nobody(
    evidence: Evidence, blindness: Callable[[Evidence], list[Raw]], said: str
) -> None:
    forged = evidence.forge(blindness(evidence))
    result = forged.report.find(ID)
    assert result is not None
    touched = next(test for test in result.tests if test.scope == scopes(evidence.failing)[1])
    assert touched.verdict == "error", touched
    assert said in touched.reason
    assert any(said in fault for fault in forged.report.history_faults)
    assert forged.report.gate.exit != 0
    honest = [test.verdict for test in result.tests if test is not touched]
    assert honest == ["pass", "fail"], "no other test is touched"
