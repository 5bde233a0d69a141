"""A challenge: ids and the order of cases that nobody could know before the run began, computed again from its history.

A lab gives a nonce. The run makes a key of it, of its own name and of the moment when it began, which all stand in
`run.started`. From that key derive the ids that the tests mint, each by its scope and its number there, and the order
in which the cases were collected. So a history that was prepared before, glued from two runs, or has a case left out,
shows ids, numbers or an order that do not fit. That is what a challenge proves, and no more: whether the probe was
honest is for a signature to say.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from evidence.collection import Collection
from evidence.identity import of_http, of_kafka

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from evidence.records import Record, RunStarted, TestFinished, TestStarted

LENGTH: Final = (8, 128)
"""The fewest and the most characters of a nonce."""
MOST_FOUND: Final = 100
MOST_MINTED: Final = 100_000
LAST_AREA: Final = "suites/latency/"
_NONCE = re.compile(r"[\x21-\x7e]+")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Names of objects and of loads have the first eight digits alone.
_ANY_ID = re.compile(rf"{_UUID}|\b[0-9a-f]{{8}}(?=-)".encode())
_MINTED_ID = re.compile(rf"(?:[a-z]+-)?({_UUID})")
_SCOPE = re.compile(r"(?P<worker>[0-9a-f]{6}-(?:main|gw[0-9]+))-(?P<number>[0-9]{1,9})")


def fault_of(nonce: str) -> str:
    """Return what is wrong with a nonce, as `expected ...; got ...`; empty: it can be used."""
    least, most = LENGTH
    if least <= len(nonce) <= most and _NONCE.fullmatch(nonce):
        return ""
    got = repr(nonce) if len(nonce) <= most else f"{len(nonce)} characters"
    return f"expected {least} to {most} printable characters of ASCII without a space, got {got}"


def key_of(nonce: str, run: str, start: str) -> str:
    """Return the key from which all of a run derives, in hexadecimal digits.

    Args:
        nonce: The nonce of the lab.
        run: The name of the run.
        start: The moment when it began, as `run.started` has it.
    """
    return hashlib.sha256(f"{nonce}\0{run}\0{start}".encode()).hexdigest()


def minted(key: str, scope: str, number: int) -> str:
    """Return an id that a test mints, in the form of a UUID.

    Args:
        key: The key of the run.
        scope: The scope of the test.
        number: The number of the id among those of the scope, from 1.
    """
    return str(uuid.UUID(bytes=_derived(key, "id", scope, str(number))[:16], version=4))


def rank(key: str, test: str) -> tuple[str, str]:
    """Return what cases are sorted by: that of their module, which stays together, then their own.

    Args:
        key: The key of the run.
        test: The node id of the case, without mutant and repetition.
    """
    return _derived(key, "module", test.partition("::")[0]).hex(), _derived(key, "case", test).hex()


def _derived(key: str, *words: str) -> bytes:
    return hmac.digest(bytes.fromhex(key), "\0".join(words).encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """What does not fit the challenge.

    Attributes:
        rule: The broken rule: `nonce`, `id`, `case` or `order`.
        expected: The thing that the challenge demands.
        got: The thing that the history has.
        where: The record or the scope that shows it.
    """

    rule: str
    expected: str
    got: str
    where: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.rule}: expected {self.expected}, got {self.got}; {self.where}"


def verify(records: Iterable[Record], nonce: str) -> list[Discrepancy]:
    """Return all in which a history does not fit a challenge, the first hundred; none: it fits.

    Args:
        records: The records of one history, in order, whole bodies included.
        nonce: The nonce that the lab gave.
    """
    found: list[Discrepancy] = []
    for discrepancy in _discrepancies(records, nonce):
        found.append(discrepancy)
        if len(found) >= MOST_FOUND:
            break
    return found


@dataclass(slots=True)
class _Scope:
    """What a scope shows.

    Attributes:
        started: The beginning of its test.
        shown: The ids that its records have, of any origin.
        own: The ids that it has given to events of its own, with the number of the first record that has each.
        finished: The end of its test.
    """

    started: TestStarted
    shown: set[str] = field(default_factory=set)
    own: dict[str, int] = field(default_factory=dict)
    finished: TestFinished | None = None


def _discrepancies(records: Iterable[Record], nonce: str) -> Iterator[Discrepancy]:
    started: RunStarted | None = None
    scopes: dict[str, _Scope] = {}
    collection = Collection()
    for record in records:
        match record["record"]:
            case "run.started":
                started = started or record
            case "collection" | "collected":
                collection.feed(record)
            case "test.started":
                scopes.setdefault(record["scope"], _Scope(record))
            case "test.finished" if record["scope"] in scopes:
                scopes[record["scope"]].finished = record
            case _ if record["scope"] in scopes:
                _look(record, scopes[record["scope"]])
    if started is None:
        yield Discrepancy("nonce", "a run.started with the nonce", "none", "the history has no beginning")
        return
    given = started["selection"].get("challenge")
    where = f"record {started['seq']}, field selection.challenge"
    if given != nonce:
        yield Discrepancy("nonce", repr(nonce), "none" if given is None else repr(given), where)
    if given is None:
        return
    key = key_of(nonce, started["run"], started["wall"])
    for scope in scopes.values():
        yield from _of_ids(scope, key)
    yield from _of_scopes(scopes.values())
    cases = collection.cases()
    if cases is None:
        yield Discrepancy("case", "the cases that were collected", collection.fault() or "none", "records `collected`")
        return
    selected = [case.test for case in cases if not case.left_out]
    repeat = started["selection"].get("repeat") or 1
    yield from _of_cases(scopes.values(), selected)
    yield from _of_order(selected, key, repeat * (2 if _is_confined(started) else 1))
    yield from _of_runs(scopes.values(), selected, repeat)


def _look(record: Record, scope: _Scope) -> None:
    """Keep the ids that a record shows."""
    scope.shown.update(found.decode() for found in _ANY_ID.findall(orjson.dumps(record)))
    identity = None
    if record["record"] == "sent":
        identity = of_http(record["headers"], record["body"])
    elif record["record"] == "produced":
        identity = of_kafka(record["headers"], record["value"])
    if identity is not None and (match := _MINTED_ID.fullmatch(identity[1])):
        scope.own.setdefault(match[1], record["seq"])


def _of_ids(scope: _Scope, key: str) -> Iterator[Discrepancy]:
    name, finished = scope.started["scope"], scope.finished
    if finished is None:
        return
    count = finished.get("minted")
    if count is None or count > MOST_MINTED:
        place = f"record {finished['seq']}, field minted"
        yield Discrepancy("id", "how many ids the test has minted", "none" if count is None else str(count), place)
        return
    own = [minted(key, name, number) for number in range(1, count + 1)]
    for foreign, seq in scope.own.items():
        if foreign not in own:
            yield Discrepancy("id", f"one of the {count} that derive for scope {name}", foreign, f"record {seq}")
    if finished["outcome"] != "passed":
        return  # a test that ends early has no use for some
    for number, wanted in enumerate(own, start=1):
        if wanted not in scope.shown and wanted[:8] not in scope.shown:
            yield Discrepancy("id", f"{wanted}, the id number {number}", "no record that has it", f"scope {name}")


def _of_scopes(scopes: Iterable[_Scope]) -> Iterator[Discrepancy]:
    """Each process numbers its tests: one that is missing was left out."""
    numbers: dict[str, int] = {}
    for scope in scopes:
        name, seq = scope.started["scope"], scope.started["seq"]
        match = _SCOPE.fullmatch(name)
        if match is None:
            yield Discrepancy("case", "a scope of a process of the run", repr(name[:100]), f"record {seq}")
            continue
        worker, number = match["worker"], int(match["number"])
        wanted = numbers.get(worker, 0) + 1
        if number != wanted:
            yield Discrepancy("case", f"scope {worker}-{wanted} next", name, f"record {seq}: a test was left out")
        numbers[worker] = number


def _of_cases(scopes: Iterable[_Scope], selected: Sequence[str]) -> Iterator[Discrepancy]:
    ran = {scope.started["test"] for scope in scopes if not scope.started.get("sabotage")}
    for test in dict.fromkeys(selected):
        if test not in ran:
            yield Discrepancy("case", f"a run of {test}", "none", "records `test.started`")
    for test in sorted(ran.difference(selected)):
        yield Discrepancy("case", "a case that was collected and selected", test, "records `test.started`")


def _is_confined(started: RunStarted) -> bool:
    """Tell whether all tests share a namespace: those that may break what is in it then come behind the others."""
    return any(word.partition("=")[0] == "--namespace" for word in started["selection"].get("argv") or ())


def _of_order(selected: Sequence[str], key: str, sequences: int) -> Iterator[Discrepancy]:
    """Cases stand in at most so many sequences, each in the order of the challenge."""
    left = sequences - 1
    before: tuple[Any, ...] = ()
    for number, test in enumerate(selected):
        here = (test.startswith(LAST_AREA), *rank(key, test))
        if here < before:
            left -= 1
            if left < 0:
                got = f"{test} behind {selected[number - 1]}"
                yield Discrepancy("order", "the order that derives from the challenge", got, "records `collected`")
                return
        before = here


def _of_runs(scopes: Iterable[_Scope], selected: Sequence[str], repeat: int) -> Iterator[Discrepancy]:
    """Each process runs the cases of a module in the order in which they were collected."""
    places = {test: number for number, test in reversed(list(enumerate(selected)))}
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for scope in scopes:
        test = scope.started["test"]
        if scope.started.get("sabotage") or test not in places:
            continue
        lane = (scope.started["scope"].rpartition("-")[0], test.partition("::")[0])
        place, back = last.get(lane, (-1, 0))
        back += places[test] <= place
        if back > repeat - 1:
            got = f"{test} behind {selected[place]}"
            expected = "the cases of a module in the order of their collection"
            yield Discrepancy("order", expected, got, f"record {scope.started['seq']}")
            return
        last[lane] = (places[test], back)
