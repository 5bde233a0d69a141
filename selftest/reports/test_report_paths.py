"""Pictures of paths: they end where the text says that the event was last seen, and show no more than fits."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence import history_file
from evidence.checks import check_of
from evidence.event_path import Hop, of_event, of_exchange, of_produced
from evidence.expectations import Expectation
from evidence.history_index import HistoryIndex
from evidence.identity import Identity
from evidence.records import Record
from reports import diagram, path, run, write
from reports.__main__ import main
from reports.path import LANES, Arrow, EventPath, Subjects
from selftest.evidence.story import GROUP, TOPIC, Story
from selftest.evidence.test_content_checks import DELIVERIES
from selftest.evidence.test_delivery_checks import CASES
from selftest.evidence.test_event_path import E1, LOSSES
from selftest.evidence.test_flow_checks import RESULT_CASES, STREAMS
from selftest.evidence.test_record_checks import ANSWERS, RECORDS
from selftest.histories import lines, typed

Plot = Callable[[Story], None]


def told(plot: Plot) -> Story:
    story = Story()
    plot(story)
    return story


TABLES: dict[str, list[tuple[Expectation, Story]]] = {
    "delivery": [(expectation, told(plot)) for expectation, plot, *_ in CASES],
    "content": [(expectation, story) for expectation, story, _ in DELIVERIES],
    "answer": [(expectation, story) for expectation, story, _ in ANSWERS],
    "record": [(expectation, told(plot)) for expectation, plot, *_ in RECORDS],
    "result": [(expectation, story) for expectation, story, *_ in RESULT_CASES],
    "stream": [(expectation, story) for expectation, story, *_ in STREAMS],
}
STORIES = [
    pytest.param(expectation, story, id=f"{table}-{number:02d}-{expectation.check}")
    for table, cases in TABLES.items()
    for number, (expectation, story) in enumerate(cases)
]


def traced(folder: Path, story: Story, subjects: Subjects) -> dict[Identity | str, EventPath]:
    file = folder / "history.ndjson"
    file.write_bytes(b"".join(lines(story.records)))
    return path.trace(run.records(file), [subjects])


def text_of(sightings: HistoryIndex, subject: Identity | str, sends: dict[Identity, str]) -> list[Hop]:
    """Return the hops that a violation's text tells: of an event, else of its request, else of its record."""
    if isinstance(subject, tuple):
        return of_event(sightings, subject) or of_exchange(sightings, sends.get(subject, ""))
    return of_exchange(sightings, subject) or of_produced(sightings, subject)


def watched(sightings: HistoryIndex, record: Record) -> bool:
    """Whether a check looks there: a picture also shows the topics and groups that its check does not need."""
    if record["record"] == "offsets":
        return (record["group"], record["topic"]) in sightings.committed
    return record["record"] != "topic.record" or record["topic"] in sightings.topics


@pytest.mark.parametrize(("expectation", "story"), STORIES)
def test_text_and_picture_end_at_the_same_hop(tmp_path: Path, expectation: Expectation, story: Story) -> None:
    sightings = HistoryIndex()
    check_of(expectation.check, expectation.args, sightings)
    for record in typed(story.records):
        sightings.feed(record)
    subjects = path.subjects(expectation.args)
    pictures = traced(tmp_path, story, subjects)
    sends = {E1: "send-e1"}
    known = {record["seq"] for record in typed(story.records) if watched(sightings, record)}
    wanted: list[Identity | str] = [*subjects.events, *subjects.sends, *subjects.produces]
    for subject in wanted:
        text = text_of(sightings, subject, sends)
        picture = [arrow for arrow in pictures[subject].arrows if arrow.seq in known] if subject in pictures else []
        assert [end_of(hop) for hop in text[-1:]] == [(arrow.seq, arrow.start, arrow.end) for arrow in picture[-1:]]


def end_of(hop: Hop) -> tuple[int, int, int]:
    return hop.seq, LANES.index(hop.kind.start), LANES.index(hop.kind.end)


@pytest.mark.parametrize(("plot", "identity", "kind"), [case[1:4] for case in LOSSES], ids=[case[0] for case in LOSSES])
def test_a_picture_ends_where_the_event_was_lost(tmp_path: Path, plot: Plot, identity: Identity, kind: Any) -> None:
    pictures = traced(tmp_path, told(plot), Subjects(frozenset({identity}), frozenset(), frozenset()))
    last = [(LANES[arrow.start], LANES[arrow.end]) for arrow in pictures[identity].arrows[-1:]] if pictures else []
    assert last == ([] if kind is None else [(kind.start, kind.end)])


def long_path(folder: Path) -> EventPath:
    story = Story()
    story.accepted()
    for _ in range(60):
        story.delivered(status=500)
    story.offsets(0)
    return traced(folder, story, Subjects(frozenset({E1}), frozenset(), frozenset()))[E1]


def test_a_long_picture_leaves_out_its_middle_and_keeps_its_end(tmp_path: Path) -> None:
    picture = long_path(tmp_path)
    assert (len(picture.before), picture.more, len(picture.after)) == (20, 84, 20)
    assert picture.arrows[-1].label == f"group {GROUP} stays at 0"
    svg = diagram.svg(picture)
    assert svg.count('class="hop') == 40
    first, note, last = (svg.index(text) for text in ("POST /ns/broker", "and 84 more hops", "stays at 0"))
    assert first < note < last


def test_a_second_tap_of_a_topic_adds_no_arrow(tmp_path: Path) -> None:
    story = Story()
    story.accepted()
    story.records.append({**story.records[-1], "seq": 4, "scope": "another"})
    picture = traced(tmp_path, story, Subjects(frozenset({E1}), frozenset(), frozenset()))[E1]
    assert [arrow.label for arrow in picture.arrows] == ["POST /ns/broker", "HTTP 202", f"{TOPIC}[0]@0"]


def test_a_request_whose_event_is_drawn_is_not_drawn_again(tmp_path: Path) -> None:
    subjects = Subjects(frozenset({E1}), frozenset({"send-e1"}), frozenset())
    story = Story()
    story.accepted()
    assert list(traced(tmp_path, story, subjects)) == [E1]
    alone = traced(tmp_path, story, Subjects(frozenset(), frozenset({"send-e1"}), frozenset()))["send-e1"]
    assert alone.exchange
    assert [arrow.label for arrow in alone.arrows] == ["POST /ns/broker", "HTTP 202"]


def test_a_label_is_short_and_tells_no_secret(tmp_path: Path) -> None:
    story = Story()
    story.sent()
    story.answered(status=None)
    story.records[-1]["error"] = "Authorization: Bearer abcdef123456 " + "x" * 200
    last: Arrow = traced(tmp_path, story, Subjects(frozenset({E1}), frozenset(), frozenset()))[E1].arrows[-1]
    assert "abcdef123456" not in last.label
    assert len(last.label) < 110


def test_show_tells_how_many_hops_it_leaves_out(
    history: Any, reported: Any, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history.start().test("EVT-ING-001", 500)
    event = history.records[1]["scope"]
    for number in range(60):
        headers = [["ce-id", "1"], ["ce-source", f"/{event}"]]
        request = {"path": "/", "method": "POST", "headers": headers, "body": "", "receive": f"r{number}"}
        history.add("received", event, sink="s/1", **request)
    write.write(reported(history.finish()), run_dir, run_dir / "history.ndjson")
    main(["show", "--requirement", "EVT-ING-001", str(run_dir)])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    note = lines.index("and 22 more hops, in the history")
    assert lines[note - 1].endswith("group -> subscriber: to s/1, attempt 18")
    assert lines[note + 1].endswith("group -> subscriber: to s/1, attempt 41")
    assert any(line.endswith("group -> subscriber: to s/1, attempt 60") for line in lines)


@pytest.mark.parametrize("tests", [1, 12])
def test_a_requirement_is_shown_in_as_many_passes_over_the_history_whatever_its_tests(
    history: Any, run_dir: Path, tests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.start()
    for _ in range(tests):
        history.test("EVT-ING-001", 500)
    history.finish().write(run_dir)
    passes = 0
    lines = history_file.lines

    def counted(file: Path) -> Iterator[bytes]:
        nonlocal passes
        passes += 1
        return lines(file)

    monkeypatch.setattr(history_file, "lines", counted)
    main(["show", "--requirement", "EVT-ING-001", str(run_dir)])
    assert passes == 3
