"""Checks that have a control: another request of the same test, which went the same way and was answered well.

A server that is not there shows nothing. Where it answered the control, and has no answer to this request or says that
it cannot answer now, the request itself is why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evidence.checks.base import Check, failed
from evidence.refs import CallRef, ExchangeRef
from evidence.verdict import UNDECIDED, Judgement, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping


class Controlled(Check):
    """A check of an answer, which may have a control; to be named before the class that it adds to."""

    def watch(self) -> None:
        """Keep the control too."""
        super().watch()  # type: ignore[safe-super]  # that of the class beside it
        self.control: ExchangeRef | CallRef | None = self.args.get("control")
        if isinstance(self.control, CallRef):
            self.history.watch_call(self.control.call)
        elif self.control is not None:
            self.history.watch_exchange(self.control.send)

    def decide(self, *, final: bool) -> Judgement:
        """Fail where nothing but the request can be why it has no answer."""
        judgement = super().decide(final=final)  # type: ignore[safe-super]  # as above
        if judgement.verdict is not Verdict.UNKNOWN or self.control is None:
            return judgement
        answer = self._answer_to(self.control)
        if answer is None:
            return UNDECIDED
        if answer.get("status") != 200 and answer.get("code") != "OK":
            return judgement
        name = self.control.call if isinstance(self.control, CallRef) else self.control.send
        faults = (
            replace(fault, message=f"{fault.message}, while {name} was answered", witness=_with(fault, answer["seq"]))
            for fault in judgement.violations
        )
        return failed(*faults)

    def _answer_to(self, control: ExchangeRef | CallRef) -> Mapping[str, Any] | None:
        if isinstance(control, CallRef):
            return self.history.call_ends.get(control.call)
        return self.history.answered.get(control.send)


def _with(fault: Violation, seq: int) -> tuple[int, ...]:
    return tuple(sorted({*fault.witness, seq}))
