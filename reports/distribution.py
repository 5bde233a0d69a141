"""A stage's latencies as an empirical distribution function with its budgets: a small inline SVG without a script.

The curve is the share of requests that had come to the end of the stage by then. The axis of seconds is logarithmic: a
budget is ten to a thousand times what a request takes, and on a linear axis the curve would be a wall at its left end.
Colours are CSS variables of the page, so it follows light and dark. The size is bounded whatever the number of samples.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Self

from reports.statistics import percentile

STEPS: Final = 400
"""The most steps of a curve: with more samples it is thinned, and off by less than one in so many of them."""
WIDTH: Final = 300
HEIGHT: Final = 178
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 10, 22, 24
_PLOT: Final = WIDTH - _LEFT - _RIGHT
_FLOOR: Final = HEIGHT - _BOTTOM
_EDGE: Final = 60
"""The units from an end of the picture within which a text is written away from that end."""
_LINE: Final = 13
LEAST: Final = 1e-4
MOST: Final = 1e4
_BEFORE: Final = 0.9
_BEYOND: Final = 1.5
_NICE: Final = [factor * 10.0**power for power in range(-4, 5) for factor in (1, 2, 5)]
_FEW_DECADES: Final = 2


@dataclass(frozen=True, slots=True)
class Bound:
    """One percentile of a stage beside its budget; times in seconds.

    Attributes:
        percentile: The percentile.
        budget: The most that it may take.
        value: The percentile of the samples; infinite where so many never ended.
        lower: The lower end of its interval of confidence.
        upper: The upper end; infinite where the samples cannot bound it.
        confidence: The confidence of each end.
        verdict: The verdict.
    """

    percentile: float
    budget: float
    value: float
    lower: float
    upper: float
    confidence: float
    verdict: str

    @property
    def told(self) -> str:
        """The bound in words."""
        ends = f"between {duration(self.lower)} and {duration(self.upper)} with confidence {self.confidence:g}"
        return f"p{self.percentile:g} {duration(self.value)}, {ends}; budget {duration(self.budget)}"


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis of seconds, which several pictures share."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float]) -> Self:
        """Return the axis that shows all values; beyond `LEAST` and `MOST` they lie at its ends."""
        shown = [min(max(value, LEAST), MOST) for value in values if math.isfinite(value)]
        least, most = min(shown, default=LEAST), max(shown, default=1.0)
        low = max((step for step in _NICE if step <= least * _BEFORE), default=_NICE[0])
        high = min((step for step in _NICE if step >= most * _BEYOND), default=_NICE[-1])
        return cls(low, max(high, low * 10))

    def place(self, value: float, width: float) -> float:
        """Return how far from the axis' left end a value lies, on an axis of some width."""
        inside = min(max(value, self.low), self.high)
        return width * math.log(inside / self.low) / math.log(self.high / self.low)

    @property
    def ticks(self) -> Iterator[tuple[float, str]]:
        """The places of the axis' lines, with their labels; empty where there is no room for one."""
        steps = [step for step in _NICE if self.low <= step <= self.high]
        decades = [step for step in steps if math.log10(step).is_integer()]
        named = decades if len(decades) >= _FEW_DECADES else steps
        return ((step, duration(step) if step in named else "") for step in steps)


def svg(samples: Sequence[float], bounds: Sequence[Bound], axis: Axis, *, name: str, title: str) -> str:
    """Return the picture.

    Args:
        samples: The sorted seconds of at least one request; infinite where it never ended.
        bounds: The percentiles that are judged.
        axis: The axis of seconds.
        name: The picture's own part of the ids on a page.
        title: The picture in a few words.
    """
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    open_question = " open" if any(bound.verdict not in {"pass", "fail"} for bound in bounds) else ""
    parts = [
        f'<svg class="ecdf{open_question}" {size} role="img" aria-labelledby="{name}-title {name}-text">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-text">{escape(described(samples, bounds))}</desc>',
        *_grid(axis),
        *_budgets(bounds, axis),
        *(_interval(bound, axis) for bound in bounds),
        f'<path class="curve" d="{_curve(samples, bounds, axis)}"/>',
        *_marks(bounds, axis),
        "</svg>",
    ]
    return "".join(parts)


def described(samples: Sequence[float], bounds: Sequence[Bound]) -> str:
    """Return in words what the picture shows."""
    ended = [sample for sample in samples if math.isfinite(sample)]
    parts = [f"{len(samples)} samples"]
    if ended:
        parts.append(f"from {duration(ended[0])} to {duration(ended[-1])}, median {duration(percentile(samples, 50))}")
    if len(ended) < len(samples):
        parts.append(f"{len(samples) - len(ended)} never ended")
    told = " ".join(f"{bound.told}: {bound.verdict}." for bound in bounds)
    return f"{', '.join(parts)}. {told}{' ' + thinned(samples) if thinned(samples) else ''}"


def thinned(samples: Sequence[float]) -> str:
    """Return what a curve leaves out of its samples, as a sentence; empty where it leaves nothing out."""
    if len(samples) <= STEPS:
        return ""
    off = f"nowhere off by more than {1 / STEPS:.2%} of them"
    return f"The curve has {STEPS} steps of {len(samples)} samples and is {off}."


def duration(seconds: float) -> str:
    """Return seconds with three digits at most: `0.25 ms`, `12.4 ms`, `1.5 s`; `no end` where they are infinite."""
    if math.isinf(seconds):
        return "no end"
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def _ranks(samples: Sequence[float], bounds: Sequence[Bound]) -> list[int]:
    """Return the ranks (from 1) of the samples that are drawn: of the percentiles always, of the others evenly."""
    count = len(samples)
    kept = {1, *(math.ceil(step * count / STEPS) for step in range(1, STEPS + 1))} if count > STEPS else {1, count}
    kept |= set(range(1, count + 1)) if count <= STEPS else set()
    kept |= {max(1, math.ceil(bound.percentile / 100 * count)) for bound in bounds}
    return sorted(kept)


def _curve(samples: Sequence[float], bounds: Sequence[Bound], axis: Axis) -> str:
    """Return the steps as the data of a path: each leads right to a sample, then up to its share."""
    steps, height = [f"M{_LEFT} {_FLOOR}"], float(_FLOOR)
    for rank in _ranks(samples, bounds):
        if math.isinf(samples[rank - 1]):
            break
        height = _height(100 * rank / len(samples))
        steps.append(f"H{_x(samples[rank - 1], axis):g}V{height:g}")
    return f"{''.join(steps)}H{WIDTH - _RIGHT}"


def _grid(axis: Axis) -> Iterator[str]:
    yield f'<rect class="ground" x="{_LEFT}" y="{_TOP}" width="{_PLOT}" height="{_FLOOR - _TOP}"/>'
    for step, label in axis.ticks:
        x = _x(step, axis)
        yield f'<path class="{"grid" if label else "grid fine"}" d="M{x:g} {_TOP}V{_FLOOR}"/>'
        if label:
            yield _text(x, _FLOOR + 15, label, "tick", "end" if x > WIDTH - 2 * _RIGHT else "middle")
    for share in (0, 50, 100):
        y = _height(share)
        yield f'<path class="grid" d="M{_LEFT} {y:g}H{WIDTH - _RIGHT}"/>'
        yield f'<text class="share" x="{_LEFT - 5}" y="{y + 4:g}">{share}%</text>'


def _budgets(bounds: Sequence[Bound], axis: Axis) -> Iterator[str]:
    """Yield each budget once: what lies beyond it, its line, and its name above; alike ones share them."""
    budgets = {bound.budget: bound for bound in sorted(bounds, key=lambda bound: bound.verdict == "pass", reverse=True)}
    for number, (budget, bound) in enumerate(sorted(budgets.items())):
        x = _x(budget, axis)
        mark = f"v-{bound.verdict}"
        wide, high = WIDTH - _RIGHT - x, _FLOOR - _TOP
        yield f'<rect class="beyond {mark}" x="{x:g}" y="{_TOP}" width="{wide:g}" height="{high}"/>'
        yield f'<path class="budget {mark}" d="M{x:g} {_TOP - 4}V{_FLOOR}"/>'
        name = "budget" if len(budgets) == 1 else f"p{bound.percentile:g}"
        if number < 2:  # two names have room: one to each side
            side = "end" if number == 0 and len(budgets) > 1 else None
            yield _text(x, _TOP - 9, f"{name} {duration(budget)}", f"name {mark}", side)


def _interval(bound: Bound, axis: Axis) -> str:
    left, right = _x(bound.lower, axis), _x(bound.upper, axis)
    return (
        f'<rect class="interval" x="{left:g}" y="{_TOP}" width="{max(1.0, right - left):g}" height="{_FLOOR - _TOP}"/>'
    )


def _marks(bounds: Sequence[Bound], axis: Axis) -> Iterator[str]:
    """Yield a dot on the curve at each percentile, and its name below, where the curve leaves room."""
    furthest = max((_x(bound.value, axis) for bound in bounds), default=0.0)
    to_the_left = furthest > WIDTH - 2 * _EDGE
    named = min((_x(bound.value, axis) for bound in bounds), default=0.0) - 8 if to_the_left else furthest + 8
    for number, bound in enumerate(sorted(bounds, key=lambda bound: -bound.percentile)):
        x, y = _x(bound.value, axis), _height(bound.percentile)
        yield f'<path class="lead" d="M{_LEFT} {y:g}H{x:g}"/><circle class="dot" cx="{x:g}" cy="{y:g}" r="3.2"/>'
        said = f"p{bound.percentile:g} {duration(bound.value)}"
        yield _text(named, _TOP + 30 + _LINE * number, said, "value", "end" if to_the_left else "start")
    open_verdicts = sorted({bound.verdict for bound in bounds} - {"pass", "fail"})
    if open_verdicts:
        yield _text(WIDTH - _RIGHT - 6, _FLOOR - 8, f"verdict {' and '.join(open_verdicts)}", "name v-unknown", "end")


def _text(x: float, y: float, said: str, css: str, anchor: str | None = None) -> str:
    """Return a text; without an anchor it stands in the middle, or beside its place near an end of the picture."""
    anchor = anchor or ("start" if x < _EDGE else "end" if x > WIDTH - _EDGE else "middle")
    return f'<text class="{css}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(said)}</text>'


def _x(seconds: float, axis: Axis) -> float:
    return round(_LEFT + axis.place(seconds, _PLOT), 1)


def _height(share: float) -> float:
    return round(_FLOOR - (_FLOOR - _TOP) * share / 100, 1)
