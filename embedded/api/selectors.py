"""Label and field selectors of requests, compiled to tests of objects."""

import re
from collections.abc import Callable
from typing import Any

from embedded.api.errors import ApiError, bad_request
from embedded.api.resources import Resource

Test = Callable[[dict[str, Any]], bool]

_SET = re.compile(r"\s*([^\s,!=()]+)\s+(in|notin)\s*\(([^)]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s,!=()]+)\s*(==|!=|=)\s*([^\s,!=()]*)\s*")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s,!=()]+)\s*")


def selector(resource: Resource, labels: str, fields: str) -> Test | None:
    """Return a test that holds for the objects that both selectors choose; None if they choose all.

    Raises:
        ApiError: A selector cannot be read, or names a field that this kind cannot be selected by (400).
    """
    tests = [*_labels(labels), *_fields(resource, fields)]
    return (lambda obj: all(test(obj) for test in tests)) if tests else None


def _labels(text: str) -> list[Test]:
    tests: list[Test] = []
    rest = text.strip()
    while rest:
        if match := _SET.match(rest):
            key, word, listed = match.groups()
            tests.append(_label_in(key, frozenset(item.strip() for item in listed.split(",")), included=word == "in"))
        elif match := _EQUAL.match(rest):
            key, sign, value = match.groups()
            tests.append(_label_in(key, frozenset({value}), included=sign != "!="))
        elif match := _EXISTS.match(rest):
            tests.append(_label_exists(match[2], included=not match[1]))
        else:
            raise bad_request(f'unable to parse requirement: found "{rest[:40]}", expected: a label selector')
        rest = rest[match.end() :]
        if rest and not rest.startswith(","):
            raise bad_request(f"unable to parse requirement: found '{rest[:40]}', expected: ',' or 'end of string'")
        rest = rest[1:]
    return tests


def _label_in(key: str, values: frozenset[str], *, included: bool) -> Test:
    if included:
        return lambda obj: (obj["metadata"].get("labels") or {}).get(key) in values
    return lambda obj: (obj["metadata"].get("labels") or {}).get(key) not in values


def _label_exists(key: str, *, included: bool) -> Test:
    return lambda obj: (key in (obj["metadata"].get("labels") or {})) is included


def _fields(resource: Resource, text: str) -> list[Test]:
    tests = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([^!=]+?)\s*(==|!=|=)\s*(.*)", term)
        if not match:
            raise bad_request(f'invalid field selector: "{text}": can\'t understand "{term}"')
        path, sign, value = match.groups()
        if resource.custom and path not in ("metadata.name", "metadata.namespace"):
            raise _unsupported(path)
        tests.append(_field(path.split("."), value, included=sign != "!="))
    return tests


def _field(steps: list[str], value: str, *, included: bool) -> Test:
    def test(obj: dict[str, Any]) -> bool:
        current: Any = obj
        for step in steps:
            current = current.get(step) if isinstance(current, dict) else None
        return (("" if current is None else str(current)) == value) is included

    return test


def _unsupported(path: str) -> ApiError:
    return bad_request(f"field label not supported: {path}")
