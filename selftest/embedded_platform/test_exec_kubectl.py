"""`kubectl exec` against a node: the real client speaks the protocol, and prints what it prints for a real cluster."""

import asyncio
import json
import os
import pty
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from selftest.embedded_platform.executing import serving

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(60),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl"),
]

Kubectl = Callable[..., Awaitable[tuple[int, bytes, bytes]]]
EARLY = re.compile(rb"E\d{4} [^\n]*websocket\.go:\d+\] Unknown stream id \d, discarding message\n")
"""What a slow kubectl says of the empty first message, by which a server tells that the streams are open, where that
comes before kubectl knows its own streams. Nothing is lost by it: the output is compared too."""
SLEEPER = "import time\ntime.sleep(600)"


@pytest.fixture
async def environment(node: Any, workshop: Any, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Yield the environment of a kubectl whose cluster runs `pod`, with one container `main`."""
    node.run(workshop.image("sleeper", SLEEPER))
    await node.until(lambda status: "running" in status["containerStatuses"][0]["state"])
    async with serving(node) as client:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps(client.server.kubeconfig()))
        yield {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig)}


@pytest.fixture
def kubectl(environment: dict[str, str]) -> Kubectl:
    """Return a function that runs kubectl; it returns the exit status, the output and the errors."""

    async def run(*arguments: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "kubectl", *arguments, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
        )
        output, errors = await process.communicate(stdin)
        return process.returncode or 0, output, EARLY.sub(b"", errors)

    return run


async def test_streams_and_exit_status_are_the_commands(kubectl: Kubectl) -> None:
    ran = await kubectl("exec", "pod", "-c", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert ran == (3, b"out\n", b"err\ncommand terminated with exit code 3\n")


async def test_large_input_comes_back_whole(kubectl: Kubectl) -> None:
    text = b"".join(b"%d\n" % n for n in range(400_000))
    code, output, errors = await kubectl("exec", "-i", "pod", "--", "cat", stdin=text)
    assert (code, errors) == (0, b"")
    assert output == text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("other", "--", "true"), 'Error from server (NotFound): pods "other" not found', id="pod"),
        pytest.param(
            ("pod", "-c", "other", "--", "true"),
            "Error from server (BadRequest): container other is not valid for pod pod",
            id="container",
        ),
        pytest.param(
            ("pod", "--", "nope"),
            "error: Internal error occurred: Internal error occurred: error executing command in container: failed to "
            'start exec: unable to start container process: exec: "nope": executable file not found in $PATH',
            id="command",
        ),
    ],
)
async def test_refusals_are_told_in_the_real_words(kubectl: Kubectl, arguments: tuple[str, ...], told: str) -> None:
    assert await kubectl("exec", *arguments) == (1, b"", f"{told}\n".encode())


async def test_who_may_create_pods_may_execute_in_them(kubectl: Kubectl) -> None:
    assert (await kubectl("auth", "can-i", "create", "pods/exec"))[:2] == (0, b"yes\n")
    code, listed, _ = await kubectl("get", "--raw", "/api/v1")
    described = {resource["name"]: resource for resource in json.loads(listed)["resources"]}["pods/exec"]
    assert code == 0
    assert (described["kind"], described["verbs"]) == ("PodExecOptions", ["create", "get"])


async def test_terminal_is_the_users_own(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *("kubectl", "exec", "-it", "pod", "--", "bash", "-c", "tty; read -r line; echo got $line; sleep 600"),
            env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        shown = b""

        async def until(text: bytes) -> None:
            nonlocal shown
            while text not in shown:
                shown += await asyncio.to_thread(os.read, ours, 4096)

        await until(b"/dev/pts/")
        os.write(ours, b"hello\r")
        await until(b"got hello")
        os.write(ours, b"\x03")  # kubectl passes the key on: it is the command that is interrupted
        assert await process.wait() == 130
    finally:
        os.close(ours)
        os.close(theirs)
