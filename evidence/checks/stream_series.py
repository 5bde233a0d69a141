"""What a stream owes beside values: headers of answers, the order of one key, answers in spite of a fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evidence.checks.base import check, failed, read_json, same_json, shorten, undecidable, violation
from evidence.checks.streaming import StreamAnswer, StreamCheck
from evidence.history import octets
from evidence.messages import texts_of_tags
from evidence.verdict import PASSED, UNDECIDED, Judgement

if TYPE_CHECKING:
    from evidence.records import TopicRecord
    from evidence.refs import ProducedRef


@check("stream_header")
class StreamHeader(StreamAnswer):
    """Each answer has a header once, and with this value."""

    @property
    def wanted(self) -> Any:
        """The header that is wanted."""
        return {self.args["name"]: self.args["value"]}

    def fault(self, answer: TopicRecord) -> str | None:
        """How the answer's headers differ from what is wanted, or None."""
        found = [value for name, value in answer["headers"] if name == self.args["name"]]
        return None if found == [self.args["value"]] else f"header {self.args['name']}: {shorten(json.dumps(found))}"


@check("stream_id_told")
class StreamIdTold(StreamCheck):
    """In each answer all nodes tell one id, and that of no other request."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        nodes = ", ".join(self.args["nodes"])
        return f"one id at {nodes} for each of {len(self.requests)} requests, another for each, in topic {self.output}"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an answer without one id, or with that of another request; pass when all are answered."""
        told: dict[str, tuple[ProducedRef, int]] = {}
        open_ = False
        for request in self.requests:
            found = self.answers(request)
            for answer in found:
                name = self._id(answer)
                if name is None:
                    got = shorten(answer["value"] or "")
                    return failed(violation(self.expected, got, (answer["seq"],), self.where(request)))
                other, seq = told.setdefault(name, (request, answer["seq"]))
                if other is not request:
                    got = f"{name} for {self.name_of(other)} and for {self.name_of(request)}"
                    return failed(violation(self.expected, got, (seq, answer["seq"]), self.where(request)))
            proof = self.over(request) if final and not found else None
            if proof is not None:
                got = f"none to {self.name_of(request)}: group {self.group} has passed it"
                return failed(violation(self.expected, got, proof, self.where(request)))
            open_ = open_ or not found
        return UNDECIDED if open_ else PASSED

    def _id(self, answer: TopicRecord) -> str | None:
        """Return the value of the one header that all nodes tell; None: there is no such."""
        data = octets(answer["value"] or "")
        match read_json(data) if not self.args.get("typed") else (True, {"meta": {"tags": texts_of_tags(data)}}):
            case (True, {"meta": {"tags": {**tags}}}):
                told = {json.dumps(tags.get(node)) for node in self.args["nodes"]}
            case _:
                return None
        text = json.loads(told.pop()) if len(told) == 1 else None
        match read_json(text.encode()) if isinstance(text, str) else None:
            case (True, [[str(), str(value)]]) if value:
                return value
        return None


@check("streamed_in_order")
class StreamedInOrder(StreamCheck):
    """The answers under one key come first in the order of their requests; an answer may come again."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{len(self.requests)} answers under key {self.request.key!r} in topic {self.output}, in order"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at the first answer that comes before an earlier one; pass when all have come."""
        wanted, came = self.args["json"], 0
        for answer in self.answers(self.request):
            _, got = read_json(octets(answer["value"] or ""))
            place = next((number for number, value in enumerate(wanted) if same_json(got, value)), None)
            if place == came:
                came += 1
            elif place is None or place > came:
                due = wanted[min(came, len(wanted) - 1)]
                text = f"{shorten(json.dumps(got))} where {shorten(json.dumps(due))} was due"
                return failed(violation(self.expected, text, (answer["seq"],), self.where(self.request)))
        if came == len(wanted):
            return PASSED
        last = self.requests[-1]
        proof = self.over(last) if final else None
        if proof is None:
            return UNDECIDED
        text = f"{came} of them, and group {self.group} has passed the last request"
        return failed(violation(self.expected, text, proof, self.where(last)))


@check("stream_survived")
class StreamSurvived(StreamCheck):
    """Each request is answered; again only where it was uncommitted when a fault began."""

    def watch(self) -> None:
        """Keep what a stream keeps, and the windows of the SeldonDeployment."""
        super().watch()
        self._key = (self.args["namespace"], self.args["deployment"])
        self.history.watch_windows(*self._key)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"an answer to each of {len(self.requests)} requests in spite of the fault, again only if uncommitted"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at an answer without an excuse, or at none; pass when the group is past all requests."""
        records = self.history.windows[self._key]
        ended = {record["window"] for record in records if record["phase"] == "end"}
        begins = [record for record in records if record["phase"] == "begin" and record["window"] in ended]
        if not begins:
            return undecidable(violation(self.expected, "no fault window that is over", ())) if final else UNDECIDED
        open_ = False
        for request in self.requests:
            found, past = self.answers(request), self.passed(request)
            excusing = [begin for begin in begins if past is None or past.seq > begin["seq"]]
            if len(found) > 1 + len(excusing):
                got = f"{len(found)} answers to {self.name_of(request)}, of which the fault excuses {1 + len(excusing)}"
                witness = tuple(record["seq"] for record in found[: 2 + len(excusing)])
                return failed(violation(self.expected, got, witness, self.where(request)))
            proof = self.over(request)
            if not found and proof is not None and final:
                got = f"none to {self.name_of(request)}: group {self.group} has passed it"
                return failed(violation(self.expected, got, proof, self.where(request)))
            open_ = open_ or not found or proof is None
        return UNDECIDED if open_ else PASSED
