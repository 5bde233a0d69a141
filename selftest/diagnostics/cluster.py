"""A cluster that is nothing but a table: what it answers to each path, and how."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fixtures.errors import KubeError, ProbeError

Object = dict[str, Any]
REFUSED = {403: "Forbidden", 404: "NotFound", 500: "InternalError"}


@dataclass
class FakeApi:
    """A Kubernetes client.

    Attributes:
        lists: Objects by the path of their list, or one by its own; a number is a refusal with that status.
        logs: Bytes by (pod, container), and (pod, container, "previous").
        hanging: Parts of paths that are never answered.
        dead: Whether nobody answers at all.
        asked: What was asked, in order.
        never: What ends the waits of what hangs; they end by themselves after a minute.
        in_vain: The number of waits that ended by themselves.
    """

    lists: dict[str, list[Object] | Object | int] = field(default_factory=dict)
    logs: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    hanging: tuple[str, ...] = ()
    dead: bool = False
    asked: list[str] = field(default_factory=list)
    never: threading.Event = field(default_factory=threading.Event)
    in_vain: int = 0

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 20.0,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Answer by the table; what is not in it is an empty list."""
        del headers, body, timeout
        self.asked.append(path)
        if self.dead:
            raise KubeError(f"{method} {path}", 0, "Unreachable", "connection refused")
        if any(part in path for part in self.hanging):
            self.in_vain += not self.never.wait(60)
        parts = urlsplit(path)
        if parts.path == "/version":
            return 200, {}, b"{}"
        if parts.path.endswith("/log"):
            return self._log(parts.path, parse_qs(parts.query))
        found = self.lists.get(parts.path, [])
        if isinstance(found, int):
            return _refusal(found)
        return 200, {}, json.dumps(found if isinstance(found, dict) else {"items": found}).encode()

    def _log(self, path: str, query: Mapping[str, list[str]]) -> tuple[int, Mapping[str, str], bytes]:
        key = (path.split("/")[-2], query["container"][0], *(["previous"] if "previous" in query else []))
        return (200, {}, self.logs[key]) if key in self.logs else _refusal(404)


class FakeProbe:
    """A probe's client, which knows the offsets of some topics."""

    def __init__(self, seen: Mapping[str, Object]) -> None:
        self._seen = seen
        self.asked: list[tuple[str, str]] = []

    def offsets(self, scope: str, topic: str, group: str = "") -> Object:
        """Answer by the table."""
        del scope
        self.asked.append((topic, group))
        if topic not in self._seen:
            raise ProbeError(f"probe: cannot observe topic {topic}")
        return dict(self._seen[topic])

    def describe_topic(self, name: str) -> Object:
        """Answer as a Kafka without an administration API."""
        return {"partitions": {"0": {"replicas": [1]}}, "config": {}, "config_error": f"nothing is told of {name}"}

    def health(self) -> Object:
        """Complain."""
        return {"kafka_error": "1 of 1 brokers is down"}


def _refusal(status: int) -> tuple[int, Mapping[str, str], bytes]:
    said = {"kind": "Status", "reason": REFUSED[status], "message": f"this is refused ({status})"}
    return status, {}, json.dumps(said).encode()


def obj(kind: str, name: str, namespace: str = "flow", **more: Any) -> Object:
    """Return an object; `spec`, `status` and the like as they are, `metadata` beside name and namespace."""
    metadata = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, **more}


def pod(name: str, *containers: Object, phase: str = "Running", **status: Any) -> Object:
    """Return a pod by the statuses of its containers."""
    spec = {"containers": [{"name": one["name"]} for one in containers]}
    return obj("Pod", name, spec=spec, status={"phase": phase, "containerStatuses": list(containers), **status})


READY = {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {}}}
CRASHING = {
    "name": "main",
    "ready": False,
    "restartCount": 3,
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
}
UNPULLED = {
    "name": "main",
    "ready": False,
    "restartCount": 0,
    "state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "nowhere/it:1"'}},
}
