"""The versions that a report names: the project's and those that the images pin."""

import tomllib
from collections.abc import Collection
from pathlib import Path

from embedded.runtime.image_folders import pinned
from embedded.runtime.images import Images

REPORTED_PACKAGES = ("kserve", "cloudevents", "confluent-kafka", "mlserver")


def version(project: Path) -> str:
    """Return the version of the project in a folder."""
    return str(tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"])


def versions(images: Images, requested: Collection[str] = ()) -> dict[str, str]:
    """Return the pinned versions of the packages that reports name: of the usual images and the requested ones.

    Raises:
        ImageError: An image is unknown, or its description cannot be read.
    """
    pins: dict[str, str] = {}
    for name in dict.fromkeys((*images.usual(), *requested)):
        pins |= pinned(images.resolve(name).requirements)
    return {name: version for name, version in pins.items() if name in REPORTED_PACKAGES}
