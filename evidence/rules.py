"""The rules by which the reader validates records, derived from their types (`evidence.records`)."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from evidence.fields import BODY, Field, an_object, maybe, one_of, optional
from evidence.records import TYPES, Numbered

OF_EVERY_RECORD = ("seq", "t", "scope")
"""What the history's writer gives to every record, so that the types cannot require it."""


def rule_of(hint: Any) -> Field:
    """Return the rule of a type.

    Args:
        hint: The type, with its annotations.

    Raises:
        TypeError: There is no rule for such a type.
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return optional(rule_of(args[0]))
    if origin is Annotated:
        return next((item for item in args[1:] if isinstance(item, Field)), None) or rule_of(args[0])
    if origin in {Union, UnionType} and len(args) == 2 and args[1] is NoneType:
        return maybe(rule_of(args[0]))
    if origin is Literal:
        return one_of(*args)
    if is_typeddict(hint):
        return an_object(rules_of(hint))
    raise TypeError(f"there is no rule for a field of type {hint!r}")


def rules_of(kind: type) -> dict[str, Field]:
    """Return the rules of an object's own fields, by name."""
    shared = () if kind is Numbered else Numbered.__annotations__
    hints = get_type_hints(kind, include_extras=True)
    return {name: rule_of(hint) for name, hint in hints.items() if name not in shared and name != "record"}


def about(hint: Any) -> str:
    """Return what a type's annotations say of the value; empty: nothing."""
    if get_origin(hint) is NotRequired:
        return about(get_args(hint)[0])
    return (
        next((item for item in get_args(hint)[1:] if isinstance(item, str)), "")
        if get_origin(hint) is Annotated
        else ""
    )


def abouts_of(kind: type) -> dict[str, str]:
    """Return what is said of each field of an object."""
    return {name: about(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _common() -> dict[str, Field]:
    hints = get_type_hints(Numbered, include_extras=True)
    return {name: rule_of(get_args(hints[name])[0]) for name in OF_EVERY_RECORD}


COMMON = _common()
KINDS: dict[str, dict[str, Field]] = {name: rules_of(kind) for name, kind in TYPES.items()}
"""The rules by kind, beside `COMMON`. Further fields are welcome."""
BODY_FIELDS: dict[str, str] = {
    kind: name for kind, rules in KINDS.items() for name, rule in rules.items() if rule.schema is BODY.schema
}
"""The field of a kind whose text may stand elsewhere, by its digest."""
