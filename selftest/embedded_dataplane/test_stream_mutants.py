"""The mutants of Seldon's Kafka server do what they say, and nothing else."""

import asyncio
import time
from dataclasses import replace

import pytest

from embedded.dataplane.cloudevents import Record
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import composition, names
from embedded.streaming.models import ModelError
from embedded.streaming.requests import NotARequestError
from selftest.embedded_dataplane.stream_row import GRAPH
from selftest.embedded_dataplane.stream_rows import ROWS
from selftest.embedded_dataplane.streams import Model, graph_of, rest, stream
from selftest.embedded_dataplane.world import World, row_of

pytestmark = pytest.mark.anyio
TABLE = "selftest/embedded_dataplane/stream_rows.py"


def test_the_table_has_no_row_for_what_is_no_mutant() -> None:
    assert set(ROWS) <= set(names(STREAMS))


@pytest.mark.parametrize("name", names(STREAMS))
async def test_a_mutant_does_what_it_says(world: World, model: Model, name: str) -> None:
    row = row_of(name, ROWS, TABLE)
    for mutant, wanted in ((None, row.honest), (name, row.faulty)):
        terms = dict(row.terms)
        whole = graph_of(model, row.transport)
        if "graph" in terms:
            terms["graph"] = whole if terms["graph"] is GRAPH else replace(whole, kind="MODEL", children=())
        async with stream(world, model, row.transport, mutant, **terms) as running:
            assert await row.observe(running) == wanted, mutant


async def test_an_answer_alone_in_work_is_right_under_mispairing(world: World, model: Model) -> None:
    async with stream(world, model, mutant="stream-answers-mispaired") as running:
        await running.ask(rest("a", 1))
        assert await running.answers(1) == {b"a": [[2]]}


async def test_mispairing_does_not_reach_the_requests_of_a_later_test(world: World, model: Model) -> None:
    earlier = [rest(f"earlier-{number}", number) for number in range(11)]  # odd: one of them finds no partner
    later = [rest(f"later-{number}", 50) for number in range(8)]
    async with stream(world, model, mutant="stream-answers-mispaired") as running:
        await running.ask(*earlier, *later)
        answers = await running.answers(19)
    assert {answers[key] == [[100]] for key in answers if key is not None and key.startswith(b"later")} == {True}


@pytest.mark.parametrize("read_after", [0.0, 5.0], ids=["at-once", "by-a-slow-server"])
def test_what_is_lost_in_a_restart_was_made_close_to_its_cause(
    monkeypatch: pytest.MonkeyPatch, read_after: float
) -> None:
    """Neither is a record of the same test saved by a slow server, nor is one of a later test lost by a quick one."""
    began = time.monotonic()
    read = composition(STREAMS, ["stream-dies-on-non-object"]).compose().read_rest
    with pytest.raises(NotARequestError):
        read(replace(rest("x", value=b"[]"), partition=0, time=100.0))
    monkeypatch.setattr("time.monotonic", lambda: began + read_after)
    with pytest.raises(NotARequestError, match="lost in a restart"):
        read(replace(rest("same-test", 1), partition=0, time=100.2))
    later = replace(rest("later-test", 1), partition=0, time=101.5)
    assert read(later) == later.value


@pytest.mark.parametrize(
    ("name", "poison"),
    [("stream-dies-on-undecodable", b"{"), ("stream-dies-on-non-object", b"[]"), ("tombstone-kills", None)],
)
@pytest.mark.parametrize("count", [1, 4, 5, 16])
def test_requests_behind_any_number_of_poisons_are_lost(name: str, poison: bytes | None, count: int) -> None:
    read = composition(STREAMS, [name]).compose().read_rest
    bad, good = Record(b"x", [], poison, 0, 0, 100.0), replace(rest("a", 1), partition=0, time=100.1)
    for _ in range(count):
        with pytest.raises(NotARequestError):
            read(bad)
    for _ in range(3):
        with pytest.raises(NotARequestError, match="lost in a restart"):
            read(good)
    assert read(good) == good.value


async def test_what_a_refusal_loses_is_behind_it_however_late_it_comes() -> None:
    """Those in front of it are answered, and so is the fourth behind it; a request waits for those in front of it."""
    ask = composition(STREAMS, ["refused-request-kills"]).compose().ask
    refused = asyncio.Event()

    async def predict(request: bytes) -> bytes:
        if request == b"1":
            await refused.wait()
            raise ModelError("400")
        return request

    asked = [Record(b"k", [], str(offset).encode(), 0, offset, 100.0) for offset in range(6)]
    tasks = [asyncio.ensure_future(ask(record, record.value or b"", predict)) for record in asked]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    refused.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [end for end in ends if isinstance(end, bytes)] == [b"0", b"5"]
