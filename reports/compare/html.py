"""A comparison as one self-contained page in the style of a run's page: no request leaves it, every text is escaped."""

from markupsafe import Markup

from reports import diagram
from reports import html as page
from reports.compare import wording
from reports.compare.model import Comparisons, Witness

MOST_SHOWN = 500


def render(comparisons: Comparisons) -> str:
    """Return the page's text."""
    return (
        page.environment()
        .get_template("compare.html.j2")
        .render(
            pairs=comparisons.pairs,
            exit=comparisons.exit,
            wording=wording,
            marks=wording.MARKS,
            speed_marks=wording.SPEED_MARKS,
            most=MOST_SHOWN,
            draw=_draw,
            css=Markup(page.source("report.css") + page.source("compare.css")),  # noqa: S704 - our own files
        )
    )


def _draw(witness: Witness) -> Markup:
    """Return the path of a witness as a picture; empty where it has none."""
    return Markup(diagram.svg(witness.path, witness.seqs)) if witness.path else Markup("")  # noqa: S704 - svg escapes
