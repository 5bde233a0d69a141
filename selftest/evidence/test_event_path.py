"""The path of an event: hops for every place, a loss at every place; and that memory holds only what is asked about."""

from collections.abc import Callable

import pytest

from evidence.event_path import NOWHERE, Hop, HopKind, Place, in_a_line, of_event, of_exchange, of_produced, where
from evidence.history_index import HistoryIndex
from evidence.identity import Identity
from selftest.evidence.story import (
    BROKER,
    GROUP,
    IN,
    LETTERS,
    SINK,
    STRUCTURED,
    TOPIC,
    Story,
    binary,
    structured,
)
from selftest.histories import typed

E1 = ("/src", "e1")
ANSWER = ("/sub", "answer")
SPOT = f"{TOPIC}[0]@0"
Plot = Callable[[Story], None]


def sightings_of(story: Story, identity: Identity = E1) -> HistoryIndex:
    history = HistoryIndex()
    history.watch_event(identity)
    history.watch_group(GROUP, TOPIC)
    history.watch_group(GROUP, IN)
    history.watch_topic("results")
    history.watch_exchange("send-e1")
    history.watch_produced("p1")
    for record in typed(story.records):
        history.feed(record)
    return history


def path(story: Story, identity: Identity = E1) -> list[Hop]:
    return of_event(sightings_of(story, identity), identity)


def lines(hops: list[Hop]) -> list[str]:
    return [hop.line for hop in hops]


def whole_story() -> Story:
    story = Story()
    story.accepted()
    story.offsets(0)
    story.delivered(status=500)
    story.delivered(status=200)
    story.offsets(1)
    return story


def test_the_path_goes_from_the_sender_to_the_last_answer() -> None:
    hops = path(whole_story())
    assert [(hop.kind, hop.seq) for hop in hops] == [
        (HopKind.SENT, 1),
        (HopKind.ANSWERED, 2),
        (HopKind.STORED, 3),
        (HopKind.DELIVERED, 5),
        (HopKind.HANDLED, 6),
        (HopKind.DELIVERED, 7),
        (HopKind.HANDLED, 8),
        (HopKind.PASSED, 9),
    ]
    assert lines(hops)[4] == "sink s/1 answered 500"
    assert [hop.facts["attempt"] for hop in hops if hop.kind is HopKind.DELIVERED] == ["1", "2"]
    assert [hop.t for hop in hops] == sorted(hop.t for hop in hops)


# Losses: how far it came, by the place where it was lost.


def lost_before_it_was_sent(story: Story) -> None:
    story.accepted("another")


def lost_by_the_sender(story: Story) -> None:
    story.sent()


def lost_on_the_way_to_the_ingress(story: Story) -> None:
    story.sent()
    story.answered(status=None)


def lost_by_the_ingress(story: Story) -> None:
    story.sent()
    story.answered(status=500)


def lost_by_the_topic(story: Story) -> None:
    story.sent()
    story.answered()
    story.stored("another")
    story.offsets(1)


def lost_by_the_group(story: Story) -> None:
    story.accepted()
    story.offsets(0)
    story.offsets(0)


def lost_by_a_group_that_commits_nothing(story: Story) -> None:
    story.accepted()
    story.offsets()


def lost_by_the_subscriber(story: Story) -> None:
    story.accepted()
    story.offsets(1)


def lost_in_the_subscriber(story: Story) -> None:
    story.accepted()
    story.received()


def lost_as_a_reply(story: Story) -> None:
    story.accepted()
    story.received()
    story.replied(headers=binary("answer", "/sub"))
    story.offsets(1)


def lost_before_the_dead_letter(story: Story) -> None:
    story.accepted()
    story.delivered(status=500)
    story.offsets(1)


def lost_in_the_dead_letter_sink(story: Story) -> None:
    lost_before_the_dead_letter(story)
    story.received(sink=LETTERS.name, headers=binary(knativeerrorcode="500"))


def refused_by_the_dead_letter_sink(story: Story) -> None:
    lost_before_the_dead_letter(story)
    story.received(sink=LETTERS.name, headers=STRUCTURED, body=structured(knativeerrorcode="500"))
    story.replied(status=400)


def lost_before_the_result_topic(story: Story) -> None:
    story.accepted()
    story.offsets(1)
    story.stored("another", topic="results")
    story.offsets(topic="results", group="")


def seen_in_the_result_topic(story: Story) -> None:
    story.accepted()
    story.offsets(1)
    story.stored(topic="results")
    story.offsets(topic="results", group="")


LOSSES: list[tuple[str, Plot, Identity, HopKind | None, str]] = [
    ("unsent", lost_before_it_was_sent, E1, None, NOWHERE),
    ("sender", lost_by_the_sender, E1, HopKind.SENT, "sender send-e1"),
    (
        "connection",
        lost_on_the_way_to_the_ingress,
        E1,
        HopKind.NOT_ANSWERED,
        "ingress did not answer (connection refused)",
    ),
    ("ingress", lost_by_the_ingress, E1, HopKind.ANSWERED, "ingress 500"),
    ("topic", lost_by_the_topic, E1, HopKind.ANSWERED, "ingress 202"),
    ("group", lost_by_the_group, E1, HopKind.STUCK, f"group g at 0, not past {SPOT}"),
    (
        "group-without-commits",
        lost_by_a_group_that_commits_nothing,
        E1,
        HopKind.STUCK,
        f"group g at nothing, not past {SPOT}",
    ),
    ("subscriber", lost_by_the_subscriber, E1, HopKind.PASSED, f"group g past {SPOT}"),
    ("subscriber-silent", lost_in_the_subscriber, E1, HopKind.DELIVERED, "sink s/1"),
    ("reply", lost_as_a_reply, ANSWER, HopKind.REPLIED, "reply r1 (200)"),
    ("dead-letter", lost_before_the_dead_letter, E1, HopKind.PASSED, f"group g past {SPOT}"),
    ("dead-letter-silent", lost_in_the_dead_letter_sink, E1, HopKind.DEAD_LETTERED, "dead letter sink s/dls"),
    (
        "dead-letter-refused",
        refused_by_the_dead_letter_sink,
        E1,
        HopKind.LETTER_HANDLED,
        "dead letter sink s/dls answered 400",
    ),
    ("result-topic", lost_before_the_result_topic, E1, HopKind.PASSED, f"group g past {SPOT}"),
    ("in-the-result-topic", seen_in_the_result_topic, E1, HopKind.STORED, "topic results[0]@0"),
]


@pytest.mark.parametrize(
    ("plot", "identity", "kind", "line"), [case[1:] for case in LOSSES], ids=[case[0] for case in LOSSES]
)
def test_a_path_ends_where_the_event_was_lost(plot: Plot, identity: Identity, kind: HopKind | None, line: str) -> None:
    story = Story()
    plot(story)
    hops = path(story, identity)
    assert (hops[-1].kind if hops else None) is kind
    assert where(sightings_of(story, identity), identity).split(" -> ")[-1] == line


def test_every_kind_of_hop_has_words_of_its_own() -> None:
    assert len({(kind.start, kind.end, kind.line) for kind in HopKind}) == len(HopKind.__members__)
    assert {place for kind in HopKind for place in (kind.start, kind.end)} == set(Place)


# What text and picture once told differently.


def test_a_group_that_has_not_passed_stands_at_its_latest_observation() -> None:
    story = Story()
    story.accepted("e0")
    story.offsets(1)
    story.accepted()
    latest = story.offsets(1)
    assert path(story)[-1].line == f"group g at 1, not past {TOPIC}[0]@1"
    assert path(story)[-1].seq == latest


def test_an_observation_that_names_no_group_tells_of_none() -> None:
    story = Story()
    story.accepted()
    story.add("offsets", group=None, topic=TOPIC, committed={}, end={"0": 1})
    history = HistoryIndex()
    history.watch_event(E1)
    history.watch_group("", TOPIC)
    for record in typed(story.records):
        history.feed(record)
    assert where(history, E1) == f"sender send-e1 -> ingress 202 -> topic {SPOT}"


def test_a_group_passes_what_the_probe_itself_wrote() -> None:
    story = Story()
    headers = [[name.replace("ce-", "ce_"), value] for name, value in binary()]
    story.add(
        "produced", produce="p1", topic=TOPIC, partition=0, offset=0, key=None, headers=headers, value="", error=None
    )
    story.offsets(1, end=1)
    assert lines(path(story)) == [f"producer p1 {SPOT}", f"group g past {SPOT}"]


def test_a_delivery_and_a_dead_letter_are_told_apart() -> None:
    story = Story()
    story.received(sink=SINK.name)
    story.received(sink=LETTERS.name, headers=binary(knativeerrordest="http://x"))
    assert [hop.kind.end for hop in path(story)] == [Place.SUBSCRIBER, Place.BEYOND]


# Paths of what need not be an event.


def test_a_request_goes_there_and_back() -> None:
    story = Story()
    story.sent(headers=[])
    assert in_a_line(of_exchange(sightings_of(story), "send-e1")) == f"sender send-e1 -> POST {BROKER.url}"
    story.answered(status=None)
    hops = of_exchange(sightings_of(story), "send-e1")
    assert in_a_line(hops) == f"sender send-e1 -> POST {BROKER.url} -> no answer"
    assert [hop.label(lambda _, fact: fact) for hop in hops] == ["POST /ns/broker", "connection refused"]


def test_a_url_that_cannot_be_parsed_is_told_as_it_is() -> None:
    story = Story()
    story.sent()
    story.records[-1]["url"] = "http://[x"
    assert path(story)[-1].label(lambda _, fact: fact) == "POST http://[x"


@pytest.mark.parametrize(
    ("error", "committed", "line"),
    [
        (None, None, f"producer p1 {IN}[0]@0"),
        (None, 0, f"producer p1 {IN}[0]@0 -> group g at 0, not past {IN}[0]@0"),
        (None, 1, f"producer p1 {IN}[0]@0 -> group g past {IN}[0]@0"),
        ("queue full", None, f"producer p1 {IN} queue full"),
        ("queue full", 1, f"producer p1 {IN} queue full"),
    ],
    ids=["written", "not-passed", "passed", "not-written", "not-written-and-passed"],
)
def test_a_record_that_the_probe_wrote(error: str | None, committed: int | None, line: str) -> None:
    story = Story()
    story.produced("p1", error=error)
    if committed is not None:
        story.offsets(committed, end=1, topic=IN)
    assert in_a_line(of_produced(sightings_of(story), "p1")) == line


def test_nobody_saw_it() -> None:
    history = HistoryIndex()
    assert path(whole_story(), ("/src", "other")) == []
    assert of_event(history, E1) == of_exchange(history, "send-e1") == of_produced(history, "p1") == []
    assert where(history, E1) == NOWHERE


@pytest.mark.parametrize(("deliveries", "note"), [(4, ""), (5, "(3 more)"), (20, "(33 more)")])
def test_a_long_path_is_shortened_in_the_middle(deliveries: int, note: str) -> None:
    story = Story()
    story.accepted()
    for _ in range(deliveries):
        story.delivered(status=500)
    story.offsets(0)
    words = where(sightings_of(story), E1).split(" -> ")
    assert words[:4] == ["sender send-e1", "ingress 202", f"topic {SPOT}", "sink s/1"]
    assert words[-1] == f"group g at 0, not past {SPOT}"
    assert len(words) == 12
    assert [word for word in words if "more" in word] == ([note] if note else [])


def test_what_no_check_asks_about_is_not_kept() -> None:
    history = HistoryIndex()
    history.watch_event(E1)
    history.watch_topic(TOPIC)
    story = Story()
    for number in range(100):
        story.accepted(f"other-{number}")
        story.delivered(f"other-{number}")
    for record in typed(story.records):
        history.feed(record)
    assert list(history.events) == [E1]
    assert not history.sent
    assert not history.answered
    assert not history.received
    assert not history.replied
    assert history.topics[TOPIC].kept == []
    assert history.topics[BROKER.topic].read == {0: 100}
