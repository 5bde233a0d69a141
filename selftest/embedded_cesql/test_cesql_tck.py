"""The technology compatibility kit of CESQL (cloudevents/spec, cesql/cesql_tck), where somebody has it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.dataplane.cesql import Expression, ParseError

TCK = os.environ.get("TOUCHSTONE_CESQL_TCK")
"""A folder of the kit's YAML files."""
EVENT = {"specversion": "1.0", "id": "1", "source": "/kit", "type": "kit.event"}


class Texts(yaml.SafeLoader):
    """YAML in which a time is a text, as it is in an event."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- the name and the shape are the library's
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def cases(folder: Path) -> Iterator[Any]:
    """Yield the cases of all files: the expression as it is written, the event, and what is expected."""
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text("utf-8")
        written, typed = yaml.load(text, yaml.BaseLoader), yaml.load(text, Texts)  # noqa: S506 -- both are safe loaders
        for raw, case in zip(written["tests"], typed["tests"], strict=True):
            event = {**(case.get("event") or EVENT), **(case.get("eventOverrides") or {})}
            name = f"{path.stem}: {case['name']}"
            yield pytest.param(raw["expression"], event, case.get("result"), raw.get("error"), id=name)


@pytest.mark.skipif(not TCK, reason="TOUCHSTONE_CESQL_TCK names no folder")
@pytest.mark.parametrize(("expression", "event", "result", "error"), [*cases(Path(TCK or "/nowhere"))])
def test_a_case_of_the_kit_holds(expression: str, event: dict[str, Any], result: Any, error: str | None) -> None:
    try:
        outcome = Expression.of(expression).evaluate(event)
    except ParseError:
        assert error == "parse"
        return
    assert (type(outcome.value), outcome.value) == (type(result), result)
    kinds = {str(each.kind) for each in outcome.errors}
    assert error in kinds if error else not kinds, kinds
