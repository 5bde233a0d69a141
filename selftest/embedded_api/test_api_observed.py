"""The embedded API beside what a real Kubernetes API server was seen to answer, fact by fact (`observed.toml`)."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

STEPS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("observed.toml").read_text(encoding="utf-8"),
)["step"]
NULL = "!null"
"""How the data writes a JSON null, which TOML does not have."""
MISSING = object()


@pytest.fixture(scope="module")
def answers() -> Iterator[list[tuple[int, Any, dict[str, str]]]]:
    """Yield the status and the body of each step's answer, in order, with what had been kept by then."""
    from selftest.embedded_api.conftest import Api

    api = Api()
    try:
        yield list(_played(api))
    finally:
        api.stop()


def _played(api: "Api") -> Iterator[tuple[int, Any, dict[str, str]]]:
    kept: dict[str, str] = {}
    for step in STEPS:
        method, path = step["request"].split(" ", 1)
        headers = {
            "Content-Type": step.get("type", "application/json"),
            "Accept": step.get("accept", "application/json"),
        }
        content = _with_kept(step["body"], kept) if "body" in step else None
        answer = api.client.request(method, path, json=content, headers=headers)
        body = answer.json()
        kept |= {name: str(_at(body, field)) for field, name in step.get("keep", {}).items()}
        yield answer.status_code, body, dict(kept)


@pytest.mark.parametrize("number", range(len(STEPS)), ids=[step["fact"] for step in STEPS])
def test_the_answer_is_what_a_real_server_was_seen_to_say(
    answers: list[tuple[int, Any, dict[str, str]]], number: int
) -> None:
    step = STEPS[number]
    status, body, kept = answers[number]
    assert (status, _differences(step, body, kept)) == (step["status"], {}), body


def _differences(step: Mapping[str, Any], body: Any, kept: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that are not as they were seen, with what is there instead."""
    different = {
        field: _at(body, field)
        for field, seen in step.get("equal", {}).items()
        if not _same(_with_kept(seen, kept), _at(body, field))
    }
    different |= {
        field: _at(body, field)
        for field, members in step.get("members", {}).items()
        if sorted(_at(body, field)) != sorted(members)
    }
    return different | {field: _at(body, field) for field in step.get("absent", ()) if _at(body, field) is not MISSING}


def _same(seen: Any, ours: Any) -> bool:
    if isinstance(seen, dict) and isinstance(ours, dict):
        return seen.keys() == ours.keys() and all(_same(seen[name], ours[name]) for name in seen)
    if isinstance(seen, list) and isinstance(ours, list):
        return len(seen) == len(ours) and all(map(_same, seen, ours))
    if isinstance(seen, str) and len(seen) > 1 and seen.startswith("/") and seen.endswith("/"):
        return isinstance(ours, str) and re.fullmatch(seen[1:-1], ours) is not None
    return bool(seen == ours)


def _at(value: Any, path: str) -> Any:
    """Return the value at a path of names, numbers and `*` (of each member); a name itself may hold no dot."""
    head, _, rest = path.partition(".")
    if head == "*":
        return [_at(member, rest) for member in value]
    if isinstance(value, list) and head.isdigit():
        below = value[int(head)] if int(head) < len(value) else MISSING
    else:
        below = value.get(head, MISSING) if isinstance(value, dict) else MISSING
    return _at(below, rest) if rest and below is not MISSING else below


def _with_kept(value: Any, kept: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _with_kept(member, kept) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_kept(member, kept) for member in value]
    if value == NULL:
        return None
    if isinstance(value, str) and value.startswith("{"):
        return kept[value.strip("{}")]
    return value
