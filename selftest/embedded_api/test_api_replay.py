"""What a real Kubernetes 1.36 answered to kubectl, request by request, against what we answer.

The recording is not part of the project; whoever has one names its file in TOUCHSTONE_API_RECORDING (JSON lines with
step, request and response). Its facts, restated, are in `observed.toml`, which every clone compares. Left aside are
names and numbers that every server makes anew (uids, times, resourceVersions), texts that only describe, kinds that we
do not serve, and the three differences of `EXPECTED`.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from selftest.embedded_api.conftest import Api

RECORDING = os.environ.get("TOUCHSTONE_API_RECORDING")
EXCHANGES = [json.loads(line) for line in Path(RECORDING).read_text().splitlines()] if RECORDING else []
STEPS = list(dict.fromkeys(exchange["step"] for exchange in EXCHANGES))

EXPECTED = {
    ("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"): "the recorded server held other definitions",
    ("GET", "/api/v1/namespaces/kserve-test", "Terminating"): "a namespace is emptied at once, not some time later",
    ("GET", "/api/v1/namespaces", "Terminating"): "likewise",
}
ASIDE = frozenset(
    {
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "time",
        "description",
        "kubectl.kubernetes.io/last-applied-configuration",
    }
)
LEFT_OUT = re.compile(r"<\d+ (characters left out|bytes binary)>")

pytestmark = pytest.mark.skipif(not EXCHANGES, reason="TOUCHSTONE_API_RECORDING names no recording")


class Replay:
    """Plays the recording on a server and keeps what differs, by step."""

    def __init__(self, api: "Api") -> None:
        self._api = api
        self._known: dict[str, str] = {}  # recorded resourceVersions and uids to ours
        self._etags: dict[str, str] = {}
        self.differences: dict[str, list[str]] = {}
        self.compared = 0

    def play(self, number: int, step: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Make one request again and note every difference in the answer."""
        path = request["path"].partition("?")[0]
        terminating = "Terminating" if '"phase": "Terminating"' in json.dumps(answer["body"]) else None
        known = (request["method"], path) in EXPECTED or (request["method"], path, terminating) in EXPECTED
        found = [] if known else list(self._exchange(request, answer))
        where = f"#{number} {request['method']} {path}"
        self.differences.setdefault(step, []).extend(f"{where}: {one}" for one in found)

    def _exchange(self, request: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
        headers = {"Accept": request["accept"] or "*/*"}
        if request["contentType"]:
            headers["Content-Type"] = request["contentType"]
        path = re.sub(r"(?<=resourceVersion=)\d+", lambda found: self._known.get(found[0], found[0]), request["path"])
        plain = path.partition("?")[0]
        if answer["status"] == 304:
            headers["If-None-Match"] = self._etags[plain]
        if "watch=true" in path:
            yield from self._watch(path, headers, answer)
            return
        body = request["body"]
        protobuf = isinstance(body, str)
        content = body.encode("latin-1") if protobuf else body and json.dumps(self._translated(body)).encode()
        ours = self._api.client.request(request["method"], path, content=content, headers=headers)
        self._etags[plain] = ours.headers.get("etag", "")
        if ours.status_code != answer["status"]:
            yield f"status {ours.status_code}, not {answer['status']}: {ours.text[:300]}"
            return
        self.compared += 1
        recorded = answer["body"]
        if isinstance(recorded, str):
            return  # empty or binary, in both cases the status is what there is to compare
        mine = ours.json()
        if plain in ("/api", "/apis") or (plain.startswith("/apis/") and plain.count("/") == 3):
            yield from _discovery(recorded, mine)
        elif plain == "/version":
            yield from self._differ(
                {k: recorded[k] for k in ("major", "minor")}, {k: mine[k] for k in ("major", "minor")}, ""
            )
        elif plain.startswith("/openapi/v3"):
            unknown = set(mine["paths"]) - set(recorded["paths"]) if plain == "/openapi/v3" else set()
            yield from (f"path {name} is not a real one" for name in unknown)
        else:
            yield from self._differ(recorded, mine, "")

    def _watch(self, path: str, headers: dict[str, str], answer: dict[str, Any]) -> Iterator[str]:
        recorded = [json.loads(line) for line in answer["body"].splitlines() if line]
        with self._api.client.stream("GET", path, headers=headers, timeout=2) as response:
            lines = response.iter_lines()
            for number, event in enumerate(recorded):
                self.compared += 1
                try:
                    ours = json.loads(next(lines))
                except httpx.ReadTimeout:
                    yield f"event {number} and those after it did not come"
                    return
                yield from self._differ(event, ours, f"event[{number}]")

    def _translated(self, value: Any) -> Any:
        """Return a recorded body with our resourceVersions and uids in it."""
        if isinstance(value, dict):
            return {name: self._translated(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._translated(item) for item in value]
        return self._known.get(value, value) if isinstance(value, str) else value

    def _differ(self, recorded: Any, ours: Any, path: str) -> Iterator[str]:
        if isinstance(recorded, str) and LEFT_OUT.fullmatch(recorded):
            return
        if isinstance(recorded, dict) and isinstance(ours, dict):
            self._known.update(
                {recorded[k]: ours[k] for k in ("uid", "resourceVersion") if k in recorded and k in ours}
            )
            for name in sorted({*recorded, *ours} - ASIDE):
                below = f"{path}.{name}"
                if name not in ours or name not in recorded:
                    yield f"{below} is {'missing' if name in recorded else 'new: ' + repr(ours[name])[:200]}"
                elif name == "cells":
                    yield from self._differ(_without_ages(recorded[name]), _without_ages(ours[name]), below)
                elif name == "managedFields":  # sorted by time, and ours all happen in one second
                    theirs, mine = (sorted(owners, key=_owner) for owners in (recorded[name], ours[name]))
                    yield from self._differ(theirs, mine, below)
                elif name != "resourceVersion":
                    yield from self._differ(recorded[name], ours[name], below)
        elif isinstance(recorded, list) and isinstance(ours, list):
            if len(recorded) != len(ours):
                yield f"{path} has {len(ours)} items, not {len(recorded)}"
            for index, (one, other) in enumerate(zip(recorded, ours, strict=False)):
                yield from self._differ(one, other, f"{path}[{index}]")
        elif isinstance(recorded, str) and isinstance(ours, str):
            if _without_times(recorded) != _without_times(ours):
                yield f"{path} is {ours!r}, not {recorded!r}"
        elif recorded != ours:
            yield f"{path} is {ours!r}, not {recorded!r}"


def _owner(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["operation"], entry["manager"]


def _without_times(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)


def _without_ages(cells: list[Any]) -> list[Any]:
    return ["<age>" if isinstance(cell, str) and re.fullmatch(r"\d+s", cell) else cell for cell in cells]


def _discovery(recorded: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Each kind of ours must be described as the real server describes it."""
    theirs = {one.get("resource") or one.get("name"): one for one in _discovered(recorded)}
    for one in _discovered(ours):
        name = one.get("resource") or one.get("name")
        real = theirs.get(name)
        if real is None:
            if theirs:
                yield f"{name} is not known to the real server"
            continue
        for key in (
            "scope",
            "singularResource",
            "singularName",
            "namespaced",
            "kind",
            "shortNames",
            "categories",
            "responseKind",
        ):
            if one.get(key) != real.get(key):
                yield f"{name}.{key} is {one.get(key)!r}, not {real.get(key)!r}"
        if set(one["verbs"]) != set(real["verbs"]):
            yield f"{name}.verbs are {one['verbs']}, not {real['verbs']}"
        subresources = {sub["subresource"] for sub in one.get("subresources", ())}
        if unknown := subresources - {sub["subresource"] for sub in real.get("subresources", ())}:
            yield f"{name} has subresources {unknown} of its own"


def _discovered(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document.get("resources", ())
    items = document.get("items", ())
    for group in items if isinstance(items, list) else ():
        for version in group["versions"]:
            yield from version["resources"]


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    from selftest.embedded_api.conftest import Api

    api = Api()
    played = Replay(api)
    try:
        for step in STEPS:
            numbered = [(n, exchange) for n, exchange in enumerate(EXCHANGES) if exchange["step"] == step]
            for number, exchange in sorted(numbered, key=lambda pair: "watch=true" in pair[1]["request"]["path"]):
                played.play(number, step, exchange["request"], exchange["response"])
        yield played
    finally:
        api.stop()


@pytest.mark.parametrize("step", STEPS)
def test_answers_are_those_of_a_real_api_server(replay: Replay, step: str) -> None:
    assert "\n".join(replay.differences[step]) == ""


def test_nearly_all_of_the_recording_is_compared(replay: Replay) -> None:
    assert replay.compared > 0.95 * len(EXCHANGES)
