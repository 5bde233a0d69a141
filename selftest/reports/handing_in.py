"""A run as a vendor hands it in: a real run's records, rendered and signed, which a forger then changes."""

import copy
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from evidence.catalogue import Catalogue
from evidence.collection import Case, sha256
from evidence.run_names import run_hash
from reports.attest import envelope, images, statement
from reports.build import build
from reports.document import dump, to_json
from reports.run import records as read_records
from reports.verify.judging import verify
from reports.verify.model import Finding, Rule, Verification
from reports.verify.policy import Policy
from reports.verify.rules import RULES
from selftest.histories import Raw, lines

COMMIT = "4f0c9d3b" * 5
PRODUCTS = {"kserve": "0.21.0", "knative-eventing": "1.22.2"}
IMAGE = "docker.io/kserve/kserve-controller:v0.21.0@sha256:" + "ab" * 32


@dataclass
class HandedIn:
    """A run's folder, the key of the vendor, and what the lab trusts and asks for.

    Attributes:
        folder: The run's folder.
        catalogue: The lab's catalogue.
        records: The records of the history, as they were handed in at first.
        load_other: Returns the records of another real run, of which one case of three fails.
        signer: The vendor's key.
        keys: The keys that the lab trusts.
        policy: What the lab asks for.
        challenge: The nonce that the lab gave; None: it gave none.
    """

    folder: Path
    catalogue: Catalogue
    records: list[Raw]
    load_other: Callable[[], list[Raw]]
    signer: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    keys: list[SSlibKey] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)
    challenge: str | None = None

    @property
    def other(self) -> list[Raw]:
        """The records of the other run."""
        return self.load_other()

    @property
    def history(self) -> Path:
        """The history."""
        return self.folder / "history.ndjson"

    @property
    def attestation(self) -> Path:
        """The envelope."""
        return self.folder / envelope.FILE

    def hand_in(self, records: Iterable[Raw], catalogue: Catalogue | None = None) -> None:
        """Chain records anew, render the report and sign it all, as somebody who has the vendor's key can.

        Args:
            records: The records.
            catalogue: The catalogue that the vendor renders by; the lab's when None.
        """
        self.exchange(records)
        self.render(catalogue)
        self.sign()

    def exchange(self, records: Iterable[Raw]) -> None:
        """Put records into the history, chained anew."""
        self.history.write_bytes(b"".join(lines(records)))

    def render(self, catalogue: Catalogue | None = None) -> None:
        """Write report.json from the history."""
        document = to_json(build(self.history, catalogue or self.catalogue))
        (self.folder / "report.json").write_text(dump(document), encoding="utf-8")

    def state(self, catalogue: Catalogue | None = None) -> dict[str, Any]:
        """Return the statement that is true of the folder."""
        digest = statement.file_sha256(self.folder / "report.json")
        report = build(self.history, catalogue or self.catalogue)
        return statement.statement(report, digest, images.named_in(read_records(self.history)))

    def sign(self, said: dict[str, Any] | None = None, signer: CryptoSigner | None = None) -> None:
        """Write the envelope of a statement, the true one when None."""
        self.attestation.write_bytes(envelope.sealed(said or self.state(), signer or self.signer))

    def seal(self, payload: bytes, kind: str = envelope.PAYLOAD_TYPE) -> None:
        """Write an envelope of any bytes, signed by the vendor."""
        sealed = Envelope(payload, kind, {})
        sealed.sign(self.signer)
        self.attestation.write_text(json.dumps(sealed.to_dict()), encoding="utf-8")

    def verify(self, rules: Sequence[Rule] = RULES) -> Verification:
        """Ask rules, all of the published ones as a lab does."""
        return verify(
            self.history if self.history.exists() else self.history.with_name("history.ndjson.gz"),
            self.catalogue,
            policy=self.policy,
            keys=self.keys,
            attestation=self.attestation,
            now=datetime.now(UTC),
            challenge=self.challenge,
            rules=rules,
        )

    def ask(self, **asked: Any) -> None:
        """Let the policy ask for something more."""
        self.policy = replace(self.policy, **asked)


Forgery = Callable[[HandedIn], None]


def broken(verification: Verification) -> dict[str, Sequence[Finding]]:
    """Return the findings of the broken rules, by rule."""
    return {ruling.rule.id: ruling.findings for ruling in verification.rulings if ruling.state == "broken"}


def told(verification: Verification) -> list[str]:
    """Return all that speaks against a run, a line each."""
    found = broken(verification)
    return [f"{rule}: {each.where}: {each.expected} / {each.got}" for rule, every in found.items() for each in every]


def as_on_a_cluster(records: list[Raw]) -> list[Raw]:
    """Return a run as a cluster leaves it: suite, products and images are known, and preflight has observed them."""
    made = copy.deepcopy(records)
    place = next(number for number, record in enumerate(made) if record["record"] == "run.started")
    made[place] |= {
        "suite": {"version": "0.1.0", "commit": COMMIT},
        "target": {"name": "cluster", "kafka": {"kind": "external", "version": None}, "patience": 3.0},
        "sut": dict(PRODUCTS),
    }
    preflight = {"record": "preflight", "scope": "", "t": made[place]["t"], "seq": 0, "rows": [], "not_testable": {}}
    preflight |= {"versions": dict(PRODUCTS), "observed": dict(PRODUCTS), "images": [IMAGE], "blocked": ""}
    return numbered([*made[: place + 1], preflight, *made[place + 1 :]])


def numbered(records: Iterable[Raw]) -> list[Raw]:
    """Return records with their numbers closed up; what points at one goes on pointing at it."""
    numbers: dict[int, int] = {}
    made = copy.deepcopy(list(records))
    for place, record in enumerate(made, 1):
        if record["seq"]:
            numbers[record["seq"]] = place
        record["seq"] = place
    for record in made:
        if record["record"] == "expectation":
            record["upto"] = max(new for old, new in numbers.items() if old <= record["upto"])
    return made


def recollected(records: list[Raw], cases: Sequence[Raw]) -> list[Raw]:
    """Let a run have collected these cases only, digests and all."""
    made = copy.deepcopy(records)
    digest = sha256(
        [Case(case["test"], tuple(case["requirements"]), case["mutant"], case["left_out"]) for case in cases]
    )
    for record in made:
        if record["record"] == "collected":
            record["cases"] = list(cases)
        elif record["record"] == "collection":
            record |= {"cases": len(cases), "sha256": digest}
    return made


def collected(records: Iterable[Raw]) -> list[Raw]:
    """Return the cases that a run has collected."""
    return list(next(record for record in records if record["record"] == "collected")["cases"])


def renamed(records: list[Raw], name: str) -> list[Raw]:
    """Return the records as those of another run: its hash is in every scope."""
    old = run_hash(records[0].get("run", ""))
    made: list[Raw] = json.loads(json.dumps(records).replace(old, run_hash(name)))
    for record in made:
        if record["record"] == "run.started":
            record["run"] = name
    return made
