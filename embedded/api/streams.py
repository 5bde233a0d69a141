"""Streamed answers: watches and pod logs."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from embedded.api.errors import ApiError, bad_request
from embedded.api.requests import Call
from embedded.api.resources import POD, Resource
from embedded.api.selectors import Test, selector
from embedded.api.store import Store
from embedded.api.table import render_table
from embedded.api.watching import REMEMBERED, Change


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A part of a container's log.

    Attributes:
        container: The name of the container.
        previous: True for the run before the current one.
        follow: True to go on with what is written later.
        tail: The most lines to begin with; None for all.
        since: The time from which on lines count, in seconds since the epoch; None for all.
    """

    container: str
    previous: bool = False
    follow: bool = False
    tail: int | None = None
    since: float | None = None


Logs = Callable[[str, str, LogQuery], AsyncIterator[bytes]]
"""A function from (namespace, pod, query) to pieces of the log."""

WATCH_SECONDS = 1800.0
"""The duration, in seconds, of a watch that names no `timeoutSeconds`."""
_ENDED = "k8s.io/initial-events-end"


async def watch(store: Store, call: Call, request: web.Request) -> web.StreamResponse:
    """Stream the changes of a kind, as objects or as rows, until the client's timeout or its end."""
    query = call.query
    named = [f"metadata.name={call.name}"] if call.name else []
    chosen = selector(call.resource, query.get("labelSelector", ""), ",".join([*named, query.get("fieldSelector", "")]))
    seconds = min(_number(query, "timeoutSeconds") or WATCH_SECONDS, WATCH_SECONDS)
    since = None if query.get("sendInitialEvents") == "true" else _number(query, "resourceVersion") or None
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
    try:
        subscription = store.watch([call.resource], since, REMEMBERED)
    except ApiError as error:  # the real API answers 200, and the refusal is the first event
        await response.prepare(request)
        await response.write(_line("ERROR", orjson.dumps(error.status())))
        return response
    async with subscription:
        await response.prepare(request)
        lines = _Lines(call, chosen)
        initial = lines.take(subscription.drain())
        if query.get("sendInitialEvents") == "true":
            initial += _bookmark(call.resource, store.version)
        if initial:
            await response.write(initial)
        try:
            async with asyncio.timeout(seconds):
                while change := await subscription.next():
                    if piece := lines.take([change, *subscription.drain()]):
                        await response.write(piece)
        except TimeoutError:
            pass  # the end that the client asked for
    return response


class _Lines:
    """The lines of a watch for one client, by its namespace, selection and form."""

    def __init__(self, call: Call, chosen: Test | None) -> None:
        self._call = call
        self._chosen = chosen
        self._columns = True

    def take(self, changes: list[Change]) -> bytes:
        return b"".join(line for change in changes if (line := self._render_change(change)))

    def _render_change(self, change: Change) -> bytes | None:
        if self._call.namespace is not None and change.obj["metadata"].get("namespace") != self._call.namespace:
            return None
        kind: str = change.type
        if self._chosen is not None:
            before = change.old is not None and self._chosen(change.old)
            after = change.type != "DELETED" and self._chosen(change.obj)
            if not before and not after:
                return None
            kind = "DELETED" if not after else "MODIFIED" if before else "ADDED"
        return _line(kind, self._row(change) if self._call.table else change.raw)

    def _row(self, change: Change) -> bytes:
        include = self._call.query.get("includeObject", "Metadata")
        rows = render_table(
            self._call.resource, [change.obj], str(change.version), include=include, columns=self._columns
        )
        self._columns = False
        return orjson.dumps(rows)


def _line(kind: str, raw: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + raw + b"}\n"


def _bookmark(resource: Resource, version: int) -> bytes:
    metadata = {"resourceVersion": str(version), "annotations": {_ENDED: "true"}}
    obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return _line("BOOKMARK", orjson.dumps(obj))


async def no_logs(*asked: Any) -> AsyncIterator[bytes]:
    """Refuse every request for a log: the `Logs` of a platform that runs nothing."""
    raise bad_request(f'container in pod "{asked[1]}" is waiting to start')
    yield b""  # makes this a generator


async def pod_log(store: Store, logs: Logs, call: Call, request: web.Request) -> web.StreamResponse:
    """Stream a container's log.

    Raises:
        ApiError: The pod does not exist (404), or the container's log is not available (400).
    """
    pod = store.get(POD, call.namespace, call.name or "")
    spec = pod.get("spec") or {}
    names = [c.get("name", "") for part in ("initContainers", "containers") for c in spec.get(part) or ()]
    container = call.query.get("container") or (names[0] if len(names) == 1 else None)
    if container is None:
        listed = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {call.name}, choose one of: [{listed}]")
    if container not in names:
        raise bad_request(f"container {container} is not valid for pod {call.name}")
    follow, previous = (call.query.get(word) in ("true", "1") for word in ("follow", "previous"))
    query = LogQuery(container, previous, follow, _number(call.query, "tailLines"), _since(call.query))
    left = _number(call.query, "limitBytes")
    pieces = logs(call.namespace or "", call.name or "", query)
    first = await anext(pieces, b"")  # before the answer starts, so that a refusal has its status
    response = web.StreamResponse(headers={"Content-Type": "text/plain", "Cache-Control": "no-cache, private"})
    await response.prepare(request)
    async for piece in _chain(first, pieces):
        await response.write(piece[:left])
        if left is not None:
            left -= len(piece)
            if left <= 0:
                break
    return response


async def _chain(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


def _since(query: Any) -> float | None:
    if seconds := _number(query, "sinceSeconds"):
        return time.time() - seconds
    try:
        return datetime.fromisoformat(query["sinceTime"]).timestamp() if query.get("sinceTime") else None
    except ValueError as error:
        raise bad_request(f"invalid sinceTime: {error}") from error


def _number(query: Any, name: str) -> int | None:
    """Return a query parameter as a number that is not negative, or None."""
    text = query.get(name)
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise bad_request(f'invalid {name}: "{text[:40]}" is no number')
    return int(text)
