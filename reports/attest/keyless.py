"""Sigstore: an attestation by who somebody is, without a key of theirs.

It needs a network and a library of its own, which nothing else here needs (requirements-sigstore.txt).
"""

import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Final

from securesystemslib.dsse import Envelope

from common.errors import UsageError
from common.redaction import PLAIN
from reports.errors import ReportError

FILE: Final = "attestation.sigstore.json"
"""The name of the bundle in a run's folder."""
TOKEN: Final = "SIGSTORE_ID_TOKEN"  # noqa: S105 - a variable's name
MOST_BUNDLE: Final = 8 << 20


class RefusedError(Exception):
    """A bundle is none, or not of the identity that was expected."""


def expect_library() -> None:
    """Look whether the library is there.

    Raises:
        UsageError: It is not.
    """
    _module("sigstore")


def sealed(statement: bytes) -> bytes:
    """Sign an in-toto Statement by the identity that this machine has; return the bundle, as the JSON of a file.

    Args:
        statement: The statement, as JSON.

    Raises:
        UsageError: The library is not installed.
        ReportError: There is no identity, or Sigstore does not answer or refuses.
    """
    oidc, signing, models, dsse = map(_module, ("sigstore.oidc", "sigstore.sign", "sigstore.models", "sigstore.dsse"))
    try:
        token = os.environ.get(TOKEN) or oidc.detect_credential()
        if not token:
            raise ReportError(
                f"no identity to sign as: expected a CI job that may ask for a token, or one in {TOKEN}, got neither"
            )
        context = signing.SigningContext.from_trust_config(models.ClientTrustConfig.production())
        with context.signer(oidc.IdentityToken(token)) as signer:
            bundle: str = signer.sign_dsse(dsse.Statement(statement)).to_json()
    except (_errors(), OSError) as error:
        raise ReportError(f"Sigstore does not sign: {_told(error)}") from error
    return bundle.encode()


def opened(path: Path, identity: str, issuer: str) -> Envelope:
    """Verify a bundle, and return what it holds as an envelope; its signature is not to be asked again.

    Args:
        path: The bundle.
        identity: The identity that must have signed: an address, or the address of a workflow.
        issuer: The address of the service that vouches for the identity.

    Raises:
        UsageError: The library is not installed.
        FileNotFoundError: There is no such file.
        RefusedError: It is no bundle, its signature does not hold, or it is somebody else's.
        ReportError: It cannot be decided: what Sigstore trusts cannot be fetched.
    """
    models, verifying, policy = map(_module, ("sigstore.models", "sigstore.verify", "sigstore.verify.policy"))
    errors = _module("sigstore.errors")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BUNDLE + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ReportError(f"cannot read {path.name}: {error.strerror}") from error
    if len(data) > MOST_BUNDLE:
        raise RefusedError(f"a file of more than {MOST_BUNDLE} bytes")
    try:
        bundle = models.Bundle.from_json(data)
    except Exception as error:
        # The library lets errors of the parsers below it through, of several kinds.
        raise RefusedError(f"no Sigstore bundle: {_told(error)}") from error
    try:
        verifier = verifying.Verifier.production()
    except (_errors(), OSError) as error:
        raise ReportError(f"what Sigstore trusts cannot be fetched: {_told(error)}") from error
    try:
        kind, payload = verifier.verify_dsse(bundle, policy.Identity(identity=identity, issuer=issuer))
    except errors.VerificationError as error:
        raise RefusedError(_told(error)) from error
    except (_errors(), OSError) as error:
        raise ReportError(f"Sigstore cannot verify: {_told(error)}") from error
    return Envelope(payload, kind, {})


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"Sigstore needs a library that is not installed here ({error}): pip install -r requirements-sigstore.txt"
        ) from error


def _errors() -> type[Exception]:
    found: type[Exception] = _module("sigstore.errors").Error
    return found


def _told(error: BaseException) -> str:
    return PLAIN.one_line(f"{type(error).__name__}: {error}", 400)
