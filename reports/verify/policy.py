"""The policy of a lab: what it asks of a run beside the rules that always hold, in TOML, read strictly."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from common import names
from common.errors import UsageError
from common.redaction import PLAIN
from reports import known

MOST_POLICY: Final = 64 << 10
"""Bytes that a policy may have."""
MOST_ENTRIES: Final = 100
LONGEST_ENTRY: Final = 300
OLDEST: Final = 3660
"""The most days that a policy may allow."""
GATES: Final = ("known", "strict")
FIELDS: Final = (
    "signed",
    "keys",
    "profiles",
    "gate",
    "targets",
    "kafka",
    "personalities",
    "max_age_days",
    "observed",
    "known",
    "own_known",
    "waivers",
    "signer",
    "suite",
    "catalogue",
    "products",
)
SIGNER: Final = ("identity", "issuer")
SUITE: Final = ("versions", "commits")
CATALOGUE: Final = ("versions",)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a lab asks for; None in a field: it does not ask.

    Attributes:
        signed: Whether a run without an attestation, or without a key to verify it with, is refused.
        keys: The files of the public keys that are trusted.
        signer: The identity and the issuer of whom must have signed by Sigstore; None: keys are asked.
        profiles: The profiles that the run must be able to claim; empty: what the run itself asked.
        gate: The gate that must be passed; None: the run's own.
        targets: The targets that are accepted.
        kafka: The kinds of Kafka that are accepted.
        personalities: The personalities that are accepted; empty: no run of one.
        max_age_days: The days since the end of the run.
        observed: Whether versions of products count only as they were observed in the cluster.
        known: The products whose published failures (`reports/known/`) are forgiven; None: all of them.
        own_known: Whether a failure that only the operator's own file (`--known`) forgives is accepted.
        waivers: Whether a run with waivers for faults of the suite is accepted.
        suite_versions: The versions of the suite that are accepted.
        suite_commits: The commits of the suite that are accepted.
        catalogue_versions: The versions of the catalogue that are accepted.
        products: The versions that are accepted, by product; each product must be there.
    """

    signed: bool = True
    keys: tuple[Path, ...] = ()
    signer: tuple[str, str] | None = None
    profiles: tuple[str, ...] = ()
    gate: str | None = None
    targets: tuple[str, ...] | None = None
    kafka: tuple[str, ...] | None = None
    personalities: tuple[str, ...] | None = None
    max_age_days: int | None = None
    observed: bool | None = None
    known: tuple[str, ...] | None = None
    own_known: bool = False
    waivers: bool = True
    suite_versions: tuple[str, ...] | None = None
    suite_commits: tuple[str, ...] | None = None
    catalogue_versions: tuple[str, ...] | None = None
    products: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read(path: Path, profiles: Collection[str]) -> Policy:
    """Read a policy.

    Args:
        path: The file.
        profiles: The profiles of the catalogue.

    Raises:
        UsageError: It cannot be read, or something in it is not sound; the message names the file and each key.
    """
    reader = _Reader(_document(path))
    reader.known("", reader.document, FIELDS)
    suite, catalogue = reader.table("suite", SUITE), reader.table("catalogue", CATALOGUE)
    products = reader.table("products", None)
    policy = Policy(
        signed=reader.flag("signed") is not False,
        keys=tuple(path.parent / name for name in reader.texts("", reader.document, "keys") or ()),
        signer=reader.signer(),
        profiles=reader.texts("", reader.document, "profiles", profiles) or (),
        gate=reader.one_of("gate", GATES),
        targets=reader.texts("", reader.document, "targets"),
        kafka=reader.texts("", reader.document, "kafka"),
        personalities=reader.texts("", reader.document, "personalities", empty=True),
        max_age_days=reader.days("max_age_days"),
        observed=reader.flag("observed"),
        known=reader.texts("", reader.document, "known", _published(reader.document), empty=True),
        own_known=reader.flag("own_known") is True,
        waivers=reader.flag("waivers") is not False,
        suite_versions=reader.texts("suite.", suite, "versions"),
        suite_commits=reader.texts("suite.", suite, "commits"),
        catalogue_versions=reader.texts("catalogue.", catalogue, "versions"),
        products={name: reader.texts("products.", products, name) or () for name in products},
    )
    if reader.faults:
        raise UsageError("\n".join(f"{path}: {fault}" for fault in reader.faults))
    return policy


def _published(document: Mapping[str, Any]) -> Collection[str] | None:
    """Return the products that have a published list, where the policy names some."""
    return {entry.sut for entry in known.load()} if "known" in document else None


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_POLICY + 1)
    except OSError as error:
        raise UsageError(f"cannot read the policy {path}: {error.strerror}") from error
    if len(data) > MOST_POLICY:
        raise UsageError(f"{path}: expected a policy of at most {MOST_POLICY} bytes, got a larger file")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: expected a policy in TOML, got none: {error}") from error


class _Reader:
    """Reads a document key by key and keeps every fault."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.faults: list[str] = []

    def known(self, place: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        """Note every key that nobody knows."""
        for name in table:
            if name not in known:
                self.faults.append(f"{place}{_key(name)}: unknown key: {names.hint(name, known)}")

    def table(self, name: str, known: Sequence[str] | None) -> Mapping[str, Any]:
        """Return a table, empty where it is left out; with any keys when `known` is None."""
        value = self.document.get(name, {})
        if not isinstance(value, dict):
            self._wrong(name, f"a table [{name}]", value)
            return {}
        if known is not None:
            self.known(f"{name}.", value, known)
        elif len(value) > MOST_ENTRIES:
            self._wrong(name, f"at most {MOST_ENTRIES} keys", len(value))
            return {}
        return cast("Mapping[str, Any]", value)

    def texts(
        self,
        place: str,
        table: Mapping[str, Any],
        name: str,
        known: Collection[str] | None = None,
        *,
        empty: bool = False,
    ) -> tuple[str, ...] | None:
        """Return a list of texts; None where it is left out, or wrong."""
        if name not in table:
            return None
        value, key = table[name], f"{place}{_key(name)}"
        if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
            self._wrong(key, 'a list of filled texts, like ["a", "b"]', value)
            return None
        if not (value or empty) or len(value) > MOST_ENTRIES or any(len(text) > LONGEST_ENTRY for text in value):
            self._wrong(key, f"1 to {MOST_ENTRIES} texts of at most {LONGEST_ENTRY} characters", value)
            return None
        for text in value:
            if known is not None and text not in known:
                self.faults.append(f"{key}: unknown value {names.shown(text)}: {names.hint(text, known)}")
        return tuple(value)

    def one_of(self, name: str, known: Collection[str]) -> str | None:
        """Return one of the known texts; None where it is left out, or wrong."""
        value = self.document.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or value not in known:
            self._wrong(name, f"one of {', '.join(known)}", value)
            return None
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false; None where it is left out, or wrong."""
        value = self.document.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._wrong(name, "true or false", value)
        return None

    def days(self, name: str) -> int | None:
        """Return a number of days; None where it is left out, or wrong."""
        value = self.document.get(name)
        if value is None:
            return None
        if type(value) is not int or not 1 <= value <= OLDEST:
            self._wrong(name, f"a whole number of days from 1 to {OLDEST}", value)
            return None
        return value

    def signer(self) -> tuple[str, str] | None:
        """Return identity and issuer of the table `signer`; None where it is left out, or wrong."""
        table = self.table("signer", SIGNER)
        if "signer" not in self.document:
            return None
        identity, issuer = (table.get(name) for name in SIGNER)
        if not isinstance(identity, str) or not isinstance(issuer, str) or not (identity and issuer):
            self._wrong("signer", "two filled texts, identity and issuer", self.document["signer"])
            return None
        if "keys" in self.document:
            self.faults.append("signer: keys and signer exclude each other: a run is signed by a key or by an identity")
        return identity, issuer

    def _wrong(self, key: str, expected: str, got: object) -> None:
        self.faults.append(f"{key}: expected {expected}, got {PLAIN.one_line(repr(got), 100)}")


def _key(name: str) -> str:
    return PLAIN.one_line(name, 100)
