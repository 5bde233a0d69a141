"""The Brokers' HTTP ingress: `POST /<namespace>/<broker>` takes one event and acknowledges it once Kafka has it.

| case | answer |
|---|---|
| stored | 202, empty |
| no valid single event | 400, the reason as text |
| no such Broker | 404 |
| other method | 405 with `Allow: POST` |
| body not sent in time | 408 |
| larger than 1 MiB | 413 |
| in a content coding that is not known | 415 |
| Kafka did not acknowledge | 503 |
| `GET /healthz`, `GET /readyz` | 200 |

Where the specification leaves the choice, the codes are those of the Kafka Broker's receiver. That differs in part: it
answers 503 to bodies that are too large, and gives no reason and no `Allow` (knative-v1.22.3).
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientPayloadError, HttpVersion11, web
from aiohttp.http_exceptions import PayloadEncodingError

from embedded.dataplane import tracing
from embedded.dataplane.cloudevents import NotAnEventError
from embedded.dataplane.codings import UnknownCodingError, codings_of
from embedded.dataplane.policies import DataPlanePolicies, IngressAnswer
from embedded.dataplane.producer import NotStoredError, Producer
from embedded.dataplane.specs import BrokerSpec
from embedded.types import Key

_log = logging.getLogger(__name__)

# Attributes travel as header fields; 64 KiB of event must pass whichever way it is split (CloudEvents, "Size Limits").
_MAX_FIELD = 72 * 1024
_LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class Mount:
    """A Broker on the ingress."""

    spec: BrokerSpec
    policies: DataPlanePolicies


class Ingress:
    """The HTTP server of all Brokers.

    Args:
        producer: The Kafka producer.
        find: The function from (namespace, name) to a mounted Broker, or None.
        defaults: The function from a namespace to the policies where a Broker is missing.
    """

    def __init__(
        self, producer: Producer, find: Callable[[str, str], Mount | None], defaults: Callable[[str], DataPlanePolicies]
    ) -> None:
        self._producer = producer
        self._find = find
        self._defaults = defaults
        self._open: defaultdict[Key, set[asyncio.Transport]] = defaultdict(set)
        self._lives: Counter[Key] = Counter()
        self._closing: set[Key] = set()
        self._dying: set[Key] = set()
        self.on_death: Callable[[str], None] = lambda _namespace: None
        """Called with a namespace, when the ingress ends by itself there, and begins again."""
        self._runner = web.ServerRunner(
            web.Server(
                self._handle,
                access_log=None,
                max_line_size=_MAX_FIELD,
                max_field_size=_MAX_FIELD,
                # aiohttp takes off the codings that it knows, and hands all others on as if there were none.
                auto_decompress=False,
            ),
            shutdown_timeout=1.0,
        )

    async def start(self, host: str, port: int) -> str:
        """Listen and return the URL.

        Raises:
            OSError: The port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return f"http://{host}:{self._runner.addresses[0][1]}"

    def kill(self, broker: Key) -> None:
        """Break the connections of a Broker's requests off; what they have not stored yet is never stored."""
        self._lives[broker] += 1
        for transport in self._open.pop(broker, ()):
            transport.abort()

    async def end(self, broker: Key, grace: float) -> None:
        """Let a Broker's requests be answered, and break off those that are not after `grace` seconds."""
        self._closing.add(broker)
        deadline = asyncio.get_running_loop().time() + grace
        # A transport says when it closes, but not when its request is answered.
        while self._open.get(broker) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN)
        self.kill(broker)
        self._closing.discard(broker)

    async def stop(self) -> None:
        """Stop listening; requests under way get a second."""
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if request.path in {"/healthz", "/readyz"} and request.method == "GET":
            return web.Response()
        guessed = self._defaults(request.path.lstrip("/").partition("/")[0])
        namespace, name = guessed.locate(guessed.origin_form(request.raw_path))
        mount = self._find(namespace, name)
        policies = mount.policies if mount else self._defaults(namespace)
        if not policies.allows(request.method):
            return web.Response(status=405, headers={"Allow": policies.allow} if policies.allow else {})
        if mount is None:
            return _response(policies.unknown_broker)
        key, transport = (namespace, name), request.transport
        if transport is not None:
            self._open[key].add(transport)
        try:
            return _response(await self._take(request, mount))
        finally:
            if transport is not None and key in self._open:
                self._open[key].discard(transport)
            if key in self._dying and not self._open.get(key):
                self._dying.discard(key)
                self.on_death(namespace)

    async def _take(self, request: web.BaseRequest, mount: Mount) -> IngressAnswer:
        spec, policies = mount.spec, mount.policies
        if policies.needs_length and request.content_length is None and request.body_exists:
            return IngressAnswer(411, "the length of the body is not announced")
        if sum(len(name) + len(value) for name, value in request.raw_headers) > policies.max_fields:
            return IngressAnswer(431, f"the header fields are larger than {policies.max_fields} bytes")
        try:
            async with policies.door(), asyncio.timeout(policies.body_seconds):
                if policies.says_continue and (request.content_length or 0) <= policies.max_body:
                    await _say_continue(request)
                body = await _read(request, policies.max_body, policies.part)
        except TimeoutError:
            return IngressAnswer(408, f"the body did not come within {policies.body_seconds:g} s")
        except ConnectionError:
            return IngressAnswer(400, "the body broke off")  # nobody is there to read it
        try:
            if body is not None:
                body = policies.unpacked(codings_of(request.raw_headers), body, policies.max_body)
            if body is None:
                return IngressAnswer(policies.too_large, f"the body is larger than {policies.max_body} bytes")
            event = policies.accept(*policies.message(request.transport, request.raw_headers, body))
        except UnknownCodingError as error:
            return IngressAnswer(415, str(error))
        except NotAnEventError as error:
            return IngressAnswer(400, str(error))
        trace = policies.trace_record(
            policies.read_trace((name.decode("latin-1"), value) for name, value in request.raw_headers)
        )

        broker = (spec.namespace, spec.name)
        if policies.fatal("ingress", event):
            self._dying.add(broker)
        if broker in self._closing and not policies.stores_to_the_end:
            return IngressAnswer(202)
        life = self._lives[broker]

        async def send() -> None:
            if self._lives[broker] != life:
                raise NotStoredError("the ingress was killed")
            await self._producer.send(spec.topic, tracing.stamped(policies.to_record(event, spec.partitions), trace))

        try:
            await policies.store(send, event)
        except NotStoredError as error:
            _log.warning("Broker %s/%s: event not stored: %s", spec.namespace, spec.name, error)
            status = policies.too_large if error.too_large else policies.not_stored
            return IngressAnswer(status, f"Kafka did not store the event: {error}")
        return IngressAnswer(202)


def _response(answer: IngressAnswer) -> web.Response:
    return (
        web.Response(status=answer.status, text=answer.reason) if answer.reason else web.Response(status=answer.status)
    )


async def _say_continue(request: web.BaseRequest) -> None:
    """Ask for the body where the client waits for that (RFC 9110, "Expect")."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # of the answer, which begins behind it


async def _read(request: web.BaseRequest, limit: int, part: Callable[[bytes], bytes | None]) -> bytes | None:
    """Read the body; return None when it is larger than `limit` bytes.

    Raises:
        ConnectionError: The connection ended before the body did, and `part` makes nothing of what came.
    """
    if (request.content_length or 0) > limit:
        return None
    chunks, size = [], 0
    try:
        while chunk := await request.content.readany():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                return None
    except (ConnectionError, ClientPayloadError, PayloadEncodingError) as error:
        if (taken := part(b"".join(chunks))) is None:
            raise ConnectionResetError("the body broke off") from error
        return taken
    return b"".join(chunks)
