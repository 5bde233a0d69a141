"""The conformance report as data: what `report.json` says, typed.

No judging here (`evidence` does that) and no exit codes (`reports.gate`). `reports.build` fills it in,
`reports.document` makes JSON of it.
"""

from reports.model.proof import Cell, MutantRow, Mutation
from reports.model.report import Exit, Gate, Report
from reports.model.results import LEFT_OUT_BY, VERDICTS, AllowanceStatus, Allowed, Cases, Known, Missing, Result, Tally
from reports.model.sabotages import Sabotages
from reports.model.tests import Diagnostics, ReportedExpectation, ReportedViolation, Test

__all__ = [
    "LEFT_OUT_BY",
    "VERDICTS",
    "AllowanceStatus",
    "Allowed",
    "Cases",
    "Cell",
    "Diagnostics",
    "Exit",
    "Gate",
    "Known",
    "Missing",
    "MutantRow",
    "Mutation",
    "Report",
    "ReportedExpectation",
    "ReportedViolation",
    "Result",
    "Sabotages",
    "Tally",
    "Test",
]
