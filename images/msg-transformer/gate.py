"""An ASGI middleware that reads CloudEvents strictly, so that the SDK behind it sees plain V1 requests only.

Invalid events never reach the model. An event's data is passed on as JSON; a 200 is answered with a new event, in the
content mode of the request. Errors stay plain JSON with their status.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import cause
import tracing
from cloudevent import STRUCTURED, Event, RefusedError, answer_attributes, is_json, read

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MOST_BYTES = 16 << 20


class Gate:
    """A gate before the prediction paths of one application."""

    def __init__(self, app: Application, model: str) -> None:
        self._app = app
        self._model = model

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(":predict"):
            await self._app(scope, receive, send)
            return
        try:
            body = await _whole(receive)
            event = read([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]], body)
        except RefusedError as error:
            words = json.dumps({"error": str(error)})
            await _answer(send, self.refusal(error.status), [(b"content-type", b"application/json")], words)
            return
        status, headers, answer = await self._ask(scope, event, body)
        if event is None:
            await _answer(send, self.plain_status(status), self.plain_headers(headers), answer)
        elif status == 200:
            await self._answer_event(send, event, answer)
        else:
            await _answer(send, status, headers, answer)

    def refusal(self, status: int) -> int:
        """Return the status of the answer to a request whose event is refused."""
        return status

    def plain_status(self, status: int) -> int:
        """Return the status of the answer to a request that is not an event."""
        return status

    def plain_headers(self, headers: Headers) -> Headers:
        """Return the headers of the answer to a request that is not an event."""
        return headers

    def attributes(self, event: Event) -> dict[str, str]:
        """Return the attributes of the answer to `event`."""
        del event
        return answer_attributes(f"io.kserve.inference.{self._model}", "io.kserve.inference.response")

    async def _ask(self, scope: Message, event: Event | None, body: bytes) -> tuple[int, Headers, bytes]:
        """Send a plain V1 request to the application; return its status, headers and body."""
        data = body if event is None else event.data
        if event is not None:
            cause.remember(event.attributes)
        tracing.remember(scope["headers"])
        kept = [
            (name, value)
            for name, value in scope["headers"]
            if not name.startswith(b"ce-") and name not in {b"content-type", b"content-length", b"transfer-encoding"}
        ]
        kept.append((b"content-type", _plain_type(scope, event)))
        kept.append((b"content-length", str(len(data)).encode()))
        requests: list[Message] = [{"type": "http.request", "body": data, "more_body": False}]
        answers: list[Message] = []

        async def receive() -> Message:
            return requests.pop() if requests else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            answers.append(message)

        await self._app({**scope, "headers": kept}, receive, send)
        start = next(message for message in answers if message["type"] == "http.response.start")
        content = b"".join(message.get("body", b"") for message in answers if message["type"] == "http.response.body")
        return start["status"], [pair for pair in start["headers"] if pair[0] != b"content-length"], content

    async def _answer_event(self, send: Send, event: Event, data: bytes) -> None:
        attributes = self.attributes(event)
        if event.structured:
            envelope = {**attributes, "datacontenttype": "application/json", "data": json.loads(data)}
            await _answer(send, 200, [(b"content-type", STRUCTURED.encode())], json.dumps(envelope))
            return
        headers = [(f"ce-{name}".encode(), value.encode()) for name, value in attributes.items()]
        await _answer(send, 200, [*headers, (b"content-type", b"application/json")], data)


def _plain_type(scope: Message, event: Event | None) -> bytes:
    """Return `application/json` for a Content-Type that means JSON, since the SDK compares it letter by letter."""
    given: bytes = next((value for name, value in scope["headers"] if name == b"content-type"), b"application/json")
    try:
        return b"application/json" if event is not None or is_json(given.decode("latin-1")) else given
    except RefusedError:
        return given


async def _whole(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError("the caller left")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise RefusedError(f"more than {MOST_BYTES} bytes", 413)
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, headers: Headers, body: bytes | str) -> None:
    content = body.encode() if isinstance(body, str) else body
    fields = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": content})
