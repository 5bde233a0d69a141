"""The releases of the suite, as the lab's own checkout lists them: no network is asked."""

import re
from pathlib import Path
from typing import Final

CHANGELOG: Final = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
_HEADING: Final = re.compile(r"^## \[?v?((?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2})\]?(?=[\s(]|$)", re.MULTILINE)


def listed(changelog: Path = CHANGELOG) -> tuple[str, ...]:
    """Return the versions that have a heading of their own in the changelog; none where there is no such file."""
    try:
        text = changelog.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ()
    return tuple(_HEADING.findall(text))
