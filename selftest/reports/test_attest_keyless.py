"""Signing by an identity: a stand-in for Sigstore's library, of the same names, signs and vouches without a network."""

import base64
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from reports import __main__ as cli
from reports.attest import keyless
from selftest.reports.handing_in import HandedIn

Command = Callable[..., tuple[int, str, str]]
WHO, ISSUER = "https://ci.example/acme/certify.yml", "https://token.ci.example"
KIND = "application/vnd.in-toto+json"
MODULES = ("errors", "oidc", "sign", "models", "dsse", "verify", "verify.policy")


class FailedError(Exception):
    """Stands for `sigstore.errors.Error`."""


class UnverifiedError(FailedError):
    """Stands for `sigstore.errors.VerificationError`."""


class Sigstore:
    """The parts of the library that are used; its signature is the identity itself, in the bundle."""

    def __init__(self) -> None:
        self.token: str | None = f"{WHO} {ISSUER}"
        self.reachable = True

    def trust(self) -> Any:
        """Return what is trusted."""
        if not self.reachable:
            raise FailedError("no route to the trust root")
        return self

    def load(self, raw: bytes) -> dict[str, str]:
        """Return a bundle."""
        found: dict[str, str] = json.loads(raw)
        return found

    def verify(self, bundle: dict[str, str], policy: SimpleNamespace) -> tuple[str, bytes]:
        """Return the kind and the content of what a bundle holds."""
        payload = base64.b64decode(bundle["payload"])
        if bundle["signed"] != f"{policy.identity} {policy.issuer} {len(payload)}":
            raise UnverifiedError(f"certificate's identity is another one than {policy.identity}")
        return KIND, payload

    @contextmanager
    def signer(self, token: str) -> Iterator[Any]:
        """Yield what signs."""

        def sign(statement: bytes) -> Any:
            bundle = {"signed": f"{token} {len(statement)}", "payload": base64.b64encode(statement).decode()}
            return SimpleNamespace(to_json=lambda: json.dumps(bundle))

        yield SimpleNamespace(sign_dsse=sign)

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return the names of the library, by module."""
        return {
            "errors": {"Error": FailedError, "VerificationError": UnverifiedError},
            "oidc": {"detect_credential": lambda: self.token, "IdentityToken": str},
            "sign": {"SigningContext": SimpleNamespace(from_trust_config=lambda trust: trust)},
            "models": {
                "ClientTrustConfig": SimpleNamespace(production=self.trust),
                "Bundle": SimpleNamespace(from_json=self.load),
            },
            "dsse": {"Statement": bytes},
            "verify": {
                "Verifier": SimpleNamespace(production=lambda: SimpleNamespace(verify_dsse=self.trust().verify))
            },
            "verify.policy": {"Identity": SimpleNamespace},
        }


@pytest.fixture
def sigstore(monkeypatch: pytest.MonkeyPatch) -> Sigstore:
    monkeypatch.delenv(keyless.TOKEN, raising=False)
    made = Sigstore()
    monkeypatch.setitem(sys.modules, "sigstore", ModuleType("sigstore"))
    for name, parts in made.parts().items():
        module = ModuleType(f"sigstore.{name}")
        module.__dict__.update(parts)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


@pytest.fixture
def reports(handed_in: HandedIn, passing_house: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    """Return what runs a command and returns the exit code, standard output and standard error."""
    monkeypatch.setattr(cli, "CATALOGUE", passing_house / "suites" / "catalogue")
    handed_in.attestation.unlink()

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main([*map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def verified(reports: Command, run: HandedIn, identity: str = WHO, issuer: str = ISSUER) -> tuple[int, str]:
    code, out, _ = reports("verify", run.folder, "--identity", identity, "--issuer", issuer, "--json")
    document = json.loads(out)
    (rule,) = (each for each in document["rules"] if each["id"] == "signature")
    return code, rule["state"]


def test_a_run_is_signed_by_an_identity_and_accepted_for_that_one_only(
    reports: Command, handed_in: HandedIn, sigstore: Sigstore
) -> None:
    code, out, _ = reports("attest", handed_in.folder, "--sigstore")
    assert (code, "attestation.sigstore.json" in out) == (0, True)
    assert verified(reports, handed_in) == (0, "kept")
    assert verified(reports, handed_in, identity="https://ci.example/mallory.yml") == (1, "broken")
    assert verified(reports, handed_in, issuer="https://token.mallory.example") == (1, "broken")
    bundle = handed_in.folder / keyless.FILE
    bundle.write_text("no bundle")
    assert verified(reports, handed_in) == (1, "broken")
    bundle.unlink()
    assert verified(reports, handed_in) == (1, "broken")


def test_a_statement_of_another_run_is_refused(reports: Command, handed_in: HandedIn, sigstore: Sigstore) -> None:
    statement = handed_in.state()
    statement["predicate"]["result"] = "FAILED"
    (handed_in.folder / keyless.FILE).write_bytes(keyless.sealed(json.dumps(statement).encode()))
    code, out, _ = reports("verify", handed_in.folder, "--identity", WHO, "--issuer", ISSUER, "--json")
    states = {each["id"]: each["state"] for each in json.loads(out)["rules"]}
    assert (code, states["signature"], states["statement"]) == (1, "kept", "broken")


def test_without_an_identity_or_a_network_nothing_is_signed(
    reports: Command, handed_in: HandedIn, sigstore: Sigstore
) -> None:
    sigstore.reachable = False
    code, _, err = reports("attest", handed_in.folder, "--sigstore")
    assert (code, "Sigstore does not sign: FailedError: no route to the trust root" in err) == (2, True)
    sigstore.token = None
    code, _, err = reports("attest", handed_in.folder, "--sigstore")
    assert (code, "no identity to sign as" in err) == (2, True)
    assert not (handed_in.folder / keyless.FILE).exists()


def test_without_a_network_a_bundle_is_undecided(reports: Command, handed_in: HandedIn, sigstore: Sigstore) -> None:
    assert reports("attest", handed_in.folder, "--sigstore")[0] == 0
    sigstore.reachable = False
    code, _, err = reports("verify", handed_in.folder, "--identity", WHO, "--issuer", ISSUER)
    assert (code, "what Sigstore trusts cannot be fetched" in err) == (2, True)


SIGNER = '[signer]\nidentity = "{}"\nissuer = "{}"\n'


@pytest.mark.parametrize(
    ("identity", "code"), [(WHO, 0), ("https://ci.example/mallory.yml", 1)], ids=["themselves", "somebody-else"]
)
@pytest.mark.usefixtures("sigstore")
def test_a_policy_names_who_must_have_signed(
    reports: Command, handed_in: HandedIn, tmp_path: Path, identity: str, code: int
) -> None:
    assert reports("attest", handed_in.folder, "--sigstore")[0] == 0
    policy = tmp_path / "policy.toml"
    policy.write_text(SIGNER.format(identity, ISSUER))
    assert reports("verify", handed_in.folder, "--policy", policy)[0] == code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('signer = "me"', "signer: expected a table"),
        (SIGNER.format(WHO, ""), "signer: expected two filled texts, identity and issuer, got"),
        ("[signer]", "signer: expected two filled texts, identity and issuer, got {}"),
        ('keys = ["k"]\n' + SIGNER.format(WHO, ISSUER), "signer: keys and signer exclude each other"),
        (SIGNER.format(WHO, ISSUER) + "isuer = 1", "signer.isuer: unknown key: did you mean issuer?"),
    ],
    ids=["no-table", "no-issuer", "empty", "keys-too", "misspelt"],
)
def test_a_signer_of_a_policy_that_is_none_is_refused(
    reports: Command, handed_in: HandedIn, tmp_path: Path, text: str, said: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(text)
    code, _, err = reports("verify", handed_in.folder, "--policy", policy)
    assert (code, said in err) == (3, True), err


@pytest.mark.parametrize("command", ["attest", "verify"])
def test_without_the_library_it_is_wrong_usage_that_says_what_to_install(
    reports: Command, handed_in: HandedIn, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in ("sigstore", *(f"sigstore.{part}" for part in MODULES)):
        monkeypatch.setitem(sys.modules, name, None)
    options = ["--sigstore"] if command == "attest" else ["--identity", WHO, "--issuer", ISSUER]
    code, _, err = reports(command, handed_in.folder, *options)
    assert code == 3
    assert "pip install -r requirements-sigstore.txt" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--identity", WHO], "--identity and --issuer belong together"),
        (["--issuer", ISSUER], "--identity and --issuer belong together"),
        (
            ["--identity", WHO, "--issuer", ISSUER, "--key", "k"],
            "--key and --identity, or a signer of the policy, exclude each other",
        ),
    ],
    ids=["no-issuer", "no-identity", "key-too"],
)
def test_an_identity_is_whole_and_alone(reports: Command, handed_in: HandedIn, options: list[str], said: str) -> None:
    code, _, err = reports("verify", handed_in.folder, *options)
    assert (code, said in err) == (3, True)
