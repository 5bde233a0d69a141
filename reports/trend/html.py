"""A trend as a static site: one self-contained page without a script, which links to the runs' own pages."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from common import files
from common.errors import UsageError
from reports import html as page
from reports import written
from reports.errors import ReportError
from reports.trend import sparkline
from reports.trend.model import ReadRun, StageRow, Trend

MOST_COLUMNS: Final = 200
INDEX: Final = "index.html"
PLAIN_PAGES: Final = ".nojekyll"
"""An empty file by which GitHub Pages serves a folder as it is, names with an underscore too."""


def write(trend: Trend, folder: Path) -> Path:
    """Write the site into a folder, which is made; returns its page.

    Raises:
        UsageError: The folder is a run's own, whose page would be lost.
        ReportError: It cannot be written.
    """
    if (folder / written.NAME).exists():
        raise UsageError(f"--html {folder}: expected a folder beside runs or around them, got a run's own folder")
    index = folder / INDEX
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files.whole(index, files.SHARED_FILE_MODE) as file:
            file.write(render(trend, folder).encode("utf-8", "backslashreplace"))
        (folder / PLAIN_PAGES).touch()
    except OSError as error:
        raise ReportError(f"cannot write {error.filename or index}: {error.strerror}") from error
    return index


def render(trend: Trend, folder: Path) -> str:
    """Return the page's text.

    Args:
        trend: What to show.
        folder: The folder of the page: runs that lie in it are linked.
    """
    first = max(0, len(trend.columns) - MOST_COLUMNS)
    areas = list(dict.fromkeys(row.area for row in trend.rows))
    return (
        page.environment()
        .get_template("trend.html.j2")
        .render(
            trend=trend,
            first=first,
            columns=trend.columns[first:],
            links=[_link(column.run, folder) for column in trend.columns],
            areas=[(area, [row for row in trend.rows if row.area == area]) for area in areas],
            marks=page.MARKS,
            spark=lambda row: _spark(row, first),
            css=Markup(page.source("report.css") + page.source("compare.css") + page.source("trend.css")),  # noqa: S704 - our own files
        )
    )


def _link(run: ReadRun, folder: Path) -> str:
    """Return the address of a run's own page, where it lies below the folder of the site; else nothing."""
    place, root = run.folder.resolve(), folder.resolve()
    if not place.is_relative_to(root) or not (place / INDEX).is_file():
        return ""
    return quote(f"{place.relative_to(root).as_posix()}/{INDEX}")


def _spark(row: StageRow, first: int) -> Markup:
    values, comparable = row.values[first:], row.comparable[first:]
    like = [value for value, fits in zip(values, comparable, strict=True) if fits and value is not None]
    between = f", between {page.seconds(min(like))} and {page.seconds(max(like))} in {len(like)} runs" if like else ""
    newest = "none" if values[-1] is None else page.seconds(values[-1])
    return sparkline.svg(values, comparable, f"p95 of {row.stage}: {newest} in the newest run{between}")
