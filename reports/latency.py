"""Latencies of two runs compared from their raw samples: slower, faster, or cannot tell. Never a bare percentage."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.redaction import PLAIN
from evidence.checks import CheckError, check_of
from evidence.checks.busyness import too_busy
from evidence.checks.latency import Within
from evidence.history_index import HistoryIndex
from evidence.records import JudgedRecord, Record
from reports import from_replay, run, statistics
from reports.errors import ReportError
from reports.speeds import Speed, StageChange

MOST_STAGES: Final = 200
Key = tuple[str, str, float, float, int]
"""Node id, stage, percentile, rate and count: what is only compared with its own kind."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The samples of one stage of one load: seconds from the intended send times, sorted; infinite without an end.

    Attributes:
        samples: The samples.
        doubt: The reason why they say little of the system; empty where there is none.
        cpus: The number of the probe's CPUs; 0 where it is not known.
    """

    samples: Sequence[float]
    doubt: str = ""
    cpus: float = 0


def stages(history: Path) -> dict[Key, Stage]:
    """Return the samples of every stage that a run has a budget for; of repeated loads the last.

    Raises:
        ReportError: The history cannot be read.
    """
    found = {key: stage for _, key, stage in measured(history)}
    return dict(list(found.items())[:MOST_STAGES])


def measured(history: Path) -> list[tuple[str, Key, Stage]]:
    """Return the samples of every stage of every load that a run has a budget for, with the scope of its test.

    Raises:
        ReportError: The history cannot be read.
    """
    nodes: dict[str, str] = {}
    claims: dict[str, list[JudgedRecord]] = defaultdict(list)
    for record in run.records(history):
        if record["record"] == "test.started":
            nodes[record["scope"]] = from_replay.node(record["test"])
        elif record["record"] == "expectation" and record["check"] == Within.name:
            claims[record["scope"]].append(record)
    found: list[tuple[str, Key, Stage]] = []
    if claims:
        for scope, check in _fed(history, claims):
            samples = sorted(check.latencies().worst)
            if scope in nodes and samples:
                stage = (nodes[scope], PLAIN.one_line(check.stage, 40), float(check.args["percentile"]))
                rate = next((float(record["rate"]) for record in check.records() if "rate" in record), 0.0)
                found.append((scope, (*stage, rate, check.load.count), _stage(samples, check)))
    return found


def _stage(samples: Sequence[float], check: Within) -> Stage:
    loads = check.records()
    shortage = next((record["shortage"] for record in loads if record.get("shortage")), "")
    doubt = str(shortage or "") or too_busy(loads, check.args["percentile"], check.args["budget"])
    machines = [record.get("machine") or {} for record in loads]
    cpus = next((value for machine in machines if isinstance(value := machine.get("cpus"), int | float)), 0)
    return Stage(samples, PLAIN.one_line(doubt, 300), cpus)


def _fed(history: Path, claims: Mapping[str, list[JudgedRecord]]) -> list[tuple[str, Within]]:
    """Return the checks of latencies, each fed with the records of its scope up to where it was judged."""
    indices = {scope: HistoryIndex() for scope in claims}
    checks: list[tuple[str, Within]] = []
    for scope, records in claims.items():
        for claim in records:
            try:
                check = check_of(claim["check"], claim["args"], indices[scope])
            except CheckError:
                continue  # the verdict tells it
            if isinstance(check, Within):
                checks.append((scope, check))
    last = {scope: max(claim["upto"] for claim in records) for scope, records in claims.items()}
    for record in run.records(history):
        scope = record["scope"]
        if scope in indices and record["seq"] <= last[scope]:
            _feed(indices[scope], record, history)
    return checks


def _feed(index: HistoryIndex, record: Record, history: Path) -> None:
    try:
        index.feed(record)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise ReportError(
            f"{history}: record {record['seq']} of kind {record['record']} cannot be read: {error}"
        ) from error


def machine(measured: Mapping[Key, Stage]) -> str:
    """Return what is known of the machine that sent a run's loads."""
    cpus = sorted({f"{stage.cpus:g}" for stage in measured.values() if stage.cpus})
    return f"{' or '.join(cpus)} CPUs" if cpus else ""


def compare(base: Mapping[Key, Stage], new: Mapping[Key, Stage]) -> tuple[StageChange, ...]:
    """Return what can be said of every stage that both runs measured in the same way."""
    keys = [key for key in base if key in new]
    tests = {key: statistics.mann_whitney(base[key].samples, new[key].samples) for key in keys}
    corrected = statistics.holm([tests[key][0] for key in keys])
    return tuple(
        _change(key, base[key], new[key], p=p, larger=tests[key][1]) for key, p in zip(keys, corrected, strict=True)
    )


def _change(key: Key, base: Stage, new: Stage, *, p: float, larger: bool) -> StageChange:
    node, name, q, *_ = key
    old_value, new_value = statistics.percentile(base.samples, q), statistics.percentile(new.samples, q)
    low, high = statistics.interval(base.samples, new.samples, q)
    least = statistics.floor(old_value)
    word, why = _word(low, high, least, p=p, larger=larger)
    needed: int | None = None
    if doubt := base.doubt or new.doubt:
        word, why = Speed.CANNOT_TELL, f"the {'old' if base.doubt else 'new'} run's machine was too busy: {doubt}"
    elif word is Speed.CANNOT_TELL and (low < -least or high > least):
        needed = statistics.needed(base.samples, new.samples, q, least)
    return StageChange(
        case=node,
        stage=name,
        percentile=q,
        word=word,
        why=why,
        samples=(len(base.samples), len(new.samples)),
        values=(_finite(old_value), _finite(new_value)),
        interval=(_finite(low), _finite(high)),
        p=p,
        floor=least,
        needed=needed,
    )


def _word(low: float, high: float, least: float, *, p: float, larger: bool) -> tuple[Speed, str]:
    """Return the word: the interval has to lie beyond the floor, and the whole distribution to have moved with it."""
    moved = p < statistics.ALPHA
    if low > least and moved and larger:
        return Speed.SLOWER, "the interval lies above the floor"
    if high < -least and moved and not larger:
        return Speed.FASTER, "the interval lies below the floor"
    if low > least or high < -least:
        return Speed.CANNOT_TELL, "the tail moved, the distribution as a whole did not"
    if low >= -least and high <= least:
        return Speed.CANNOT_TELL, "no difference above the floor"
    return Speed.CANNOT_TELL, "the interval holds differences on both sides of the floor"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
