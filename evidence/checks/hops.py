"""The trace of a request behind the Broker: in the call to the predictor, and in the record of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.checks.base import check, failed, violation
from evidence.checks.content import halves
from evidence.checks.results import ResultsOfMany
from evidence.checks.tracing import unkept, untraced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evidence.records import TopicRecord
    from evidence.verdict import Judgement, Violation

SHOWN = ("traceparent", "tracestate")


@check("results_traced")
class ResultsTraced(ResultsOfMany):
    """Each result is of a call to the predictor, or is a record, in the trace of its own request.

    What the predictor was called with is what it has put beside its predictions.
    """

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a result of another trace; pass when all are there; at the deadline, fail for those proven absent."""
        wrong = [fault for trace_id in self.trace_ids for fault in self._faults(trace_id)]
        if wrong:
            return failed(*wrong)
        return self.all_there(final=final)

    def _faults(self, trace_id: str) -> list[Violation]:
        faults = []
        for record, value in self.found(trace_id):
            headers = _of_record(record) if self.args["at"] == "record" else _shown(value)
            for fault in self._reasons(trace_id, headers):
                wanted, got = halves(fault)
                expected = f"{wanted} {WORDS[self.args['at']]} {trace_id}"
                faults.append(violation(expected, got, (record["seq"],), self.place(trace_id)))
        return faults

    def _reasons(self, trace_id: str, headers: list[list[str]]) -> list[str]:
        if self.args["members"]:
            return unkept(self.args["members"], headers)
        return untraced([self.args["traces"][trace_id]], headers)


WORDS = {"predictor": "in the call to the predictor for trace id", "record": "in the record of the result for trace id"}


def _of_record(record: TopicRecord) -> list[list[str]]:
    """Return the headers of a record that have a value."""
    return [[name, value] for name, value in record["headers"] if value is not None]


def _shown(value: Mapping[str, Any]) -> list[list[str]]:
    """Return the headers that the predictor says it was called with."""
    data = value.get("data")
    given = data if isinstance(data, dict) else {}
    return [[name, given[name]] for name in SHOWN if isinstance(given.get(name), str)]
