"""The path of an event, and that memory holds only what open checks ask about."""

from evidence.identity import Identity
from evidence.sightings import Sightings
from evidence.whereabouts import Step, steps, where
from selftest.evidence.story import BROKER, GROUP, TOPIC, Story, binary

E1 = ("/src", "e1")


def path(story: Story, identity: Identity = E1) -> list[Step]:
    sightings = Sightings()
    sightings.watch_event(identity)
    sightings.watch_group(GROUP, TOPIC)
    for record in story.records:
        sightings.feed(record)
    return steps(sightings, identity)


def whole_story() -> Story:
    story = Story()
    story.accepted()
    story.offsets(0)
    story.delivered(status=500)
    story.delivered(status=200)
    story.offsets(1)
    return story


def test_the_path_goes_from_the_sender_to_the_last_answer() -> None:
    found = path(whole_story())
    assert [(step.place, step.seq) for step in found] == [
        ("sender", 1),
        ("ingress", 2),
        ("topic", 3),
        ("subscriber", 5),
        ("answer", 6),
        ("subscriber", 7),
        ("answer", 8),
        ("group", 9),
    ]
    assert found[4].text == "sink s/1 answered 500"
    assert [step.t for step in found] == sorted(step.t for step in found)


def test_a_group_that_has_not_passed_says_where_it_is() -> None:
    story = Story()
    story.accepted("e0")
    story.accepted()
    story.offsets(1)
    assert path(story)[-1].text == f"group g at 1, not past {TOPIC}[0]@1"


def test_a_reply_begins_at_the_subscriber() -> None:
    story = Story()
    story.received()
    story.replied(headers=binary("answer", "/sub"))
    assert [step.text for step in path(story, ("/sub", "answer"))] == ["reply r1 (200)"]


def test_nobody_saw_it() -> None:
    assert path(whole_story(), ("/src", "other")) == []
    assert where(Sightings(), E1) == "nowhere: no record shows it"


def test_a_long_path_is_shortened_in_the_middle() -> None:
    story = Story()
    story.accepted()
    for _ in range(20):
        story.delivered(status=500)
    sightings = Sightings()
    sightings.watch_event(E1)
    for record in story.records:
        sightings.feed(record)
    text = where(sightings, E1)
    assert text.startswith("sender send-e1 -> ingress 202 -> sink s/1 -> sink s/1 answered 500")
    assert "(31 more)" in text


def test_what_no_check_asks_about_is_not_kept() -> None:
    sightings = Sightings()
    sightings.watch_event(E1)
    sightings.watch_topic(TOPIC)
    story = Story()
    for number in range(100):
        story.accepted(f"other-{number}")
        story.delivered(f"other-{number}")
    for record in story.records:
        sightings.feed(record)
    assert list(sightings.events) == [E1]
    assert not sightings.sent
    assert not sightings.answered
    assert not sightings.received
    assert not sightings.replied
    assert sightings.topics[TOPIC].kept == []
    assert sightings.topics[BROKER.topic].read == {0: 100}
