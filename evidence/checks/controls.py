"""Checks that have a control: another request of the same test, which went the same way and was answered well.

A server that is not there shows nothing. Where it answered the control, and has no answer to this request or says that
it cannot answer now, the request itself is why.
"""

from __future__ import annotations

from dataclasses import replace

from evidence.checks.asked import Asked, answer_to, id_of, is_well, watch
from evidence.checks.base import Check, failed
from evidence.verdict import UNDECIDED, Judgement, Verdict, Violation


class Controlled(Check):
    """A check of an answer, which may have a control; to be named before the class that it adds to."""

    def watch(self) -> None:
        """Keep the control too."""
        super().watch()  # type: ignore[safe-super]  # that of the class beside it
        self.control: Asked | None = self.args.get("control")
        if self.control is not None:
            watch(self.history, self.control)

    def decide(self, *, final: bool) -> Judgement:
        """Fail where nothing but the request can be why it has no answer."""
        judgement = super().decide(final=final)  # type: ignore[safe-super]  # as above
        if judgement.verdict is not Verdict.UNKNOWN or self.control is None:
            return judgement
        answer = answer_to(self.history, self.control)
        if answer is None:
            return UNDECIDED
        if not is_well(answer):
            return judgement
        name = id_of(self.control)
        faults = (
            replace(fault, message=f"{fault.message}, while {name} was answered", witness=_with(fault, answer["seq"]))
            for fault in judgement.violations
        )
        return failed(*faults)


def _with(fault: Violation, seq: int) -> tuple[int, ...]:
    return tuple(sorted({*fault.witness, seq}))
