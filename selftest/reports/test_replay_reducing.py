"""Smaller forms of a stimulus: each is a document of its own, and keeps what the failing claim is about."""

import json
import random
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from evidence.stimulus import Stimulus, fault_of, requests_of, steps_of
from evidence.verdict import Verdict
from reports.replay import curl
from reports.replay.extracting import without_unsent
from reports.replay.hiding import without_secrets
from reports.replay.reducing import candidates, fewer_objects, simpler_values, size_of, without_events
from reports.replay.sessions import Played
from reports.replay.shrinking import Shrinker, wording
from selftest.reports import stimuli

BURST = stimuli.burst(12)
FAILED = Played(Verdict.FAIL, "each_once", "expected event e3 once; got 2 requests at touchstone-a-abcdef-gw0-1")
PASSED = Played(Verdict.PASS)


def all_candidates(stimulus: Stimulus) -> Iterator[Stimulus]:
    for made in candidates(stimulus):
        yield from made


def test_each_smaller_form_is_valid_and_keeps_its_claim() -> None:
    made = list(all_candidates(BURST))
    assert len(made) > 40
    for smaller in made:
        assert fault_of(smaller) is None
        assert steps_of(smaller)[-1]["check"] == "each_once"  # type: ignore[typeddict-item]
        assert smaller != BURST


def test_events_leave_the_lists_of_claims_and_no_other_place() -> None:
    smaller = without_events(BURST, {stimuli.send_id(number) for number in range(11)})
    assert smaller is not None
    *_, send, last = steps_of(smaller)
    assert send["step"] == "send"
    assert [request["send"] for request in requests_of(send)] == [stimuli.send_id(11)]  # the claim on event 0 went too
    assert last["step"] == "claim"
    assert [each["id"] for each in last["args"]["events"]] == ["e11"]
    assert without_events(BURST, {stimuli.send_id(number) for number in range(12)}) is None


def test_events_that_were_not_sent_yet_are_not_claimed_about() -> None:
    events = [stimuli.event(number) for number in range(3)]
    args = {"events": events, "event": stimuli.event(2), "to": ["x"]}
    kept = without_unsent(args, {stimuli.send_id(0), stimuli.send_id(1)})
    assert kept == {**args, "events": events[:2]}


def test_what_the_claim_names_stays() -> None:
    kept = [{(step["kind"], step["name"]) for step in steps_of(made) if step["step"] == "object"} for made in objects()]
    assert {("Broker", "broker"), ("Trigger", "trigger")} in kept  # the other Trigger can go
    assert all(("Trigger", "trigger") in names for names in kept)


def objects() -> Iterator[Stimulus]:
    return fewer_objects(BURST)


def test_filters_become_simpler_and_nested_ones_are_unwrapped() -> None:
    filters = [{"all": [{"exact": {"type": "t"}}, {"prefix": {"source": "/"}}]}]
    assert [{"exact": {"type": "t"}}] not in list(simpler_values([{"exact": {"type": "t"}}]))
    made = list(simpler_values(filters))
    assert [{"all": [{"exact": {"type": "t"}}]}] in made
    assert [{"prefix": {"source": "/"}}] in made
    assert [{"exact": {"type": "t"}}] in list(simpler_values([{"not": {"exact": {"type": "t"}}}]))


@pytest.mark.parametrize("least", [1, 2, 5, 9])
def test_the_search_finds_the_fewest_events(least: int) -> None:
    def play(made: Any) -> list[Played]:
        return [FAILED if size_of(each)["events"] >= least else PASSED for each in made]

    told: list[str] = []
    shrinker = Shrinker(FAILED, play, None, 1000, told.append)
    smallest = shrinker.shrink(BURST)
    assert size_of(smallest) == {"events": least, "objects": 2, "claims": 1, "headers": 4 * least, "bytes": 0}
    assert shrinker.used < 200
    assert told


def test_the_number_of_attempts_is_bounded() -> None:
    played: list[int] = []

    def play(made: Any) -> list[Played]:
        played.append(len(made))
        return [FAILED] * len(made)

    shrinker = Shrinker(FAILED, play, None, 11, lambda _: None)
    shrinker.shrink(BURST)
    assert (sum(played), shrinker.used) == (11, 11)


def test_what_the_reference_platform_fails_too_is_no_smaller_form() -> None:
    """Without its type an event is delivered by nobody: that is no fault of the target."""

    def typed(made: Stimulus) -> bool:
        sends = [step for step in steps_of(made) if step["step"] == "send"]
        return all(any(name == "Content-Type" for name, _ in request["headers"]) for request in requests_of(sends[0]))

    def reference(made: Any) -> list[Played]:
        return [PASSED if typed(each) else FAILED for each in made]

    smallest = Shrinker(FAILED, lambda made: [FAILED] * len(made), reference, 1000, lambda _: None).shrink(BURST)
    assert typed(smallest)
    assert size_of(smallest)["events"] == 1


def test_without_a_reference_only_the_same_words_count() -> None:
    other = Played(Verdict.FAIL, "each_once", "expected event e3 once; got none")
    asked: list[int] = []

    def play(made: Any) -> list[Played]:
        asked.append(len(made))
        return [other] * len(made)

    assert Shrinker(FAILED, play, None, 50, lambda _: None).shrink(BURST) == BURST
    assert asked
    same = "expected event e3 once; got 12 requests at touchstone-b-123456-main-7; where: sender"
    assert wording(FAILED.message) == wording(same)


def test_another_check_or_an_undecided_play_is_not_the_same_failure() -> None:
    for other in (Played(Verdict.FAIL, "accepted", FAILED.message), Played(Verdict.UNKNOWN, message=FAILED.message)):
        shrinker = Shrinker(FAILED, lambda made, other=other: [other] * len(made), lambda _: [], 20, lambda _: None)  # type: ignore[misc]
        assert shrinker.shrink(BURST) == BURST


def shell(*bodies: str, headers: list[list[str]] = stimuli.HEADERS) -> list[str]:
    requests = [stimuli.request(number, body, headers) for number, body in enumerate(bodies)]
    sent = {"step": "send", "requests": requests, "concurrency": 1}
    made = stimuli.stimulus(sent, stimuli.claim("each_once", events=[stimuli.event(0)], to=[]))
    return [line for line in curl.lines(made) if "curl" in line]


def test_lines_of_curl_carry_the_bytes_as_they_were() -> None:
    random.seed(1)
    hostile = "".join(map(chr, random.sample(range(256), 256)))
    (line,) = shell(hostile)
    given = shlex.split(line.partition(" | ")[0])
    assert given[0] == "printf"
    octal = given[1].encode("latin-1").decode("unicode_escape")
    assert octal.replace("%%", "%") == hostile
    words = shlex.split(shell('{"a": "$HOME `x` \\"\'"}')[0])
    assert words[words.index("--data-binary") + 1] == '{"a": "$HOME `x` \\"\'"}'
    assert "ce-id: e0" in words
    assert "User-Agent:" in words
    assert words[words.index("-X") + 2] == "$BROKER_INGRESS/$NAMESPACE/broker"


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "a b"])
def test_what_curl_cannot_send_is_said(name: str) -> None:
    comment, line = shell("{}", headers=[[name, "7"]])
    assert comment.startswith("# curl cannot send the next request as it was: ")
    assert line.startswith("curl ")


def test_secrets_are_taken_out_and_nothing_else() -> None:
    assert without_secrets(BURST) == BURST
    credential = "Bearer abcdefghijklmnopqrstuvwxyz0123456789"
    headers = [*stimuli.HEADERS, ["Authorization", credential]]
    sent = {"step": "send", "requests": [stimuli.request(0, "password=hunter2hunter2", headers)], "concurrency": 1}
    made = stimuli.stimulus(sent, stimuli.claim("accepted", exchange=stimuli.event(0), status=[202]))
    told = json.dumps(without_secrets(made))
    assert credential not in told
    assert "hunter2" not in told
    assert fault_of(without_secrets(made)) is None
