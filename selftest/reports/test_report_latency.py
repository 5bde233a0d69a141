"""The page's pictures of latencies: they show the samples that the verdicts stand on, bounded, honest and readable."""

import itertools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from evidence.catalogue import Catalogue
from reports import distribution, html, loads, write
from reports.check import check
from reports.distribution import Axis, Bound, svg
from reports.model import Report
from selftest.reports.conftest import KNOWN, History
from selftest.reports.measured_loads import BUSY, measure, start_cold

Reported = Callable[[History], Report]
FAST = [0.010 + 0.0001 * number for number in range(100)]
SLOW = [0.010] * 80 + [0.500] * 20
AXIS = Axis(0.001, 10.0)


def bound(percentile: float = 95, value: float = 0.02, budget: float = 1.0, verdict: str = "pass") -> Bound:
    return Bound(percentile, budget, value, value / 2, value * 2, 0.95, verdict)


def drawn(samples: list[float], *bounds: Bound) -> ET.Element:
    return ET.fromstring(svg(samples, bounds, AXIS, name="p", title="A stage"))  # noqa: S314 - our own text


def curve(picture: ET.Element) -> list[tuple[float, float]]:
    """Return the corners of the curve: seconds on the axis, and the share that has ended there, in per cent."""
    path = next(each for each in picture.iter() if each.get("class") == "curve")
    left, right = distribution._LEFT, distribution.WIDTH - distribution._RIGHT
    top, floor = distribution._TOP, distribution._FLOOR
    corners = [(float(x), float(y)) for x, y in re.findall(r"H([\d.]+)V([\d.]+)", path.get("d") or "")]
    decades = math.log10(AXIS.high / AXIS.low)
    return [
        (AXIS.low * 10 ** (decades * (x - left) / (right - left)), 100 * (floor - y) / (floor - top))
        for x, y in corners
    ]


def words(picture: ET.Element) -> str:
    return " ".join("".join(each.itertext()) for each in picture.iter() if each.tag in {"text", "desc"})


@pytest.mark.parametrize("count", [1, 2, 60, 400, 401, 20_000])
def test_a_curve_is_the_share_that_ended_by_then(count: int) -> None:
    samples = [0.002 * 1.0003**number for number in range(count)]
    seen = curve(drawn(samples, bound(value=samples[math.ceil(0.95 * count) - 1])))
    height = distribution._FLOOR - distribution._TOP
    for seconds, share in seen:
        true = 100 * sum(sample <= seconds * 1.002 for sample in samples) / count
        assert share <= true + 100 / height
    places = [0.0, *(share for _, share in seen)]
    steps = [after - before for before, after in itertools.pairwise(places)]
    assert max(steps) <= 100 / min(count, distribution.STEPS) + 100 / height
    assert seen[-1][1] == 100


def test_a_curve_goes_through_the_percentile_that_is_judged() -> None:
    samples = [0.002 * 1.0003**number for number in range(9_999)]
    value = samples[math.ceil(0.999 * len(samples)) - 1]
    picture = drawn(samples, bound(percentile=99.9, value=value))
    dot = next(each for each in picture.iter() if each.get("class") == "dot")
    assert (float(dot.get("cx") or 0)) == pytest.approx(distribution._x(value, AXIS))
    assert any(seconds == pytest.approx(value, rel=0.02) and share > 99.5 for seconds, share in curve(picture))


def test_a_picture_is_small_whatever_the_number_of_samples_and_says_that_it_is_thinned() -> None:
    samples = [0.001 + 1e-7 * number for number in range(100_000)]
    picture = svg(samples, [bound()], AXIS, name="p", title="A stage")
    assert len(picture) < 12_000
    assert "400 steps of 100000 samples and is nowhere off by more than 0.25% of them" in picture
    assert distribution.thinned(samples[:400]) == ""


def test_what_never_ended_is_missing_from_the_curve_and_told() -> None:
    picture = drawn([0.01] * 90 + [math.inf] * 10, bound(value=math.inf, verdict="fail"))
    assert curve(picture)[-1][1] == pytest.approx(90, abs=0.5)
    assert "10 never ended" in words(picture)
    assert "p95 no end" in words(picture)


@pytest.mark.parametrize(
    ("verdict", "dashed", "said"),
    [("pass", False, ""), ("fail", False, ""), ("unknown", True, "verdict unknown"), ("error", True, "verdict error")],
)
def test_a_verdict_that_is_none_is_said_in_the_picture(verdict: str, said: str, *, dashed: bool) -> None:
    picture = drawn([0.01] * 60, bound(verdict=verdict))
    assert ("open" in (picture.get("class") or "").split()) == dashed
    assert said in words(picture)
    assert said or "verdict" not in words(picture)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.012, 1.0], 0.01, 2.0),
        ([0.0101], 0.005, 0.05),
        ([0.0, 1e300, math.inf], 1e-4, 2e4),
        ([-5.0], 1e-4, 1e-3),
        ([], 1e-4, 2.0),
    ],
    ids=["budget-beyond", "one-value", "out-of-bounds", "negative", "nothing"],
)
def test_an_axis_holds_what_it_shows_and_has_two_labels_at_least(values: list[float], low: float, high: float) -> None:
    axis = Axis.around(values)
    assert axis.low == pytest.approx(low)
    assert axis.high == pytest.approx(high)
    assert sum(bool(label) for _, label in axis.ticks) >= 2
    assert all(0 <= axis.place(value, 100) <= 100 for value in [*values, -1.0, math.inf])


def page(reported: Reported, history: History, run_dir: Path) -> tuple[Report, str]:
    report = reported(history.finish())
    return report, html.render(report, run_dir / "history.ndjson")


def test_the_page_shows_what_the_report_and_the_check_say(
    reported: Reported, history: History, run_dir: Path, catalogue: Catalogue
) -> None:
    measure(history.start(), "EVT-FLT-003", FAST, percentiles=(50, 95))
    measure(history, "EVT-ING-001", SLOW)
    report = reported(history.finish())
    write.write(report, run_dir, run_dir / "history.ndjson")
    assert check(run_dir, catalogue, KNOWN).agrees
    written = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    text = (run_dir / "index.html").read_text(encoding="utf-8")
    for result in written["results"][:2]:
        for figures in result["tests"][0]["figures"]:
            told = (distribution.duration(figures[name]) for name in ("lower", "upper"))
            assert "between {} and {} with confidence 0.95; budget 100 ms".format(*told) in text
    assert "p50 14.9 ms" in text
    assert "p95 19.4 ms" in text
    assert "p95 500 ms" in text
    assert "fail: expected p95 of ack within 100 ms; got between 500.0 ms" in text
    assert text.count('<svg class="ecdf"') == 2
    ids = re.findall(r' id="(load-[^"]*)"', text)
    assert len(ids) == len(set(ids)) == 4


def test_a_busy_machine_is_said_beside_its_curve(reported: Reported, history: History, run_dir: Path) -> None:
    measure(history.start(), "EVT-ING-001", SLOW, machine=BUSY)
    _, text = page(reported, history, run_dir)
    assert '<svg class="ecdf open"' in text
    assert "unknown: expected p95 of ack within 100 ms; got a machine too busy to judge on (tasks waited" in text


def test_how_late_the_generator_was_is_said_in_the_page_and_in_the_verdict(
    reported: Reported, history: History, run_dir: Path
) -> None:
    measure(history.start(), "EVT-ING-001", FAST, lag=0.05)
    report, text = page(reported, history, run_dir)
    assert "The load generator lagged too much: 50 ms at the worst, p95 50 ms" in text
    result = report.find("EVT-ING-001")
    assert result is not None
    assert result.verdict == "unknown"
    assert "lagged 50.0 ms behind in one request of a hundred (p95 50.0 ms, at the worst 50.0 ms)" in result.reason


@pytest.mark.parametrize(("took", "verdict"), [(0.25, "pass"), (2.5, "fail")])
def test_cold_starts_are_told_apart(
    reported: Reported, history: History, run_dir: Path, took: float, verdict: str
) -> None:
    start_cold(history.start(), "EVT-ING-001", took)
    report, text = page(reported, history, run_dir)
    shown = loads.views(report)
    assert shown.shown == ()
    told = distribution.duration(took)
    assert [(cold.what, cold.took, cold.budget, cold.rest, cold.verdict) for cold in shown.cold] == [
        ("from creation to Ready", told, "1 s", "-", verdict),
        ("first request acknowledged", told, "1 s", "4 ms", verdict),
    ]
    assert '<svg class="ecdf' not in text
    assert "Cold starts" in text


def test_a_run_without_loads_has_no_such_chapter(reported: Reported, history: History, run_dir: Path) -> None:
    _, text = page(reported, history.start().test("EVT-ING-001"), run_dir)
    assert 'id="latency"' not in text


def test_loads_of_mutants_in_a_proof_are_not_drawn(reported: Reported, history: History, run_dir: Path) -> None:
    measure(history.start(argv=["--prove"]), "EVT-ING-001", SLOW, mutant="ingress-down")
    _, text = page(reported, history, run_dir)
    assert 'id="latency"' not in text


def test_of_very_many_loads_those_that_did_not_pass_are_drawn(
    reported: Reported, history: History, run_dir: Path
) -> None:
    history.start()
    for number in range(loads.MOST_LOADS + 6):
        measure(history, "EVT-ING-001", SLOW if number > loads.MOST_LOADS else FAST)
    report, text = page(reported, history, run_dir)
    shown = loads.views(report)
    verdicts = [bound.verdict for load in shown.shown for panel in load.panels for bound, _ in panel.bounds]
    assert (len(verdicts), verdicts.count("fail"), shown.more) == (loads.MOST_LOADS, 5, 6)
    assert "and 6 more loads, in the history" in text


def test_of_very_many_claims_and_cold_starts_those_that_did_not_pass_are_shown(
    reported: Reported, history: History, run_dir: Path
) -> None:
    many = loads.MOST_CLAIMS + 3
    measure(history.start(), "EVT-ING-001", SLOW, percentiles=[*(5 + number for number in range(many - 1)), 95])
    for number in range(loads.MOST_COLD // 2 + 1):
        start_cold(history, "EVT-RTE-003", 2.5 if number == loads.MOST_COLD // 2 else 0.1)
    report, text = page(reported, history, run_dir)
    shown = loads.views(report)
    (panel,) = shown.shown[0].panels
    assert [bound.verdict for bound, _ in panel.bounds] == ["pass"] * (loads.MOST_CLAIMS - 1) + ["fail"]
    assert [cold.verdict for cold in shown.cold] == ["pass"] * (loads.MOST_COLD - 2) + ["fail"] * 2
    assert (shown.more_claims, shown.more_cold) == (3, 2)
    assert "and 3 more claims of these loads" in text
    assert "and 2 more cold starts" in text


@pytest.mark.parametrize("budget", [-1.0, 0.0, 1e-300, 1e300], ids=str)
def test_what_a_history_made_up_stays_text_within_the_picture(
    reported: Reported, history: History, run_dir: Path, budget: float
) -> None:
    evil = "<script>alert(1)</script>"
    measure(history.start(), "EVT-ING-001", [1e-300, 1e300, 0.1] * 20, stage=evil, budget=budget)
    _, text = page(reported, history, run_dir)
    assert evil not in text
    assert text.count('<svg class="ecdf') == 1
    picture = text[text.index('<svg class="ecdf') :]
    numbers = re.findall(r' (?:x|cx|y|cy)="([^"]*)"', picture[: picture.index("</svg>")])
    assert all(0 <= float(number) <= distribution.WIDTH for number in numbers)
