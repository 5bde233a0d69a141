"""A workload's mutant does its one deviation, and nothing of it reaches a later test."""

import asyncio
import importlib.util
import sys
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import pytest

from fixtures.reading.files import ROOT

MUTANTS = ROOT / "images" / "msg-transformer" / "mutants"
_id: ContextVar[str | None] = ContextVar("_id", default=None)


class StandIn:
    """The transformer as a mutant of the trace id sees it."""

    def __init__(self) -> None:
        self.published: dict[str, list[str | None]] = {}

    async def __call__(self, body: str, predictor: "asyncio.Event | None" = None) -> None:
        """Remember, wait for the predictor, and publish."""
        self.remember(body)
        if predictor is not None:
            await predictor.wait()
        self.published.setdefault(body, []).append(self.remembered())

    def remember(self, trace_id: str | None) -> None:
        """Keep the caller's id for the length of this request."""
        _id.set(trace_id)

    def remembered(self) -> str | None:
        """Return the id that this request came with."""
        return _id.get()


@pytest.fixture
def mutant(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the mutant, on a stand-in for KServe's SDK, which is not installed here."""
    stand_in = ModuleType("conforming")
    stand_in.__dict__.update(ConformingTransformer=StandIn, conforming=None)
    monkeypatch.setitem(sys.modules, "conforming", stand_in)
    spec = importlib.util.spec_from_file_location("trace_id_on_self", MUTANTS / "trace_id_on_self.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(CROWD=3, PATIENCE=0.01)
    return module.Mutant()


async def together(mutant: Any, earlier: list[str], later: list[str] = []) -> None:  # noqa: B006 - never changed
    """Have requests in work at once; those of a later test come once the first of the earlier ones is answered."""
    first, others = asyncio.Event(), asyncio.Event()
    running = [asyncio.create_task(mutant(name, others if number else first)) for number, name in enumerate(earlier)]
    await asyncio.sleep(0)
    first.set()
    await running[0]
    running += [asyncio.create_task(mutant(name, others)) for name in later]
    await asyncio.sleep(0)
    others.set()
    await asyncio.gather(*running)


def test_one_by_one_it_is_right(mutant: Any) -> None:
    async def scenario() -> None:
        await mutant("a")
        await mutant("b")

    asyncio.run(scenario())
    assert mutant.published == {"a": ["a"], "b": ["b"]}


def test_many_requests_in_work_at_once_are_mixed_up(mutant: Any) -> None:
    asyncio.run(together(mutant, ["a", "b", "c"]))
    assert mutant.published["a"] == ["b"]


def test_a_few_requests_in_work_at_once_are_not(mutant: Any) -> None:
    asyncio.run(together(mutant, ["a", "b"]))
    assert mutant.published == {"a": ["a"], "b": ["b"]}


def test_what_a_failed_test_left_in_work_does_not_take_the_id_of_the_next(mutant: Any) -> None:
    asyncio.run(together(mutant, ["a", "b", "c"], ["later"]))
    assert mutant.published == {"a": ["b"], "b": ["b"], "c": ["c"], "later": ["later"]}


def test_after_a_quiet_second_it_mixes_again(mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    mutant._in_work, mutant._ended, mutant._mixed = 0, 99.5, True
    asyncio.run(mutant("a"))
    assert mutant._mixed
    now[0] += 1.1
    asyncio.run(mutant("b"))
    assert not mutant._mixed
