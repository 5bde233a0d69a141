"""Runs that somebody forged before they signed them, or after: each is refused by its rule."""

import pytest

from selftest.reports.forged_histories import (
    a_case_deleted,
    a_case_left_out_by_choice,
    a_case_nowhere_collected,
    a_case_nowhere_pinned,
    a_delivery_that_never_was,
    a_line_that_is_no_record,
    a_mutant_unsaid,
    a_record_edited,
    a_second_end,
    a_subset_said_to_be_complete,
    a_test_without_its_end,
    allowed,
    anew,
    another_instance,
    another_worker_collected_less,
    asking,
    begun,
    begun_behind_its_first_test,
    clock_moved,
    dated,
    edited_after_the_signature,
    edited_catalogue,
    ended_before_its_last_test,
    gapped,
    held_against_another,
    honest,
    in_the_report,
    inserted,
    interrupted,
    known_to_the_operator,
    last_record_changed_and_chained,
    lost,
    no_report,
    nothing_collected,
    number_left_out,
    of_another_format,
    older,
    part_of_another_run,
    part_of_another_run_renamed,
    product_claimed,
    product_never_observed,
    renamed_only_in_its_first_record,
    report_of_another_run,
    restarted,
    selecting,
    the_first_of_two_produced_lost,
    truncated_after_the_last_test,
    two_runs_behind_each_other,
    verdict_upgraded_in_both,
    waived,
    waiver_behind_its_digest,
    without_anchors,
)
from selftest.reports.handing_in import Forgery, HandedIn, broken, told

NONCE = "a-nonce-of-the-lab"


def challenged(forge: Forgery) -> Forgery:
    """Return a forgery that is handed in to a lab which gave a nonce."""

    def hand_in(run: HandedIn) -> None:
        run.challenge = NONCE
        forge(run)

    return hand_in


def waivers_without_a_file(run: HandedIn) -> None:
    run.exchange(begun(allowances=["all"])(run.records))


FORGERIES: dict[str, tuple[Forgery, str]] = {
    # Those that were tried by hand at first.
    "verdict edited in the report": (in_the_report("verdict", "not_testable"), "verdicts"),
    "reason edited in the report": (in_the_report("reason", "it was fine"), "verdicts"),
    "level edited in the report": (in_the_report("level", "MAY"), "verdicts"),
    "text edited in the report": (in_the_report("text", "It does."), "verdicts"),
    "source edited in the report": (in_the_report("source", "mine"), "verdicts"),
    "record edited, chained again": (anew(a_record_edited, failing=True), "recorded"),
    "delivery that never was, rendered again": (a_delivery_that_never_was, "subjects"),
    "failing case deleted": (anew(a_case_deleted, failing=True), "started"),
    "case dropped, collection rewritten": (anew(a_case_nowhere_collected, failing=True), "collected"),
    "case dropped, number of cases rewritten": (anew(a_case_nowhere_pinned, failing=True), "catalogue"),
    "product versions changed": (anew(product_claimed), "observed"),
    "target changed": (asking(anew(begun(target={"name": "kind"})), targets=("cluster",)), "target"),
    "commit changed": (
        asking(anew(begun(suite={"version": "0.1.0", "commit": "0" * 40})), suite_commits=("4f0c9d3b" * 5,)),
        "suite-clean",
    ),
    "date changed": (anew(dated), "clock"),
    "challenge not answered": (challenged(anew(selecting())), "challenge"),
    "another challenge answered": (challenged(anew(selecting(challenge="another-nonce"))), "challenge"),
    "nonce claimed, ids of before": (challenged(anew(selecting(challenge=NONCE))), "challenge"),
    "subset": (anew(a_case_left_out_by_choice, failing=True), "collected"),
    "subset said to be complete": (anew(a_subset_said_to_be_complete, failing=True), "collected"),
    "passing part of another run": (part_of_another_run, "run"),
    "recorder drops a request": (anew(lost("received")), "sequence"),
    "recorder drops a send": (anew(lost("sent")), "sequence"),
    "expectation lost": (anew(lost("expectation")), "sequence"),
    "clock back": (anew(clock_moved(-2)), "clock"),
    "clock forward": (anew(clock_moved(2)), "clock"),
    # More of each kind.
    "report of another run": (report_of_another_run, "verdicts"),
    "no report": (no_report, "format"),
    "history of another format": (of_another_format, "format"),
    "line that is no record": (a_line_that_is_no_record, "format"),
    "record edited after the signature": (edited_after_the_signature, "chain"),
    "last record changed and chained": (last_record_changed_and_chained, "subjects"),
    "verdict upgraded in report and history": (anew(verdict_upgraded_in_both, failing=True), "recorded"),
    "record inserted, chain computed again": (anew(inserted), "sequence"),
    "number left out": (number_left_out, "sequence"),
    "history truncated after the last test": (anew(truncated_after_the_last_test), "run"),
    "second end": (anew(a_second_end), "run"),
    "test without its end": (anew(a_test_without_its_end), "finished"),
    "interrupted": (anew(interrupted), "finished"),
    "nothing collected": (anew(nothing_collected), "collected"),
    "another worker collected less": (anew(another_worker_collected_less), "collected"),
    "repeats that did not run": (anew(selecting(repeat=2)), "started"),
    "anchors left out": (anew(without_anchors), "probe"),
    "anchors left out, time": (anew(without_anchors), "clock"),
    "two probe instances": (anew(another_instance), "probe"),
    "probe restarted": (anew(restarted), "probe"),
    "gap": (anew(gapped), "probe"),
    "part of another run under this one's name": (part_of_another_run_renamed, "probe"),
    "two runs behind each other": (two_runs_behind_each_other, "run"),
    "run begun behind its first test": (anew(begun_behind_its_first_test), "run"),
    "run ended before its last test": (anew(ended_before_its_last_test), "run"),
    "history without its end, age": (anew(truncated_after_the_last_test), "fresh"),
    "first of two produced records lost": (anew(the_first_of_two_produced_lost), "sequence"),
    "mutant that the beginning does not name": (anew(a_mutant_unsaid), "system"),
    "run renamed in its first record": (anew(renamed_only_in_its_first_record), "run"),
    "dirty suite": (anew(begun(suite={"version": "0.1.0", "commit": f"{'4f' * 20}-dirty"})), "suite-clean"),
    "dirty suite by its flag": (
        anew(begun(suite={"version": "0.1.0", "commit": "4f" * 20, "dirty": True})),
        "suite-clean",
    ),
    "commit unknown": (anew(begun(suite={"version": "0.1.0", "commit": None})), "suite-clean"),
    "commit cut": (anew(begun(suite={"version": "0.1.0", "commit": "4f0c9d"})), "suite-clean"),
    "suite not released": (anew(begun(suite={"version": "0.2.0.dev1", "commit": "4f" * 20})), "suite-released"),
    "suite without a version": (anew(begun(suite={"version": None, "commit": "4f" * 20})), "suite-released"),
    "suite of another release": (asking(honest, suite_versions=("0.2.0",)), "suite-released"),
    "catalogue edited": (edited_catalogue, "catalogue"),
    "catalogue of another version": (anew(begun(catalogue={"version": "1.9"})), "catalogue"),
    "catalogue without its cases": (anew(begun(requirements={})), "catalogue"),
    "mutant asked for": (anew(selecting(mutant=["broken"])), "system"),
    "conforming entry points asked for": (anew(selecting(conforming=True)), "system"),
    "proof in the place of a run": (anew(selecting(prove=True)), "system"),
    "failing run": (anew(list, failing=True), "gate"),
    "failing run, held against one that failed too": (anew(held_against_another, failing=True), "gate"),
    "failing run, claimed as a profile": (asking(anew(list, failing=True), profiles=("broker-core",)), "profiles"),
    "profile that nobody knows": (anew(selecting(profiles=["nothing"])), "collected"),
    "profile that was not asked": (asking(honest, profiles=("latency",)), "profiles"),
    "product of another version": (asking(honest, products={"kserve": ("0.20.0",)}), "products"),
    "product that is not there": (asking(honest, products={"seldon-core": ("1.17.1",)}), "products"),
    "product claimed, not observed": (
        asking(anew(product_never_observed), products={"kserve": ("0.21.0",)}),
        "observed",
    ),
    "nothing observed, and the policy asks": (asking(anew(product_never_observed), observed=True), "observed"),
    "kafka of another kind": (asking(honest, kafka=("apache",)), "kafka"),
    "personality": (asking(anew(begun(sut={"personality": "p", "kserve": "0.21.0"})), personalities=()), "personality"),
    "expired run": (asking(anew(older(31)), max_age_days=30), "fresh"),
    "run of the future": (anew(older(-1)), "fresh"),
    "expired waiver": (anew(waived(expires="2026-01-01")), "waivers"),
    "waiver expired by a date of TOML": (anew(allowed("[[waiver]]\nexpires = 2026-01-01\nurl = 'x'")), "waivers"),
    "waiver without an end": (anew(waived(expires="")), "waivers"),
    "waivers that are no TOML": (anew(allowed("[[waiver")), "waivers"),
    "waivers that are none": (anew(allowed("waiver = 1")), "waivers"),
    "waivers without a file": (waivers_without_a_file, "format"),
    "waiver without an address": (anew(waived(url="")), "waivers"),
    "waiver changed behind its digest": (anew(waiver_behind_its_digest), "waivers"),
    "failure that the operator's own file forgives": (
        asking(anew(known_to_the_operator, failing=True), gate="known"),
        "known",
    ),
    "waiver where the policy takes none": (asking(anew(waived()), waivers=False), "waivers"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_run_is_refused_by_its_rule(handed_in: HandedIn, name: str) -> None:
    forge, rule = FORGERIES[name]
    forge(handed_in)
    verification = handed_in.verify()
    assert verification.exit == 1, told(verification)
    found = broken(verification)
    assert rule in found, told(verification)
    assert all(each.expected and each.got and each.where for each in found[rule])
