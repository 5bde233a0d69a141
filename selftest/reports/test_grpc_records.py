"""gRPC calls of a history: each has one end behind it, is shown in reports, and cannot be replayed."""

from pathlib import Path
from typing import Any

import pytest

from common.errors import UsageError
from evidence.records import FORMAT, Record
from evidence.schema.examples import EXAMPLES
from evidence.watch import Watch
from reports.replay.extracting import extract
from reports.views import view
from selftest.histories import Raw, lines, typed

SCOPE = str(EXAMPLES["grpc.called"]["scope"])
CALLED, ENDED = EXAMPLES["grpc.called"], EXAMPLES["grpc.answered"]


def told(*records: Any) -> list[str]:
    """Return what the watch says of these records."""
    watch = Watch()
    watch.feed(EXAMPLES["run.started"])
    return [trouble.text for record in typed(records) for trouble in watch.feed(record)]


def another(record: Record, **fields: Any) -> Raw:
    """Return a record with other fields."""
    return {**record, **fields}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([CALLED, ENDED], ""),
        ([ENDED], "expected `grpc.called`"),
        ([CALLED, ENDED, ENDED], "or one answered before"),
        ([another(CALLED, call=f"{SCOPE}-g2")], "g1 next, got"),
    ],
    ids=["whole", "no-call", "two-ends", "call-lost"],
)
def test_a_call_has_one_end_behind_it(records: list[Any], said: str) -> None:
    found = told(*records)
    assert any(said in text for text in found) if said else found == []


@pytest.mark.parametrize(
    ("record", "title"),
    [
        (CALLED, "/inference.GRPCInferenceService/ServerLive at open-inference-grpc.ns.svc.cluster.local:8081"),
        (another(ENDED, code="NOT_FOUND", details="no model"), "NOT_FOUND no model"),
        (another(ENDED, code=None, error="cannot connect"), "no answer: cannot connect"),
    ],
    ids=["call", "status", "no-answer"],
)
def test_a_call_is_shown(record: Any, title: str) -> None:
    assert view(record, 0.0).title == title


def test_a_case_with_a_call_is_not_replayed(tmp_path: Path) -> None:
    claim = {"check": "call_ended", "args": {"call": {"$ref": "call", "call": f"{SCOPE}-g1"}, "codes": ["NOT_FOUND"]}}
    judged = {"verdict": "fail", "violations": [], "upto": 4, "timed_out": False}
    story: list[Any] = [
        EXAMPLES["run.started"],
        EXAMPLES["test.started"],
        CALLED,
        ENDED,
        another(EXAMPLES["expectation"], **claim, **judged),
        another(EXAMPLES["test.finished"], outcome="failed", reason="NOT_FOUND was expected"),
        EXAMPLES["run.finished"],
    ]
    records = [another(record, seq=seq, t=float(seq)) for seq, record in enumerate(story, start=1)]
    for record in records:
        record.update({"wall_t": record["t"] + 1e9} if "wall_t" in record else {})
    records[0]["format"] = FORMAT
    history = tmp_path / "history.ndjson"
    history.write_bytes(b"".join(lines(records)))
    with pytest.raises(UsageError, match="over gRPC, which no replay does"):
        extract(history, "test_delivered")
