"""Cluster DNS and Services: from a name and a port of the cluster to an address on loopback.

`x.ns.svc[.cluster.local]` leads through the Service `x`: to a pod that its selector finds and that is ready, to the
target of an ExternalName (the Host header stays, as with a CNAME), or to a part of the platform itself. Other names do
not belong to the cluster and stay as they are.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from embedded.api.resources import SERVICE
from embedded.api.store import Store
from embedded.types import Endpoint

MOST_ALIASES = 8


class Pod(Protocol):
    """A pod as the resolver sees it."""

    @property
    def address(self) -> str:
        """The IP address."""

    @property
    def ready(self) -> bool:
        """True if the pod may get requests."""

    @property
    def going(self) -> bool:
        """True if the pod is being stopped."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that selectors match."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec, as in the manifest."""


class ClusterNames:
    """A resolver of cluster names. `pods(namespace)` gives the pods of a namespace."""

    def __init__(self, store: Store, pods: Callable[[str], Iterable[Pod]]) -> None:
        self._store, self._pods = store, pods
        self._platform: dict[tuple[str, str], tuple[str, int]] = {}
        self._turn = 0

    def serve(self, namespace: str, name: str, host: str, port: int) -> None:
        """Map every port of a Service without selector to a part of the platform at host:port."""
        self._platform[namespace, name] = (host, port)

    def resolve(self, host: str, port: int) -> Endpoint | None:
        """Return where a request to host:port goes now, or None when nobody answers (no Service, port or ready pod)."""
        return self._find(host, port, ready=True)

    def address(self, host: str, port: int | None) -> Endpoint | None:
        """Return an address for a container's environment: like `resolve`, but a pod need not be ready yet.

        Without a port, the Service's first one is used.
        """
        if port is None:
            service = self._service(host)
            ports = (service or {}).get("spec", {}).get("ports") or ()
            if not ports:
                return None
            port = int(ports[0]["port"])
        return self._find(host, port, ready=False)

    def exists(self, host: str) -> bool:
        """Return whether a Service has this name."""
        return self._service(host) is not None

    def _find(self, host: str, port: int, *, ready: bool) -> Endpoint | None:
        key, target = split(host), host
        if key is None:
            return Endpoint(host, port, _authority(host, port))
        for _ in range(MOST_ALIASES):
            service = self._store.find(SERVICE, key[0], key[1])
            if service is None:
                return None
            if service["spec"].get("type") != "ExternalName":
                address = self._behind(key, service, port, ready=ready)
                return None if address is None else Endpoint(*address, _authority(host, port))
            target = service["spec"]["externalName"]
            following = split(target)
            if following is None:
                return Endpoint(target, port, _authority(host, port))
            key = following
        return None

    def _behind(
        self, key: tuple[str, str], service: Mapping[str, Any], port: int, *, ready: bool
    ) -> tuple[str, int] | None:
        declared = next((p for p in service["spec"].get("ports") or () if p["port"] == port), None)
        if declared is None:
            return None
        if key in self._platform:
            return self._platform[key]
        selector = service["spec"].get("selector")
        if not selector:
            return None
        matching = [pod for pod in self._pods(key[0]) if selector.items() <= pod.labels.items()]
        if ready and not service["spec"].get("publishNotReadyAddresses"):
            matching = [pod for pod in matching if pod.ready]
        else:
            matching = [pod for pod in matching if not pod.going] or matching
        if not matching:
            return None
        # Requests go round the pods; a container's environment must stay the same for as long as it is true.
        self._turn += ready
        pod = matching[self._turn % len(matching)] if ready else matching[0]
        target = _target_port(declared, pod)
        return None if target is None else (pod.address, target)

    def _service(self, host: str) -> dict[str, Any] | None:
        key = split(host)
        return None if key is None else self._store.find(SERVICE, *key)


def split(host: str) -> tuple[str, str] | None:
    """Return (namespace, service) of a cluster name, or None for any other host."""
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
