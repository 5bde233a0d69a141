"""An ASGI middleware that answers by the rules: V2 inference and V1 calls itself, and what the SDK says otherwise.

The SDK behind it tells of health and metadata. What is refused is refused here.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson
from repository import Repository, UnknownModelError
from rules import NotReadyError, Rules, UnknownVersionError
from tensors import RefusedError, Tensor, delay_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_BYTES = 16 << 20
INFER = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?/infer")
MODEL = re.compile(r"(/v2/models/([^/]+))(?:/versions/([^/]+))?(/ready)?")
REPOSITORY = re.compile(r"/v2/repository/models/([^/]+)/(load|unload)")
STATUS = re.compile(r"/v1/models/([^/:]+)")
CALL = re.compile(r"/v1/models/([^/:]+):(predict|explain)")


class TooLargeError(RefusedError):
    """A request with more bytes than this server takes."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks of a model; `version`: empty, where it names none."""

    model: str
    verb: str
    version: str = ""


class Gate:
    """A gate before one application.

    Args:
        app: The application of the SDK.
        model: The name of the model.
        rules: What is answered.
        repository: The models, that one among them.
    """

    def __init__(self, app: Application, model: str, rules: Rules, repository: Repository) -> None:
        self._app, self._model, self._rules, self._repository = app, model, rules, repository

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "POST" and (found := INFER.fullmatch(scope["path"])):
            await self._answered(scope, receive, send, Call(found[1], "infer", found[2] or ""))
        elif scope["method"] == "POST" and (found := CALL.fullmatch(scope["path"])):
            await self._answered(scope, receive, send, Call(found[1], found[2]))
        elif scope["method"] == "POST" and (found := REPOSITORY.fullmatch(scope["path"])):
            await self._changed(send, found[1], found[2])
        else:
            await self._passed(scope, send)

    async def _answered(self, scope: Message, receive: Receive, send: Send, call: Call) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            answer = await self._answer(call, headers, await _whole(receive))
        except UnknownModelError:
            await self._refuse(send, 404, f"Model with name {call.model} does not exist.")
        except UnknownVersionError:
            await self._refuse(send, 404, f"Model {call.model} has no version {call.version}.")
        except NotReadyError:
            await self._refuse(send, 503, f"Model with name {call.model} is not ready.")
        except TooLargeError as error:
            await self._refuse(send, 413, str(error))
        except RefusedError as error:
            await self._refuse(send, 400, str(error))
        else:
            body, more = self._rules.written(headers, answer)
            more |= self._rules.explained_headers(headers) if call.verb == "explain" else {}
            await _answer(send, 200, {"content-type": self._rules.content_type, **more}, body)

    async def _answer(self, call: Call, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if not self._repository.has(call.model):
            raise UnknownModelError
        body = self._rules.body_of(headers, body)
        if call.verb == "infer":
            return await self._inferred(body, self._rules.version(call.version))
        instances = self._rules.instances(self._rules.loaded(body))
        return {"predictions" if call.verb == "predict" else "explanations": instances}

    async def _inferred(self, body: bytes, version: str) -> dict[str, Any]:
        rules = self._rules
        request = rules.request(rules.loaded(body))
        tensors = [rules.tensor(entry) for entry in request["inputs"]]
        outputs = rules.requested([rules.output(tensor) for tensor in tensors], [o["name"] for o in request["outputs"]])
        given = {entry["name"]: self._parameters(entry) for entry in request["inputs"]}
        values = [{**self._output(output), **given[output.name]} for output in outputs]
        parameters = self._parameters(request)
        asked = await rules.before(request["id"])
        await asyncio.sleep(delay_of(parameters.get("parameters", {})))
        told = {"model_name": self._model, "model_version": rules.told_version(version), "id": rules.answer_id(asked)}
        return {**told, **parameters, "outputs": values}

    def _parameters(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        given = entry.get("parameters")
        return {} if given is None else {"parameters": self._rules.parameters(given)}

    def _output(self, output: Tensor) -> dict[str, Any]:
        data = self._rules.json_values(output)
        return {"name": output.name, "datatype": output.datatype, "shape": list(output.shape), "data": data}

    async def _refuse(self, send: Send, status: int, message: str) -> None:
        body = self._rules.refused_body(message)
        await _answer(send, self._rules.refused_status(status), {"content-type": "application/json"}, body)

    async def _changed(self, send: Send, model: str, verb: str) -> None:
        """Load or unload a model."""
        try:
            (self._repository.load if verb == "load" else self._repository.unload)(model)
        except UnknownModelError:
            await self._refuse(send, 404, f"Model with name {model} does not exist.")
            return
        told = self._rules.told({"name": model, verb: True})
        await _answer(send, 200, {"content-type": "application/json"}, orjson.dumps(told))

    async def _passed(self, scope: Message, send: Send) -> None:
        """Have the SDK answer, and let the rules say the same."""
        answers: list[Message] = []
        about = MODEL.fullmatch(scope["path"])
        if about and not self._repository.has(about[2]):
            await self._refuse(send, 404, f"Model with name {about[2]} does not exist.")
            return
        if (found := STATUS.fullmatch(scope["path"])) and not self._repository.has(found[1]):
            if (told := self._rules.told_unknown(found[1])) is None:
                await self._refuse(send, 404, f"Model with name {found[1]} does not exist.")
            else:
                await _answer(send, 200, {"content-type": "application/json"}, orjson.dumps(told))
            return
        if about and about[3]:
            try:
                self._rules.version(about[3])
            except UnknownVersionError:
                await self._refuse(send, 404, f"there is no version {about[3]}")
                return
            scope = {**scope, "path": (path := about[1] + (about[4] or "")), "raw_path": path.encode()}

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def keep(message: Message) -> None:
            answers.append(message)

        await self._app(scope, receive, keep)
        start = next(message for message in answers if message["type"] == "http.response.start")
        content = b"".join(message.get("body", b"") for message in answers if message["type"] == "http.response.body")
        status: int = start["status"]
        headers = {name.decode(): value.decode() for name, value in start["headers"] if name != b"content-length"}
        if scope["path"].startswith(("/v1/", "/v2")) and headers.get("content-type") == "application/json":
            if status >= 400:
                await self._refuse(send, status, str(json.loads(content).get("error", "refused")))
                return
            said = self._rules.told(json.loads(content))
            versions = {"versions": list(self._rules.versions)} if about and not about[4] else {}
            content = orjson.dumps({**said, **versions})
        await _answer(send, status, headers, content)


async def _whole(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError("the caller left")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise TooLargeError(f"more than {MOST_BYTES} bytes")
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, headers: MutableMapping[str, str], content: bytes) -> None:
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    fields.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": content})
