"""Volumes and references of pods: what a manifest mounts and refers to is what a process finds."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from embedded.api.resources import CONFIGMAP, EVENT, POD, SECRET
from embedded.runtime.volumes import Mounts
from selftest.embedded_platform.test_processes import SLEEPER, container, is_ready, waiting

pytestmark = pytest.mark.anyio

REPORT = """
import json, os, pathlib, stat, sys
files = [path for name in sys.argv[1:] for path in pathlib.Path(name).rglob("*") if path.is_file()]
found = {path.name: [path.read_text(), oct(stat.S_IMODE(path.stat().st_mode))] for path in files}
print(json.dumps([sys.argv[1:], found, dict(os.environ), os.getcwd()]))
"""


def secret(node: Any, data: dict[str, str]) -> None:
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    node.store.create(SECRET, {"metadata": {"name": "token", "namespace": "default"}, "data": coded})


def config(node: Any, **data: str) -> None:
    node.store.create(CONFIGMAP, {"metadata": {"name": "settings", "namespace": "default"}, "data": data})


async def report(node: Any) -> Any:
    await node.until(lambda s: s["phase"] == "Succeeded")
    return json.loads(await node.log())


async def test_files_of_secrets_and_config_maps_are_under_their_mount_paths(
    node: Any, workshop: Any, tmp_path: Path
) -> None:
    secret(node, {"token": "hush", "other": "not mounted"})
    config(node, client="a=b")
    node.run(
        workshop.image("report", ""),
        command=["python", "-c", REPORT, "/etc/secret", "/etc/config"],
        env=[{"name": "FILES", "value": "--in=/etc/secret/t:/etc/config /etc/secretly http://x/etc/config"}],
        volumeMounts=[{"name": "s", "mountPath": "/etc/secret/"}, {"name": "c", "mountPath": "/etc/config"}],
        workingDir="/etc/config",
        pod={
            "restartPolicy": "Never",
            "volumes": [
                {
                    "name": "s",
                    "secret": {"secretName": "token", "items": [{"key": "token", "path": "t", "mode": 0o444}]},
                },
                {"name": "c", "configMap": {"name": "settings"}},
            ],
        },
    )
    argv, found, environment, folder = await report(node)
    volumes = next((tmp_path / "volumes").iterdir())
    assert argv == [str(volumes / "s"), str(volumes / "c")]
    assert found == {"t": ["hush", "0o400"], "client": ["a=b", "0o600"]}
    assert environment["FILES"] == f"--in={volumes}/s/t:{volumes}/c /etc/secretly http://x/etc/config"
    assert folder == str(volumes / "c")
    assert volumes.stat().st_mode & 0o077 == 0
    node.store.delete(POD, "default", "pod")
    await node.gone()
    assert not volumes.exists()


async def test_empty_dir_outlives_a_crash_but_not_the_pod(node: Any, workshop: Any, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, tempfile\n"
        "lines = pathlib.Path(sys.argv[1])\n"
        "lines.open('a').write('run\\n')\n"
        "print(tempfile.gettempdir())\n"
        "sys.exit(lines.read_text().count('run') < 3)"
    )
    node.run(
        workshop.image("counter", code),
        args=["/history/lines"],
        volumeMounts=[{"name": "kept", "mountPath": "/history"}, {"name": "kept", "mountPath": "/tmp"}],  # noqa: S108
        pod={"restartPolicy": "OnFailure", "volumes": [{"name": "kept", "emptyDir": {}}]},
    )
    status = await node.until(lambda s: s["phase"] == "Succeeded")
    assert container(status)["restartCount"] == 2
    kept = next((tmp_path / "volumes").iterdir()) / "kept"
    assert (kept / "lines").read_text() == "run\n" * 3
    assert await node.log() == f"{kept}\n"
    node.store.delete(POD, "default", "pod")
    await node.gone()
    assert not kept.exists()


async def test_missing_secret_holds_the_pod_back_until_it_is_there(node: Any, workshop: Any) -> None:
    node.run(
        workshop.image("sleeper", SLEEPER),
        volumeMounts=[{"name": "s", "mountPath": "/etc/secret"}],
        pod={"volumes": [{"name": "s", "secret": {"secretName": "token"}}]},
    )
    status = await node.until(lambda s: waiting(s) == "ContainerCreating" and s.get("message"))
    assert 'MountVolume.SetUp failed for volume "s" : secret "token" not found' in status["message"]
    secret(node, {"token": "hush"})
    await node.until(is_ready)


async def test_changed_config_map_changes_its_files(node: Any, workshop: Any) -> None:
    config(node, word="before", gone="x")
    code = (
        "import pathlib, sys, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "print('up', flush=True)\n"
        "while (folder / 'word').read_text() == 'before': time.sleep(0.01)\n"
        "print([path.name for path in folder.iterdir()], (folder / 'word').read_text())"
    )
    node.run(
        workshop.image("reader", code),
        args=["/etc/config"],
        volumeMounts=[{"name": "c", "mountPath": "/etc/config"}],
        pod={"restartPolicy": "Never", "volumes": [{"name": "c", "configMap": {"name": "settings"}}]},
    )
    await node.until(is_ready)
    changed = node.store.get(CONFIGMAP, "default", "settings")
    changed["data"] = {"word": "after"}
    node.store.update(CONFIGMAP, changed)
    await node.until(lambda s: s["phase"] == "Succeeded")
    assert (await node.log()).endswith("['word'] after\n")


async def test_projected_volume_gathers(node: Any, workshop: Any) -> None:
    secret(node, {"token": "hush"})
    config(node, client="a=b")
    sources = [
        {"secret": {"name": "token"}},
        {"configMap": {"name": "settings"}},
        {"configMap": {"name": "absent", "optional": True}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
    node.run(
        workshop.image("report", REPORT),
        args=["/all"],
        volumeMounts=[{"name": "all", "mountPath": "/all"}],
        pod={"restartPolicy": "Never", "volumes": [{"name": "all", "projected": {"sources": sources}}]},
    )
    _, found, _, _ = await report(node)
    assert found == {"token": ["hush", "0o600"], "client": ["a=b", "0o600"], "name": ["pod", "0o600"]}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"hostPath": {"path": "/"}}, "no volumes of hostPath"),
        ({"secret": {"secretName": "token", "items": [{"key": "no", "path": "x"}]}}, "non-existent secret key: no"),
        ({"secret": {"secretName": "token", "items": [{"key": "a", "path": "../x"}]}}, "must be a relative path"),
    ],
)
async def test_what_cannot_be_mounted_is_told(node: Any, workshop: Any, volume: dict[str, Any], message: str) -> None:
    secret(node, {"a": "hush"})
    node.run(
        workshop.image("sleeper", SLEEPER),
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        pod={"volumes": [{"name": "v", **volume}]},
    )
    status = await node.until(lambda s: message in s.get("message", ""))
    assert waiting(status) == "ContainerCreating"
    events = node.store.list(EVENT, "default")
    assert [(event["reason"], event["type"]) for event in events] == [("FailedMount", "Warning")]
    assert message in events[0]["message"]
    assert events[0]["involvedObject"]["name"] == "pod"


async def test_root_cannot_be_mounted_on(node: Any, workshop: Any) -> None:
    node.run(
        workshop.image("sleeper", SLEEPER),
        volumeMounts=[{"name": "v", "mountPath": "/"}],
        pod={"volumes": [{"name": "v", "emptyDir": {}}]},
    )
    await node.until(lambda s: 'volume "v" cannot be mounted on the root' in s.get("message", ""))


async def test_environment_refers_to_secrets_maps_and_fields(node: Any, workshop: Any) -> None:
    secret(node, {"token": "hush"})
    config(node, a="1", b="2")
    fields = ("metadata.uid", "metadata.labels['app']", "status.podIP", "spec.serviceAccountName", "spec.nodeName")
    node.run(
        workshop.image("report", REPORT),
        labels={"app": "probe"},
        env=[
            {"name": "HIDDEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}},
            {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "token", "key": "no", "optional": True}}},
            *({"name": f"F{n}", "valueFrom": {"fieldRef": {"fieldPath": path}}} for n, path in enumerate(fields)),
        ],
        envFrom=[
            {"configMapRef": {"name": "settings"}, "prefix": "SET_"},
            {"secretRef": {"name": "absent", "optional": True}},
        ],
        pod={"restartPolicy": "Never", "serviceAccountName": "runner"},
    )
    _, _, environment, _ = await report(node)
    pod = node.store.get(POD, "default", "pod")
    assert environment["HIDDEN"] == "hush"
    assert "NONE" not in environment
    assert (environment["SET_a"], environment["SET_b"]) == ("1", "2")
    uid, ip = pod["metadata"]["uid"], pod["status"]["podIP"]
    assert [environment[f"F{n}"] for n in range(5)] == [uid, "probe", ip, "runner", "touchstone"]


async def test_missing_key_is_a_config_error_and_an_event(node: Any, workshop: Any) -> None:
    secret(node, {"token": "hush"})
    source = {"secretKeyRef": {"name": "token", "key": "no"}}
    node.run(workshop.image("sleeper", SLEEPER), env=[{"name": "A", "valueFrom": source}])
    status = await node.until(lambda s: waiting(s) == "CreateContainerConfigError")
    assert container(status)["state"]["waiting"]["message"] == "couldn't find key no in Secret default/token"
    event = node.store.list(EVENT, "default")[0]
    assert (event["reason"], event["message"]) == ("Failed", "Error: couldn't find key no in Secret default/token")


async def test_command_in_the_container_tells_readiness(node: Any, workshop: Any) -> None:
    code = "import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\nprint('up', flush=True)\ntime.sleep(600)"
    node.run(
        workshop.image("toucher", code),
        args=["/state/ready"],
        volumeMounts=[{"name": "state", "mountPath": "/state"}],
        readinessProbe={"exec": {"command": ["cat", "/state/ready"]}, "periodSeconds": 1},
        pod={"volumes": [{"name": "state", "emptyDir": {}}]},
    )
    await node.until(is_ready)


async def test_failing_command_is_told(node: Any, workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.runtime.containers.SLOW_START", 0.1)
    probe = {"exec": {"command": ["sh", "-c", "echo no such luck; exit 3"]}}
    node.run(workshop.image("sleeper", SLEEPER), readinessProbe=probe)
    await node.until(lambda s: "'sh' ended with status 3: no such luck" in s.get("message", ""))


async def test_events_tell_of_starts_and_crashes(node: Any, workshop: Any) -> None:
    node.run(workshop.image("crash", "raise SystemExit(1)"))
    await node.until(lambda s: container(s)["restartCount"] >= 2)
    counts = {event["reason"]: event["count"] for event in node.store.list(EVENT, "default")}
    assert counts["Started"] >= 2
    assert counts["BackOff"] >= 2


def test_longest_mount_path_wins() -> None:
    mounts = Mounts({"/a": Path("/1"), "/a/b": Path("/2")})
    assert mounts.replace("/a/b/c /a/c x=/a,/a/b /ab /x/a file:///a/b") == "/2/c /1/c x=/1,/2 /ab /x/a file:///2"
