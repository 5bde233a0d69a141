"""The versions that a report names: the project's and those that the images pin."""

import re
import tomllib
from pathlib import Path

from embedded.runtime.images import Images

REPORTED_PACKAGES = ("kserve", "cloudevents", "confluent-kafka")


def version(project: Path) -> str:
    """Return the version of the project in a folder."""
    return str(tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"])


def versions(images: Images) -> dict[str, str]:
    """Return the pinned versions of the packages that reports name."""
    pins: dict[str, str] = {}
    for name in images.names():
        for line in images.resolve(name).requirements.read_text().splitlines():
            pinned = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;#]+).*", line.strip())
            if pinned and pinned[1].lower() in REPORTED_PACKAGES:
                pins[pinned[1].lower()] = pinned[2]
    return pins
