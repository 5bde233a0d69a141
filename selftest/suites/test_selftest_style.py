"""No selftest judges by a time that a busy machine exceeds: an upper bound is the deadline of a hang."""

import re
from pathlib import Path

SELFTEST = Path(__file__).resolve().parents[1]
BOUND = re.compile(r"(?:monotonic|perf_counter|time)\(\) - \w+ <=? ([\d.]+)")
HANG = 10.0
"""Seconds that nothing takes but a hang."""


def short(text: str) -> list[str]:
    """Return the upper bounds on a measured time that a busy machine exceeds."""
    return [found[0] for found in BOUND.finditer(text) if float(found[1]) < HANG]


def test_upper_bounds_on_a_time_are_deadlines_of_hangs() -> None:
    found = {path.name: bounds for path in SELFTEST.rglob("*.py") if (bounds := short(path.read_text("utf-8")))}
    assert found == {}


def test_a_short_bound_is_seen() -> None:
    minus = "() - began <"
    assert short(f"assert time.monotonic{minus} 2\n") == [f"monotonic{minus} 2"]
    assert short(f"assert 0.1 <= loop.time{minus}= 0.9\n") == [f"time{minus}= 0.9"]
    assert short(f"assert time.monotonic{minus} 30\n") == []
    assert short("assert time.monotonic() - began >= 0.1\n") == []
