"""The DSSE envelope of an attestation: written with one signature, read strictly, verified with the keys of a lab."""

import binascii
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecureSystemsError
from securesystemslib.signer import CryptoSigner, SSlibKey

from common import jsontext
from reports.errors import ReportError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
FILE: Final = "attestation.json"
"""The name of the envelope in a run's folder."""
MOST_ENVELOPE: Final = 4 << 20
MOST_NESTED: Final = 16
MOST_SIGNATURES: Final = 16
_FIELDS: Final = {"payload", "payloadType", "signatures"}
_SIGNATURE: Final = {"keyid", "sig"}


def sealed(statement: dict[str, Any], signer: CryptoSigner) -> bytes:
    """Return the envelope of a statement, signed, as the JSON that a file holds."""
    envelope = Envelope(payload_of(statement), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), indent=2).encode() + b"\n"


def payload_of(statement: dict[str, Any]) -> bytes:
    """Return a statement as the bytes that are signed."""
    return json.dumps(statement, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def read(path: Path) -> Envelope:
    """Read an envelope; whether its signature holds is asked with `signers`.

    Raises:
        ReportError: There is no such file, or it is no DSSE envelope.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_ENVELOPE + 1)
    except OSError as error:
        raise ReportError(f"cannot read {path.name}: {error.strerror}") from error
    if len(data) > MOST_ENVELOPE:
        raise ReportError(f"expected at most {MOST_ENVELOPE} bytes, got a larger file")
    document = _object(data)
    if set(document) != _FIELDS or not isinstance(document["signatures"], list):
        raise ReportError(f"expected a DSSE envelope with the fields {_listed(_FIELDS)}, got {_listed(document)}")
    if not all(isinstance(document[name], str) for name in ("payload", "payloadType")):
        raise ReportError("expected texts in the fields payload and payloadType, got others")
    signatures = document["signatures"]
    if not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise ReportError(f"expected 1 to {MOST_SIGNATURES} signatures, got {len(signatures)}")
    for number, signature in enumerate(signatures):
        texts = isinstance(signature, dict) and all(isinstance(text, str) for text in signature.values())
        if not texts or set(signature) != _SIGNATURE:
            raise ReportError(f"signatures[{number}]: expected the fields {_listed(_SIGNATURE)}, texts, got others")
    try:
        return Envelope.from_dict(document)
    except (ValueError, KeyError, binascii.Error, SecureSystemsError) as error:
        raise ReportError(f"expected a DSSE envelope with its parts in Base64, got none: {error}") from error


def payload(envelope: Envelope) -> dict[str, Any]:
    """Return the JSON object that an envelope holds.

    Raises:
        ReportError: It holds none, or names a field twice: two readers would read two things.
    """
    return _object(envelope.payload)


def signers(envelope: Envelope, keys: Sequence[SSlibKey]) -> list[str]:
    """Return the ids of those keys that have signed an envelope."""
    found: list[str] = []
    for key in keys:
        try:
            found += envelope.verify([key], 1)
        except (SecureSystemsError, ValueError):
            continue
    return found


def _object(data: bytes) -> dict[str, Any]:
    try:
        document = jsontext.load(data.decode("utf-8"), object_pairs_hook=_unique)
    except ValueError as error:
        raise ReportError(f"expected a JSON object, got none: {error}") from error
    if not isinstance(document, dict) or jsontext.too_deep(document, MOST_NESTED):
        raise ReportError(f"expected a JSON object nested at most {MOST_NESTED} deep, got another value")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found


def _listed(names: object) -> str:
    return ", ".join(sorted(map(str, names)))[:200] if isinstance(names, set | dict) else "none"
