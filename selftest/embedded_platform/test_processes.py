"""Pods as processes: they start, become ready, crash, hang, resist, and leave nothing behind."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedded.api.errors import ApiError
from embedded.api.resources import CONFIGMAP, NAMESPACE, POD, SERVICE
from embedded.api.streams import LogQuery
from embedded.runtime import init, signals
from embedded.runtime.containers import Backoff

pytestmark = pytest.mark.anyio

SERVER = """
import http.server, sys
print("serving", flush=True)
http.server.HTTPServer(("", 28417), http.server.BaseHTTPRequestHandler).serve_forever()
"""
SLEEPER = "import time, sys\nprint('up', flush=True)\ntime.sleep(600)"


def is_ready(status: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])


def container(status: dict[str, Any]) -> Any:
    return status["containerStatuses"][0]


def waiting(status: dict[str, Any]) -> str:
    return str(container(status)["state"].get("waiting", {}).get("reason", ""))


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_container_is_ready_once_its_port_answers(node: Any, workshop: Any) -> None:
    node.run(workshop.image("server", SERVER, "readiness = { port = 28417 }"))
    status = await node.until(is_ready)
    assert status["phase"] == "Running"
    assert container(status) | {"state": None} == {
        "name": "main", "image": "server", "imageID": "", "ready": True, "started": True, "restartCount": 0,
        "state": None, "lastState": {},
    }  # fmt: skip


async def test_every_address_means_the_pods_address(node: Any, workshop: Any) -> None:
    server = workshop.image("server", SERVER, "readiness = { port = 28417 }")
    node.run(server, "one")
    node.run(server, "two")
    one, two = await node.until(is_ready, "one"), await node.until(is_ready, "two")
    assert one["podIP"] != two["podIP"]
    assert one["podIP"].startswith("127.")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", 28417)


async def test_crash_shows_status_code_and_end_of_log(node: Any, workshop: Any) -> None:
    node.run(workshop.image("crash", "import sys; sys.exit('no model here')"))
    status = await node.until(lambda s: waiting(s) == "CrashLoopBackOff" and container(s)["restartCount"] >= 1)
    assert "exited with status 1" in status["message"]
    assert "no model here" in status["message"]
    assert container(status)["lastState"]["terminated"]["exitCode"] == 1
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    assert "no model here" in ready["message"]


async def test_port_taken_on_every_address_gives_a_hint(node: Any, workshop: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 -- the fault that a machine may have
        taken.listen()
        node.run(workshop.image("server", SERVER.replace("28417", str(taken.getsockname()[1]))))
        status = await node.until(lambda s: waiting(s) == "CrashLoopBackOff")
    assert "Address already in use" in status["message"]
    assert "`ss -ltn` shows it" in status["message"]


async def test_log_of_the_run_before_is_kept(node: Any, workshop: Any) -> None:
    node.run(workshop.image("crash", "import os; print('run of', os.environ['HOSTNAME']); raise SystemExit(3)"))
    await node.until(lambda s: container(s)["restartCount"] >= 2)
    assert await node.log(previous=True) == "run of pod\n"


async def test_missing_command_is_told(node: Any, workshop: Any) -> None:
    node.run(workshop.image("server", SERVER), command=["no-such-program"])
    status = await node.until(lambda s: waiting(s) == "CrashLoopBackOff")
    assert "cannot start 'no-such-program': No such file or directory" in status["message"]
    assert container(status)["lastState"]["terminated"]["exitCode"] == 127


async def test_hang_at_start_shows_what_is_asked_and_the_end_of_the_log(
    node: Any, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.runtime.containers.SLOW_START", 0.3)
    node.run(workshop.image("hang", SLEEPER.replace("up", "loading the model"), "readiness = { port = 28417 }"))
    status = await node.until(lambda s: "loading the model" in s.get("message", ""))
    assert "is not ready after" in status["message"]
    assert "TCP 127." in status["message"]
    assert not is_ready(status)


async def test_container_that_stops_answering_is_not_ready_any_more(node: Any, workshop: Any) -> None:
    code = SERVER.replace(
        ".serve_forever()",
        ".handle_request()\nprint('closed', flush=True)\nimport time; time.sleep(60)",
    )
    probe = {"tcpSocket": {"port": 28417}, "periodSeconds": 1, "failureThreshold": 1}
    node.run(workshop.image("shy", code), readinessProbe=probe)
    await node.until(is_ready)
    await node.until(lambda s: not is_ready(s) and "no longer ready" in s.get("message", ""))


async def test_deleted_pod_gets_sigterm_first(node: Any, workshop: Any, tmp_path: Path) -> None:
    code = (
        "import signal, sys, pathlib\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(tmp_path / 'said')!r}).touch(), sys.exit()))\n"
        "print('up', flush=True)\nsignal.pause()"
    )
    node.run(workshop.image("polite", code))
    await node.until(is_ready)
    await up(node)
    node.store.delete(POD, "default", "pod")
    await node.gone()
    assert (tmp_path / "said").exists()


async def test_who_ignores_sigterm_is_killed_after_the_grace_period(node: Any, workshop: Any) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nsignal.pause()"
    node.run(workshop.image("stubborn", code), pod={"terminationGracePeriodSeconds": 1})
    await node.until(is_ready)
    await up(node)
    node.store.delete(POD, "default", "pod")
    with pytest.raises(TimeoutError):
        await node.gone(within=0.5)
    await node.gone()


async def up(node: Any) -> None:
    """Return once the container wrote `up`."""
    async with asyncio.timeout(60):
        async for chunk in node.kubelet.logs("default", "pod", LogQuery("main", follow=True)):
            if b"up" in chunk:
                return


async def test_pod_deleted_while_everything_stops_ends_once(
    node: Any, workshop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    node.run(workshop.image("server", SERVER, "readiness = { port = 28417 }"))
    await node.until(is_ready)
    node.store.delete(POD, "default", "pod")
    await asyncio.gather(node.kubelet.stop(2.0), node.kubelet.stop(2.0))
    assert not caplog.records


def test_a_signal_to_what_has_just_ended_takes_its_exit_status_from_nobody() -> None:
    child: Any = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    signals.send(child, signal.SIGTERM)
    _, status = os.waitpid(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    child.returncode = 7  # nobody is left to wait for


@pytest.mark.parametrize("leaves", [False, True], ids=["same session", "session of its own"])
async def test_children_end_with_their_container(node: Any, workshop: Any, leaves: bool) -> None:  # noqa: FBT001 -- a case
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen(['sleep', '600'], start_new_session={leaves})\n"
        "print('up', child.pid, flush=True)\nsys.exit(1)"
    )
    node.run(workshop.image("parent", code), pod={"restartPolicy": "Never"})
    await node.until(lambda s: s["phase"] == "Failed")
    child = int((await node.log()).split()[1])
    assert not alive(child)


async def test_finished_pod_succeeds_when_it_is_not_restarted(node: Any, workshop: Any) -> None:
    node.run(workshop.image("once", "print('done')"), pod={"restartPolicy": "Never"})
    status = await node.until(lambda s: s["phase"] == "Succeeded")
    assert container(status)["state"]["terminated"]["reason"] == "Completed"


async def test_unknown_image_names_those_that_there_are(node: Any, workshop: Any) -> None:
    workshop.image("msg-transformer", SERVER)
    node.run("registry.example/msg-transfromer:dev9")
    status = await node.until(lambda s: waiting(s) == "ErrImagePull")
    message = container(status)["state"]["waiting"]["message"]
    assert "did you mean 'msg-transformer'?" in message
    assert "known: msg-transformer" in message


async def test_environment_is_the_manifests(node: Any, workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_SECRET", "not theirs")
    node.store.create(CONFIGMAP, {"metadata": {"name": "cm", "namespace": "default"}, "data": {"key": "from the map"}})
    code = "import os, sys, json; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
    node.run(
        workshop.image("env", code),
        args=["$(GREETING)", "$$(GREETING)", "$(UNKNOWN)"],
        env=[
            {"name": "GREETING", "value": "hello"},
            {"name": "TWICE", "value": "$(GREETING)$(GREETING)"},
            {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "key"}}},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        pod={"restartPolicy": "Never"},
    )
    status = await node.until(lambda s: s["phase"] == "Succeeded")
    argv, environment = json.loads(await node.log())
    assert argv == ["hello", "$(GREETING)", "$(UNKNOWN)"]
    assert environment["TWICE"] == "hellohello"
    assert environment["MAP"] == "from the map"
    assert environment["NAME"] == "pod"
    assert environment["POD_IP"] == status["podIP"]
    assert "HOST_SECRET" not in environment


async def test_missing_config_map_is_waited_for(node: Any, workshop: Any) -> None:
    source = {"configMapKeyRef": {"name": "later", "key": "key"}}
    node.run(workshop.image("sleeper", SLEEPER), env=[{"name": "A", "valueFrom": source}])
    status = await node.until(lambda s: waiting(s) == "CreateContainerConfigError")
    assert 'configmap "later" not found' in status["message"]
    node.store.create(CONFIGMAP, {"metadata": {"name": "later", "namespace": "default"}, "data": {"key": "x"}})
    await node.until(is_ready)


async def test_cluster_names_become_addresses(node: Any, workshop: Any) -> None:
    node.kubelet.names.serve("database", "kafka", "127.0.0.1", 40404)
    service = {"ports": [{"name": "tcp", "port": 9092}]}
    node.store.create(NAMESPACE, {"metadata": {"name": "database"}})
    node.store.create(SERVICE, {"metadata": {"name": "kafka", "namespace": "database"}, "spec": service})
    selector = {"selector": {"app": "model"}, "ports": [{"port": 80, "targetPort": 28417}]}
    node.store.create(SERVICE, {"metadata": {"name": "model", "namespace": "default"}, "spec": selector})
    code = "import os, sys; print(sys.argv[1:], os.environ['A'], os.environ['B'], os.environ['C'])"
    node.run(
        workshop.image("names", code),
        args=["--predictor_host", "model.default", "--other", "model.default"],
        env=[
            {"name": "A", "value": "kafka.database.svc.cluster.local"},
            {"name": "B", "value": "kafka.database.svc:9092,nobody.database.svc:1"},
            {"name": "C", "value": "http://model.default.svc.cluster.local/v1"},
        ],
        pod={"restartPolicy": "Never"},
    )
    status = await node.until(lambda s: "no address yet behind model" in s.get("message", ""))
    assert waiting(status) == "ContainerCreating"
    node.run(workshop.image("sleeper", SLEEPER), "model", labels={"app": "model"})
    model = (await node.until(lambda s: s["podIP"], "model"))["podIP"]
    await node.until(lambda s: s["phase"] == "Succeeded")
    assert await node.log() == (
        f"['--predictor_host', '{model}:28417', '--other', 'model.default'] 127.0.0.1:40404 "
        f"127.0.0.1:40404,nobody.database.svc:1 http://{model}:28417/v1\n"
    )


async def test_container_starts_again_when_what_it_was_told_is_no_longer_true(node: Any, workshop: Any) -> None:
    selector = {"selector": {"app": "model"}, "ports": [{"port": 80, "targetPort": 28417}]}
    node.store.create(SERVICE, {"metadata": {"name": "model", "namespace": "default"}, "spec": selector})
    sleeper = workshop.image("sleeper", SLEEPER)
    node.run(sleeper, "model-1", labels={"app": "model"})
    node.run(
        workshop.image("caller", "import os, time; print(os.environ['MODEL'], flush=True); time.sleep(600)"),
        env=[{"name": "MODEL", "value": "http://model.default.svc.cluster.local/"}],
        readinessProbe={"tcpSocket": {"port": 1}},
    )
    first = (await node.until(lambda s: s["podIP"], "model-1"))["podIP"]
    await told(node, first)
    # A second pod changes nothing for who was told of the first.
    node.run(sleeper, "model-2", labels={"app": "model"})
    second = (await node.until(lambda s: s["podIP"], "model-2"))["podIP"]
    node.store.delete(POD, "default", "model-1")
    await node.gone("model-1")
    await told(node, second)
    status = node.store.get(POD, "default", "pod")["status"]
    assert container(status)["restartCount"] == 0


async def told(node: Any, address: str) -> None:
    """Return once the container wrote this address, in its present run."""
    async with asyncio.timeout(60):
        while True:
            try:
                if address in await node.log():
                    return
            except ApiError:
                pass
            await asyncio.sleep(0.01)


async def test_log_is_followed_to_its_end(node: Any, workshop: Any) -> None:
    code = "import time\nfor n in range(5):\n    print(n, flush=True)\n    time.sleep(0.02)"
    node.run(workshop.image("counter", code), pod={"restartPolicy": "Never"})
    await node.until(lambda s: s["phase"] != "Pending")
    chunks = node.kubelet.logs("default", "pod", LogQuery("main", follow=True, tail=1))
    assert b"".join([chunk async for chunk in chunks]).endswith(b"3\n4\n")


async def test_log_of_what_never_ran_is_refused(node: Any, workshop: Any) -> None:
    node.run("nothing")
    await node.until(lambda s: waiting(s) == "ErrImagePull")
    with pytest.raises(ApiError, match="is waiting to start"):
        await node.log()


def test_nothing_outlives_the_platform(tmp_path: Path) -> None:
    """The parent is killed, not stopped: the kernel tells the container's first process."""
    code = (
        "import subprocess, sys, os\n"
        f"child = subprocess.Popen([sys.executable, '-I', '-S', {init.__file__!r}, str(os.getpid()),"
        " 'sh', '-c', 'sleep 601 & echo $! $$; wait'], start_new_session=True)\n"
        "child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as platform:
        assert platform.stdout is not None
        pids = [int(pid) for pid in platform.stdout.readline().split()]
        assert all(map(alive, pids))
        os.kill(platform.pid, signal.SIGKILL)
        # The pipe's end comes when the last process that holds it is gone.
        assert platform.stdout.read() == b""
    assert not any(map(alive, pids))


def test_backoff_doubles_up_to_its_bound() -> None:
    backoff = Backoff(first=1.0, most=5.0)
    assert [backoff.delay(crashes) for crashes in range(1, 6)] == [0.0, 1.0, 2.0, 4.0, 5.0]


def test_messages_name_signals() -> None:
    from embedded.runtime.containers import ending

    assert ending(137) == "was ended by SIGKILL"
    assert re.fullmatch(r"exited with status 7", ending(7))
