"""`python -m reports attest` and `verify`: keys, what is refused, exit codes, nothing half written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from reports import __main__ as cli
from reports.attest import keys
from selftest.fixtures import house
from selftest.reports.handing_in import HandedIn

Command = Callable[..., tuple[int, str, str]]
SECRET = b"correct horse"


@pytest.fixture
def reports(handed_in: HandedIn, passing_house: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    """Return what runs a command and returns the exit code, standard output and standard error."""
    monkeypatch.setattr(cli, "CATALOGUE", passing_house / "suites" / "catalogue")
    monkeypatch.delenv(keys.PASSPHRASE, raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main([*map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def pem(key: Any, password: bytes | None = None) -> bytes:
    hidden = NoEncryption() if password is None else BestAvailableEncryption(password)
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)
    return written


def public(key: Any) -> bytes:
    written: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written


def put(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


KINDS: dict[str, Any] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ECDSA": ec.generate_private_key(ec.SECP256R1()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_signed_and_accepted(handed_in: HandedIn, tmp_path: Path, reports: Command, kind: str) -> None:
    key, pub = put(tmp_path / "k", pem(KINDS[kind])), put(tmp_path / "p", public(KINDS[kind]))
    handed_in.attestation.unlink()
    code, out, err = reports("attest", handed_in.folder, "--key", key)
    assert (code, err) == (0, "")
    assert "signed" in out
    assert "result PASSED" in out
    code, out, _ = reports("verify", handed_in.folder, "--key", pub)
    assert code == 0, out
    assert "\naccepted\nsigned by " in out
    assert [entry.name for entry in handed_in.folder.iterdir() if "part" in entry.name] == []


def test_what_was_signed_and_judged_is_told_as_json(handed_in: HandedIn, tmp_path: Path, reports: Command) -> None:
    key, pub = put(tmp_path / "k", pem(KINDS["ed25519"])), put(tmp_path / "p", public(KINDS["ed25519"]))
    elsewhere = tmp_path / "elsewhere.json"
    _, out, _ = reports("attest", handed_in.folder, "--key", key, "--out", elsewhere, "--json")
    signed = json.loads(out)
    assert signed["attestation"] == str(elsewhere)
    assert signed["statement"]["predicate"]["result"] == "PASSED"
    code, out, _ = reports("verify", handed_in.folder, "--key", pub, "--attestation", elsewhere, "--json")
    told = json.loads(out)
    assert (code, told["exit"], told["outcome"], told["signers"]) == (0, 0, "accepted", [signed["keyid"]])
    code, out, _ = reports("verify", handed_in.folder, "--key", pub, "--json")
    assert (code, json.loads(out)["outcome"]) == (1, "refused"), "the other envelope is of another key"


def test_verify_tells_the_broken_rule_with_expected_got_and_where(
    handed_in: HandedIn, tmp_path: Path, reports: Command
) -> None:
    pub = put(tmp_path / "p", public(KINDS["ed25519"]))
    policy = put(tmp_path / "policy.toml", b'keys = ["p"]\nkafka = ["apache"]\n')
    code, out, _ = reports("verify", handed_in.folder, "--policy", policy)
    assert code == 1
    assert "run.started: target.kafka.kind: expected one of apache, got external" in out
    assert "refused  broken: signature, kafka" in out
    assert pub.exists()


def test_a_run_that_check_does_not_agree_with_is_not_signed(
    handed_in: HandedIn, tmp_path: Path, reports: Command
) -> None:
    file = handed_in.folder / "report.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"verdict": "pass"', '"verdict": "unknown"'), "utf-8")
    before = handed_in.attestation.read_bytes()
    code, out, _ = reports("attest", handed_in.folder, "--key", put(tmp_path / "k", pem(KINDS["ed25519"])))
    assert code == 1
    assert "not signed" in out
    assert "TST-ONE-001: verdict: expected" in out
    assert handed_in.attestation.read_bytes() == before


def test_a_run_of_another_catalogue_is_not_signed(
    handed_in: HandedIn, tmp_path: Path, reports: Command, monkeypatch: Any
) -> None:
    house.build(tmp_path / "other", "")
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "other" / "suites" / "catalogue")
    code, out, _ = reports("attest", handed_in.folder, "--key", put(tmp_path / "k", pem(KINDS["ed25519"])))
    assert code == 1
    assert "the catalogue here is another one than that of the run" in out


def test_a_key_that_others_can_read_is_warned_of(handed_in: HandedIn, tmp_path: Path, reports: Command) -> None:
    key = put(tmp_path / "vendor.key", pem(KINDS["ed25519"]), 0o644)
    code, _, err = reports("attest", handed_in.folder, "--key", key)
    assert code == 0
    assert (
        err
        == f"warning: others can read or change the private key in {key} (mode 0644), expected 0600, chmod 600 {key}\n"
    )


def test_an_encrypted_key_asks_for_its_passphrase_in_a_variable(
    handed_in: HandedIn, tmp_path: Path, reports: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put(tmp_path / "vendor.key", pem(KINDS["ECDSA"], SECRET))
    code, _, err = reports("attest", handed_in.folder, "--key", key)
    assert code == 3
    assert f"expected the variable {keys.PASSPHRASE}, got none, and the private key in {key} is encrypted" in err
    monkeypatch.setenv(keys.PASSPHRASE, "another")
    code, _, err = reports("attest", handed_in.folder, "--key", key)
    assert code == 3
    assert "is wrong, or the file is damaged" in err
    assert "another" not in err
    monkeypatch.setenv(keys.PASSPHRASE, SECRET.decode())
    assert reports("attest", handed_in.folder, "--key", key)[0] == 0
    plain = put(tmp_path / "plain.key", pem(KINDS["ECDSA"]))
    assert reports("attest", handed_in.folder, "--key", plain)[0] == 0, (
        "a plain key needs no passphrase, and minds none"
    )


def rsa_key() -> Any:
    return rsa.generate_private_key(65537, 2048)


PRIVATE: dict[str, tuple[Callable[[], bytes], str]] = {
    "public": (lambda: public(KINDS["ECDSA"]), "expected a private key in PEM"),
    "nothing": (lambda: b"", "got none in"),
    "damaged": (lambda: pem(KINDS["ECDSA"])[:80] + b"\n-----END PRIVATE KEY-----\n", "got one that cannot be read in"),
    "RSA": (lambda: pem(rsa_key()), "expected an ed25519 key, or an ECDSA key on P-256, got RSAPrivateKey in"),
    "P-384": (lambda: pem(ec.generate_private_key(ec.SECP384R1())), "got ECDSA on secp384r1 in"),
    "OpenSSH": (
        lambda: KINDS["ed25519"].private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        "got one in OpenSSH's own form in",
    ),
    "large": (lambda: b"x" * (keys.MOST_KEY + 1), "expected a key of at most 65536 bytes, got a larger file in"),
}


@pytest.mark.parametrize("kind", PRIVATE)
def test_a_private_key_that_cannot_be_used_is_told(
    handed_in: HandedIn, tmp_path: Path, reports: Command, kind: str
) -> None:
    make, said = PRIVATE[kind]
    handed_in.attestation.unlink()
    key = put(tmp_path / "vendor.key", make())
    code, _, err = reports("attest", handed_in.folder, "--key", key)
    assert code == 3
    assert said in err
    assert f"in {key}" in err
    assert "Traceback" not in err
    assert not handed_in.attestation.exists()


PUBLIC: dict[str, tuple[Callable[[], bytes], str]] = {
    "private": (lambda: pem(KINDS["ed25519"]), "expected a public key, got a private one in"),
    "nothing": (lambda: b"ssh-ed25519 AAAA", "expected a public key in PEM"),
    "RSA": (lambda: public(rsa_key()), "got RSAPublicKey in"),
    "P-521": (lambda: public(ec.generate_private_key(ec.SECP521R1())), "got ECDSA on secp521r1 in"),
}


@pytest.mark.parametrize("kind", PUBLIC)
def test_a_public_key_that_cannot_be_used_is_told(
    handed_in: HandedIn, tmp_path: Path, reports: Command, kind: str
) -> None:
    make, said = PUBLIC[kind]
    code, out, err = reports("verify", handed_in.folder, "--key", put(tmp_path / "vendor.pub", make()))
    assert (code, out) == (3, "")
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["attest", "RUN", "--key", "KEY", "--out", "RUN/report.json"], "expected a file of its own"),
        (["attest", "RUN", "--key", "KEY", "--out", "KEY"], "expected a file of its own"),
        (["attest", "RUN", "--key", "gone"], "cannot read the key in gone (No such file or directory)"),
        (["attest", "gone", "--key", "KEY"], "gone is no folder"),
        (["verify", "gone"], "gone is no folder"),
        (["verify", "RUN", "--policy", "gone"], "cannot read the policy gone: No such file or directory"),
        (["verify", "RUN", "--policy", "KEY"], "expected a policy in TOML, got none"),
    ],
    ids=["out over the report", "out over the key", "no key", "no run", "no run to verify", "no policy", "no TOML"],
)
def test_wrong_usage_ends_with_3(
    handed_in: HandedIn, tmp_path: Path, reports: Command, words: list[str], said: str
) -> None:
    key = put(tmp_path / "k", pem(KINDS["ed25519"]))
    report = (handed_in.folder / "report.json").read_bytes()
    code, _, err = reports(*(word.replace("RUN", str(handed_in.folder)).replace("KEY", str(key)) for word in words))
    assert code == 3
    assert said in err
    assert (handed_in.folder / "report.json").read_bytes() == report
    assert key.read_bytes() == pem(KINDS["ed25519"])


def test_an_envelope_is_written_whole_or_not_at_all(handed_in: HandedIn, tmp_path: Path, reports: Command) -> None:
    key = put(tmp_path / "k", pem(KINDS["ed25519"]))
    code, _, err = reports("attest", handed_in.folder, "--key", key, "--out", tmp_path / "no folder" / "a.json")
    assert code == 2
    assert "cannot write" in err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["k", "run"]


@pytest.mark.parametrize("command", ["attest", "verify"])
def test_a_blind_instrument_neither_signs_nor_judges(
    handed_in: HandedIn, tmp_path: Path, reports: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from evidence import canaries

    def blind(_: object) -> None:
        raise canaries.BlindError("check accepted: the bad sample passes")

    monkeypatch.setattr(canaries, "look", blind)
    data = pem(KINDS["ed25519"]) if command == "attest" else public(KINDS["ed25519"])
    code, out, err = reports(command, handed_in.folder, "--key", put(tmp_path / "k", data))
    assert (code, out) == (2, "")
    assert "the bad sample passes" in err


@pytest.mark.parametrize("command", ["attest", "verify"])
def test_help_says_what_sigstore_needs(reports: Command, capsys: Any, command: str) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert "requirements-sigstore.txt" in " ".join(capsys.readouterr().out.split())
