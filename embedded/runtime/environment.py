"""The command, arguments and environment of a container, made from a manifest as Kubernetes makes them.

Cluster names (`x.ns.svc.cluster.local`, with or without a port) become loopback addresses, because a workload's
resolver does not know the cluster, and mount paths become real folders. The rules of Kubernetes apply to `$(NAME)`, to
`valueFrom`, and to command and arguments.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.api.store import Store
from embedded.runtime.image_folders import Image
from embedded.runtime.references import REFERENCES, MissingError, data_of, field_of, key_of
from embedded.runtime.volumes import Mounts
from embedded.types import Endpoint

SHIM = Path(__file__).resolve().parent / "shim"
HOST_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""The variables of the platform's own environment that a container gets; others may hold secrets of the host."""

CLUSTER_NAME = re.compile(
    r"(?P<scheme>[a-z]+://)?(?P<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.[a-z0-9-]+\.svc(?:\.cluster\.local)?)"
    r"(?::(?P<port>[0-9]+))?(?![a-z0-9.-])"
)
PREDICTOR_HOST = "--predictor_host"
REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
SCHEME_PORTS = {"http://": 80, "https://": 443}


FindAddress = Callable[[str, int | None], Endpoint | None]
"""A function from (host, port) to an address; without a port, to the Service's first one."""


class UnresolvedError(Exception):
    """A cluster name in the manifest that leads nowhere yet; a change of a Service or pod may help."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command to execute, with its folder and environment, and the cluster names and mounts that went into it.

    Attributes:
        inherited: The names of the variables that are as in the platform's own environment.
    """

    argv: tuple[str, ...]
    folder: Path
    environment: dict[str, str]
    mounts: Mounts = field(default_factory=lambda: Mounts({}))
    names: Mapping[tuple[str, int | None], Endpoint] = field(default_factory=dict)
    inherited: frozenset[str] = frozenset()


class Names:
    """A replacer of cluster names in texts, which remembers them."""

    def __init__(self, resolve: FindAddress, exists: Callable[[str], bool]) -> None:
        self._resolve, self._exists = resolve, exists
        self.used: dict[tuple[str, int | None], Endpoint] = {}

    def replace(self, text: str) -> str:
        """Return `text` with every cluster name as `ip:port`; an unknown name stays, and fails as in DNS.

        Raises:
            UnresolvedError: A Service exists, but no address behind it.
        """
        return CLUSTER_NAME.sub(self._replace_match, text)

    def address(self, host: str, port: int | None) -> str | None:
        """Return `ip:port` of a cluster name, or None when no Service has it.

        Raises:
            UnresolvedError: A Service exists, but no address behind it.
        """
        endpoint = self._resolve(host, port)
        if endpoint is None:
            if self._exists(host):
                raise UnresolvedError(f"no address yet behind {host}")
            return None
        self.used[host, port] = endpoint
        return f"{endpoint.host}:{endpoint.port}"

    def _replace_match(self, match: re.Match[str]) -> str:
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
    """Return what a container executes.

    Raises:
        MissingError: An environment variable refers to something that does not exist.
        UnresolvedError: A cluster name leads nowhere yet.
    """
    environment = _environment(pod, container, pod_ip, store)
    replaced = {name: mounts.replace(names.replace(value)) for name, value in environment.items()}
    command = [_expand(part, environment) for part in container.get("command") or ()]
    args = [_expand(part, environment) for part in container.get("args") or ()]
    if not command:
        command = list(image.command)
        args = args or list(image.args)
    argv = tuple(mounts.replace(part) for part in replace_names([*command, *args], names))
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
    return Launch(argv, folder, own, mounts, dict(names.used), frozenset(host))


def still_true(launched: Launch, resolve: FindAddress) -> bool:
    """Return whether the names that went into a launch still lead to the same endpoints."""
    return all(resolve(host, port) in (None, endpoint) for (host, port), endpoint in launched.names.items())


def replace_names(command: Sequence[str], names: Names) -> list[str]:
    """Return a command with every cluster name in it as `ip:port`.

    Raises:
        UnresolvedError: A Service exists, but no address behind it.
    """
    return [_replace_argument(part, before, names) for before, part in zip(["", *command], command, strict=False)]


def _replace_argument(part: str, before: str, names: Names) -> str:
    # KServe passes `<service>.<namespace>` to a transformer; only this option distinguishes it from other dotted words.
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
