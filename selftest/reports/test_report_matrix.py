"""The kill matrix: killed, survived, undecided, falsely killed, not run, not asked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from evidence.catalogue import NOT_REQUESTED, Catalogue
from evidence.collection import Case
from reports import junit, terminal
from reports.build import build
from reports.document import mutation_json, to_json, validate
from reports.model import Mutation, Report

Reported = Callable[[Any], Report]


def proof(
    reported: Reported,
    history: Any,
    *tests: tuple[str, int, str],
    argv: tuple[str, ...] = ("--prove",),
    more: tuple[Case, ...] = (),
) -> Report:
    history.start(argv=argv)
    for requirement, status, mutant in tests:
        history.test(requirement, status, mutant=mutant)
    report = reported(history.finish("completed", *more))
    validate(to_json(report))
    return report


def matrix(report: Report) -> Mutation:
    assert report.mutation is not None
    return report.mutation


ALL = (
    ("EVT-FLT-003", 500, "filter-ignores-case"),
    ("EVT-ING-001", 202, "filter-ignores-case"),
    ("EVT-ING-001", 500, "ingress-down"),
    ("EVT-RTE-003", 500, "extensions-dropped"),
)


def test_everything_killed_is_as_expected(reported: Reported, history: Any) -> None:
    report = proof(reported, history, *ALL)
    assert {row.status for row in matrix(report).mutants} == {"killed"}
    assert matrix(report).unproven == ()
    assert report.gate.exit == 0, report.gate
    assert {result.verdict for result in report.results} == {"skipped"}


def test_a_survivor_is_not_as_expected(reported: Reported, history: Any) -> None:
    report = proof(reported, history, ("EVT-FLT-003", 202, "filter-ignores-case"), *ALL[1:])
    row = next(row for row in matrix(report).mutants if row.name == "filter-ignores-case")
    assert (row.status, row.missed) == ("survived", ("EVT-FLT-003",))
    assert matrix(report).unproven == ("EVT-FLT-003",)
    assert report.gate.exit == 1


def test_a_false_kill_is_not_as_expected(reported: Reported, history: Any) -> None:
    report = proof(reported, history, *ALL, ("EVT-RTE-003", 500, "ingress-down"))
    assert next(row for row in matrix(report).mutants if row.name == "ingress-down").false_kills == ("EVT-RTE-003",)
    assert report.gate.exit == 1


def test_beside_mutants_nothing_is_excused(reported: Reported, history: Any) -> None:
    report = proof(reported, history, *ALL, ("EVT-FLT-003", 500, "ingress-down"))
    assert matrix(report).mutants[1].false_kills == ("EVT-FLT-003",)
    assert report.gate.exit == 1
    assert all(result.known is None for result in report.results)


def test_honest_runs_count_beside_the_matrix(reported: Reported, history: Any) -> None:
    history.start(argv=["--prove", "-k", "x"]).test("EVT-RTE-003").test("EVT-ING-001", 500)
    for requirement, status, mutant in ALL:
        history.test(requirement, status, mutant=mutant)
    report = reported(history.finish())
    assert {row.status for row in matrix(report).mutants} == {"killed"}
    assert [result.verdict for result in report.results] == ["skipped", "fail", "pass"]
    assert report.gate.exit == 1


def test_junit_has_a_case_for_every_mutant(reported: Reported, history: Any) -> None:
    report = proof(reported, history, ("EVT-FLT-003", 202, "filter-ignores-case"), *ALL[1:])
    root = ET.fromstring(junit.render(report))  # noqa: S314 - our own document
    cases = {
        case.get("name"): [child.tag for child in case] for case in root.iterfind("testsuite[@name='mutants']/testcase")
    }
    assert cases == {"filter-ignores-case": ["failure"], "ingress-down": [], "extensions-dropped": []}


def test_the_terminal_tells_what_is_wrong_with_the_matrix(reported: Reported, history: Any) -> None:
    report = proof(
        reported, history, *ALL[1:], ("EVT-FLT-003", 202, "filter-ignores-case"), ("EVT-RTE-003", 500, "ingress-down")
    )
    text = terminal.text(report, width=110, color=False)
    assert "filter-ignores-case survives EVT-FLT-003" in text
    assert "EVT-RTE-003 fails under ingress-down, and should not" in text
    assert "3 mutants: 2 killed, 1 survived" in text


def test_without_prove_the_mutant_is_the_system_under_test(reported: Reported, history: Any) -> None:
    history.start(argv=["--mutant", "ingress-down"]).test("EVT-ING-001", 500, mutant="ingress-down")
    report = reported(history.finish())
    assert [result.verdict for result in report.results] == ["skipped", "fail", "skipped"]
    assert report.gate.exit == 1


def test_a_mutant_that_did_not_run_leaves_it_undecided_or_worse(reported: Reported, history: Any) -> None:
    report = proof(reported, history, *ALL[:3])
    assert not matrix(report).complete
    assert mutation_json(matrix(report))["counts"]["not_run"] == 1
    assert report.gate.exit == 2


def test_a_must_whose_only_killer_is_undecided_is_undecided_too(reported: Reported, history: Any) -> None:
    case = Case("suites/e/test_e.py::EVT-ING-001", ("EVT-ING-001",), "ingress-down", "")
    report = proof(reported, history, *ALL[:2], ALL[3], ("EVT-FLT-003", 202, "ingress-down"), more=(case,))
    assert statuses(report)["ingress-down"] == "undecided"
    assert matrix(report).unproven == ()
    assert report.gate.exit == 2


def test_a_part_of_the_matrix_is_judged_by_itself(reported: Reported, history: Any) -> None:
    report = proof(reported, history, ALL[2], argv=("--prove", "--requirement", "EVT-ING-001"))
    assert report.gate.exit == 0, report.gate


PART = ("--prove", "--requirement EVT-ING-001")
KILLED, SPARED = ALL[2], ("EVT-ING-001", 202, "extensions-dropped")


def of_the_spared(left_out: str) -> Case:
    """Return the case that must fail under the mutant that the others spare."""
    return Case("suites/e/test_e.py::EVT-RTE-003", ("EVT-RTE-003",), "extensions-dropped", left_out)


def statuses(report: Report) -> dict[str, str]:
    return {row.name: row.status for row in matrix(report).mutants}


@pytest.mark.parametrize("more", [(of_the_spared(PART[1]),), ()], ids=["left-out", "not-collected"])
def test_a_mutant_that_the_selection_cannot_decide_is_not_asked(
    reported: Reported, history: Any, more: tuple[Case, ...]
) -> None:
    report = proof(reported, history, KILLED, SPARED, argv=PART, more=more)
    assert statuses(report) == {"ingress-down": "killed", "extensions-dropped": "not_asked"}
    assert (report.gate.exit, report.gate.outcome) == (0, "as expected, of the part that was asked")
    assert "1 mutant not asked, by the selection: extensions-dropped" in report.gate.reasons
    assert not matrix(report).complete


def test_every_form_of_the_report_names_what_was_not_asked(reported: Reported, history: Any) -> None:
    report = proof(reported, history, KILLED, SPARED, argv=PART, more=(of_the_spared(PART[1]),))
    assert "2 mutants: 1 killed, 1 not asked" in terminal.text(report, width=110, color=False)
    assert mutation_json(matrix(report))["counts"] == {
        "killed": 1, "survived": 0, "undecided": 0, "not_run": 0, "not_asked": 1
    }  # fmt: skip
    root = ET.fromstring(junit.render(report))  # noqa: S314 - our own document
    (skipped,) = root.iterfind("testsuite[@name='mutants']/testcase[@name='extensions-dropped']/skipped")
    assert skipped.get("message") == "not asked"


@pytest.mark.parametrize(
    ("ran", "status"), [((KILLED, SPARED), "undecided"), ((KILLED,), "not_run")], ids=["beside-others", "alone"]
)
def test_a_selected_case_that_did_not_run_leaves_its_mutant_undecided(
    reported: Reported, history: Any, ran: tuple[tuple[str, int, str], ...], status: str
) -> None:
    report = proof(reported, history, *ran, argv=("--prove", "-k EVT"), more=(of_the_spared(""),))
    assert statuses(report) == {"ingress-down": "killed", "extensions-dropped": status}
    assert report.gate.exit == 2
    assert any("extensions-dropped" in reason for reason in report.gate.reasons)


def test_a_mutant_that_is_not_asked_may_still_be_killed_falsely(reported: Reported, history: Any) -> None:
    falsely = ("EVT-ING-001", 500, "extensions-dropped")
    report = proof(reported, history, KILLED, falsely, argv=PART, more=(of_the_spared(PART[1]),))
    assert statuses(report)["extensions-dropped"] == "not_asked"
    assert report.gate.exit == 1


def test_a_proof_that_asks_no_mutant_proves_nothing(reported: Reported, history: Any) -> None:
    report = proof(reported, history, SPARED, argv=PART, more=(of_the_spared(PART[1]),))
    assert report.gate.exit == 2
    assert "no mutant ran against a requirement that must catch it" in report.gate.reasons


def test_without_a_selection_nothing_is_called_not_asked(reported: Reported, history: Any) -> None:
    report = proof(reported, history, *ALL[:3], SPARED)
    assert statuses(report)["extensions-dropped"] == "undecided"
    assert report.gate.exit == 2


@pytest.mark.parametrize(("why", "code"), [(f"{NOT_REQUESTED} mlserver-kafka", 0), ("a plug-in of pytest's", 1)])
def test_a_mutant_of_a_pipeline_that_was_not_requested_is_none_of_the_matrix(
    catalogue: Catalogue, history: Any, tmp_path: Path, why: str, code: int
) -> None:
    first, mutant = catalogue.requirements[0], catalogue.mutants[0]
    asked = replace(first, id="STR-MLS-001", profile="mlserver-kafka", mutants=("released",))
    more = replace(
        catalogue,
        requirements=(*catalogue.requirements, asked),
        mutants=(*catalogue.mutants, replace(mutant, name="released")),
    )
    history.start(argv=("--prove",))
    for requirement, status, name in ALL:
        history.test(requirement, status, mutant=name)
    history.finish("completed", Case("suites/mlserver/test_it.py::test", ("STR-MLS-001",), None, why))
    report = build(history.write(tmp_path), more, known=())
    assert ("released" in {row.name for row in matrix(report).mutants}, report.gate.exit) == (bool(code), code)
    assert [result.verdict for result in report.results if result.id == "STR-MLS-001"] == ["skipped"]
