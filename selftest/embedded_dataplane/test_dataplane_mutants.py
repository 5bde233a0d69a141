"""The mutants of the data plane do what they say, and nothing else."""

import tomllib
from pathlib import Path

import pytest

from embedded.dataplane import delivery
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import names
from selftest.embedded_dataplane.dataplane_rows import ROWS
from selftest.embedded_dataplane.observing import JSON, PARENT, settled, structured
from selftest.embedded_dataplane.observing_delivery import arrives
from selftest.embedded_dataplane.observing_ingress import values
from selftest.embedded_dataplane.observing_traces import own_traces
from selftest.embedded_dataplane.world import Reply, World, pauses, row_of

pytestmark = pytest.mark.anyio
TABLE = "selftest/embedded_dataplane/dataplane_rows.py"


def test_the_table_has_no_row_for_what_is_no_mutant() -> None:
    assert set(ROWS) <= set(names(DATA_PLANE))


@pytest.mark.parametrize("name", names(DATA_PLANE))
async def test_a_mutant_does_what_it_says(world: World, name: str) -> None:
    row = row_of(name, ROWS, TABLE)
    assert await row.observe(world, None) == row.honest
    assert await row.observe(world, name) == row.faulty


async def test_three_mutants_apply_at_once(world: World) -> None:
    # Two wrap one policy, the third replaces another; honestly there are four attempts, 2 s apart.
    place = await world.broker("retries-one-short", "no-backoff", "dead-letter-bare")
    sink, dead = world.sink(Reply(500)), world.sink()
    slow = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT2S"}
    trigger = await place.trigger(sink, delivery=slow, dead_letter=dead.url)
    with pauses(delivery) as asked:
        await place.send()
        await settled(world, place, trigger.group, 1)
    assert len(sink.received) == 3
    assert asked == [0.0, 0.0]
    assert [name for name in dead.received[0].headers if "knative" in name] == []


async def test_an_ordered_trigger_keeps_its_traces_under_cross_talk(world: World) -> None:
    assert await own_traces(world, "trace-cross-talk", ordered=True)


async def test_one_event_alone_keeps_its_trace_under_cross_talk(world: World) -> None:
    observe = arrives(lambda got: PARENT.split("-")[1] in got.headers["traceparent"], headers={"traceparent": PARENT})
    assert await observe(world, "trace-cross-talk")


@pytest.mark.parametrize(("kind", "data"), [("text/plain", b"a"), ("application/json", b"a"), ("text/json", None)])
async def test_the_kafka_broker_reads_base64_of_older_events(world: World, kind: str, data: bytes | None) -> None:
    text = "YQ==" if data else [1]
    body = structured(specversion="0.3", datacontenttype=kind, datacontentencoding="base64", data=text)
    answer = await values(JSON, body)(world, "older-specversion-accepted")
    assert answer == ((202, [data]) if data else (400, []))


def test_the_catalogue_has_every_mutant_of_the_platform_with_its_source() -> None:
    files = (Path(__file__).parents[2] / "suites" / "catalogue" / "mutants").glob("*.toml")
    listed = [mutant for file in files for mutant in tomllib.loads(file.read_text())["mutant"]]
    sources = {mutant["name"]: mutant["source"] for mutant in listed if mutant["host"] == "platform"}
    assert sorted(set(sources) - set(names(divergences=False))) == [], (
        "write a function of each under @mutant in embedded/mutants/"
    )
    assert sorted(set(names(divergences=False)) - set(sources)) == [], (
        "write an entry of each in suites/catalogue/mutants"
    )
    assert all(sources.values())
