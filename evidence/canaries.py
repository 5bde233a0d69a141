"""Canaries: for each check a good and a bad sample of a history, which it judges before a run and before any judging.

A check that takes the bad one for good, or the good one for bad, is blind: whatever it says of a run means nothing.
The samples lie in the catalogue's data (`canaries/*.json`), written by hand from what each check promises. A text that
begins with `=` stands for the part of that name (of the same file, or of `parts.json`), and `{"=": NAME, ...}` for the
part with other fields. Records are numbered from 1, a second apart; an observation of offsets begins when it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from common.errors import UsageError
from evidence.checks import CheckError, create
from evidence.checks.base import REGISTRY
from evidence.history import fault_of
from evidence.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evidence.records import Record

CATALOGUE: Final = Path(__file__).resolve().parents[1] / "suites" / "catalogue"
FOLDER: Final = "canaries"
PARTS: Final = "parts.json"
SCOPE: Final = "canary"


class BlindError(ValueError):
    """A check does not tell good from bad: nothing can be judged by it."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A small history, and what a check must say of it.

    Attributes:
        check: The name of the check.
        sample: The name of the sample, for messages: `good` or `bad`, and the file.
        args: The arguments of the check, as JSON.
        records: The records, whole.
        verdict: The verdict that is due.
    """

    check: str
    sample: str
    args: Mapping[str, Any]
    records: Sequence[Record]
    verdict: Verdict


def look(vendors: Iterable[Path] = ()) -> None:
    """Have each check judge the canaries of our catalogue and of vendors', before anything else is judged.

    Args:
        vendors: The folders of the vendors' catalogues.

    Raises:
        BlindError: A check says another thing than it must, or has no good or no bad sample.
        UsageError: A file of canaries cannot be read.
    """
    judge([canary for folder in (CATALOGUE, *vendors) for canary in load(folder)])


def load(catalogue: Path) -> list[Canary]:
    """Return the canaries of a catalogue; none where its folder has no folder of them.

    Raises:
        UsageError: A file cannot be read, or a sample is no history.
    """
    folder = catalogue / FOLDER
    shared = _read(folder / PARTS) if (folder / PARTS).is_file() else {}
    canaries: list[Canary] = []
    for path in sorted(folder.glob("*.json")):
        if path.name != PARTS:
            canaries += _of_file(path, shared)
    return canaries


def judge(canaries: Sequence[Canary]) -> None:
    """Have each check judge its canaries; there must be some.

    Raises:
        BlindError: A check says another thing than it must, or has no good or no bad sample.
    """
    for name in REGISTRY:
        due = {canary.verdict for canary in canaries if canary.check == name}
        if lacking := [str(verdict) for verdict in (Verdict.PASS, Verdict.FAIL) if verdict not in due]:
            raise BlindError(f"check {name}: expected a canary of verdict {' and of '.join(lacking)}, got none")
    for canary in canaries:
        got = _judged(canary)
        if got != canary.verdict:
            told = f"expected {canary.verdict}, got {got}: it does not tell good from bad, and no verdict counts"
            raise BlindError(f"check {canary.check} is blind: sample {canary.sample}: {told}")


def _judged(canary: Canary) -> str:
    try:
        check = create(canary.check, canary.args)
    except CheckError as error:
        return f"no check: {error}"
    for record in canary.records:
        check.feed(record)
    return str(check.judge(final=True).verdict)


def _of_file(path: Path, shared: Mapping[str, Any]) -> list[Canary]:
    content = _read(path)
    parts = _Parts({**shared, **content.get("parts", {})})
    found: list[Canary] = []
    for entry in content.get("canaries", []):
        try:
            args = parts.filled(entry["args"])
            given = entry.get("given", [])
            for sample, verdict in (("good", Verdict.PASS), ("bad", Verdict.FAIL)):
                name = f"{sample} of {path}"
                records = _numbered([*given, *entry[sample]], parts, f"{path}: check {entry['check']}: {sample}")
                found.append(Canary(entry["check"], name, args, records, verdict))
        except (KeyError, TypeError) as error:
            told = f"expected check, args, good and bad, got {type(error).__name__} {error} in {str(entry)[:200]}"
            raise UsageError(f"{path}: {told}") from error
    return found


def _numbered(records: Sequence[Any], parts: _Parts, place: str) -> list[Record]:
    made: list[Record] = []
    for seq, record in enumerate(parts.filled(records), start=1):
        whole = {"seq": seq, "t": float(seq), "scope": SCOPE, **record}
        if whole.get("record") == "offsets":
            whole.setdefault("asked_t", whole["t"])
        if (fault := fault_of(whole)) is not None:
            raise UsageError(f"{place}: record {seq}: {fault}")
        made.append(cast("Record", whole))
    return made


class _Parts:
    """The parts that texts of samples stand for, each filled in once; nobody changes what comes out.

    Args:
        parts: The parts by name, with names of others in them.
    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._parts = parts
        self._whole: dict[str, Any] = {}

    def filled(self, value: Any) -> Any:
        """Return a value with parts in the places of their names; a part that is a list joins the list around it.

        Raises:
            KeyError: There is no part of a name.
        """
        if isinstance(value, str) and value.startswith("="):
            return self._part(value[1:])
        if isinstance(value, dict):
            own = {name: self.filled(item) for name, item in value.items() if name != "="}
            return {**self._part(value["="]), **own} if "=" in value else own
        if isinstance(value, list):
            items: list[Any] = []
            for item in value:
                whole = self.filled(item)
                items += whole if isinstance(item, str) and isinstance(whole, list) else [whole]
            return items
        return value

    def _part(self, name: str) -> Any:
        if name not in self._whole:
            self._whole[name] = {}  # whoever stands within itself ends here, and is no record then
            self._whole[name] = self.filled(self._parts[name])
        return self._whole[name]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected a JSON object, got {str(content)[:80]}")
    return content
