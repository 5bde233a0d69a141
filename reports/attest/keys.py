"""Keys in PEM files: ed25519 and ECDSA on P-256, private ones to sign with and public ones to verify with."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.signer import CryptoSigner, SSlibKey

from common.errors import UsageError
from common.redaction import PLAIN

MOST_KEY: Final = 64 << 10
"""Bytes that a file of a key may have."""
PASSPHRASE: Final = "TOUCHSTONE_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable, not a passphrase
"""The variable with the passphrase of an encrypted key."""
KINDS: Final = "an ed25519 key, or an ECDSA key on P-256"
_PRIVATE: Final = b"PRIVATE KEY-----"
_PUBLIC: Final = b"-----BEGIN PUBLIC KEY-----"


def signer_of(path: Path, environ: Mapping[str, str] = os.environ) -> CryptoSigner:
    """Return what signs with the private key of a PEM file.

    Args:
        path: The file.
        environ: The environment, which may hold the passphrase of an encrypted key.

    Raises:
        UsageError: The file cannot be read, or holds no private key of a kind that we sign with.
    """
    data = _read(path)
    if _PRIVATE not in data:
        got = "a public key" if _PUBLIC in data else "none"
        raise UsageError(f"expected a private key in PEM ({KINDS}), got {got} in {path}")
    if b"BEGIN OPENSSH" in data:
        told = f"expected a private key in PEM as PKCS #8, got one in OpenSSH's own form in {path}"
        raise UsageError(f"{told}; `openssl genpkey -algorithm ed25519 -out KEY` makes one of ours")
    given = environ.get(PASSPHRASE)
    encrypted = b"ENCRYPTED" in data
    if encrypted and not given:
        raise UsageError(f"expected the variable {PASSPHRASE}, got none, and the private key in {path} is encrypted")
    try:
        key = load_pem_private_key(data, given.encode() if encrypted and given else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = f"the passphrase in {PASSPHRASE} is wrong, or the file is damaged" if encrypted else _line(error)
        told = f"expected a private key in PEM ({KINDS}), got one that cannot be read in {path}"
        raise UsageError(f"{told}; {why}") from error
    if isinstance(key, Ed25519PrivateKey):
        return CryptoSigner(key)
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return CryptoSigner(key)
    raise UsageError(f"expected {KINDS}, got {_kind(key)} in {path}")


def public_key_of(path: Path) -> SSlibKey:
    """Return the public key of a PEM file.

    Raises:
        UsageError: The file cannot be read, or holds no public key of a kind that we verify with.
    """
    data = _read(path)
    if _PRIVATE in data:
        told = f"expected a public key, got a private one in {path}, which nobody but the signer should have"
        raise UsageError(f"{told}; `openssl pkey -in KEY -pubout` writes the public one")
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"expected a public key in PEM ({KINDS}), got none in {path}; {_line(error)}") from error
    if isinstance(key, Ed25519PublicKey):
        return SSlibKey.from_crypto(key)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return SSlibKey.from_crypto(key)
    raise UsageError(f"expected {KINDS}, got {_kind(key)} in {path}")


def exposed(path: Path) -> str:
    """Return a warning where others than its owner can read or change a private key's file; else an empty text."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return ""
    return f"others can read or change the private key in {path} (mode {mode:04o}), expected 0600, chmod 600 {path}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_KEY + 1)
    except OSError as error:
        raise UsageError(f"cannot read the key in {path} ({error.strerror})") from error
    if len(data) > MOST_KEY:
        raise UsageError(f"expected a key of at most {MOST_KEY} bytes, got a larger file in {path}")
    return data


def _kind(key: object) -> str:
    curve = getattr(key, "curve", None)
    return f"ECDSA on {curve.name}" if curve is not None else type(key).__name__.strip("_")


def _line(error: Exception) -> str:
    """Return the words of a library, shortened: they never hold the key itself, and the redactor makes sure of it."""
    return PLAIN.one_line(str(error).partition(".")[0], 200)
