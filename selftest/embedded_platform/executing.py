"""A hand-made client of `pods/exec`: the protocol's messages over aiohttp's WebSocket."""

import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from embedded.api.certificate import Certificate
from embedded.api.server import ApiServer

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
PATH = "/api/v1/namespaces/default/pods/{pod}/exec"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": V5,
}


class Conversation:
    """One command, from the upgrade to the outcome."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.streams: defaultdict[int, bytearray] = defaultdict(bytearray)

    async def send(self, channel: int, data: bytes) -> None:
        """Send a message."""
        await self.socket.send_bytes(bytes([channel]) + data)

    async def until(self, text: bytes, channel: int = 1) -> bytearray:
        """Take messages until the channel has said this; return all that it said."""
        while text not in self.streams[channel]:
            message = await self.socket.receive(timeout=10)
            assert message.type is aiohttp.WSMsgType.BINARY, (message, dict(self.streams))
            self.streams[message.data[0]] += message.data[1:]
        return self.streams[channel]

    async def farewell(self) -> tuple[int, str]:
        """Take all messages to the end; return the code and the reason that the server closed with."""
        message = await self.socket.receive(timeout=10)
        while message.type is aiohttp.WSMsgType.BINARY:
            self.streams[message.data[0]] += message.data[1:]
            message = await self.socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.CLOSE, (message, dict(self.streams))
        return message.data, message.extra or ""

    async def outcome(self) -> dict[str, Any]:
        """Take all messages to the end; return the Status."""
        async for message in self.socket:
            self.streams[message.data[0]] += message.data[1:]
        assert self.socket.close_code == 1000
        status: dict[str, Any] = orjson.loads(self.streams[3])
        return status


class Client:
    """A client of one API server."""

    def __init__(self, server: ApiServer, session: aiohttp.ClientSession) -> None:
        self.server, self.session = server, session

    @asynccontextmanager
    async def executing(
        self, *command: str, protocol: str = V5, pod: str = "pod", **query: str
    ) -> AsyncIterator[Conversation]:
        """Start a command for the length of a `with` block."""
        asked = [*(("command", part) for part in command), *({"stdout": "true", "stderr": "true"} | query).items()]
        async with self.session.ws_connect(PATH.format(pod=pod), params=asked, protocols=(protocol,)) as socket:
            assert socket.protocol == protocol
            yield Conversation(socket)

    async def run(self, *command: str, **query: str) -> tuple[dict[str, Any], bytes, bytes]:
        """Run a command to its end; return its outcome, output and errors."""
        async with self.executing(*command, **query) as conversation:
            status = await conversation.outcome()
        return status, bytes(conversation.streams[1]), bytes(conversation.streams[2])

    async def refused(
        self, query: dict[str, str], pod: str = "pod", method: str = "GET", **headers: str | None
    ) -> tuple[int, str]:
        """Ask for what is refused before an upgrade; return the HTTP status and the message of the Status."""
        wanted = UPGRADE | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in wanted.items() if value is not None}
        async with self.session.request(method, PATH.format(pod=pod), params=query, headers=sent) as answer:
            status = orjson.loads(await answer.read())
            assert status["kind"] == "Status"
            assert status["code"] == answer.status
            return answer.status, status["message"]


@asynccontextmanager
async def serving(node: Any) -> AsyncIterator[Client]:
    """Serve the Kubernetes API of a node for the length of a `with` block, to a client that has the token."""
    certificate = Certificate()
    server = ApiServer(node.store, certificate, logs=node.kubelet.logs, execute=node.kubelet.execute)
    await server.start()
    trust = ssl.create_default_context(cadata=certificate.authority.decode())
    try:
        async with aiohttp.ClientSession(
            server.url,
            connector=aiohttp.TCPConnector(ssl=trust),
            headers={"Authorization": f"Bearer {server.token}"},
        ) as session:
            yield Client(server, session)
    finally:
        await server.stop()
