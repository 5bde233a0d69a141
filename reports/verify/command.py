"""`python -m reports verify`: its options, and what it judges."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from evidence import canaries, challenge
from evidence.catalogue import Catalogue
from reports.document import dump
from reports.run import history_of
from reports.verify import document, judging
from reports.verify import policy as policies

TEXT: Final = "judge a run that somebody handed in, by the published rules: 0 accepted, 1 refused, 2 undecided"
NOTE: Final = (
    "Every verdict is computed again, and each rule of docs/certification.md is asked. Keys are PEM files; Sigstore's"
    " identities are not verified, since this command uses no network."
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
        "--challenge", type=_nonce, metavar="NONCE", help="the nonce that you gave: ids and order must derive from it"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, one document (reports/schema)")


def _nonce(text: str) -> str:
    if fault := challenge.fault_of(text):
        raise argparse.ArgumentTypeError(fault)
    return text


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
    from reports.attest import envelope, keys

    history = history_of(arguments.run)
    known = dict.fromkeys(str(requirement.profile) for requirement in catalogue.requirements)
    policy = policies.Policy() if arguments.policy is None else policies.read(arguments.policy, known)
    trusted = [keys.public_key_of(path) for path in (*arguments.key, *policy.keys)]
    canaries.look(path.resolve() for path in arguments.catalogue)
    verification = judging.verify(
        history,
        catalogue,
        policy=policy,
        keys=trusted,
        attestation=arguments.attestation or history.parent / envelope.FILE,
        now=datetime.now(UTC),
        challenge=arguments.challenge,
    )
    if arguments.json:
        sys.stdout.write(dump(document.to_json(verification)))
    else:
        document.show(verification, console)
    return verification.exit
