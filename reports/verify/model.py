"""What rules judge, and what they say: a run's folder read once, and findings with expected, got and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    from evidence.collection import Case
    from reports.check import Recomputation
    from reports.model import Exit, Report, Result
    from reports.run import RecordedRun
    from reports.verify.policy import Policy

State: TypeAlias = Literal["kept", "broken", "undecidable", "not judged"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks against a rule, or keeps it from being judged.

    Attributes:
        expected: The state that the rule asks for.
        got: The actual state.
        where: The place: a file, a record, a field.
        state: Broken; undecidable: it may be kept or not; not judged: nobody asked for it, and it decides nothing.
    """

    expected: str
    got: str
    where: str
    state: Literal["broken", "undecidable", "not judged"] = "broken"


@dataclass(frozen=True, slots=True)
class Observations:
    """What a history says beside its tests.

    Attributes:
        troubles: The troubles of the instrument (`evidence.watch`), each by kind and text.
        instances: The processes of the probe that wrote it, in the order in which they appear.
        restarts: The restarts and gaps that it tells of, in sentences.
        outside: The records that stand before the beginning or behind the end of the run, in sentences.
        versions: The versions of products as they were observed in the cluster; None: nothing is recorded.
        images: The SHA-256 of the images that it names by digest, by reference.
        walls: The anchors in the time of day: place, time of day in ISO 8601, the probe's seconds since 1970.
    """

    troubles: Sequence[tuple[str, str]]
    instances: Sequence[str]
    restarts: Sequence[str]
    outside: Sequence[str]
    versions: Mapping[str, str | None] | None
    images: Mapping[str, str]
    walls: Sequence[tuple[str, str, float | None]]


@dataclass(frozen=True, slots=True)
class Attestation:
    """The envelope of a run as far as it can be read.

    Attributes:
        path: The file.
        envelope: The envelope; None: there is none, or it cannot be read.
        statement: The object in it; None likewise.
        signers: The ids of the lab's keys that have signed it.
        identity: The identity that must have signed it by Sigstore, in words; empty: keys are asked.
        fault: The reason why it cannot be read; empty: it can.
        absent: Whether there is no such file.
    """

    path: Path
    envelope: Envelope | None = None
    statement: Mapping[str, Any] | None = None
    signers: Sequence[str] = ()
    identity: str = ""
    fault: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """All that a rule may look at.

    Attributes:
        folder: The run's folder.
        history: The history.
        policy: What the lab asks for.
        keys: The public keys that the lab trusts.
        attestation: The envelope.
        now: The time of day, for ages.
        challenge: The nonce that the lab gave; None: it gave none.
        catalogue_sha256: The digest of the lab's catalogue.
        pins: How many cases the lab's catalogue has, by requirement.
        catalogue_version: The version of the lab's catalogue; empty: it has none.
        run: The beginning and the end of the history; None: the history cannot be read.
        observations: What else the history says; None likewise.
        report: The report as computed from the history; None likewise.
        checked: The comparison of that with report.json; None: one of the two cannot be read.
        unreadable: The reasons why files cannot be read, by the file.
    """

    folder: Path
    history: Path
    policy: Policy
    keys: Sequence[SSlibKey]
    attestation: Attestation
    now: datetime
    challenge: str | None
    catalogue_sha256: str
    pins: Mapping[str, int]
    catalogue_version: str
    run: RecordedRun | None = None
    observations: Observations | None = None
    report: Report | None = None
    checked: Recomputation | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What rules that need a readable history look at: the parts of a submission that are there then.

    Attributes:
        submission: The submission.
        run: The beginning and the end of the history.
        observations: What else it says.
        report: The report as computed from it.
        claimed: The results of those requirements that the claim is about.
        cases: The cases that were collected; None: the history does not tell them.
    """

    submission: Submission
    run: RecordedRun
    observations: Observations
    report: Report
    claimed: Sequence[Result]
    cases: Sequence[Case] | None

    @property
    def policy(self) -> Policy:
        """What the lab asks for."""
        return self.submission.policy


OfSubmission: TypeAlias = Callable[[Submission], Sequence[Finding]]
OfHistory: TypeAlias = Callable[[History], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the published rules.

    Attributes:
        id: The name of the rule.
        sentence: The rule, as it is published.
        judge: The judge of a submission; None: the rule needs a readable history.
        of_history: The judge of a readable history; None: the rule needs none.
    """

    id: str
    sentence: str
    judge: OfSubmission | None = None
    of_history: OfHistory | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says of a submission."""

    rule: Rule
    findings: Sequence[Finding]

    @property
    def state(self) -> State:
        """The gravest of its findings; kept when there is none."""
        states = {finding.state for finding in self.findings}
        for state in ("broken", "undecidable", "not judged"):
            if state in states:
                return state
        return "kept"


@dataclass(frozen=True, slots=True)
class Verification:
    """What all rules say of a submission."""

    submission: Submission
    rulings: Sequence[Ruling]

    @property
    def exit(self) -> Exit:
        """0: accepted; 1: a rule is broken; 2: none is broken, and one is undecidable."""
        states = {ruling.state for ruling in self.rulings}
        return 1 if "broken" in states else 2 if "undecidable" in states else 0
