"""`pods/exec` by a hand-made client: streams, outcomes, terminals, refusals, and that nothing is left running."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from embedded.api import remotecommand
from embedded.api.resources import CONFIGMAP, NAMESPACE, POD, SERVICE
from selftest.embedded_platform.executing import V4, V5, Client, serving

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

SLEEPER = "import time\nprint('up', flush=True)\ntime.sleep(600)"
SUCCESS = {"metadata": {}, "status": "Success"}
FEW_MEGABYTES = 16 * 1024 * 1024


def failure(code: int) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(*pids: int) -> None:
    """Return once none of the processes is alive."""
    async with asyncio.timeout(10):
        while any(map(alive, pids)):  # noqa: ASYNC110 -- nobody tells when a process that is no child has ended
            await asyncio.sleep(0.01)


def running(status: dict[str, Any]) -> bool:
    return "running" in status["containerStatuses"][0]["state"]


@pytest.fixture
async def client(node: Any, workshop: Any) -> AsyncIterator[Client]:
    """Yield a client of a node on which `pod` runs, with one container `main`."""
    node.run(workshop.image("sleeper", SLEEPER), env=[{"name": "GREETING", "value": "hello"}])
    await node.until(running)
    async with serving(node) as client:
        yield client


@pytest.mark.parametrize("protocol", [V5, V4])
@pytest.mark.parametrize(
    ("script", "code", "output", "errors"),
    [
        pytest.param("printf out; printf err >&2", 0, b"out", b"err", id="both streams"),
        pytest.param("exit 3", 3, b"", b"", id="status"),
        pytest.param("kill -9 $$", 137, b"", b"", id="signal"),
        pytest.param("no-such-command", 127, b"", b"sh: 1: no-such-command: not found\n", id="the shell's own"),
        pytest.param("cat", 0, b"", b"", id="no input"),
        pytest.param("head -c 8000000 /dev/zero", 0, bytes(8000000), b"", id="large output"),
    ],
)
async def test_output_and_outcome(  # noqa: PLR0917 -- pytest passes them by name
    client: Client, protocol: str, script: str, code: int, output: bytes, errors: bytes
) -> None:
    status, told, complained = await client.run("sh", "-c", script, protocol=protocol)
    assert status == (failure(code) if code else SUCCESS)
    assert (told, complained) == (output, errors)


async def test_only_the_streams_that_were_asked_for_come(client: Client) -> None:
    script = ("sh", "-c", "printf out; printf err >&2")
    assert await client.run(*script, stderr="false") == (SUCCESS, b"out", b"")
    assert await client.run(*script, stdout="false") == (SUCCESS, b"", b"err")


async def test_input_ends_when_its_channel_is_closed(client: Client) -> None:
    async with client.executing("cat", stdin="true") as conversation:
        for _ in range(64):
            await conversation.send(0, bytes(50_000))
        await conversation.send(255, bytes([0]))
        assert await conversation.outcome() == SUCCESS
    assert len(conversation.streams[1]) == 3_200_000


async def test_input_after_the_command_closed_it_is_dropped(client: Client) -> None:
    async with client.executing("sh", "-c", "exec 0<&-; echo closed; sleep 0.3; exit 4", stdin="true") as conversation:
        await conversation.until(b"closed")
        for _ in range(8):
            await conversation.send(0, b"nobody reads this\n")
        assert await conversation.outcome() == failure(4)


async def test_input_may_be_text_as_the_python_client_sends_it(client: Client) -> None:
    async with client.executing("head", "-n1", protocol=V4, stdin="true") as conversation:
        await conversation.socket.send_str("\0grüße\n")
        assert await conversation.outcome() == SUCCESS
    assert conversation.streams[1] == "grüße\n".encode()


async def test_a_client_that_does_not_read_stops_the_command(client: Client, tmp_path: Path) -> None:
    written = tmp_path / "written"
    script = (
        "import os, sys\n"
        "for n in range(512):\n"
        "    os.write(1, bytes(65536))\n"
        f"    open({str(written)!r}, 'w').write(str((n + 1) * 65536))\n"
    )
    async with client.executing("python", "-c", script) as conversation:
        before, same = "", 0
        async with asyncio.timeout(30):
            while same < 20:
                await asyncio.sleep(0.05)
                now = written.read_text() if written.exists() else ""
                before, same = now, same + 1 if now and now == before else 0
        assert int(before) < FEW_MEGABYTES
        assert await conversation.outcome() == SUCCESS
    assert len(conversation.streams[1]) == 32 * 1024 * 1024


FAMILY = "sleep 600 & echo $!; setsid sleep 600 & echo $!; echo $$ up; wait"


async def family(conversation: Any) -> list[int]:
    """Return the ids of the processes that FAMILY started."""
    text = await conversation.until(b"up")
    pids = [int(word) for word in text.split() if word.isdigit()]
    assert len(pids) == 3
    assert all(map(alive, pids))
    return pids


async def test_a_command_that_does_not_read_stops_the_client_and_is_ended(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotecommand, "INPUT_PATIENCE", 1.0)
    sent = 0
    async with client.executing("bash", "-c", FAMILY, stdin="true") as conversation:
        pids = await family(conversation)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.8):
                while sent <= FEW_MEGABYTES:
                    await conversation.send(0, bytes(65536))
                    sent += 65536
        assert await conversation.farewell() == (1008, "the command has not read its input for 1 s")
        await gone(*pids)
    assert sent < FEW_MEGABYTES


@pytest.mark.parametrize("tty", ["false", "true"])
@pytest.mark.parametrize("farewell", ["closes", "breaks off"])
async def test_a_client_that_goes_away_ends_the_command_with_all_its_processes(
    client: Client, farewell: str, tty: str
) -> None:
    async with client.executing("bash", "-c", FAMILY, stdin="true", tty=tty) as conversation:
        pids = await family(conversation)
        if farewell == "closes":
            await conversation.socket.close()
        else:
            conversation.socket.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        await gone(*pids)


async def test_what_a_command_leaves_behind_ends_with_it(client: Client) -> None:
    status, told, _ = await client.run("bash", "-c", "sleep 600 & echo $!; setsid sleep 600 & echo $!")
    assert status == SUCCESS
    assert not any(alive(int(pid)) for pid in told.split())


async def test_a_command_ends_with_its_container(node: Any, client: Client) -> None:
    async with client.executing("bash", "-c", FAMILY) as conversation:
        pids = await family(conversation)
        node.store.delete(POD, "default", "pod")
        assert await conversation.outcome() == failure(137)
    assert not any(map(alive, pids))


async def test_a_command_ends_with_the_node(node: Any, client: Client) -> None:
    async with client.executing("bash", "-c", FAMILY) as conversation:
        pids = await family(conversation)
        await node.kubelet.stop(1.0)
        assert not any(map(alive, pids))


async def test_a_command_ends_with_the_server(client: Client) -> None:
    async with client.executing("bash", "-c", FAMILY) as conversation:
        pids = await family(conversation)
        await client.server.stop()
        await gone(*pids)


async def test_a_command_runs_as_the_container_does(node: Any, client: Client) -> None:
    node.kubelet.names.serve("database", "kafka", "127.0.0.1", 40404)
    node.store.create(NAMESPACE, {"metadata": {"name": "database"}})
    service = {"ports": [{"name": "tcp", "port": 9092}]}
    node.store.create(SERVICE, {"metadata": {"name": "kafka", "namespace": "database"}, "spec": service})
    address = node.store.get(POD, "default", "pod")["status"]["podIP"]
    script = "import json, os, sys; print(json.dumps([os.environ['GREETING'], os.environ['POD_IP'], sys.argv[1:]]))"
    _, told, _ = await client.run("python", "-c", script, "kafka.database.svc.cluster.local:9092", "$GREETING")
    assert json.loads(told) == ["hello", address, ["127.0.0.1:40404", "$GREETING"]]
    _, told, _ = await client.run("cat", "work.py")
    assert told.decode() == SLEEPER


async def test_a_mount_path_leads_to_the_volume(node: Any, workshop: Any) -> None:
    node.store.create(CONFIGMAP, {"metadata": {"name": "cm", "namespace": "default"}, "data": {"key": "from the map"}})
    node.run(
        workshop.image("sleeper", SLEEPER),
        volumeMounts=[{"name": "settings", "mountPath": "/etc/settings"}],
        pod={"volumes": [{"name": "settings", "configMap": {"name": "cm"}}]},
    )
    await node.until(running)
    async with serving(node) as client:
        assert await client.run("sh", "-c", "cat /etc/settings/key") == (SUCCESS, b"from the map", b"")


async def test_terminal_has_a_size_and_shows_both_streams(client: Client) -> None:
    script = "read line; stty size; echo $TERM >&2; tty"
    async with client.executing("bash", "-c", script, stdin="true", tty="true") as conversation:
        await conversation.send(4, b'{"Width":101,"Height":33}')
        await conversation.send(0, b"go\n")
        assert await conversation.outcome() == SUCCESS
    shown = conversation.streams[1].decode().split()
    assert shown[:4] == ["go", "33", "101", "xterm"]
    assert shown[4].startswith("/dev/pts/")
    assert conversation.streams[2] == b""


async def test_interrupt_key_reaches_the_command(client: Client) -> None:
    async with client.executing("bash", "-c", "echo up; exec sleep 600", stdin="true", tty="true") as conversation:
        await conversation.until(b"up")
        await conversation.send(0, b"\x03")
        assert await conversation.outcome() == failure(130)


async def test_closed_input_ends_that_of_a_terminal(client: Client) -> None:
    async with client.executing("cat", stdin="true", tty="true") as conversation:
        await conversation.send(0, b"line\n")
        await conversation.until(b"line\r\nline\r\n")
        await conversation.send(255, bytes([0]))
        assert await conversation.outcome() == SUCCESS


async def test_a_terminal_shows_all_that_was_written_before_the_end(client: Client) -> None:
    status, told, _ = await client.run("seq", "200000", tty="true")
    assert status == SUCCESS
    assert told.split() == [str(n).encode() for n in range(1, 200001)]


@pytest.mark.parametrize(
    ("protocol", "message", "told"),
    [
        pytest.param(V5, b"", "got an empty message", id="empty"),
        pytest.param(V5, b"\x07abc", "got channel 7 with 3 bytes", id="unknown channel"),
        pytest.param(V5, b"\x01abc", "got channel 1 with 3 bytes", id="an output"),
        pytest.param(V5, b"\x00abc", "got channel 0 with 3 bytes", id="input that was not asked for"),
        pytest.param(V5, b"\xff", "got channel 255 with 0 bytes", id="close of nothing"),
        pytest.param(V4, b"\xff\x00", "got channel 255 with 1 bytes", id="close in v4"),
        pytest.param(V5, b'\x04{"Width":"80","Height":24}', 'expected a size like {"Width":80', id="size of text"),
        pytest.param(V5, b'\x04{"Width":80,"Height":70000}', 'expected a size like {"Width":80', id="size too large"),
        pytest.param(V5, b"\x04[", 'expected a size like {"Width":80', id="size that is no JSON"),
    ],
)
async def test_a_message_out_of_the_protocol_ends_the_conversation(
    client: Client, protocol: str, message: bytes, told: str
) -> None:
    async with client.executing("bash", "-c", FAMILY, protocol=protocol, tty="true") as conversation:
        pids = await family(conversation)
        await conversation.socket.send_bytes(message)
        code, reason = await conversation.farewell()
        assert code == 1002
        assert told in reason
        await gone(*pids)


ASKED = {"command": "true", "stdout": "true"}


REFUSED = {
    "pod": ({"pod": "other"}, 404, 'pods "other" not found'),
    "container": ({"query": ASKED | {"container": "other"}}, 400, "container other is not valid for pod pod"),
    "no command": ({"query": {"stdout": "true"}}, 400, "you must specify at least one command for the container"),
    "NUL": ({"query": ASKED | {"command": "a\0b"}}, 400, "a command cannot have a NUL byte in it"),
    "no streams": ({"query": {"command": "true"}}, 400, "you must specify at least 1 of stdin, stdout, stderr"),
    "no upgrade": ({"Upgrade": None, "Connection": None}, 400, "Upgrade request required"),
    "SPDY": ({"Upgrade": "SPDY/3.1", "method": "POST"}, 400, "got an upgrade to SPDY/3.1"),
    "version": ({"Sec_WebSocket_Version": "3"}, 400, "no handshake of a WebSocket, version 13"),
    "old protocol": ({"Sec_WebSocket_Protocol": "channel.k8s.io"}, 400, f"{V5} or {V4}, got channel.k8s.io"),
    "no protocol": ({"Sec_WebSocket_Protocol": None}, 400, f"{V5} or {V4}, got none"),
    "method": ({"method": "DELETE"}, 405, "does not allow this method"),
    "token": ({"Authorization": "Bearer wrong"}, 401, "Unauthorized"),
    "web page": ({"Origin": "https://page.example"}, 403, "not from a web page"),
}


@pytest.mark.parametrize(("asked", "code", "message"), REFUSED.values(), ids=REFUSED)
async def test_what_is_wrong_with_the_request_is_refused_before_the_upgrade(
    client: Client, asked: dict[str, Any], code: int, message: str
) -> None:
    got, told = await client.refused(**{"query": ASKED} | asked)
    assert (got, message in told) == (code, True), told


async def test_one_of_several_containers_must_be_named(node: Any, workshop: Any) -> None:
    image = workshop.image("sleeper", SLEEPER)
    node.run(image, pod={"containers": [{"name": name, "image": image} for name in ("first", "second")]})
    await node.until(running)
    async with serving(node) as client:
        told = await client.refused(ASKED)
        assert told == (400, "a container name must be specified for pod pod, choose one of: [first second]")
        assert (await client.run("echo", "hi", container="second"))[1] == b"hi\n"


RUNC = "failed to start exec: unable to start container process: exec: "


@pytest.mark.parametrize(
    ("program", "message"),
    [
        pytest.param("nope", 'exec: "nope": executable file not found in $PATH', id="unknown"),
        pytest.param("/nope", 'exec: "/nope": stat /nope: no such file or directory', id="unknown path"),
        pytest.param("./work.py", 'exec: "./work.py": permission denied', id="not executable"),
        pytest.param("/etc", 'exec: "/etc": is a directory', id="folder"),
    ],
)
async def test_a_command_that_is_not_there_is_told_as_the_outcome(client: Client, program: str, message: str) -> None:
    status, _, _ = await client.run(program)
    assert (status["reason"], status["code"]) == ("InternalError", 500)
    executing = "Internal error occurred: Internal error occurred: error executing command in container: "
    assert status["message"].startswith(executing)
    assert message in status["message"]


async def test_a_container_that_does_not_run_is_told_as_the_outcome(node: Any, workshop: Any) -> None:
    node.run("no-such-image", "waits")
    node.run(workshop.image("once", "print('done')"), "done", pod={"restartPolicy": "Never"})
    await node.until(lambda status: status["phase"] == "Succeeded", "done")
    async with serving(node) as client:
        waits, done = (await client.run("true", pod="waits"))[0], (await client.run("true", pod="done"))[0]
    prefix = "Internal error occurred: "
    assert waits["message"] == f'{prefix}unable to upgrade connection: container not found ("main")'
    assert done["message"].endswith("error executing command in container: container is in CONTAINER_EXITED state")


async def test_commands_at_the_same_time_are_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotecommand, "MOST_OPEN", 2)
    async with client.executing("cat", stdin="true") as first, client.executing("cat", stdin="true") as second:
        code, message = await client.refused(ASKED)
        assert code == 429
        assert "2 commands are running in containers of this platform, and it allows 2" in message
        for conversation in (first, second):
            await conversation.send(255, bytes([0]))
            assert await conversation.outcome() == SUCCESS
    assert (await client.run("true"))[0] == SUCCESS
