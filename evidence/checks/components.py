"""What became of the platform's own pods: none was restarted or replaced but those that a test ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from evidence.checks.base import Check, check, failed, undecidable, violation
from evidence.verdict import PASSED, UNDECIDED, Judgement, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evidence.record_values import Component
    from evidence.records import FaultWindow, ObservedComponents

EXPECTED: Final = "no part of the platform to be restarted but by the test"


@dataclass(slots=True)
class Pods:
    """What is known of the pods so far.

    Attributes:
        restarts: The restarts of each container that was there at the last look, by uid and name.
        names: The part and the name of each pod, by uid.
        ended: The uids of the pods that the test has ended.
        seen: The number of the record of the last look.
    """

    restarts: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    seen: int = 0

    def begin(self, pods: Iterable[Component]) -> None:
        """Take pods as they are, whatever happened to them before."""
        for each in pods:
            self.restarts[each["uid"], each["container"]] = each["restarts"]
            self.names[each["uid"]] = (each["part"], f"{each['namespace']}/{each['pod']}")

    def window(self, record: FaultWindow) -> None:
        """Take what a fault window says: the pods that it ends, or those that came in their place."""
        pods = record.get("pods") or []
        if record["phase"] == "begin":
            self.ended |= {each["uid"] for each in pods}
        else:
            self.begin(pods)

    def look(self, record: ObservedComponents) -> list[Violation]:
        """Return what a look shows that nobody did, and take it for what is known."""
        pods = record["components"]
        found = [*self._restarted(record), *self._replaced(record)]
        self.restarts.clear()
        self.names.clear()
        self.begin(pods)
        self.seen = record["seq"]
        return found

    def _restarted(self, record: ObservedComponents) -> Iterable[Violation]:
        for each in record["components"]:
            before = self.restarts.get((each["uid"], each["container"]), each["restarts"])
            if each["restarts"] > before:
                got = f"container {each['container']} restarted {each['restarts'] - before} times by itself"
                yield self._violation(got, record, f"{each['namespace']}/{each['pod']}")

    def _replaced(self, record: ObservedComponents) -> Iterable[Violation]:
        there = {each["uid"] for each in record["components"]}
        lost = {uid: self.names[uid] for uid in self.names if uid not in there | self.ended}
        for each in {each["uid"]: each for each in record["components"]}.values():
            if each["uid"] in self.names:
                continue
            gone = next((uid for uid, (part, _) in lost.items() if part == each["part"]), None)
            if gone is not None:
                name = lost.pop(gone)[1]
                got = f"pod {each['pod']} ({each['uid']}) in the place of {name} ({gone}), which nobody ended"
                yield self._violation(got, record, name)

    def _violation(self, got: str, record: ObservedComponents, pod: str) -> Violation:
        return violation(EXPECTED, got, (self.seen, record["seq"]), f"pod {pod}")


@check("not_restarted")
class NotRestarted(Check):
    """The platform's own pods between two looks at them."""

    def watch(self) -> None:
        """Keep the looks, and what the test did meanwhile."""
        self.before, self.after = int(self.args["before"]), int(self.args["after"])
        self.history.watch_components()

    def decide(self, *, final: bool) -> Judgement:
        """Compare each look with what was known before it."""
        del final
        looks = [record for record in self.history.components or () if self.before <= record["seq"] <= self.after]
        if not looks or (looks[0]["seq"], looks[-1]["seq"]) != (self.before, self.after) or self.before == self.after:
            return UNDECIDED
        if not looks[0]["components"]:
            return undecidable(violation(EXPECTED, "no pod of the platform at the first look", (self.before,)))
        windows = [record for record in self.history.all_windows if self.before < record["seq"] < self.after]
        pods, found = Pods(seen=self.before), list[Violation]()
        pods.begin(looks[0]["components"])
        records: list[FaultWindow | ObservedComponents] = [*looks[1:], *windows]
        for record in sorted(records, key=lambda record: record["seq"]):
            if record["record"] == "fault.window":
                pods.window(record)
            else:
                found += pods.look(record)
        return failed(*found) if found else PASSED

    def missing(self) -> Violation:
        """Say that a look is missing."""
        return self.no_decision(EXPECTED, "the pods were not looked at before and after")
