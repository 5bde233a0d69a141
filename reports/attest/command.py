"""`python -m reports attest`: its options, and what it signs and refuses."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from common import files
from common.errors import UsageError
from common.redaction import PLAIN
from evidence import canaries
from evidence.catalogue import Catalogue
from evidence.history_file import NAMES
from reports.attest import images, statement
from reports.check import Recomputation, check
from reports.document import dump
from reports.errors import ReportError
from reports.run import history_of, records

TEXT: Final = "sign a run: an in-toto Statement of its result in a DSSE envelope, which `verify` judges"
NOTE: Final = (
    "KEY is a PEM file with an ed25519 key or an ECDSA key on P-256; the variable TOUCHSTONE_KEY_PASSPHRASE holds the"
    " passphrase of an encrypted one. With --sigstore it is signed by the identity of a CI job, over the network, by a"
    " library that requirements-sigstore.txt installs. A run that `check` does not agree with is not signed (exit 1)."
)
MOST_TOLD: Final = 20
TOKEN: Final = "SIGSTORE_ID_TOKEN"  # noqa: S105 - a variable's name, as `keyless` has it


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.description = f"{(parser.description or '').rstrip('.')}. {NOTE}"
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder, or its history, plain or packed by gzip")
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument("--key", type=Path, metavar="KEY", help="the private key, a PEM file")
    by.add_argument(
        "--sigstore", action="store_true", help=f"no key: the identity of this CI job, or of the token in {TOKEN}"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the envelope; RUN/attestation.json, or RUN/attestation.sigstore.json, when left out",
    )
    parser.add_argument("--json", action="store_true", help="tell as JSON what was signed")


def run(arguments: argparse.Namespace, console: Console, catalogue: Catalogue) -> int:
    """Judge the run again, sign it and write the envelope; return the exit code.

    Args:
        arguments: The parsed command line.
        console: The console for what is told.
        catalogue: Today's catalogue.

    Raises:
        UsageError: The path is no run, or the key is none that we sign with.
        ReportError: The run cannot be read, or the envelope cannot be written.
        BlindError: A check of ours does not tell good from bad.
    """
    # Loaded here: the cryptography takes a third of a second, and no other command needs it.
    from reports.attest import envelope, keyless, keys

    history = history_of(arguments.run)
    folder = history.parent
    out: Path = arguments.out or folder / (keyless.FILE if arguments.sigstore else envelope.FILE)
    taken = [*(folder / name for name in (*NAMES, "report.json")), *([arguments.key] if arguments.key else [])]
    if out.resolve() in {path.resolve() for path in taken}:
        raise UsageError(f"--out {out}: expected a file of its own, got one of the run or the key")
    signer = None
    if arguments.sigstore:
        keyless.expect_library()
    else:
        signer = keys.signer_of(arguments.key)
        if warning := keys.exposed(arguments.key):
            sys.stderr.write(f"warning: {PLAIN.text(warning)}\n")
    canaries.look(path.resolve() for path in arguments.catalogue)
    outcome = check(folder, catalogue, history=history)
    if against := [*outcome.differences, *outcome.notes]:
        _refuse(console, against)
        return 1
    signed = _statement(outcome, folder, history)
    if signer is None:
        content, who = keyless.sealed(envelope.payload_of(signed)), "sigstore"
    else:
        content, who = envelope.sealed(signed, signer), signer.public_key.keyid
    try:
        with files.whole(out, files.SHARED_FILE_MODE) as file:
            file.write(content)
    except OSError as error:
        raise ReportError(f"cannot write {out}: {error.strerror}") from error
    if arguments.json:
        told = {"attestation": str(out), "keyid": who, "statement": signed}
        sys.stdout.write(dump(told))
        return 0
    console.print(Text("signed", style="bold green").append(f"  {out}", style=""))
    console.print(Text("by the identity in the bundle, by Sigstore" if signer is None else f"key {who}"))
    for subject in signed["subject"]:
        console.print(Text(PLAIN.one_line(f"  {subject['digest']['sha256'][:16]}  {subject['name']}", 400)))
    console.print(Text(f"result {signed['predicate']['result']}"))
    return 0


def _statement(outcome: Recomputation, folder: Path, history: Path) -> dict[str, Any]:
    digest = statement.file_sha256(folder / "report.json")
    return statement.statement(outcome.computed, digest, images.named_in(records(history)))


def _refuse(console: Console, against: list[str]) -> None:
    console.print(Text("not signed", style="bold red").append(f"  report.json and history disagree in {len(against)}"))
    for difference in against[:MOST_TOLD]:
        console.print(Padding(Text(PLAIN.one_line(difference, 600)), (0, 0, 0, 2), expand=False))
    if len(against) > MOST_TOLD:
        console.print(Text(f"  and {len(against) - MOST_TOLD} more"))
