"""`pods/exec`: a command in a container, its streams as the channels of a WebSocket.

The protocol is Kubernetes' `remotecommand`, sub-protocols `v5.channel.k8s.io` and `v4.channel.k8s.io`. A message is one
byte, the channel, and data: 0 standard input, 1 standard output, 2 standard error, 3 the outcome (a `Status`, once, at
the end), 4 the size of the terminal. In v5, channel 255 closes the channel that the next byte names.

What is wrong with the request is answered before the upgrade. What is wrong in the container comes as the outcome, as
from an API server that speaks to a kubelet. The older SPDY upgrade, which kubectl asks for after a refusal, is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import orjson
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from embedded.api.errors import ApiError, bad_request
from embedded.api.requests import Call
from embedded.api.resources import POD
from embedded.api.store import Store

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STDIN, OUTCOME, RESIZE, CLOSE = 0, 3, 4, 255
STDOUT: Literal[1] = 1
STDERR: Literal[2] = 2
MOST_OPEN = 64
"""The most commands of clients that run at the same time."""
INPUT_PATIENCE = 60.0
"""The time, in seconds, that a command may leave input unread. For so long nobody reads the connection, so a client
that goes away is not seen; kubectl, whose pings have no answer meanwhile, gives up after the same time."""
_MOST_OF_A_MESSAGE = 1024 * 1024
_CLOSING_SECONDS = 2.0
_LARGEST_TERMINAL = 0xFFFF
_TRUE = ("true", "1")


@dataclass(frozen=True, slots=True)
class ExecQuery:
    """A command that a client asks for.

    Attributes:
        container: The name of the container.
        command: The command and its arguments.
        stdin: True if the client sends standard input.
        stdout: True if the client wants standard output.
        stderr: True if the client wants standard error.
        tty: True for a pseudo terminal; its output is all on standard output.
    """

    container: str
    command: tuple[str, ...]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


class Execution(Protocol):
    """A command that runs in a container for a client."""

    async def read(self, stream: Literal[1, 2]) -> bytes:
        """Return a piece of standard output (1) or error (2); empty at its end."""

    async def write(self, data: bytes) -> None:
        """Write to standard input, and return once there is room for more; drop it when nobody reads any more."""

    async def close_input(self) -> None:
        """End standard input."""

    def resize(self, width: int, height: int) -> None:
        """Set the size of the terminal, in characters; do nothing without one."""

    async def wait(self) -> int:
        """Return the exit status: 128 + n for a signal n."""

    async def end(self) -> None:
        """Kill the command with all that it started, unless it has ended; return once it is gone."""


Execute = Callable[[str, str, ExecQuery], Awaitable[Execution]]
"""A function that starts a command, from (namespace, pod, query). It raises ApiError when the container cannot."""


class _BrokenOffError(Exception):
    """A reason of ours to end the conversation; the text is for the client."""

    def __init__(self, code: WSCloseCode, why: str) -> None:
        super().__init__(why)
        self.code = code


def _protocol_error(why: str) -> _BrokenOffError:
    return _BrokenOffError(WSCloseCode.PROTOCOL_ERROR, why)


async def no_execution(*asked: Any) -> Execution:
    """Refuse every command: the `Execute` of a platform that runs nothing."""
    raise internal_error(f'unable to upgrade connection: container not found ("{asked[2].container}")')


def internal_error(why: str) -> ApiError:
    """Return what an API server says when the kubelet or the container runtime refuses."""
    return ApiError(500, "InternalError", f"Internal error occurred: {why}", {"causes": [{"message": why}]})


class RemoteCommands:
    """The commands of all clients of one API server.

    Args:
        store: The objects.
        execute: The function that starts a command.
    """

    def __init__(self, store: Store, execute: Execute) -> None:
        self._store, self._execute = store, execute
        self._open = 0

    async def serve(self, call: Call, request: web.Request) -> web.StreamResponse:
        """Run the command that the request asks for; return when it has ended or the client has gone.

        Raises:
            ApiError: The pod does not exist (404), the request is no upgrade to a WebSocket, asks for no command or
                for an unknown container (400), or too many commands are running (429).
        """
        query = _query(self._store, call, request)
        protocol = _protocol(request)
        socket = web.WebSocketResponse(
            protocols=(protocol,), compress=False, max_msg_size=_MOST_OF_A_MESSAGE, timeout=_CLOSING_SECONDS
        )
        if not socket.can_prepare(request):
            raise bad_request("Upgrade request required: this is no handshake of a WebSocket, version 13")
        if self._open >= MOST_OPEN:
            why = f"{self._open} commands are running in containers of this platform, and it allows {MOST_OPEN}"
            raise ApiError(429, "TooManyRequests", f"too many requests: {why}", {"retryAfterSeconds": 1})
        self._open += 1
        try:
            await socket.prepare(request)
            await self._run(socket, call, query, closes=protocol == V5)
        finally:
            self._open -= 1
        return socket

    async def _run(self, socket: web.WebSocketResponse, call: Call, query: ExecQuery, *, closes: bool) -> None:
        # As the real server does: the client knows by it that the streams are open.
        await socket.send_bytes(bytes([STDOUT if query.stdout else STDERR if query.stderr else OUTCOME]))
        try:
            running = await self._execute(call.namespace or "", call.name or "", query)
        except ApiError as error:
            await _finish(socket, error.status())
            return
        taking = asyncio.create_task(_take_messages(socket, running, query, closes=closes))
        sending = asyncio.create_task(_send_output(socket, running))
        try:
            await asyncio.wait((taking, sending), return_when=asyncio.FIRST_COMPLETED)
            await _stopped(taking)
            if not taking.cancelled():
                await _turn_away(socket, taking.exception())
            elif (fault := sending.exception()) is None:
                await _finish(socket, _outcome(sending.result()))
            elif not isinstance(fault, ConnectionError):
                raise fault
        finally:
            for task in (taking, sending):
                task.cancel()
            await running.end()


async def _stopped(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end. A WebSocket has one reader, and closing it reads."""
    task.cancel()
    await asyncio.wait([task])


async def _turn_away(socket: web.WebSocketResponse, fault: BaseException | None) -> None:
    """Close the socket of a client that has gone (no fault) or broke the protocol."""
    if isinstance(fault, _BrokenOffError):
        await socket.close(code=fault.code, message=str(fault).encode()[:123])
    elif fault is not None and not isinstance(fault, ConnectionError):
        raise fault


async def _finish(socket: web.WebSocketResponse, status: Any) -> None:
    """Tell the outcome, and close."""
    try:
        await socket.send_bytes(bytes([OUTCOME]) + orjson.dumps(status))
        await socket.close()
    except ConnectionError:
        return  # the client did not wait for it


def _outcome(code: int) -> dict[str, Any]:
    """Return the `Status` of a command that ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _send_output(socket: web.WebSocketResponse, running: Execution) -> int:
    """Send what the command writes, at the pace at which the client reads; return the exit status."""

    async def send(stream: Literal[1, 2]) -> None:
        while piece := await running.read(stream):
            await socket.send_bytes(bytes([stream]) + piece)

    await asyncio.gather(send(STDOUT), send(STDERR))  # a stream that was not asked for ends at once
    return await running.wait()


async def _take_messages(socket: web.WebSocketResponse, running: Execution, query: ExecQuery, *, closes: bool) -> None:
    """Take the client's messages at the pace at which the command reads; return when the client has gone.

    Raises:
        _BrokenOffError: A message does not belong to the protocol, or the command does not read its input.
    """
    while (message := await socket.receive()).type in (WSMsgType.BINARY, WSMsgType.TEXT):
        channel, data = _channel(message)
        if channel == STDIN and query.stdin:
            await _write(running, data)
        elif channel == RESIZE and query.tty:
            running.resize(*_size(data))
        elif channel == CLOSE and closes and len(data) == 1:
            if data[0] == STDIN and query.stdin:
                await running.close_input()
        else:
            known = f"{STDIN} (with stdin), {RESIZE} (with tty)" + (f" or {CLOSE} and a channel" if closes else "")
            raise _protocol_error(f"expected channel {known}, got channel {channel} with {len(data)} bytes")


async def _write(running: Execution, data: bytes) -> None:
    try:
        async with asyncio.timeout(INPUT_PATIENCE):
            await running.write(data)
    except TimeoutError as error:
        why = f"the command has not read its input for {INPUT_PATIENCE:g} s"
        raise _BrokenOffError(WSCloseCode.POLICY_VIOLATION, why) from error


def _channel(message: WSMessage) -> tuple[int, bytes]:
    """Return the channel and the data of a message; the Python client sends text."""
    data: bytes = message.data.encode() if message.type is WSMsgType.TEXT else message.data
    if not data:
        raise _protocol_error("expected a byte that names the channel, got an empty message")
    return data[0], data[1:]


def _size(data: bytes) -> tuple[int, int]:
    """Return the width and the height that a message of channel 4 tells."""
    try:
        told = orjson.loads(data)
        width, height = told["Width"], told["Height"]
        if all(type(side) is int and 0 <= side <= _LARGEST_TERMINAL for side in (width, height)):
            return width, height
    except (orjson.JSONDecodeError, TypeError, KeyError):
        pass
    raise _protocol_error(f'expected a size like {{"Width":80,"Height":24}}, got {data[:40]!r}')


def _query(store: Store, call: Call, request: web.Request) -> ExecQuery:
    """Return what a request asks for, in the words of the real API where it is refused."""
    pod = store.get(POD, call.namespace, call.name or "")
    spec = pod.get("spec") or {}
    names = [container.get("name", "") for container in spec.get("containers") or ()]
    container = request.query.get("container") or (names[0] if len(names) == 1 else "")
    if not container:
        listed = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {call.name}, choose one of: [{listed}]")
    if container not in names:
        raise bad_request(f"container {container} is not valid for pod {call.name}")
    if not spec.get("nodeName"):
        raise bad_request(f"pod {call.name} does not have a host assigned")
    command = tuple(request.query.getall("command", []))
    stdin, stdout, stderr, tty = (
        request.query.get(name, "").lower() in _TRUE for name in ("stdin", "stdout", "stderr", "tty")
    )
    if not command:
        raise bad_request("you must specify at least one command for the container")
    if any("\0" in part for part in command):
        raise bad_request("a command cannot have a NUL byte in it")
    if not (stdin or stdout or stderr):
        raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return ExecQuery(container, command, stdin, stdout, stderr, tty)


def _protocol(request: web.Request) -> str:
    """Return the first sub-protocol of the client's that is known here."""
    upgrade = request.headers.get("Upgrade", "")
    if not upgrade:
        raise bad_request("Upgrade request required")
    if upgrade.strip().lower() != "websocket":
        raise bad_request(
            f"this platform serves exec over WebSocket only ({V5} or {V4}), got an upgrade to {upgrade[:40]}"
        )
    lines = request.headers.getall("Sec-WebSocket-Protocol", [])
    offered = [name.strip() for line in lines for name in line.split(",")]
    protocol = next((name for name in offered if name in (V5, V4)), None)
    if protocol is None:
        listed = ", ".join(offered)[:120] or "none"
        raise bad_request(f"unable to upgrade: expected the sub-protocol {V5} or {V4}, got {listed}")
    return protocol
