"""A hook that keeps a container on its pod's loopback address. It runs in the workload's interpreter, before its code.

Servers in containers bind "every address" (KServe's SDK has no option for another one). On a shared loopback that would
open them to the network and make two pods fight for port 8080, so here "every address" means POD_IP. Sockets made by
Python, uvloop (libuv binds by itself) and gRPC (C core, likewise) are covered; uvloop and gRPC only once they are
imported. It is not a sandbox: a workload can still listen elsewhere.

It uses the standard library only; any Python 3.11+ environment must be able to load it.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::", "[::]", "*"})  # noqa: S104 -- these are what we replace


def _bind_sockets(pod_ip: str) -> None:
    bind = socket.socket.bind

    def bind_to_pod(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_INET and address[0] in EVERY_ADDRESS:
            address = (pod_ip, *address[1:])
        elif self.family == socket.AF_INET6 and address[0] in EVERY_ADDRESS:
            self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            address = (f"::ffff:{pod_ip}", *address[1:])
        bind(self, address)

    socket.socket.bind = bind_to_pod  # type: ignore[assignment, method-assign]  # the wrapper takes the same arguments


def _host_of_loops(loop: type, pod_ip: str) -> None:
    """Make `loop.create_server(host=None or every address)` listen on the pod's address, once."""
    create_server = loop.create_server  # type: ignore[attr-defined]  # asyncio's and uvloop's loops have it

    async def create_server_on_pod(self: Any, protocol: Any, host: Any = None, port: Any = None, **kwargs: Any) -> Any:
        if kwargs.get("sock") is None and (host is None or host in EVERY_ADDRESS):
            host = pod_ip
        return await create_server(self, protocol, host, port, **kwargs)

    loop.create_server = create_server_on_pod  # type: ignore[attr-defined]  # as above


def _uvloop(module: ModuleType, pod_ip: str) -> None:
    _host_of_loops(module.Loop, pod_ip)


def _asyncio(module: ModuleType, pod_ip: str) -> None:
    _host_of_loops(module.BaseEventLoop, pod_ip)


def _grpc_server(server: type, pod_ip: str) -> None:
    for name in ("add_insecure_port", "add_secure_port"):
        add_port: Callable[..., int] = getattr(server, name)

        def add_port_on_pod(
            self: Any, address: str, *args: Any, _add_port: Callable[..., int] = add_port, **kwargs: Any
        ) -> int:
            host, _, port = address.rpartition(":")
            return _add_port(self, f"{pod_ip}:{port}" if host in EVERY_ADDRESS else address, *args, **kwargs)

        setattr(server, name, add_port_on_pod)


def _grpc(module: ModuleType, pod_ip: str) -> None:
    _grpc_server(module._Server, pod_ip)  # noqa: SLF001 -- grpc.server() returns this class


def _grpc_aio(module: ModuleType, pod_ip: str) -> None:
    _grpc_server(module.Server, pod_ip)


AFTER_IMPORT: dict[str, Callable[[ModuleType, str], None]] = {
    "asyncio.base_events": _asyncio,
    "uvloop": _uvloop,
    "grpc._server": _grpc,
    "grpc.aio._server": _grpc_aio,
}


class _Patching(importlib.abc.Loader):
    """A module's own loader, followed by a patch of the module."""

    def __init__(self, loader: importlib.abc.Loader, patch: Callable[[ModuleType, str], None], pod_ip: str) -> None:
        self._loader, self._patch, self._pod_ip = loader, patch, pod_ip

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._patch(module, self._pod_ip)


class _Finder(importlib.abc.MetaPathFinder):
    """A finder that puts the patching loader around the loaders of the modules in AFTER_IMPORT."""

    def __init__(self, pod_ip: str) -> None:
        self._pod_ip = pod_ip

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        patch = AFTER_IMPORT.get(fullname)
        if patch is None:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Patching(spec.loader, patch, self._pod_ip)
                return spec
        return None


def _run_next_sitecustomize() -> None:
    """Run the sitecustomize that this one hides: the next one on sys.path, if there is one."""
    here = Path(__file__).resolve().parent
    search = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", search)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def install(pod_ip: str) -> None:
    """Keep this process on its pod's address; `forkserver.py` calls it in a process that has imported much already."""
    _bind_sockets(pod_ip)
    sys.meta_path.insert(0, _Finder(pod_ip))
    for name, patch in AFTER_IMPORT.items():
        if name in sys.modules:
            patch(sys.modules[name], pod_ip)


if os.environ.get("POD_IP"):
    install(os.environ["POD_IP"])
_run_next_sitecustomize()
