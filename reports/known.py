"""Known nonconformities: documented failures of pinned versions of the system under test.

Each entry says how it is known: `observed = { on = "...", at = "2026-11-28" }`, or `read = { in = "..." }` for one that
was found in the source and never seen. They do not change a verdict; `reports.gate` decides what they excuse.
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from reports.errors import ReportError
from reports.model import Known

FOLDER = Path(__file__).parent / "known"

_REQUIRED: dict[str, type[Any]] = {
    "requirement": str,
    "sut": str,
    "versions": list,
    "summary": str,
    "source": str,
}
_KNOWN_BY = {"observed": ("on", "at"), "read": ("in",)}
_FIELDS = _REQUIRED | {"url": str} | dict.fromkeys(_KNOWN_BY, dict)


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
    how, told = _evidence(place, raw)
    return Known(
        requirement=raw["requirement"],
        sut=raw["sut"],
        versions=tuple(raw["versions"]),
        summary=" ".join(raw["summary"].split()),
        source=raw["source"],
        url=raw.get("url"),
        how=how,
        where=told.get("on") or told["in"],
        at=told.get("at", ""),
    )


def _evidence(place: str, raw: Mapping[str, Any]) -> tuple[Literal["observed", "read"], Mapping[str, str]]:
    """Return how a nonconformity is known, and what the entry says of that."""
    given = [name for name in _KNOWN_BY if name in raw]
    if len(given) != 1:
        raise ReportError(f"{place}: exactly one of the fields 'observed' and 'read' is wanted, got {len(given)}")
    how: Literal["observed", "read"] = "observed" if given == ["observed"] else "read"
    told, wanted = raw[how], _KNOWN_BY[how]
    if set(told) != set(wanted) or not all(isinstance(text, str) and text for text in told.values()):
        raise ReportError(f"{place}: field {how!r} must hold {' and '.join(wanted)}, filled texts; got {told}")
    try:
        date.fromisoformat(told.get("at", "2000-01-01"))
    except ValueError:
        raise ReportError(f"{place}: field 'observed' has at = {told['at']!r}, no day such as 2026-11-28") from None
    return how, told


def applying(entries: Iterable[Known], sut: Mapping[str, str]) -> dict[str, Known]:
    """Return the entries that speak of the versions under test, by requirement id."""
    return {known.requirement: known for known in entries if str(sut.get(known.sut, "")) in known.versions}
