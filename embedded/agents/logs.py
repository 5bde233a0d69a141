"""The logger: it posts requests and responses as CloudEvents to a URL, beside the calls that they are about.

As with KServe's, nothing is kept and nothing is repeated: what cannot be delivered is lost, and no caller notices.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import aiohttp
from yarl import URL

from embedded.agents.policies import REQUEST, RESPONSE, AgentPolicies
from embedded.agents.specs import AgentSpec, LoggerSpec
from embedded.types import Resolve

TYPES = {
    REQUEST: "org.kubeflow.serving.inference.request",
    RESPONSE: "org.kubeflow.serving.inference.response",
}
MOST_WAITING = 100
PRINTED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""What stands in an HTTP header as it is; the rest is percent-encoded (HTTP binding, § 3.1.3.2)."""
TIMEOUT = aiohttp.ClientTimeout(total=10)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One payload to be logged.

    Attributes:
        kind: The kind: request or response.
        call: The id of its call; empty: it has none.
        made: An id that was made for the call.
        asked: The media type of the request.
        own: The media type of the payload.
        payload: The bytes.
        told: The request headers that the event may tell, by name.
    """

    kind: str
    call: str
    made: str
    asked: str
    own: str
    payload: bytes
    told: Mapping[str, Sequence[str]]


class Logger:
    """The log of one pod's calls. `start` is called before use and `stop` after it."""

    def __init__(
        self,
        agent: AgentSpec,
        spec: LoggerSpec,
        policies: AgentPolicies,
        session: aiohttp.ClientSession,
        resolve: Resolve,
    ) -> None:
        self._agent, self._spec, self._policies = agent, spec, policies
        self._session, self._resolve = session, resolve
        self._waiting: asyncio.Queue[Entry] = asyncio.Queue(MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to post."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what waits is lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def log(self, entry: Entry) -> bool:
        """Log a payload, if the mode asks for it; return False where somebody waits for the log and it failed."""
        if not self._policies.is_logged(self._spec.mode, entry.kind):
            return True
        if self._policies.waits_for_log:
            return await self._posted(entry)
        if self._policies.waits_when_full:
            await self._waiting.put(entry)
            return True
        try:
            self._waiting.put_nowait(entry)
        except asyncio.QueueFull:
            _log.warning("%s: %d events wait to be logged, one more is lost", self._agent.pod, MOST_WAITING)
        return True

    async def _run(self) -> None:
        while True:
            await self._posted(await self._waiting.get())

    async def _posted(self, entry: Entry) -> bool:
        return await self._policies.post(lambda: self._post(entry))

    async def _post(self, entry: Entry) -> bool:
        """Post one event; return whether somebody took it."""
        url = URL(self._spec.url)
        endpoint = self._resolve(url.host or "", url.port or 80)
        if endpoint is None:
            _log.warning("%s: nobody to log to behind %s", self._agent.pod, url)
            return False
        headers = {**self._headers(entry), "Host": endpoint.authority}
        to = url.with_host(endpoint.host).with_port(endpoint.port)
        try:
            async with self._session.post(
                to, data=self._policies.data(entry.payload), headers=headers, timeout=TIMEOUT
            ) as sent:
                if sent.status < 300:
                    return True
                _log.warning("%s: the log %s answered HTTP %d", self._agent.pod, url, sent.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("%s: cannot log to %s: %s", self._agent.pod, url, error or type(error).__name__)
        return False

    def _headers(self, entry: Entry) -> Mapping[str, str]:
        """Return the headers of an event in binary mode."""
        agent, policies = self._agent, self._policies
        attributes = {
            "specversion": "1.0",
            "id": policies.event_id(entry.call, entry.made, entry.kind),
            "source": policies.source(agent.pod, entry.kind),
            "type": TYPES[entry.kind],
            "time": policies.time(datetime.now(UTC).isoformat().replace("+00:00", "Z")),
            **policies.extensions(agent.namespace, agent.service, agent.component),
            "metadata": json.dumps(policies.metadata(entry.told, entry.kind), separators=(",", ":"), sort_keys=True),
        }
        named = {f"Ce-{name}": quote(value, safe=PRINTED) for name, value in attributes.items()}
        media_type = policies.media_type(entry.asked, entry.own)
        return {**named, "Content-Type": media_type} if media_type else named
