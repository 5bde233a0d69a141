"""`python -m reports verify`: its options, and what it judges."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from common.errors import UsageError
from evidence import canaries, challenge
from evidence.catalogue import Catalogue
from reports.document import dump
from reports.run import history_of
from reports.verify import document, judging
from reports.verify import policy as policies

TEXT: Final = "judge a run that somebody handed in, by the published rules: 0 accepted, 1 refused, 2 undecided"
NOTE: Final = (
    "Every verdict is computed again, and each rule of docs/certification.md is asked. Keys are PEM files."
    " With --identity and --issuer the bundle of `attest --sigstore` is verified, over the network, by a library that"
    " requirements-sigstore.txt installs."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.description = f"{(parser.description or '').rstrip('.')}. {NOTE}"
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder, or its history, plain or packed by gzip")
    parser.add_argument(
        "--key", type=Path, metavar="PUB", action="append", default=[], help="a public key that you trust; may repeat"
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="what you ask for beside: reports/policies/example.toml"
    )
    parser.add_argument(
        "--attestation", type=Path, metavar="FILE", help="the envelope; RUN/attestation.json when left out"
    )
    parser.add_argument(
        "--identity", metavar="WHO", help="who must have signed by Sigstore: an address, or that of a CI workflow"
    )
    parser.add_argument("--issuer", metavar="URL", help="the service that must vouch for that identity")
    parser.add_argument(
        "--challenge", type=_nonce, metavar="NONCE", help="the nonce that you gave: ids and order must derive from it"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, one document (reports/schema)")


def _nonce(text: str) -> str:
    if fault := challenge.fault_of(text):
        raise argparse.ArgumentTypeError(fault)
    return text


def _signer(arguments: argparse.Namespace, policy: policies.Policy) -> tuple[str, str] | None:
    """Return identity and issuer, where Sigstore is asked for: those of the command line before the policy's.

    Raises:
        UsageError: One of them is missing, or a key is given too.
    """
    identity, issuer = arguments.identity, arguments.issuer
    if identity is None and issuer is None and policy.signer is not None:
        identity, issuer = policy.signer
    if not identity and not issuer:
        return None
    if not (identity and issuer):
        raise UsageError("--identity and --issuer belong together: anybody can get a certificate from some issuer")
    if arguments.key:
        raise UsageError("--key and --identity, or a signer of the policy, exclude each other: one of them has signed")
    return identity, issuer


def run(arguments: argparse.Namespace, console: Console, catalogue: Catalogue) -> int:
    """Judge a run by all rules, tell what became of each, and return the exit code.

    Args:
        arguments: The parsed command line.
        console: The console for what is told.
        catalogue: The lab's catalogue.

    Raises:
        UsageError: The path is no run, or a key or the policy cannot be used.
        BlindError: A check of ours does not tell good from bad.
    """
    from reports.attest import envelope, keyless, keys

    history = history_of(arguments.run)
    known = dict.fromkeys(str(requirement.profile) for requirement in catalogue.requirements)
    policy = policies.Policy() if arguments.policy is None else policies.read(arguments.policy, known)
    signer = _signer(arguments, policy)
    trusted = [keys.public_key_of(path) for path in (*arguments.key, *policy.keys)]
    canaries.look(path.resolve() for path in arguments.catalogue)
    verification = judging.verify(
        history,
        catalogue,
        policy=policy,
        keys=trusted,
        attestation=arguments.attestation or history.parent / (envelope.FILE if signer is None else keyless.FILE),
        signer=signer,
        now=datetime.now(UTC),
        challenge=arguments.challenge,
    )
    if arguments.json:
        sys.stdout.write(dump(document.to_json(verification)))
    else:
        document.show(verification, console)
    return verification.exit
