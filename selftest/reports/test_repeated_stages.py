"""Stages that look slower than in an earlier run: what is written of them, and what their repetitions say."""

from pathlib import Path
from typing import Any

import pytest

from evidence.catalogue import Catalogue
from evidence.collection import Case
from evidence.expectations import within
from evidence.refs import LoadRef
from evidence.run_names import run_hash, scope_name
from reports.build import build
from reports.compare import worse
from selftest.reports.conftest import RUN, History

CASE = "suites/e/test_e.py::load"
FAST, SLOW = 0.1, 0.3
Loads = list[tuple[float, float]]
"""Seconds to the answer, and the pressure on the machine, of each load."""


def loaded(history: History, loads: Loads, first: int = 1) -> History:
    """Add runs of one case with a load."""
    for number, (seconds, pressure) in enumerate(loads, start=first):
        scope = scope_name(run_hash(RUN), "gw0", 900 + number)
        case = Case(CASE, ("EVT-ING-001",), None)
        history.cases += [case] if case not in history.cases else []
        history.add("test.started", scope, test=CASE, requirements=["EVT-ING-001"], mutant=None)
        samples = [[n / 20, n / 20, n / 20 + seconds * (1 + n / 400), 202, str(n)] for n in range(80)]
        machine = {"cpus": 2, "pressure": pressure}
        shortage = {"shortage": "too few ports"} if pressure else {}
        fields = {"load": "l", "rate": 20, "count": 80, "samples": samples, "done": True, "machine": machine}
        last = history.add("load", scope, **fields, **shortage)
        claim = within(LoadRef("l", 80), "ack", 95, 9.0)
        judged = {"deadline": 1.0, "timed_out": False, "upto": last, "verdict": "pass", "violations": []}
        history.add("expectation", scope, expectation=f"{scope}-e1", check=claim.check, args=claim.args, **judged)
        history.add("test.finished", scope, outcome="passed", reason="", duration=4.0)
    return history


def written(folder: Path, history: History) -> Path:
    folder.mkdir()
    history.of_run(folder.name).write(folder)
    return folder / "history.ndjson"


@pytest.mark.parametrize(
    ("repeated", "told"),
    [
        ([(SLOW, 0.0), (SLOW, 0.0)], "slower (2 of 2)"),
        ([(SLOW, 0.0), (FAST, 0.0)], "flaky (1 of 2)"),
        ([(FAST, 0.0), (FAST, 0.0)], "not seen again (0 of 2)"),
        ([(SLOW, 0.0)], "slower, undecided (1 of 1; 1 of 2 repetitions undecided)"),
        ([(SLOW, 0.0), (SLOW, 1.0)], "slower, undecided (1 of 1; 1 of 2 repetitions undecided)"),
    ],
    ids=["each-time", "once", "never", "one-did-not-run", "one-on-a-busy-machine"],
)
def test_a_slower_stage_is_repeated_and_judged_from_the_history_alone(
    tmp_path: Path, catalogue: Catalogue, repeated: Loads, told: str
) -> None:
    base = written(tmp_path / "base", loaded(History().start(), [(FAST, 0.0)]).finish())
    first = written(tmp_path / "first", loaded(History().start(), [(SLOW, 0.0)]).finish())
    record = worse.compared(worse.baseline(base, catalogue), first, catalogue, 2)
    assert [(stage["stage"], len(stage["samples"])) for stage in record["stages"]] == [("ack", 80)]
    whole = loaded(History().start(), [(SLOW, 0.0)])
    whole.records[0]["selection"]["again"] = 2
    fields: dict[str, Any] = {**record}
    whole.add(**fields)
    history = written(tmp_path / "whole", loaded(whole, repeated, first=2).finish())
    base.unlink()
    report = build(history, catalogue)
    assert report.again is not None
    assert [stage.told for stage in report.again.stages] == [told]
    assert report.again.certain == frozenset(), "a latency decides nothing"


def test_a_stage_that_is_not_slower_is_not_repeated(tmp_path: Path, catalogue: Catalogue) -> None:
    base = written(tmp_path / "base", loaded(History().start(), [(SLOW, 0.0)]).finish())
    new = written(tmp_path / "new", loaded(History().start(), [(FAST, 0.0)]).finish())
    record = worse.compared(worse.baseline(base, catalogue), new, catalogue, 2)
    assert (record["cases"], record["stages"]) == ([], [])
