"""Events about pods, as a kubelet records them: what happened, to whom, how often. The latest thousand are kept."""

import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

from embedded.api.errors import ApiError
from embedded.api.resources import EVENT
from embedded.api.store import Store, now

MOST = 1000
WARNINGS = frozenset({"BackOff", "Failed", "FailedMount", "Unhealthy"})

_log = logging.getLogger(__name__)


class Recorder:
    """A writer of events into the store. A repeated event raises the count of the first one."""

    def __init__(self, store: Store, component: str, host: str) -> None:
        self._store, self._component, self._host = store, component, host
        self._names: dict[tuple[str, str, str], str] = {}
        self._written: deque[tuple[tuple[str, str, str], str]] = deque()

    def record(self, obj: Mapping[str, Any], reason: str, message: str, field_path: str = "") -> None:
        """Write an event about `obj`; a namespace that is being deleted, or gone, takes none."""
        metadata = obj["metadata"]
        identity = (metadata["uid"], reason, message)
        try:
            known = self._store.find(EVENT, metadata["namespace"], self._names.get(identity, ""))
            if known is not None:
                known |= {"count": known["count"] + 1, "lastTimestamp": now()}
                self._store.update(EVENT, known)
                return
            made = self._store.create(EVENT, self._event(obj, reason, message, field_path))
        except ApiError as error:
            _log.debug("event %s on %s: %s", reason, metadata["name"], error)
            return
        self._names[identity] = made["metadata"]["name"]
        self._written.append((identity, metadata["namespace"]))
        if len(self._written) > MOST:
            self._forget(*self._written.popleft())

    def _event(self, obj: Mapping[str, Any], reason: str, message: str, field_path: str) -> dict[str, Any]:
        metadata, time = obj["metadata"], now()
        about = {name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion")}
        about |= {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
        return {
            "metadata": {"generateName": f"{metadata['name'][:40]}.", "namespace": metadata["namespace"]},
            "involvedObject": about | ({"fieldPath": field_path} if field_path else {}),
            "type": "Warning" if reason in WARNINGS else "Normal",
            "reason": reason,
            "message": message[:1024],
            "count": 1,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "source": {"component": self._component, "host": self._host},
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }

    def _forget(self, identity: tuple[str, str, str], namespace: str) -> None:
        name = self._names.pop(identity, "")
        if self._store.find(EVENT, namespace, name) is not None:
            self._store.delete(EVENT, namespace, name)
