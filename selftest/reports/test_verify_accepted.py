"""Honest runs of every kind are accepted; what cannot be decided is not; every rule is published and has a forgery."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from securesystemslib.signer import CryptoSigner

from common.errors import UsageError
from evidence.catalogue import Catalogue
from reports.attest import envelope, images
from reports.model import Known
from reports.verify import document, policy, releases, rules
from reports.verify.model import Finding, Rule, Verification
from reports.verify.policy import Policy
from selftest.histories import Raw, typed
from selftest.reports import test_verify_attestations, test_verify_histories
from selftest.reports.forged_histories import (
    ID,
    anew,
    begun,
    known_to_the_operator,
    older,
    product_never_observed,
    selecting,
    waived,
)
from selftest.reports.handing_in import IMAGE, PRODUCTS, Forgery, HandedIn, broken, collected, recollected, told

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "reports" / "policies" / "example.toml"


def untouched(run: HandedIn) -> None:
    assert run.attestation.exists()


def by_ecdsa(run: HandedIn) -> None:
    run.signer = CryptoSigner.generate_ecdsa()
    run.keys = [run.signer.public_key]
    run.sign()


def packed(run: HandedIn) -> None:
    run.history.with_name("history.ndjson.gz").write_bytes(gzip.compress(run.history.read_bytes()))
    run.history.unlink()


def trusted_among_others(run: HandedIn) -> None:
    run.keys = [CryptoSigner.generate_ed25519().public_key, *run.keys]


def signed_by_two(run: HandedIn) -> None:
    found = envelope.read(run.attestation)
    found.sign(CryptoSigner.generate_ed25519())
    run.attestation.write_text(json.dumps(found.to_dict()), encoding="utf-8")


def unsigned_where_nobody_asks(run: HandedIn) -> None:
    run.attestation.unlink()
    run.ask(signed=False)


def of_one_profile(run: HandedIn) -> None:
    """Let the catalogue have a requirement of another profile, which the run left out."""
    run.catalogue = with_another(run)
    left_out = {"test": "suites/eventing/test_two.py::test_two", "requirements": ["TST-TWO-001"], "mutant": None}
    cases = [*collected(run.records), {**left_out, "left_out": "--profile broker-core"}]
    begin = begun(requirements={ID: 3, "TST-TWO-001": 1})
    select = selecting(profiles=["broker-core"], narrowed=["--profile broker-core"])
    run.hand_in(select(begin(recollected(run.records, cases))))


def with_another(run: HandedIn) -> Catalogue:
    (one,) = run.catalogue.requirements
    other = replace(one, id="TST-TWO-001", profile="latency", cases=1)
    return Catalogue((one, other), run.catalogue.mutants, run.catalogue.version)


def by_a_policy(run: HandedIn) -> None:
    run.policy = Policy(
        profiles=("broker-core",),
        gate="strict",
        targets=("cluster",),
        kafka=("external",),
        personalities=(),
        max_age_days=30,
        observed=True,
        suite_versions=("0.1.0",),
        suite_commits=("4f0c9d3b" * 5,),
        catalogue_versions=("2.5",),
        products={"kserve": ("0.20.0", "0.21.0")},
    )


def by_claims_where_the_policy_takes_them(run: HandedIn) -> None:
    anew(product_never_observed)(run)
    run.ask(products={"kserve": ("0.21.0",)}, observed=False)


def young_enough(run: HandedIn) -> None:
    anew(older(29))(run)
    run.ask(max_age_days=30)


HONEST: dict[str, Forgery] = {
    "untouched": untouched,
    "ECDSA": by_ecdsa,
    "packed by gzip": packed,
    "trusted among others": trusted_among_others,
    "signed by two": signed_by_two,
    "unsigned where nobody asks": unsigned_where_nobody_asks,
    "of one profile": of_one_profile,
    "by a policy with everything": by_a_policy,
    "nothing observed, nobody asks": anew(product_never_observed),
    "claims where the policy takes them": by_claims_where_the_policy_takes_them,
    "young enough": young_enough,
    "waiver that holds": anew(waived()),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_run_is_accepted(handed_in: HandedIn, name: str) -> None:
    HONEST[name](handed_in)
    verification = handed_in.verify()
    assert (verification.exit, told(verification)) == (0, [])
    document.to_json(verification)


def state(verification: Verification, rule: str) -> str:
    return next(ruling.state for ruling in verification.rulings if ruling.rule.id == rule)


def test_a_documented_failure_is_accepted_by_its_gate_and_refused_by_a_strict_one(
    handed_in: HandedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(ID, "kserve", ("0.21.0",), "It fails.", "a source")
    monkeypatch.setattr("reports.known.load", lambda: (known,))
    handed_in.hand_in(handed_in.other)
    assert told(handed_in.verify()) == []
    assert handed_in.state()["predicate"] == handed_in.state()["predicate"] | {"result": "WARNED", "warnedTests": [ID]}
    handed_in.ask(gate="known", known=("kserve",))
    assert told(handed_in.verify()) == []
    handed_in.ask(gate="known", known=("seldon-core",))
    assert told(handed_in.verify()) == [f"known: {ID}: a failure of a published list: seldon-core / of kserve"]
    handed_in.ask(gate="strict", known=None)
    (refused,) = told(handed_in.verify())
    assert refused.startswith(f"gate: gate strict: as expected / 1 requirement failed: {ID}")


def test_a_requirement_that_the_run_left_out_is_missed_where_the_policy_asks_for_its_profile(
    handed_in: HandedIn,
) -> None:
    of_one_profile(handed_in)
    handed_in.ask(profiles=("broker-core", "latency"))
    against = told(handed_in.verify())
    assert [each for each in against if each.startswith(("collected", "profiles"))] == [
        "collected: TST-TWO-001: suites/eventing/test_two.py::test_two: selected / left out by --profile broker-core",
        "profiles: profile latency: pass / unknown",
    ]


def without_a_key(run: HandedIn) -> None:
    run.keys = []


def an_error_of_ours(records: list[dict[str, object]]) -> list[dict[str, object]]:
    ended = [record for record in records if record["record"] == "test.finished"][-1]
    ended |= {"outcome": "error", "reason": "a fixture of ours failed"}
    return records


@pytest.mark.parametrize(
    ("change", "rule"),
    [(without_a_key, "signature"), (anew(an_error_of_ours), "gate")],
    ids=["no key", "our own error"],
)
def test_what_cannot_be_decided_is_not_accepted(
    handed_in: HandedIn, change: Callable[[HandedIn], None], rule: str
) -> None:
    change(handed_in)
    verification = handed_in.verify()
    assert (verification.exit, state(verification, rule)) == (2, "undecidable")


def test_what_nobody_asks_for_is_told_as_not_judged(handed_in: HandedIn) -> None:
    anew(product_never_observed)(handed_in)
    verification = handed_in.verify()
    rulings = {ruling.rule.id: ruling for ruling in verification.rulings}
    assert {name for name, ruling in rulings.items() if ruling.state == "not judged"} == {
        *("challenge", "profiles", "observed", "products", "target", "kafka", "personality", "fresh", "suite-released")
    }
    (finding,) = rulings["observed"].findings
    assert finding.got == "nothing: the target shows no Deployments of products"


def test_what_stands_on_something_that_cannot_be_read_is_not_judged(handed_in: HandedIn) -> None:
    (handed_in.folder / "report.json").unlink()
    handed_in.attestation.unlink()
    verification = handed_in.verify()
    assert list(broken(verification)) == ["signature", "format"]
    assert {state(verification, rule) for rule in ("statement", "subjects", "verdicts")} == {"not judged"}


def test_of_a_history_that_cannot_be_read_the_signature_alone_is_judged(handed_in: HandedIn) -> None:
    handed_in.history.write_bytes(b"{}\n")
    verification = handed_in.verify()
    assert list(broken(verification)) == ["format"]
    kept = [ruling.rule.id for ruling in verification.rulings if ruling.state == "kept"]
    assert kept == ["signature", "statement"]
    assert document.to_json(verification)["run"] is None


def test_images_are_those_that_objects_name_by_digest() -> None:
    digest = "cd" * 32
    pod: Raw = {"spec": {"containers": [{"image": "docker.io/a:1"}, {"image": f"docker.io/a:1@sha256:{digest}"}]}}
    pod |= {"status": {"containerStatuses": [{"imageID": f"docker-pullable://docker.io/b@sha256:{digest}"}]}}
    objects: list[Raw] = [{"record": "object", "object": pod}, {"record": "object", "object": None}]
    assert images.named_in(typed(objects)) == {
        f"docker.io/a:1@sha256:{digest}": digest,
        f"docker.io/b@sha256:{digest}": digest,
    }


def test_images_and_products_are_those_of_the_history(handed_in: HandedIn) -> None:
    observations = handed_in.verify().submission.observations
    assert observations is not None
    assert observations.versions == PRODUCTS
    assert dict(observations.images) == {IMAGE: "ab" * 32}


def test_every_rule_refuses_a_forgery() -> None:
    tables = (test_verify_attestations.FORGERIES, test_verify_histories.FORGERIES)
    ids = [rule.id for rule in rules.RULES]
    assert len(set(ids)) == len(ids)
    assert {rule for table in tables for _, rule in table.values()} == set(ids)


def test_a_further_rule_is_a_line(handed_in: HandedIn) -> None:
    finding = Finding("a sunny day", "rain", "the window")
    more = Rule("weather", "The sun shines.", of_history=lambda _: [finding])
    verification = handed_in.verify(rules=[*rules.RULES, more])
    assert (verification.exit, state(verification, "weather")) == (1, "broken")


def test_the_rules_are_published() -> None:
    text = (ROOT / "docs" / "certification.md").read_text(encoding="utf-8")
    section = text.split("\n## The rules\n")[1].split("\n## ")[0]
    assert rules.as_markdown() in section, f"write this table:\n{rules.as_markdown()}"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(document.SCHEMA.read_text(encoding="utf-8")))


def test_a_failure_that_the_operator_knows_is_accepted_where_the_policy_says_so(handed_in: HandedIn) -> None:
    anew(known_to_the_operator, failing=True)(handed_in)
    handed_in.ask(gate="known", own_known=True)
    assert told(handed_in.verify()) == []
    handed_in.ask(gate="known", own_known=False)
    (refused,) = told(handed_in.verify())
    assert refused.startswith(f"known: {ID}: a failure of a published list: reports/known/ / the operator's own")


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        ("## Unreleased\n\n## 0.1.0 - 2026-11-30\n", "kept"),
        ("## Unreleased\n\n## [0.1.0] - 2026-11-30\n", "kept"),
        ("## Unreleased\n\n## 0.0.9 - 2026-11-30\n", "broken"),
        ("## Unreleased\n\nSuite 0.1.0, catalogue 1.0.\n", "not judged"),
        (None, "not judged"),
    ],
    ids=["listed", "in-brackets", "not-listed", "nothing-released", "no-changelog"],
)
def test_a_release_is_one_that_the_lab_knows_of(
    handed_in: HandedIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changelog: str | None, expected: str
) -> None:
    file = tmp_path / "CHANGELOG.md"
    if changelog is not None:
        file.write_text(changelog)
    listed = releases.listed
    monkeypatch.setattr("reports.verify.releases.listed", lambda: listed(file))
    verification = handed_in.verify()
    assert state(verification, "suite-released") == expected
    assert verification.exit == (1 if expected == "broken" else 0)


def test_the_example_of_a_policy_is_read_and_asks_for_every_kind_of_thing() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in (*policy.FIELDS, *policy.SUITE, *policy.CATALOGUE):
        assert name in text, f"the example does not show the key {name}"
    found = policy.read(EXAMPLE, ("broker-core", "broker-extended"))
    assert (found.gate, found.max_age_days, found.personalities) == ("strict", 30, ())
    assert found.products == {"knative-eventing": ("1.22.2",), "eventing-kafka-broker": ("1.22.3",)}


def test_a_vendors_cluster_run_is_judged_by_the_example(handed_in: HandedIn) -> None:
    handed_in.policy = replace(policy.read(EXAMPLE, ("broker-core", "broker-extended")), catalogue_versions=("2.5",))
    assert told(handed_in.verify()) == [
        "profiles: profile broker-extended: pass / not asked",
        "products: preflight: observed.eventing-kafka-broker: 1.22.3 / none",
    ]


BAD: dict[str, tuple[str, str]] = {
    "unknown key": ('profile = ["broker-core"]', "profile: unknown key: did you mean profiles?"),
    "unknown key in a table": ('[suite]\nversion = ["1.0"]', "suite.version: unknown key: did you mean versions?"),
    "unknown profile": ('profiles = ["broker-cor"]', "profiles: unknown value 'broker-cor': did you mean broker-core?"),
    "unknown list": ('known = ["kserv"]', "known: unknown value 'kserv': did you mean kserve or mlserver?"),
    "no list": ('targets = "kind"', "targets: expected a list of filled texts"),
    "empty list": ("targets = []", "targets: expected 1 to 100 texts"),
    "too many": (f"targets = {['x'] * 101}", "targets: expected 1 to 100 texts"),
    "too long": (f"targets = ['{'x' * 301}']", "of at most 300 characters"),
    "no gate": ('gate = "lax"', "gate: expected one of known, strict, got 'lax'"),
    "no flag": ('signed = "no"', "signed: expected true or false, got 'no'"),
    "no days": ("max_age_days = true", "max_age_days: expected a whole number of days from 1 to 3660, got True"),
    "days of no end": ("max_age_days = 999999", "from 1 to 3660, got 999999"),
    "no table": ("products = 1", "products: expected a table [products], got 1"),
    "product without versions": ("[products]\nkserve = []", "products.kserve: expected 1 to 100 texts"),
    "no TOML": ("signed", "expected a policy in TOML, got none"),
    "nested deeply": (f"keys = {'[' * 5000}{']' * 5000}", "expected a policy in TOML, got none"),
    "without end": ("#" * (policy.MOST_POLICY + 1), "expected a policy of at most 65536 bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_policy_is_read_strictly(tmp_path: Path, name: str) -> None:
    text, said = BAD[name]
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        policy.read(file, ("broker-core",))
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
