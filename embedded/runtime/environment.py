"""From a container of a manifest to what is executed: command, arguments and environment, as Kubernetes makes them.

Cluster names (`x.ns.svc.cluster.local`, with or without a port) become loopback addresses here, because a workload's
resolver knows no cluster, and mount paths become real folders. The rules of Kubernetes for `$(NAME)`, `valueFrom` and
command versus arguments hold.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.api.store import Store
from embedded.runtime.images import Image
from embedded.runtime.references import REFERENCES, MissingError, data_of, field_of, key_of
from embedded.runtime.volumes import Mounts
from embedded.types import Endpoint

SHIM = Path(__file__).resolve().parent / "shim"
HOST_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a container sees of the platform's own environment. Secrets of the host are none of its business."""

CLUSTER_NAME = re.compile(
    r"(?P<scheme>[a-z]+://)?(?P<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.[a-z0-9-]+\.svc(?:\.cluster\.local)?)"
    r"(?::(?P<port>[0-9]+))?(?![a-z0-9.-])"
)
PREDICTOR_HOST = "--predictor_host"
REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
SCHEME_PORTS = {"http://": 80, "https://": 443}


FindAddress = Callable[[str, int | None], Endpoint | None]
"""(host, port) to an address; without a port, to the first one of the Service."""


class UnresolvedError(Exception):
    """A cluster name in the manifest leads nowhere yet; worth another attempt when a Service or pod changes."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to execute, where, with which environment; and which cluster names and mounts went into it."""

    argv: tuple[str, ...]
    folder: Path
    environment: dict[str, str]
    mounts: Mounts = field(default_factory=lambda: Mounts({}))
    names: Mapping[tuple[str, int | None], Endpoint] = field(default_factory=dict)


class Names:
    """Replaces cluster names in texts and remembers which."""

    def __init__(self, resolve: FindAddress, exists: Callable[[str], bool]) -> None:
        self._resolve, self._exists = resolve, exists
        self.used: dict[tuple[str, int | None], Endpoint] = {}

    def replace(self, text: str) -> str:
        """Every cluster name in `text` as `ip:port`. A name of no Service stays: it fails as DNS would.

        Raises:
            UnresolvedError: a Service is there, but no address behind it.
        """
        return CLUSTER_NAME.sub(self._found, text)

    def address(self, host: str, port: int | None) -> str | None:
        """`ip:port` of a cluster name, None when no Service has it. Raises UnresolvedError like `replace`."""
        endpoint = self._resolve(host, port)
        if endpoint is None:
            if self._exists(host):
                raise UnresolvedError(f"no address yet behind {host}")
            return None
        self.used[host, port] = endpoint
        return f"{endpoint.host}:{endpoint.port}"

    def _found(self, match: re.Match[str]) -> str:
        scheme = match["scheme"] or ""
        port = int(match["port"]) if match["port"] else SCHEME_PORTS.get(scheme)
        address = self.address(match["host"], port)
        return match[0] if address is None else scheme + address


def launch(
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    *,
    image: Image,
    python_environment: Path,
    pod_ip: str,
    store: Store,
    names: Names,
    mounts: Mounts,
) -> Launch:
    """Work out what a container executes.

    Raises:
        MissingError: an environment variable refers to something that is not there.
        UnresolvedError: a cluster name leads nowhere yet.
    """
    environment = _environment(pod, container, pod_ip, store)
    replaced = {name: mounts.replace(names.replace(value)) for name, value in environment.items()}
    command = [_expand(part, environment) for part in container.get("command") or ()]
    args = [_expand(part, environment) for part in container.get("args") or ()]
    if not command:
        command = list(image.command)
        args = args or list(image.args)
    parts = _pairs([*command, *args])
    argv = tuple(mounts.replace(_replace_argument(part, before, names)) for before, part in parts)
    host = {name: value for name, value in _host_environment().items() if name not in replaced}
    own = host | {"HOME": str(image.folder), "HOSTNAME": pod["metadata"]["name"], "PYTHONUNBUFFERED": "1"} | replaced
    temporary = mounts.replace("/tmp")  # noqa: S108 -- the container's own, where a volume is mounted there
    if temporary != "/tmp":  # noqa: S108
        own.setdefault("TMPDIR", temporary)
    own["POD_IP"] = pod_ip
    own["VIRTUAL_ENV"] = str(python_environment)
    own["PATH"] = f"{python_environment / 'bin'}:{own.get('PATH', '/usr/bin:/bin')}"
    own["PYTHONPATH"] = f"{SHIM}:{replaced['PYTHONPATH']}" if replaced.get("PYTHONPATH") else str(SHIM)
    folder = image.workdir / mounts.replace(container.get("workingDir", ""))
    return Launch(argv, folder, own, mounts, dict(names.used))


def still_true(launched: Launch, resolve: FindAddress) -> bool:
    """Whether the names that went into a launch still lead where they led."""
    return all(resolve(host, port) in (None, endpoint) for (host, port), endpoint in launched.names.items())


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *parts], parts, strict=False))


def _replace_argument(part: str, before: str, names: Names) -> str:
    # KServe hands a transformer `<service>.<namespace>`, which only this option tells from other dotted words.
    if before == PREDICTOR_HOST and part.count(".") == 1 and ":" not in part:
        return names.address(f"{part}.svc.cluster.local", 80) or part
    return names.replace(part)


def _host_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in HOST_VARIABLES if name in os.environ}


def _environment(pod: Mapping[str, Any], container: Mapping[str, Any], pod_ip: str, store: Store) -> dict[str, str]:
    namespace = pod["metadata"]["namespace"]
    environment: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for kind, resource in REFERENCES.items():
            if f"{kind}Ref" in source:
                data = data_of(store, resource, namespace, source[f"{kind}Ref"])
                environment |= {source.get("prefix", "") + name: os.fsdecode(value) for name, value in data.items()}
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            value = _value_from(variable, pod, pod_ip, store)
            if value is not None:
                environment[variable["name"]] = value
        else:
            environment[variable["name"]] = _expand(str(variable.get("value") or ""), environment)
    return environment


def _value_from(variable: Mapping[str, Any], pod: Mapping[str, Any], pod_ip: str, store: Store) -> str | None:
    source = variable["valueFrom"]
    if "fieldRef" in source:
        return field_of(pod, pod_ip, source["fieldRef"]["fieldPath"])
    for kind, resource in REFERENCES.items():
        if f"{kind}KeyRef" in source:
            value = key_of(store, resource, pod["metadata"]["namespace"], source[f"{kind}KeyRef"])
            return None if value is None else os.fsdecode(value)
    raise MissingError(f"env {variable['name']}: this valueFrom is not supported")


def _expand(text: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else environment.get(match[1], match[0])

    return REFERENCE.sub(value, text)
