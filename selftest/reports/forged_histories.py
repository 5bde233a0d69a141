"""What a forger does to a history before it is signed, or after: changes, and forgeries that are made of them."""

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from evidence.catalogue import Catalogue
from evidence.run_names import run_hash
from reports.verify.told import moment
from selftest.histories import Raw
from selftest.reports.forging import first, scopes, without
from selftest.reports.handing_in import Forgery, HandedIn, collected, numbered, recollected

ID = "TST-ONE-001"
Change = Callable[[list[Raw]], list[Raw]]


def anew(change: Change, *, failing: bool = False) -> Forgery:
    """Let the vendor change the history, close its numbers up, chain it, render it and sign it all."""

    def forge(run: HandedIn) -> None:
        run.hand_in(numbered(change(copy.deepcopy(run.other if failing else run.records))))

    return forge


def of(records: list[Raw], kind: str) -> Raw:
    return next(record for record in records if record["record"] == kind)


def in_the_report(field: str, value: str) -> Forgery:
    def forge(run: HandedIn) -> None:
        file = run.folder / "report.json"
        document = json.loads(file.read_text(encoding="utf-8"))
        document["results"][0][field] = value
        file.write_text(json.dumps(document), encoding="utf-8")
        run.sign()

    return forge


def report_of_another_run(run: HandedIn) -> None:
    run.exchange(run.other)
    run.render()
    run.exchange(run.records)
    run.sign()


def no_report(run: HandedIn) -> None:
    (run.folder / "report.json").unlink()


def of_another_format(run: HandedIn) -> None:
    run.exchange([{**record, "format": 3} if "format" in record else record for record in run.records])


def a_line_that_is_no_record(run: HandedIn) -> None:
    run.history.write_bytes(run.history.read_bytes() + b'{"record":"accepted"}\n')


def edited_after_the_signature(run: HandedIn) -> None:
    data = run.history.read_bytes()
    run.history.write_bytes(data.replace(b'"status":204', b'"status":201', 1))


def last_record_changed_and_chained(run: HandedIn) -> None:
    run.exchange([*run.records[:-1], {**run.records[-1], "reason": "Completed"}])


def a_delivery_that_never_was(run: HandedIn) -> None:
    """Let a stranger exchange a failing history for a passing one, render again, and keep the vendor's signature."""
    run.hand_in(run.other)
    run.exchange(run.records)
    run.render()


def verdict_upgraded_in_both(records: list[Raw]) -> list[Raw]:
    for record in records:
        if record["record"] == "expectation":
            record |= {"verdict": "pass", "violations": []}
        elif record["record"] == "test.finished":
            record |= {"outcome": "passed", "reason": None}
    return records


def a_record_edited(records: list[Raw]) -> list[Raw]:
    for record in records:
        if record["record"] == "answered" and record["status"] == 500:
            record["status"] = 202
    return records


def a_case_deleted(records: list[Raw]) -> list[Raw]:
    return without(records, scopes(records)[2])


def a_case_nowhere_collected(records: list[Raw]) -> list[Raw]:
    return recollected(a_case_deleted(records), collected(records)[:2])


def a_case_nowhere_pinned(records: list[Raw]) -> list[Raw]:
    made = a_case_nowhere_collected(records)
    of(made, "run.started")["requirements"] = {ID: 2}
    return made


def a_case_left_out_by_choice(records: list[Raw]) -> list[Raw]:
    cases = collected(records)
    made = recollected(a_case_deleted(records), [*cases[:2], {**cases[2], "left_out": "-k"}])
    of(made, "run.started")["selection"] |= {"narrowed": ["-k", "one"], "argv": ["-k", "one"]}
    return made


def a_subset_said_to_be_complete(records: list[Raw]) -> list[Raw]:
    made = a_case_left_out_by_choice(records)
    of(made, "run.started")["selection"] |= {"narrowed": [], "argv": []}
    return made


def nothing_collected(records: list[Raw]) -> list[Raw]:
    return [record for record in records if record["record"] not in {"collected", "collection"}]


def another_worker_collected_less(records: list[Raw]) -> list[Raw]:
    summary = of(records, "collection")
    return [*records[:-1], {**summary, "seq": 0, "t": records[-1]["t"], "worker": "gw9", "cases": 2}, records[-1]]


def truncated_after_the_last_test(records: list[Raw]) -> list[Raw]:
    return records[:-1]


def a_test_without_its_end(records: list[Raw]) -> list[Raw]:
    last = [record for record in records if record["record"] == "test.finished"][-1]
    return [record for record in records if record is not last]


def interrupted(records: list[Raw]) -> list[Raw]:
    records[-1]["reason"] = "interrupted"
    return records


def a_second_end(records: list[Raw]) -> list[Raw]:
    return [*records, {**records[-1], "seq": 0}]


def held_against_another(records: list[Raw]) -> list[Raw]:
    of(records, "run.started")["selection"]["again"] = 1
    fields = {"run": "r", "sha256": "ab" * 32, "again": 1, "differences": [], "cases": [], "stages": []}
    last = {name: records[-1][name] for name in ("t", "scope", "seq")}
    return [*records[:-1], {**last, "record": "baseline", **fields}, records[-1]]


def inserted(records: list[Raw]) -> list[Raw]:
    place = next(number for number, record in enumerate(records) if record["record"] == "received")
    return [*records[: place + 1], {**records[place], "seq": 0}, *records[place + 1 :]]


def lost(kind: str) -> Change:
    def lose(records: list[Raw]) -> list[Raw]:
        gone = first(records, kind, scopes(records)[1])
        return [record for record in records if record is not gone]

    return lose


def number_left_out(run: HandedIn) -> None:
    run.hand_in([{**record, "seq": record["seq"] + (record["seq"] > 9)} for record in run.records])


def clock_moved(seconds: float) -> Change:
    def move(records: list[Raw]) -> list[Raw]:
        begin = records.index(first(records, "expectation", scopes(records)[1]))
        for record in records[begin:]:
            record["t"] += seconds
        return records

    return move


def dated(records: list[Raw]) -> list[Raw]:
    of(records, "run.started")["wall"] = "2030-01-01T00:00:00+00:00"
    return records


def without_anchors(records: list[Raw]) -> list[Raw]:
    return [{name: value for name, value in record.items() if name not in {"wall_t", "instance"}} for record in records]


def another_instance(records: list[Raw]) -> list[Raw]:
    begin = records.index(first(records, "test.finished", scopes(records)[1]))
    for record in records[begin:]:
        if "instance" in record:
            record["instance"] = "0123456789ab"
    return records


def restarted(records: list[Raw]) -> list[Raw]:
    place = records.index(first(records, "test.started", scopes(records)[2]))
    word = {"record": "probe.restarted", "seq": 0, "t": records[place]["t"], "scope": "", "reason": "it ended"}
    return [*records[:place], {**word, "instance": of(records, "run.started")["instance"]}, *records[place:]]


def gapped(records: list[Raw]) -> list[Raw]:
    place = records.index(first(records, "test.started", scopes(records)[2]))
    word = {"record": "history.gap", "seq": 0, "t": records[place]["t"], "scope": "", "reason": "lost"}
    return [*records[:place], word, *records[place:]]


def part_of_another_run(run: HandedIn) -> None:
    """Put the passing case of one run in the place of the failing one of another, as if it were of that."""
    gone, come = scopes(run.other)[2], scopes(run.records)[2]
    place = next(number for number, record in enumerate(run.other) if record["scope"] == gone)
    part = [copy.deepcopy(record) for record in run.records if record["scope"] == come]
    part[0]["test"] = first(run.other, "test.started", gone)["test"]
    for record in part:
        record["seq"] += 10_000
        if record["record"] == "expectation":
            record["upto"] += 10_000
    rest = [record for record in run.other[place:] if record["scope"] != gone]
    run.hand_in(numbered([*copy.deepcopy(run.other[:place]), *part, *rest]))


def part_of_another_run_renamed(run: HandedIn) -> None:
    mine, theirs = (of(records, "run.started")["run"] for records in (run.records, run.other))
    run.records = json.loads(json.dumps(run.records).replace(run_hash(mine), run_hash(theirs)))
    part_of_another_run(run)


def begun_behind_its_first_test(records: list[Raw]) -> list[Raw]:
    place = records.index(first(records, "test.finished", scopes(records)[0])) + 1
    head = {name: value for name, value in records[0].items() if name != "format"}
    return [{**records[1], "format": records[0]["format"]}, *records[2:place], head, *records[place:]]


def ended_before_its_last_test(records: list[Raw]) -> list[Raw]:
    place = records.index(first(records, "test.started", scopes(records)[2]))
    return [*records[:place], {**records[-1], "t": records[place]["t"]}, *records[place:-1]]


def a_mutant_unsaid(records: list[Raw]) -> list[Raw]:
    first(records, "test.started", scopes(records)[2])["mutant"] = "broken"
    return records


def the_first_of_two_produced_lost(records: list[Raw]) -> list[Raw]:
    end = first(records, "test.finished", scopes(records)[2])
    second: Raw = {"record": "produced", "produce": f"{end['scope']}-p2", "topic": "t", "key": None, "headers": []}
    second |= {"value": "{}", "error": None, "seq": 0, "t": end["t"], "scope": end["scope"]}
    place = records.index(end)
    return [*records[:place], second, *records[place:]]


def two_runs_behind_each_other(run: HandedIn) -> None:
    shifted = [{**record, "seq": record["seq"] + 10_000} for record in copy.deepcopy(run.records)]
    for record in shifted:
        if record["record"] == "expectation":
            record["upto"] += 10_000
    run.hand_in(numbered([*run.other[:-1], *shifted]))


def renamed_only_in_its_first_record(records: list[Raw]) -> list[Raw]:
    of(records, "run.started")["run"] = "20270101-000000-1"
    return records


def begun(**fields: Any) -> Change:
    def begin(records: list[Raw]) -> list[Raw]:
        of(records, "run.started").update(fields)
        return records

    return begin


def selecting(**fields: Any) -> Change:
    def select(records: list[Raw]) -> list[Raw]:
        of(records, "run.started")["selection"].update(fields)
        return records

    return select


def edited_catalogue(run: HandedIn) -> None:
    eased = replace(run.catalogue.requirements[0], text="It does something.", level="MAY")
    run.exchange(run.other)
    theirs = Catalogue((eased,), run.catalogue.mutants, run.catalogue.version)
    run.render(theirs)
    run.sign(run.state(theirs))


def product_claimed(records: list[Raw]) -> list[Raw]:
    of(records, "run.started")["sut"]["kserve"] = "0.22.0"
    return records


def product_never_observed(records: list[Raw]) -> list[Raw]:
    return [record for record in records if record["record"] != "preflight"]


def older(days: float) -> Change:
    """Shift a whole run in time, its anchors too."""

    def age(records: list[Raw]) -> list[Raw]:
        for record in records:
            if "wall_t" in record:
                record["wall_t"] -= days * 86400
            if "wall" in record:
                record["wall"] = (moment(record["wall"]) - timedelta(days=days)).isoformat()
        return records

    return age


def waived(**fields: Any) -> Change:
    """Give the run a waiver, with other fields than an honest one has."""
    entry = {
        "requirement": ID,
        "reason": "a fault",
        "owner": "me",
        "expires": "2999-01-01",
        "url": "https://x/1",
    } | fields
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in entry.items() if value]
    return allowed(f"[[waiver]]\n{''.join(lines)}")


def allowed(text: str) -> Change:
    """Give the run a file of waivers, whatever stands in it."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return begun(allowances=[{"kind": "waiver", "file": "w.toml", "sha256": digest, "text": text}])


def known_to_the_operator(records: list[Raw]) -> list[Raw]:
    """Give the run a file by which its failure is known."""
    text = f'[[known]]\nrequirement = "{ID}"\nreason = "ours"\nowner = "me"\nexpires = 2999-01-01\n'
    digest = hashlib.sha256(text.encode()).hexdigest()
    return begun(allowances=[{"kind": "known", "file": "k.toml", "sha256": digest, "text": text}])(records)


def waiver_behind_its_digest(records: list[Raw]) -> list[Raw]:
    made = waived()(records)
    of(made, "run.started")["allowances"][0]["text"] += "# more\n"
    return made


def asking(forge: Forgery, **asked: Any) -> Forgery:
    """Let the lab ask for something by its policy."""

    def forged(run: HandedIn) -> None:
        run.ask(**asked)
        forge(run)

    return forged


def honest(run: HandedIn) -> None:
    assert run.attestation.exists()
