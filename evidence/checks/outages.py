"""What a Broker answers while a fault that was made on purpose lasts, and once that is over."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evidence.checks.answers import AnswerCheck
from evidence.checks.base import check, failed, shorten, undecidable
from evidence.verdict import PASSED, UNDECIDED, Judgement

if TYPE_CHECKING:
    from evidence.records import Answered, Sent


@dataclass(frozen=True, slots=True)
class Outage:
    """A fault that was made on purpose.

    Attributes:
        fault: The fault, in words.
        begin: The number of the record that begins it.
        end: The number of the record that ends it; infinite as long as it lasts.
    """

    fault: str
    begin: int
    end: float


class OutageCheck(AnswerCheck):
    """The answer to a request, by what it and the Broker's fault windows have in common."""

    def watch(self) -> None:
        """Keep the exchange, and the windows of the Broker."""
        super().watch()
        self.key = (self.args["namespace"], self.args["broker"])
        self.history.watch_windows(*self.key)

    def answered(self, answer: Answered) -> Judgement:
        """Find the window that the request belongs to, and judge the answer by it."""
        sent = self.history.sent.get(self.send)
        if sent is None:
            return UNDECIDED
        outage = next((each for each in self._outages() if self.belongs(sent, each)), None)
        return UNDECIDED if outage is None else self.judged(answer, outage)

    def _outages(self) -> list[Outage]:
        """Return the faults of the Broker so far, in their order."""
        records = self.history.windows[self.key]
        ends = {record["window"]: record["seq"] for record in records if record["phase"] == "end"}
        return [
            Outage(record["fault"], record["seq"], ends.get(record["window"], math.inf))
            for record in records
            if record["phase"] == "begin"
        ]

    @abstractmethod
    def belongs(self, sent: Sent, outage: Outage) -> bool:
        """Tell whether a request belongs to a fault."""

    @abstractmethod
    def judged(self, answer: Answered, outage: Outage) -> Judgement:
        """Judge the answer to a request that belongs to a fault."""


@check("refused_meanwhile")
class RefusedMeanwhile(OutageCheck):
    """A server's error for a request that was sent, and answered, while the fault lasted."""

    expected = "a refusal with 5xx while the fault lasted"

    def belongs(self, sent: Sent, outage: Outage) -> bool:
        """Tell whether the request was sent while the fault lasted."""
        return outage.begin < sent["seq"] < outage.end

    def judged(self, answer: Answered, outage: Outage) -> Judgement:
        """Fail at any other answer that came while the fault lasted."""
        status = answer["status"]
        if answer["seq"] > outage.end:
            return undecidable(self.fault(f"an answer only when it was over: HTTP {status}", answer))
        if 500 <= (status or 0) < 600:
            return PASSED
        return failed(self.fault(f"HTTP {status} {shorten(answer['body'])}, although {outage.fault}", answer))


@check("accepted_again")
class AcceptedAgain(OutageCheck):
    """A success for a request that was sent after the fault, where one before the fault had it too."""

    expected = "acceptance when the fault was over, as before it"

    def watch(self) -> None:
        """Keep the earlier exchange too."""
        super().watch()
        self.control: str = self.args["control"].send
        self.history.watch_exchange(self.control)

    def belongs(self, sent: Sent, outage: Outage) -> bool:
        """Tell whether the request was sent after the fault, and the earlier one accepted before it."""
        before = self.history.answered.get(self.control)
        accepted = before is not None and 200 <= (before["status"] or 0) < 300
        return accepted and before is not None and before["seq"] < outage.begin and outage.end < sent["seq"]

    def judged(self, answer: Answered, outage: Outage) -> Judgement:
        """Fail at any answer that is no success."""
        status = answer["status"]
        if 200 <= (status or 0) < 300:
            return PASSED
        return failed(self.fault(f"HTTP {status} {shorten(answer['body'])} after {outage.fault}", answer))
