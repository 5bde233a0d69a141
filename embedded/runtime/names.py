"""Cluster DNS and Services in one: a name and a port of the cluster to an address on loopback.

`x.ns.svc[.cluster.local]` leads through the Service `x`: to a pod that its selector finds and that is ready, to the
target of an ExternalName (the Host header stays, as with a CNAME), or to a part of the platform itself. Other names are
passed through: they are not the cluster's business.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from embedded.api.resources import SERVICE
from embedded.api.store import Store
from embedded.types import Endpoint

MOST_ALIASES = 8


class Pod(Protocol):
    """What the names need to know of a pod."""

    @property
    def address(self) -> str:
        """Its IP."""

    @property
    def ready(self) -> bool:
        """Whether it may get requests."""

    @property
    def going(self) -> bool:
        """Whether it is being stopped."""

    @property
    def labels(self) -> Mapping[str, str]:
        """What selectors look at."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """As in the manifest."""


class ClusterNames:
    """Resolves names of the cluster. `pods(namespace)` gives the pods that there are."""

    def __init__(self, store: Store, pods: Callable[[str], Iterable[Pod]]) -> None:
        self._store, self._pods = store, pods
        self._platform: dict[tuple[str, str], tuple[str, int]] = {}
        self._turn = 0

    def serve(self, namespace: str, name: str, host: str, port: int) -> None:
        """Lead every port of a Service without selector to a part of the platform at host:port."""
        self._platform[namespace, name] = (host, port)

    def resolve(self, host: str, port: int) -> Endpoint | None:
        """Where a request to host:port goes now; None when nobody is there (no such Service or port, no ready pod)."""
        return self._find(host, port, ready=True)

    def address(self, host: str, port: int | None) -> Endpoint | None:
        """Like `resolve`, for a container's environment: a pod counts once it has an address, ready or not.

        Without a port the Service's first one is meant.
        """
        if port is None:
            service = self._service(host)
            ports = (service or {}).get("spec", {}).get("ports") or ()
            if not ports:
                return None
            port = int(ports[0]["port"])
        return self._find(host, port, ready=False)

    def exists(self, host: str) -> bool:
        """Whether a Service has this name."""
        return self._service(host) is not None

    def _find(self, host: str, port: int, *, ready: bool) -> Endpoint | None:
        place, target = split(host), host
        if place is None:
            return Endpoint(host, port, _authority(host, port))
        for _ in range(MOST_ALIASES):
            service = self._store.find(SERVICE, place[0], place[1])
            if service is None:
                return None
            if service["spec"].get("type") != "ExternalName":
                found = self._behind(place, service, port, ready=ready)
                return None if found is None else Endpoint(*found, _authority(host, port))
            target = service["spec"]["externalName"]
            following = split(target)
            if following is None:
                return Endpoint(target, port, _authority(host, port))
            place = following
        return None

    def _behind(
        self, place: tuple[str, str], service: Mapping[str, Any], port: int, *, ready: bool
    ) -> tuple[str, int] | None:
        declared = next((p for p in service["spec"].get("ports") or () if p["port"] == port), None)
        if declared is None:
            return None
        if place in self._platform:
            return self._platform[place]
        selector = service["spec"].get("selector")
        if not selector:
            return None
        matching = [pod for pod in self._pods(place[0]) if selector.items() <= pod.labels.items()]
        if ready:
            matching = [pod for pod in matching if pod.ready]
        else:
            matching = [pod for pod in matching if not pod.going] or matching
        if not matching:
            return None
        # Requests take turns. What a container is told must stay the same for as long as it is true.
        self._turn += ready
        pod = matching[self._turn % len(matching)] if ready else matching[0]
        target = _target_port(declared, pod)
        return None if target is None else (pod.address, target)

    def _service(self, host: str) -> dict[str, Any] | None:
        place = split(host)
        return None if place is None else self._store.find(SERVICE, *place)


def split(host: str) -> tuple[str, str] | None:
    """(namespace, service) of a cluster name, None for any other host."""
    name = host.rstrip(".").lower().removesuffix(".cluster.local")
    if not name.endswith(".svc"):
        return None
    parts = name.removesuffix(".svc").split(".")
    return (parts[1], parts[0]) if len(parts) == 2 and all(parts) else None


def _target_port(declared: Mapping[str, Any], pod: Pod) -> int | None:
    target = declared.get("targetPort", declared["port"])
    if isinstance(target, int):
        return target
    for container in pod.spec.get("containers") or ():
        for named in container.get("ports") or ():
            if named.get("name") == target:
                return int(named["containerPort"])
    return None


def _authority(host: str, port: int) -> str:
    return host if port == 80 else f"{host}:{port}"
