"""Whether the checks found what the saboteur did."""

from dataclasses import dataclass

from evidence.saboteur import Finding, Status


@dataclass(frozen=True, slots=True)
class Sabotages:
    """Whether the checks found what the saboteur did to events on the system itself.

    Attributes:
        seed: The number that chose what was hit.
        findings: One for each case.
    """

    seed: int
    findings: tuple[Finding, ...]

    @property
    def asked(self) -> tuple[Finding, ...]:
        """Those that this system lets anybody tell."""
        return tuple(each for each in self.findings if each.status is not Status.NOT_TESTABLE)

    @property
    def found(self) -> tuple[Finding, ...]:
        """Those that were found as what they are."""
        return self._of(Status.FOUND)

    @property
    def blind(self) -> tuple[Finding, ...]:
        """Those that were not found, or found as something else: nothing else that the checks say can be trusted."""
        return self._of(Status.MISSED, Status.MISTAKEN)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """Those that prove nothing."""
        return self._of(Status.UNDECIDED)

    @property
    def told(self) -> str:
        """The result in a few words."""
        left = len(self.findings) - len(self.asked)
        more = f", {left} not testable on this system" if left else ""
        return f"{len(self.found)} of {len(self.asked)} sabotages found{more}"

    def _of(self, *statuses: Status) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.status in statuses)
