"""The format of histories for others: a JSON Schema and a page, derived from the types of records.

`python -m evidence.schema` writes both; a selftest fails when they are stale.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints, is_typeddict

from evidence.fields import CHAINED
from evidence.records import FORMAT, TYPES, Numbered
from evidence.rules import COMMON, KINDS, abouts_of, rules_of
from evidence.schema.examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evidence.fields import Field

ROOT: Final = Path(__file__).resolve().parents[2]
SCHEMA: Final = Path(__file__).with_name("history.schema.json")
PAGE: Final = ROOT / "docs" / "history.md"
_INTRODUCTION: Final = Path(__file__).with_name("introduction.md")


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a record: of a line of a history's file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A record of a Touchstone history, format {FORMAT}",
        "description": "One line of history.ndjson. The first one has the field format.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in TYPES],
        "$defs": {name: _of_kind(name, kind) for name, kind in TYPES.items()},
    }


def _of_kind(name: str, kind: type) -> dict[str, Any]:
    rules: dict[str, Field] = {**COMMON, **KINDS[name]}
    properties = _properties(kind, rules)
    properties["record"] = {"const": name}
    properties["format"] = {"const": FORMAT, "description": abouts_of(Numbered)["format"]}
    properties["digest"] = {**CHAINED.schema, "description": abouts_of(Numbered)["digest"]}
    about, _ = words_of(kind)
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": ["record", "digest", *(field for field, rule in rules.items() if rule.required)],
    }


def _properties(kind: type, rules: Mapping[str, Field]) -> dict[str, Any]:
    hints, abouts = get_type_hints(kind, include_extras=True), abouts_of(kind)
    return {name: {**_of_rule(rule, hints[name]), "description": abouts[name]} for name, rule in rules.items()}


def _of_rule(rule: Field, hint: Any) -> dict[str, Any]:
    value: dict[str, Any] = dict(rule.schema)
    inner = _inner(hint)
    if rule.inner is not None and inner is not None:
        required = [name for name, field in rule.inner.items() if field.required]
        value = {"type": "object", "properties": _properties(inner, rule.inner), "required": required}
    return {"anyOf": [value, {"type": "null"}]} if NoneType in rule.types else value


def _inner(hint: Any) -> type | None:
    """Return the type of an object with known fields, from under what is around it."""
    if is_typeddict(hint):
        return hint  # type: ignore[no-any-return]  # a class, as `is_typeddict` has seen
    return next((inner for item in get_args(hint) if (inner := _inner(item)) is not None), None)


def words_of(kind: type) -> tuple[str, str]:
    """Return what a kind of records is, and who writes it: the two halves of its description."""
    about, _, writer = inspect.cleandoc(kind.__doc__ or "").partition("\n\nWriter: ")
    return " ".join(about.split()), " ".join(writer.split())


def page() -> str:
    """Return the page that tells people what a history holds."""
    introduction = _INTRODUCTION.read_text(encoding="utf-8").replace("FORMAT", str(FORMAT))
    return "\n".join([introduction, *_fields_of_all(), *(line for name in TYPES for line in _section(name))])


def _fields_of_all() -> Iterator[str]:
    yield "## What every record has\n"
    yield from _table({**rules_of_common()}, Numbered)
    yield "\n## The kinds of records"


def rules_of_common() -> dict[str, Field]:
    """Return the rules of the fields that every line has, and of the one that the first has."""
    return {**COMMON, "digest": CHAINED, "format": rules_of(Numbered)["format"]}


def _section(name: str) -> Iterator[str]:
    about, writer = words_of(TYPES[name])
    yield f"\n### {name}\n"
    yield f"{about} Written by {writer}\n"
    yield from _table(KINDS[name], TYPES[name])
    yield f"\n```json\n{json.dumps(EXAMPLES[name], ensure_ascii=False)}\n```"


def _table(rules: Mapping[str, Field], kind: type, *, prefix: str = "") -> Iterator[str]:
    hints, abouts = get_type_hints(kind, include_extras=True), abouts_of(kind)
    if not prefix:
        yield "| field | value | what it says |\n|---|---|---|"
    for name, rule in rules.items():
        yield f"| `{prefix}{name}` | {rule.expected} | {abouts[name]} |"
        inner = _inner(hints[name])
        if rule.inner is not None and inner is not None:
            yield from _table(rule.inner, inner, prefix=f"{prefix}{name}.")


def files() -> dict[Path, str]:
    """Return what is generated, by the file that it goes to."""
    return {SCHEMA: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", PAGE: page() + "\n"}
