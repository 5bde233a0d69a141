"""Attestations that somebody forged: each is refused by its rule, and nothing but that rule's kind is broken."""

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import CryptoSigner

from reports.attest import envelope, statement
from selftest.reports.handing_in import Forgery, HandedIn, broken, renamed, told


def document(run: HandedIn) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.attestation.read_text(encoding="utf-8"))
    return found


def put(run: HandedIn, changed: dict[str, Any]) -> None:
    run.attestation.write_text(json.dumps(changed), encoding="utf-8")


def no_envelope(run: HandedIn) -> None:
    run.attestation.unlink()


def key_swapped(run: HandedIn) -> None:
    run.sign(signer=CryptoSigner.generate_ed25519())


def key_swapped_under_the_vendors_id(run: HandedIn) -> None:
    stranger = CryptoSigner.generate_ed25519()
    run.sign(signer=stranger)
    changed = document(run)
    changed["signatures"][0]["keyid"] = run.signer.public_key.keyid
    put(run, changed)


def signature_over_another_payload(run: HandedIn) -> None:
    said = run.state()
    said["predicate"]["failedTests"] = ["TST-ONE-001"]
    run.sign(said)
    signature = document(run)["signatures"]
    run.sign()
    put(run, {**document(run), "signatures": signature})


def payload_changed_behind_the_signature(run: HandedIn) -> None:
    changed = document(run)
    said = json.loads(base64.b64decode(changed["payload"]))
    said["predicate"]["result"] = "WARNED"
    put(run, {**changed, "payload": base64.b64encode(json.dumps(said).encode()).decode()})


def payload_type_changed(run: HandedIn) -> None:
    put(run, {**document(run), "payloadType": "application/json"})


def payload_type_signed_as_another(run: HandedIn) -> None:
    run.seal(json.dumps(run.state()).encode(), "text/plain")


def signature_left_out(run: HandedIn) -> None:
    put(run, {**document(run), "signatures": []})


def signature_emptied(run: HandedIn) -> None:
    changed = document(run)
    changed["signatures"][0]["sig"] = ""
    put(run, changed)


def signature_twice(run: HandedIn) -> None:
    changed = document(run)
    put(run, {**changed, "signatures": changed["signatures"] * 2})


def signatures_without_end(run: HandedIn) -> None:
    changed = document(run)
    more = [{"keyid": str(number), "sig": "AA=="} for number in range(envelope.MOST_SIGNATURES)]
    put(run, {**changed, "signatures": [*changed["signatures"], *more]})


def signature_with_a_field_more(run: HandedIn) -> None:
    changed = document(run)
    changed["signatures"][0]["cert"] = "mine"
    put(run, changed)


def signature_that_is_a_number(run: HandedIn) -> None:
    changed = document(run)
    changed["signatures"][0]["sig"] = 1
    put(run, changed)


def payload_that_is_a_number(run: HandedIn) -> None:
    put(run, {**document(run), "payload": 1})


def field_beside_the_signed_ones(run: HandedIn) -> None:
    put(run, {**document(run), "verdict": "accepted"})


def payload_that_is_no_base64(run: HandedIn) -> None:
    put(run, {**document(run), "payload": "%%%"})


def envelope_that_is_no_json(run: HandedIn) -> None:
    run.attestation.write_text("signed, honestly", encoding="utf-8")


def envelope_without_end(run: HandedIn) -> None:
    run.attestation.write_bytes(b"[" * (envelope.MOST_ENVELOPE + 1))


def envelope_nested_deeply(run: HandedIn) -> None:
    run.attestation.write_bytes(b'{"payload":' + b"[" * 5000 + b"]" * 5000 + b"}")


def envelope_of_another_run(run: HandedIn) -> None:
    run.hand_in(run.other)
    theirs = run.attestation.read_bytes()
    run.hand_in(run.records)
    run.attestation.write_bytes(theirs)


def envelope_of_the_same_run_under_another_name(run: HandedIn) -> None:
    run.hand_in(renamed(run.records, "20270101-000000-1"))
    theirs = run.attestation.read_bytes()
    run.hand_in(run.records)
    run.attestation.write_bytes(theirs)


def payload_that_is_a_list(run: HandedIn) -> None:
    run.seal(b"[]")


def payload_that_says_a_field_twice(run: HandedIn) -> None:
    text = json.dumps(run.state())
    run.seal(text.replace('"result"', '"result": "FAILED", "result"', 1).encode())


def predicate_type_of_another_kind(run: HandedIn) -> None:
    run.sign({**run.state(), "predicateType": "https://slsa.dev/provenance/v1"})


def statement_of_another_version(run: HandedIn) -> None:
    run.sign({**run.state(), "_type": "https://in-toto.io/Statement/v0.1"})


def second_predicate(run: HandedIn) -> None:
    run.sign({**run.state(), "predicates": [{"result": "PASSED"}]})


def predicate_with_a_field_more(run: HandedIn) -> None:
    said = run.state()
    said["predicate"]["certifiedBy"] = "the lab"
    run.sign(said)


def result_upgraded(run: HandedIn) -> None:
    run.hand_in(run.other)
    said = run.state()
    said["predicate"] |= {"result": "PASSED", "passedTests": ["TST-ONE-001"], "failedTests": []}
    run.sign(said)


def passed_test_invented(run: HandedIn) -> None:
    said = run.state()
    said["predicate"]["passedTests"].append("EVT-DLV-001")
    run.sign(said)


def configuration_of_another_suite(run: HandedIn) -> None:
    said = run.state()
    said["predicate"]["configuration"][0]["annotations"]["suite"] = "2.0.0"
    run.sign(said)


def subject(change: str, name: str) -> Forgery:
    def forge(run: HandedIn) -> None:
        said = run.state()
        entry = next(each for each in said["subject"] if each["name"].startswith(name))
        match change:
            case "omitted":
                said["subject"].remove(entry)
            case "digest changed":
                entry["digest"]["sha256"] = "0" * 64
            case "digest omitted":
                entry["digest"] = {}
            case "weak digest":
                entry["digest"] = {"md5": "0" * 32}
            case "twice":
                said["subject"].append(entry)
            case "added":
                said["subject"].append({"name": "image:docker.io/other", "digest": {"sha256": "0" * 64}})
        run.sign(said)

    return forge


def subjects_no_list(run: HandedIn) -> None:
    run.sign({**run.state(), "subject": "history.ndjson"})


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "no envelope": (no_envelope, "signature"),
    "key swapped": (key_swapped, "signature"),
    "key swapped under the vendor's id": (key_swapped_under_the_vendors_id, "signature"),
    "signature over another payload": (signature_over_another_payload, "signature"),
    "payload changed behind the signature": (payload_changed_behind_the_signature, "signature"),
    "payloadType changed": (payload_type_changed, "signature"),
    "payloadType signed as another": (payload_type_signed_as_another, "signature"),
    "signature left out": (signature_left_out, "signature"),
    "signature emptied": (signature_emptied, "signature"),
    "signature twice": (signature_twice, "signature"),
    "signatures without end": (signatures_without_end, "signature"),
    "signature with a field more": (signature_with_a_field_more, "signature"),
    "signature that is a number": (signature_that_is_a_number, "signature"),
    "payload that is a number": (payload_that_is_a_number, "signature"),
    "field beside the signed ones": (field_beside_the_signed_ones, "signature"),
    "payload that is no Base64": (payload_that_is_no_base64, "signature"),
    "envelope that is no JSON": (envelope_that_is_no_json, "signature"),
    "envelope without end": (envelope_without_end, "signature"),
    "envelope nested deeply": (envelope_nested_deeply, "signature"),
    "envelope of another run": (envelope_of_another_run, "subjects"),
    "envelope of the same run under another name": (envelope_of_the_same_run_under_another_name, "statement"),
    "payload that is a list": (payload_that_is_a_list, "statement"),
    "payload that says a field twice": (payload_that_says_a_field_twice, "statement"),
    "predicate type of another kind": (predicate_type_of_another_kind, "statement"),
    "statement of another version": (statement_of_another_version, "statement"),
    "second predicate": (second_predicate, "statement"),
    "predicate with a field more": (predicate_with_a_field_more, "statement"),
    "result upgraded": (result_upgraded, "statement"),
    "passed test invented": (passed_test_invented, "statement"),
    "configuration of another suite": (configuration_of_another_suite, "statement"),
    "subject history omitted": (subject("omitted", "history"), "subjects"),
    "subject report omitted": (subject("omitted", "report"), "subjects"),
    "subject catalogue omitted": (subject("omitted", "catalogue"), "subjects"),
    "subject image omitted": (subject("omitted", "image:"), "subjects"),
    "subject image exchanged": (subject("digest changed", "image:"), "subjects"),
    "subject image added": (subject("added", "image:"), "subjects"),
    "subject history exchanged": (subject("digest changed", "history"), "subjects"),
    "subject digest omitted": (subject("digest omitted", "report"), "subjects"),
    "subject digest weak": (subject("weak digest", "history"), "subjects"),
    "subject twice": (subject("twice", "catalogue"), "subjects"),
    "subjects no list": (subjects_no_list, "subjects"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_attestation_is_refused_by_its_rule(handed_in: HandedIn, name: str) -> None:
    forge, rule = FORGERIES[name]
    forge(handed_in)
    verification = handed_in.verify()
    assert verification.exit == 1, [ruling.state for ruling in verification.rulings]
    found = broken(verification)
    assert rule in found, told(verification)
    assert all(each.expected and each.got and each.where for each in found[rule])
    assert found.keys() <= {"signature", "statement", "subjects", "gate"}, told(verification)


def test_the_signature_is_one_by_the_specification_of_dsse(handed_in: HandedIn) -> None:
    """The library that signs is not asked here: the bytes that DSSE has signed are put together by hand."""
    envelope_of = document(handed_in)
    payload = base64.b64decode(envelope_of["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(handed_in.signer.public_key.keyval["public"]))
    key.verify(base64.b64decode(envelope_of["signatures"][0]["sig"]), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(envelope_of["signatures"][0]["sig"]), payload)


def test_the_statement_is_in_totos(handed_in: HandedIn) -> None:
    said = envelope.payload(envelope.read(handed_in.attestation))
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert said["predicate"]["result"] == "PASSED"
    assert said["predicate"]["passedTests"] == ["TST-ONE-001"]
    names = [each["name"] for each in said["subject"]]
    assert names[:3] == ["history.ndjson", "report.json", "catalogue"]
    assert names[3].startswith("image:docker.io/kserve/")
    assert said["subject"][1]["digest"]["sha256"] == statement.file_sha256(handed_in.folder / "report.json")
