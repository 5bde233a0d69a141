"""A Kubernetes API of the tests' own, that can be told to misbehave: to refuse, to be slow, never to get ready.

Enough of one for `KubeClient`: discovery (CustomResourceDefinitions included), get, list, server-side apply, dry-run
create, delete with finalizers. Nothing runs in it; what controllers would write, `status_of` and `on_get` say.
"""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Object = dict[str, Any]
Key = tuple[str, str | None, str]

BUILT_IN = [
    ("v1", "Namespace", "namespaces", False),
    ("v1", "ConfigMap", "configmaps", True),
    ("v1", "Secret", "secrets", True),
    ("v1", "Service", "services", True),
    ("v1", "ServiceAccount", "serviceaccounts", True),
    ("v1", "Pod", "pods", True),
    ("v1", "Event", "events", True),
    ("apps/v1", "Deployment", "deployments", True),
    ("apps/v1", "StatefulSet", "statefulsets", True),
    ("batch/v1", "Job", "jobs", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", True),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False),
]


@dataclass
class Rule:
    """Refuses writes of a kind, `times` times."""

    kind: str
    times: int
    code: int
    message: str
    reason: str = "InternalError"
    name: str | None = None


@dataclass
class Cluster:
    """The API's objects, and how it misbehaves.

    Attributes:
        kubeconfig: Path of one that leads here.
        objects: The objects by plural, namespace and name.
        rules: Refusals to come.
        status_of: The functions by kind that give an object its status when it is written.
        on_get: The functions by kind that may change an object whenever it is read.
        log: Method and path of every request that writes.
        busy: How many reads of one object to come have no answer but `busy_code`.
    """

    kubeconfig: str = ""
    objects: dict[Key, Object] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    status_of: dict[str, Callable[[Object], Object]] = field(default_factory=dict)
    on_get: dict[str, Callable[[Object], None]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    kinds: list[tuple[str, str, str, bool]] = field(default_factory=lambda: list(BUILT_IN))
    version: int = 1
    busy: int = 0
    busy_code: int = 503

    def add(self, obj: Object) -> Object:
        """Put an object there, as a controller or somebody else would."""
        plural = next(plural for api, kind, plural, _ in self.kinds if (api, kind) == (obj["apiVersion"], obj["kind"]))
        self._store((plural, obj["metadata"].get("namespace"), obj["metadata"]["name"]), copy.deepcopy(obj))
        return obj

    def find(self, kind: str, name: str) -> Object | None:
        """Return the object of that kind and name, in whatever namespace."""
        found = (one for one in self.objects.values() if (one["kind"], one["metadata"]["name"]) == (kind, name))
        return next(found, None)

    def versions(self) -> dict[Key, str]:
        """Return the resourceVersion of everything."""
        return {key: one["metadata"]["resourceVersion"] for key, one in self.objects.items()}

    def _store(self, key: Key, obj: Object) -> None:
        self.version += 1
        uid = obj["metadata"].get("uid") or f"uid-{self.version}"
        obj["metadata"] |= {"resourceVersion": str(self.version), "uid": uid}
        self.objects[key] = obj
        if obj["kind"] == "CustomResourceDefinition":
            spec = obj["spec"]
            for version in spec["versions"]:
                api_version = f"{spec['group']}/{version['name']}"
                entry = (api_version, spec["names"]["kind"], spec["names"]["plural"], spec["scope"] == "Namespaced")
                if entry not in self.kinds:
                    self.kinds.append(entry)

    def discover(self, path: str) -> Object | None:
        """Answer a discovery request; None: the path is none."""
        if path == "/version":
            return {"gitVersion": "v1.36.0", "major": "1", "minor": "36"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            versions = sorted({api for api, *_ in self.kinds if "/" in api})
            groups: dict[str, Object] = {}
            for api_version in versions:
                name, _, version = api_version.partition("/")
                one = {"groupVersion": api_version, "version": version}
                group = groups.setdefault(name, {"name": name, "versions": [], "preferredVersion": one})
                group["versions"].append(one)
            return {"kind": "APIGroupList", "groups": list(groups.values())}
        api_version = path.removeprefix("/apis/").removeprefix("/api/")
        found = [one for one in self.kinds if one[0] == api_version]
        if not found:
            return None
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        resources = [
            {"name": plural, "singularName": kind.lower(), "kind": kind, "namespaced": namespaced, "verbs": verbs}
            for _, kind, plural, namespaced in found
        ]
        return {"kind": "APIResourceList", "groupVersion": api_version, "resources": resources}

    def read(self, key: Key, labels: str = "") -> tuple[int, Object]:
        """Answer a get, or a list when there is no name."""
        plural, namespace, name = key
        if name:
            if self.busy:
                self.busy -= 1
                return _status(self.busy_code, "ServiceUnavailable", "etcd is slow")
            found = self.objects.get(key)
            if found is None:
                return _status(404, "NotFound", f'{plural} "{name}" not found')
            if hook := self.on_get.get(found["kind"]):
                hook(found)
            return 200, found
        wanted = dict(part.split("=") for part in labels.split(",") if part)
        items = [
            one
            for (its_plural, its_namespace, _), one in self.objects.items()
            if its_plural == plural
            and namespace in (None, its_namespace)
            and wanted.items() <= (one["metadata"].get("labels") or {}).items()
        ]
        return 200, {"kind": "List", "metadata": {"resourceVersion": str(self.version)}, "items": items}

    def write(self, key: Key, body: Object, *, dry_run: bool) -> tuple[int, Object]:
        """Answer a server-side apply or a creation."""
        for rule in self.rules:
            if rule.kind == body["kind"] and rule.name in (None, body["metadata"]["name"]) and rule.times:
                rule.times -= 1
                return _status(rule.code, rule.reason, rule.message)
        namespace = key[1]
        if namespace and ("namespaces", None, namespace) not in self.objects:
            return _status(404, "NotFound", f'namespaces "{namespace}" not found')
        live = self.objects.get(key)
        wanted = _merged(live or {}, body)
        if live is not None and wanted == live:
            return 200, live
        if not dry_run:
            if (live or {}).get("spec") != wanted.get("spec"):
                wanted["metadata"]["generation"] = wanted["metadata"].get("generation", 0) + 1
            if make := self.status_of.get(body["kind"]):
                wanted["status"] = make(wanted)
            self._store(key, wanted)
        return (200 if live else 201), wanted

    def delete(self, key: Key) -> tuple[int, Object]:
        """Answer a deletion; what has finalizers stays."""
        found = self.objects.get(key)
        if found is None:
            return _status(404, "NotFound", f'{key[0]} "{key[2]}" not found')
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            return 200, found
        del self.objects[key]
        if key[0] == "namespaces":
            for other in [other for other in self.objects if other[1] == key[2]]:
                del self.objects[other]
        if found["kind"] == "CustomResourceDefinition":
            group, plural = found["spec"]["group"], found["spec"]["names"]["plural"]
            self.kinds = [one for one in self.kinds if not (one[0].startswith(f"{group}/") and one[2] == plural)]
        return 200, found


def ready(obj: Object) -> Object:
    """Return the status of a workload, or of a CustomResourceDefinition, that is up."""
    replicas = (obj.get("spec") or {}).get("replicas", 1)
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), replicas)
    conditions = [{"type": one, "status": "True"} for one in ("Available", "Established", "Ready", "Complete")]
    return {"observedGeneration": obj["metadata"].get("generation", 1), "conditions": conditions, **counts}


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Serve a cluster on loopback."""
    cluster = Cluster(status_of=dict.fromkeys(("Deployment", "StatefulSet", "Job", "CustomResourceDefinition"), ready))
    for name in ("default", "kube-public", "kube-system"):
        cluster.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PATCH(self) -> None:
            self._answer("PATCH")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            split, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
            with lock:
                code, found = self._found(method, split.path, query, json.loads(body) if body else {})
                data = json.dumps(found).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _found(self, method: str, path: str, query: dict[str, list[str]], body: Object) -> tuple[int, Object]:
            path = path.rstrip("/")
            if method == "GET" and (discovered := cluster.discover(path)):
                return 200, discovered
            parts = path.strip("/").split("/")
            api_version, rest = ("/".join(parts[1:3]), parts[3:]) if parts[0] == "apis" else (parts[1], parts[2:])
            namespace = rest[1] if rest[:1] == ["namespaces"] and len(rest) > 2 else None
            plural, name = [*(rest[2:] if namespace else rest), "", ""][:2]
            if not any((one[0], one[2]) == (api_version, plural) for one in cluster.kinds):
                return _status(404, "NotFound", "the server could not find the requested resource")
            if method == "GET":
                return cluster.read((plural, namespace, name), query.get("labelSelector", [""])[0])
            cluster.log.append((method, self.path))
            if method == "DELETE":
                return cluster.delete((plural, namespace, name))
            name = name or body["metadata"]["name"]
            return cluster.write((plural, namespace, name), body, dry_run="dryRun" in query)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        cluster.kubeconfig = str(folder / "kubeconfig")
        address = f"http://127.0.0.1:{server.server_address[1]}"
        Path(cluster.kubeconfig).write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": {"server": address}}],
                    "users": [{"name": "u", "user": {}}],
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "x",
                }
            )
        )
        try:
            yield cluster
        finally:
            server.shutdown()
            thread.join()


def _merged(old: Any, change: Any) -> Any:
    if isinstance(old, dict) and isinstance(change, dict):
        return old | {key: _merged(old.get(key), value) for key, value in change.items()}
    return copy.deepcopy(change)


def _status(code: int, reason: str, message: str) -> tuple[int, Object]:
    return code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
