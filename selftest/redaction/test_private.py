"""What a run records is private from its first moment, and the suite's own credentials are in none of it."""

import base64
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from common import files
from common.redaction import Redactor
from evidence.records import Replied
from fixtures import credentials
from fixtures.errors import ProbeError
from fixtures.pipelines.settings import PipelineSettings
from fixtures.probe.history import History
from fixtures.probe_control.client import ProbeClient
from fixtures.probe_control.local import LocalProbe
from fixtures.probe_control.mirror import Mirror
from fixtures.processes.children import Child
from fixtures.targets.base import TargetInfo
from selftest.fixtures import house
from selftest.histories import lines, read
from selftest.warm.running import run_pytest

pytest_plugins = ["pytester"]

# Neither looks like a secret: only who knows it can tell.
TOKEN, PASSWORD = "plain words of a cluster", 'a "quoted" word of Kafka'
KEY = "-----BEGIN PRIVATE " + "KEY-----\nMIIEowIBAAKCAQEA7bq0fK1xkVzQ8s2u5Yt9\n-----END PRIVATE " + "KEY-----\n"


@pytest.fixture(autouse=True)
def _careless_umask() -> Iterator[None]:
    """Yield the umask of somebody who shares everything: modes must not depend on it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    user = {"token": TOKEN, "client-key-data": base64.b64encode(KEY.encode()).decode()}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump({"users": [{"name": "u", "user": user}]}), encoding="utf-8")
    return path


@pytest.fixture
def kafka_properties(tmp_path: Path) -> Path:
    path = tmp_path / "client.properties"
    lines = ("security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "sasl.username=u", f"sasl.password={PASSWORD}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_and_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "shared" / "own")
    files.write(tmp_path / "shared" / "own" / "file", b"x")
    assert mode(tmp_path / "shared" / "own") == 0o700
    assert mode(tmp_path / "shared" / "own" / "file") == 0o600
    with pytest.raises(FileExistsError):
        files.make_folder(tmp_path / "shared" / "own")


def test_what_a_child_writes_is_private(tmp_path: Path) -> None:
    info = tmp_path / "info.json"
    script = (
        "import json, os, pathlib, sys\n"
        f"os.mkdir('{tmp_path}/state')\n"
        f"part = pathlib.Path('{tmp_path}/part')\n"
        "part.write_text(json.dumps(dict(pid=1)))\n"
        f"part.replace('{info}')\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    child = Child("a child", command, log=tmp_path / "child.log", info=info, failure=ProbeError)
    try:
        child.start()
        child.wait_for_info(10)
    finally:
        child.stop()
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {
        "child.log": 0o600, "info.json": 0o600, "state": 0o700,
    }  # fmt: skip


def test_no_file_of_a_run_is_for_others(pytester: pytest.Pytester) -> None:
    test = (
        '@pytest.mark.requirement("TST-ONE-001")\ndef test_it(sinks):\n'
        '    expect(answered(post(running_test(), sinks([Answer(500)]).url, [], b"", "POST"), 202))\n'
    )
    house.build(pytester.path, test)
    run_pytest(pytester.path, "suites", "--target", "fake", "-n1", "-p", "no:cacheprovider").assert_outcomes(failed=1)
    folder = house.run_folder(pytester.path).resolve()
    assert mode(folder) == 0o700
    raw = [folder / name for name in ("history.ndjson", "probe.log", "platform.log")]
    assert {path.name: mode(path) for path in raw} == dict.fromkeys((path.name for path in raw), 0o600)


def test_credentials_are_found_where_a_run_gets_them(
    kubeconfig: Path, kafka_properties: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE_TOKEN", "the token of a run")
    found = credentials.given(f"{kubeconfig}{os.pathsep}/nowhere", kafka_properties)
    assert {TOKEN, PASSWORD, "the token of a run", KEY} <= set(found)
    assert "u" not in found
    assert credentials.given(None, None) == ("the token of a run",)


@pytest.mark.parametrize(
    "text", ["users: 1", "- a", "users: [1, {user: 2}]", "users:\n- user: {client-key-data: '*'}", "{"]
)
def test_a_kubeconfig_that_cannot_be_read_is_left_to_who_uses_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "kubeconfig").write_text(text, encoding="utf-8")
    assert TOKEN not in credentials.given(str(tmp_path / "kubeconfig"), tmp_path / "none.properties")


def test_a_history_holds_everything_but_the_credentials(tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson"
    said = f"the answer has {PASSWORD} and Bearer mF9oB5f4Jq1M"
    with History(path, redactor=Redactor.knowing([PASSWORD])) as history:
        headers = [["X-Said", said]]
        history.append("s", Replied(record="replied", receive="r", status=200, headers=headers, body=said))
    record = next(read(path))
    assert record["body"] == "the answer has (redacted) and Bearer mF9oB5f4Jq1M"
    assert record["headers"] == [["X-Said", record["body"]]]
    assert record["seq"] == 1
    assert mode(path) == 0o600


def test_no_credential_reaches_the_history_through_a_probe(
    tmp_path: Path, kubeconfig: Path, kafka_properties: Path
) -> None:
    target = TargetInfo(
        "none", kubeconfig=str(kubeconfig), settings=PipelineSettings(kafka_properties=str(kafka_properties))
    )
    folder = tmp_path / "run"
    folder.mkdir()
    probe = LocalProbe(folder, folder / "history.ndjson")
    try:
        probe.start(target)
        assert probe._child is not None
        process = probe._child.process
        assert process is not None
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert not [value for value in (TOKEN, PASSWORD, probe.token) if value.encode() in arguments]
        with ProbeClient.at(probe.address) as client:
            body = f"{TOKEN}, {PASSWORD}, {probe.token}, {KEY}"
            client.write("s", {"record": "test.finished", "outcome": "error", "reason": body, "duration": 0})
    finally:
        probe.stop()
    text = (folder / "history.ndjson").read_text(encoding="utf-8")
    assert '"reason"' in text
    assert not [
        value for value in (TOKEN, json.dumps(PASSWORD)[1:-1], probe.token, "MIIEowIBAAKCAQEA7bq") if value in text
    ]


def test_a_copy_of_a_history_holds_no_credential_either(tmp_path: Path) -> None:
    class Elsewhere:
        """A probe in a pod, which is not told the kubeconfig's credentials."""

        instance = "one"

        def __init__(self) -> None:
            record = {"seq": 1, "t": 1.0, "record": "test.finished", "scope": "s", "reason": f"got {TOKEN}"}
            self._lines = lines([record])

        def adopt(self, after: int) -> dict[str, str]:
            return {"instance": self.instance, "after": str(after)}

        def lines(self, scope: str, after: int, wait: float) -> list[bytes]:
            del scope, wait
            return self._lines[after:]

        def health(self) -> dict[str, int]:
            return {"seq": 1, "began": 1}

        def close(self) -> None:
            """Nothing is open."""

    path = tmp_path / "copy.ndjson"
    mirror = Mirror(Elsewhere(), path, print, Redactor.knowing([TOKEN]))  # type: ignore[arg-type]  # as much of one as it asks
    mirror.start()
    mirror.drain(10)
    copied = {"seq": 1, "t": 1.0, "record": "test.finished", "scope": "s", "reason": "got (redacted)"}
    assert path.read_bytes().splitlines(keepends=True) == lines([copied]), "the chain of the copy is one of its own"
    assert mode(path) == 0o600


GIVEN = """
from fixtures.pipelines.settings import PipelineSettings

class Given(Fake):
    name = "given"

    def start(self):
        return replace(super().start(), settings=PipelineSettings(kafka_properties=os.environ["PROPERTIES"]))

registry.TARGETS["given"] = Given
"""
TESTS = """
@pytest.mark.requirement("TST-ONE-001")
def test_raises():
    raise RuntimeError("got " + os.environ["SAID"])

@pytest.mark.requirement("TST-ONE-001")
def test_expects(sinks):
    body = os.environ["SAID"].encode()
    expect(answered(post(running_test(), sinks([Answer(500, body=body)]).url, [], body, "POST"), 202))
"""


@pytest.mark.parametrize("workers", [0, 1], ids=["in-one-process", "in-a-worker"])
def test_no_credential_is_in_any_file_of_a_run_nor_printed(
    pytester: pytest.Pytester, kafka_properties: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    house.build(pytester.path, TESTS)
    with (pytester.path / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(GIVEN)
    monkeypatch.setenv("PROPERTIES", str(kafka_properties))
    monkeypatch.setenv("SAID", PASSWORD)
    result = run_pytest(pytester.path, "suites", "--target", "given", f"-n{workers}", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=2)
    folder = house.run_folder(pytester.path)
    shown = [
        "\n".join(result.outlines),
        *(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()),
    ]
    assert "got (redacted)" in shown[0]
    assert not [text for text in shown if PASSWORD in text or json.dumps(PASSWORD)[1:-1] in text]
