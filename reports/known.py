"""Known nonconformities: documented failures of pinned versions of the system under test.

They do not change a verdict; `reports.gate` decides what they excuse.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reports.errors import ReportError
from reports.model import Known

FOLDER = Path(__file__).parent / "known"

_REQUIRED: dict[str, type[str | list[Any]]] = {
    "requirement": str,
    "sut": str,
    "versions": list,
    "summary": str,
    "source": str,
}
_FIELDS = _REQUIRED | {"url": str}


def load(folder: Path = FOLDER) -> tuple[Known, ...]:
    """All known nonconformities, in the order of files and entries.

    Raises:
        ReportError: A file cannot be read or an entry is wrong; the message names file, entry and field.
    """
    entries: list[Known] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReportError(f"{file}: {error}") from error
        if set(document) - {"known"}:
            raise ReportError(
                f"{file}: only [[known]] entries belong here, not {', '.join(sorted(set(document) - {'known'}))}"
            )
        entries += [
            _entry(f"{file}: [[known]] {number}", raw) for number, raw in enumerate(document.get("known", []), 1)
        ]
    seen: set[tuple[str, str, str]] = set()
    for known in entries:
        for version in known.versions:
            key = (known.requirement, known.sut, version)
            if key in seen:
                raise ReportError(f"{folder}: {known.requirement} of {known.sut} {version} is listed twice")
            seen.add(key)
    return tuple(entries)


def _entry(place: str, raw: Mapping[str, Any]) -> Known:
    for name, kind in _REQUIRED.items():
        if not isinstance(raw.get(name), kind) or not raw[name]:
            raise ReportError(f"{place}: field {name!r} is wanted, a filled {kind.__name__}")
    for name, value in raw.items():
        if name not in _FIELDS:
            raise ReportError(f"{place}: there is no field {name!r}")
        if not isinstance(value, _FIELDS[name]):
            raise ReportError(f"{place}: field {name!r} must be a {_FIELDS[name].__name__}")
    if not all(isinstance(version, str) for version in raw["versions"]):
        raise ReportError(f"{place}: versions must be strings")
    return Known(
        requirement=raw["requirement"],
        sut=raw["sut"],
        versions=tuple(raw["versions"]),
        summary=" ".join(raw["summary"].split()),
        source=raw["source"],
        url=raw.get("url"),
    )


def applying(entries: Iterable[Known], sut: Mapping[str, str]) -> dict[str, Known]:
    """Return the entries that speak of the versions under test, by requirement id."""
    return {known.requirement: known for known in entries if str(sut.get(known.sut, "")) in known.versions}
