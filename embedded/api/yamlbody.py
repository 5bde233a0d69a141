"""Reading of YAML bodies as the real API server does: as JSON values, with bounds on size and depth.

Size and depth are checked on libyaml's events before any object is built: libyaml's composer recurses once a level, and
too many levels end the process.
"""

from typing import Any

import yaml

DEEPEST = 100
"""The most levels of lists and mappings in any body. The deepest kinds of Kubernetes have about forty."""
MOST_EVENTS = 200_000
MOST_DIGITS = 400
"""The most characters of a number: Python's time for some numbers grows with the square of their length."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_KNOWN = ("null", "bool", "int", "float", "seq", "map", "str")
_STARTS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class YamlError(Exception):
    """A body that is not valid YAML, or that is refused; the message names the line."""


class _JsonLoader(_Loader):  # type: ignore[misc, valid-type]  # either is a loader
    """YAML with the types of JSON: no dates, no sets, no bytes; a key is a text and unique in its mapping."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, bool):
                key = str(key).lower()
            elif isinstance(key, int):
                key = str(key)
            if not isinstance(key, str):
                raise _wrong(key_node, f"a key must be a text, not {type(key).__name__}")
            if key in made:
                raise _wrong(key_node, f'key "{key[:100]}" already set in map')
            made[key] = self.construct_object(value_node, deep=deep)
        return made

    def construct_number(self, node: Any) -> int | float | str:
        """Make a number of 64 bits; a sexagesimal number stays a text, as in Kubernetes."""
        text = str(self.construct_scalar(node))
        if ":" in text:
            return text
        whole = node.tag == f"{_TAG}int"
        if len(text) > MOST_DIGITS:
            raise _wrong(node, f'"{text[:40]}..." is no number of 64 bits')
        try:
            value: int | float = self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)
        except (IndexError, OverflowError, ValueError) as error:
            raise _wrong(node, f'"{text[:40]}" is no number') from error
        if not (-(2**63) <= value < 2**64 if whole else abs(value) < float("inf")):
            raise _wrong(node, f'"{text[:40]}" is no number of 64 bits')
        return value

    def construct_truth(self, node: Any) -> bool:
        """Make a boolean of the words that YAML 1.1 has for it."""
        text = str(self.construct_scalar(node))
        if text.lower() not in self.bool_values:
            raise _wrong(node, f'"{text[:40]}" is no boolean')
        return bool(self.bool_values[text.lower()])


_JsonLoader.yaml_constructors = {
    **{f"{_TAG}{name}": yaml.SafeLoader.yaml_constructors[f"{_TAG}{name}"] for name in _KNOWN},
    f"{_TAG}bool": _JsonLoader.construct_truth,
    f"{_TAG}int": _JsonLoader.construct_number,
    f"{_TAG}float": _JsonLoader.construct_number,
    None: yaml.SafeLoader.construct_undefined,
}
_JsonLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(_TAG) in _KNOWN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(body: bytes) -> Any:
    """Return the value of a body's only document, or None if there is none.

    Raises:
        YamlError: The body is not valid YAML, or exceeds a bound.
    """
    try:
        _check_bounds(body)
        return yaml.load(body, _JsonLoader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"yaml: line {mark.line + 1 if mark else 0}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise YamlError(f"yaml: {error}") from error


def _check_bounds(body: bytes) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(body, _JsonLoader)):
        depth += isinstance(event, _STARTS) - isinstance(event, _ENDS)
        if depth > DEEPEST:
            raise _wrong(event, f"nested too deeply: at most {DEEPEST} levels are taken")
        if number > MOST_EVENTS:
            raise _wrong(event, f"too large: at most {MOST_EVENTS} parts are taken")
        if isinstance(event, yaml.AliasEvent):
            raise _wrong(event, "aliases are not taken: a short text must not become a huge object")


def _wrong(part: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=part.start_mark)
