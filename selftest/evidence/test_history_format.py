"""The format of histories: one definition, from which the reader's rules, the JSON Schema and the page follow."""

from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from evidence import schema
from evidence.history import HistoryError, Parser, fault_of, parse
from evidence.records import FORMAT, TYPES
from evidence.rules import COMMON, KINDS, abouts_of, rule_of
from evidence.schema.examples import EXAMPLES
from selftest.histories import Raw, lines

# What a field might hold instead. Numbers like 1.0 are left out: whole for JSON Schema, and not for the reader.
STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    7,
    1000,
    0.5,
    -0.5,
    1e12 + 0.5,
    "",
    "x",
    "x" * 1001,
    [],
    [1],
    ["a"],
    [["a", "b"]],
]
STRANGE += [
    [["a", None]],
    [[None, "a"]],
    {},
    {"0": 1},
    {"x": "y"},
    {"x": None},
    {"latencies": 1},
    [[]],
    {"source": "s"},
]


def raw(kind: str) -> Raw:
    return dict(EXAMPLES[kind])


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    return jsonschema.Draft202012Validator(schema.schema())


@pytest.mark.parametrize("path", list(schema.files()), ids=lambda path: path.name)
def test_what_is_generated_is_not_stale(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == schema.files()[path], "run python -m evidence.schema"


def test_each_kind_has_an_example_that_the_reader_and_the_schema_take(
    validator: jsonschema.Draft202012Validator,
) -> None:
    assert list(EXAMPLES) == list(TYPES)
    assert [record["record"] for record in parse(lines(EXAMPLES.values()))] == list(TYPES)
    for record in EXAMPLES.values():
        validator.validate(record)


@pytest.mark.parametrize("kind", TYPES)
def test_each_kind_says_what_it_is_who_writes_it_and_what_its_fields_hold(kind: str) -> None:
    assert all(schema.words_of(TYPES[kind]))
    assert [name for name, about in abouts_of(TYPES[kind]).items() if not about] == ["record"]


@pytest.mark.parametrize("kind", TYPES)
def test_reader_and_schema_refuse_the_same(kind: str) -> None:
    validator = jsonschema.Draft202012Validator(schema.schema()["$defs"][kind])
    for name, rule in (COMMON | KINDS[kind]).items():
        left_out = {field: value for field, value in raw(kind).items() if field != name}
        changed = [left_out, *({**raw(kind), name: value} for value in STRANGE)]
        if rule.expected.startswith("a time"):  # `format` is for people: validators need not look at it
            changed = [left_out]
        for record in changed:
            fault = fault_of(record)
            assert (fault is None) == validator.is_valid(record), (name, record.get(name, "nothing"), fault)


def test_a_type_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="there is no rule for a field of type"):
        rule_of(set[str])


WITH = "read it with the suite that wrote it"
SUITE = {"version": "0.1.0", "commit": "abc"}
OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("older", {"format": 2, "suite": SUITE}, f"got one of format 2: {WITH} (version '0.1.0', commit 'abc')"),
    ("oldest", {"format": ...}, "got one whose first record names none: it is older, or cut off"),
    ("newer", {"format": FORMAT + 1, "suite": SUITE}, f"got one of format {FORMAT + 1}: {WITH}"),
    ("no number", {"format": str(FORMAT)}, f"got one of format '{FORMAT}'"),
    ("true", {"format": True}, "got one of format true"),
    ("suite of a stranger", {"format": 2, "suite": [1]}, f"got one of format 2: {WITH}"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "told"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_another_format_is_refused_in_one_line(fields: dict[str, Any], told: str) -> None:
    record = {name: value for name, value in (raw("run.started") | fields).items() if value is not ...}
    with pytest.raises(HistoryError) as caught:
        list(parse([orjson.dumps(record) + b"\n"], "h.ndjson"))
    assert str(caught.value).startswith(f"h.ndjson:1: expected a history of format {FORMAT}, {told}")
    assert "\n" not in str(caught.value)


def test_a_real_line_of_format_2_is_refused_by_its_format_and_not_by_its_fields() -> None:
    line = b'{"seq":1,"t":1.5,"kind":"run.started","scope":"","run":"r","suite":{"version":"0.1.0"},"format":2}\n'
    with pytest.raises(HistoryError, match="got one of format 2"):
        Parser().record(line, 1)


def test_only_the_first_record_needs_the_format() -> None:
    first, second = {**raw("probe.started"), "format": FORMAT, "seq": 1}, {**raw("probe.shortage"), "seq": 2}
    assert len(list(parse(lines([first, second])))) == 2
