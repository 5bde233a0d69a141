"""The pages as a real browser shows them: nothing is fetched or breaks, and all eyes and keyboards can use them.

Needs the Chromium of the machine (`apt-get install chromium`, or the path in CHROMIUM) and Playwright to steer it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reports import __main__ as cli
from reports import write
from reports.model import Report
from selftest.reports.conftest import BAD, GOOD, IDS, History
from selftest.reports.measured_loads import BUSY, CALM, measure, start_cold

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (requirements-browser.txt)")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH, and CHROMIUM names none")

Reported = Callable[[Any], Report]
Page = Any  # playwright's; it is not installed everywhere
EVIL = "<script>document.title='run'</script><img src=http://evil.invalid/x onerror=document.title='run'>"
FOCUSABLE = "a[href], button, input, select, summary"
LEAST_CONTRAST, LEAST_CONTRAST_LARGE = 4.5, 3.0
"""The contrast between text and what lies behind it, by WCAG 2.2, level AA; less is enough for large letters."""
SCRIPTS = Path(__file__).with_name("browser")
CONTRASTS, FOCUSED = ((SCRIPTS / name).read_text(encoding="utf-8") for name in ("contrasts.js", "focused.js"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Yield a Chromium without a window; a root's needs to be told that it has no sandbox."""
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield chromium
        chromium.close()


def report_page(folder: Path, reported: Reported, history: History) -> Path:
    history.start().test("EVT-ING-001", BAD, text=EVIL).test("EVT-RTE-003", outcome="error", reason=f"boom {EVIL}")
    for budget, machine in ((1.0, CALM), (0.015, CALM), (0.015, BUSY)):
        measure(
            history, "EVT-FLT-003", [0.010 + number / 5000 for number in range(100)], budget=budget, machine=machine
        )
    start_cold(history, "EVT-FLT-003", 2.5)
    report = reported(history.test("EVT-FLT-003", BAD).finish())
    write.write(report, folder, folder / "history.ndjson")
    return folder / "index.html"


def matrix_page(folder: Path, reported: Reported, history: History) -> Path:
    history.start(argv=["--prove"])
    for requirement, status, mutant in (
        ("EVT-FLT-003", BAD, "filter-ignores-case"),
        ("EVT-ING-001", BAD, "ingress-down"),
        ("EVT-RTE-003", BAD, "ingress-down"),
        ("EVT-RTE-003", GOOD, "extensions-dropped"),
    ):
        history.test(requirement, status, mutant=mutant)
    write.write(reported(history.finish()), folder, folder / "history.ndjson")
    return folder / "index.html"


def comparison_page(folder: Path, reported: Reported, history: History) -> Path:
    del reported, history
    runs = []
    for name, bad in (("20261121-000000-2", ()), ("20261121-000000-3", ("EVT-ING-001",))):
        run = History().start()
        for requirement in IDS:
            run.test(requirement, BAD if requirement in bad else GOOD, text=EVIL)
        (folder / name).mkdir()
        run.finish().of_run(name).write(folder / name)
        runs.append(str(folder / name))
    assert cli.main(["compare", *runs, "--html", str(folder / "compare.html")]) == 1
    return folder / "compare.html"


PAGES = {"report": report_page, "matrix": matrix_page, "comparison": comparison_page}


@pytest.fixture(params=list(PAGES.values()), ids=list(PAGES))
def path(
    request: pytest.FixtureRequest,
    reported: Reported,
    history: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Return the file of each page."""
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")
    make: Callable[[Path, Reported, History], Path] = request.param
    return make(tmp_path / "run", reported, history)


@pytest.fixture
def page(browser: Any, path: Path) -> Iterator[Page]:
    """Yield the page, opened; the addresses that it asked for and what broke in it are its `asked` and `faults`."""
    shown = browser.new_page()
    shown.asked, shown.faults = [], []
    shown.on("request", lambda request: shown.asked.append(request.url))
    shown.on("pageerror", lambda error: shown.faults.append(str(error)))
    shown.on("console", lambda said: shown.faults.append(said.text) if said.type == "error" else None)
    shown.goto(path.as_uri())
    yield shown
    shown.close()


def test_a_page_asks_for_nothing_but_itself_and_runs_nobody_elses_words(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    assert page.asked == [path.as_uri()]
    assert page.faults == []
    assert page.title() not in {"", "run"}
    assert page.locator("script[src], link[href], iframe, object, embed").count() == 0


def test_all_that_can_be_used_can_be_reached_by_keyboard_and_shows_that_it_is(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((details) => details.open = true)")
    wanted = {
        number
        for number, element in enumerate(page.locator(FOCUSABLE).all())
        if element.is_visible() and element.is_enabled()
    }
    assert wanted, "the page has nothing to use"
    reached: dict[int, dict[str, Any]] = {}
    for _ in range(len(wanted) + 2):
        page.keyboard.press("Tab")
        if (focused := page.evaluate(FOCUSED)) is not None:
            reached[focused["number"]] = focused
    assert wanted <= reached.keys()
    assert [focused["what"] for focused in reached.values() if not focused["marked"]] == []


def test_what_is_folded_opens_by_keyboard(page: Page) -> None:
    summary = page.locator("details:not([open]) > summary").first
    if summary.count() == 0:
        pytest.skip("nothing on this page is folded")
    details = summary.locator("xpath=..").element_handle()
    summary.focus()
    page.keyboard.press("Enter")
    assert details.evaluate("(element) => element.open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_light_and_in_the_dark(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((details) => details.open = true)")
    found = page.evaluate(CONTRASTS, [LEAST_CONTRAST, LEAST_CONTRAST_LARGE])
    assert found["seen"] > 10
    assert (sum(found["ground"]) < 3 * 128) == (scheme == "dark"), f"the page's ground in {scheme}: {found['ground']}"
    assert found["bad"] == [], "\n".join(found["bad"])


@pytest.mark.parametrize("width", [360, 1400])
def test_a_page_fits_narrow_and_wide_windows(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1
    assert page.locator("html[lang]").count() == 1
