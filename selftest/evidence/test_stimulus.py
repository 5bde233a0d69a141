"""A recorded stimulus as a file: read back as it was written, and refused with the place where it is none."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from evidence.stimulus import FENCE, StimulusError, parse, read, to_json
from selftest.reports import stimuli

GOOD = stimuli.burst(2)


def changed(path: str, value: Any) -> str:
    """Return the document with one value exchanged; a path of names and numbers joined by dots."""
    document: Any = copy.deepcopy(GOOD)
    *before, last = path.split(".")
    place = document
    for name in before:
        place = place[int(name) if name.isdigit() else name]
    place[int(last) if last.isdigit() else last] = value
    return json.dumps(document)


@pytest.mark.parametrize("form", ["{}", f"# An issue\n\n{FENCE}\n{{}}\n```\n\nand more\n"], ids=["json", "markdown"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_it_is_read_as_it_was_written(tmp_path: Path, form: str, newline: str) -> None:
    file = tmp_path / "case.md"
    file.write_bytes(form.replace("{}", to_json(GOOD)).replace("\n", newline).encode())
    assert read(file) == GOOD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "got 0 such blocks"),
        ("# An issue\n```json\n{}\n```\n", "got 0 such blocks"),
        (f"{FENCE}\n{{}}\n```\n{FENCE}\n{{}}\n```\n", "got 2 such blocks"),
        ("{", "expected JSON"),
        ("{}", "field touchstone_replay: expected 1, got nothing"),
        (changed("touchstone_replay", 2), "field touchstone_replay: expected 1, got 2"),
        (changed("requirement", ""), "field requirement: expected a text of 1 to 1000 characters, got ''"),
        (changed("steps", []), "expected a claim among them, got none"),
        (changed("steps.0", 7), "field steps[0].step: expected one of sink, topic"),
        (changed("steps.0.step", "shell"), "field steps[0].step: expected one of sink, topic"),
        (changed("steps.0.verb", "exec"), "field steps[0].verb: expected one of create, apply, patch, delete"),
        (changed("steps.6.requests.1", "x"), "field steps[6].requests[1]: expected an object"),
        (
            changed("steps.6.requests.1.headers", [["a"]]),
            "field steps[6].requests[1].headers: expected a list of pairs",
        ),
        (changed("steps.8.within", -1), "field steps[8].within: expected a number from 0"),
        (changed("steps.8.args", [1]), "field steps[8].args: expected an object"),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(StimulusError) as refused:
        parse(text, "case.md")
    assert str(refused.value).startswith("case.md: ")
    assert told in str(refused.value)


def test_nesting_is_bounded() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(StimulusError, match="nested"):
        parse(changed("steps.8.args", {"deep": deep}), "case.md")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StimulusError, match="No such file"):
        read(tmp_path / "case.md")
