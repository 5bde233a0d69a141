"""A Kubernetes API of nothing but what preflight asks for, which can lack and refuse things."""

import json
import threading
from collections.abc import Collection, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

KINDS = {
    "v1": ("Namespace", "ConfigMap", "Secret", "Service", "ServiceAccount", "Pod", "Event", "ResourceQuota", "Node"),
    "apps/v1": ("Deployment",),
    "eventing.knative.dev/v1": ("Broker", "Trigger"),
    "serving.kserve.io/v1beta1": ("InferenceService",),
    "machinelearning.seldon.io/v1": ("SeldonDeployment",),
}
CLUSTER_SCOPED = ("Namespace", "Node")
Object = dict[str, Any]


class FakeApi:
    """Serves on loopback while it is entered.

    Args:
        lacks: Kinds that it does not serve.
        refuses: What is not allowed, as `verb resource` or `verb resource in namespace`.
        objects: The objects by path below the server: a list, as `/api/v1/namespaces/x/pods`, or one object.
        version: The version of the server.
    """

    def __init__(
        self,
        *,
        lacks: Collection[str] = (),
        refuses: Collection[str] = (),
        objects: Mapping[str, Any] | None = None,
        version: str = "v1.33.1",
    ) -> None:
        self.lacks = lacks
        self.refuses = refuses
        self.objects = dict(objects or {})
        self.version = version
        self.reviewed: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # one write an answer: with two, each would wait for an acknowledgement

            def do_GET(self) -> None:
                self._answer(*outer.get(self.path.partition("?")[0]))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(201, outer.review(body))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
                del format, args

            def _answer(self, status: int, body: Object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig for it."""
        path = folder / "kubeconfig"
        server = f"http://127.0.0.1:{self._server.server_address[1]}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": server}}],
            "users": [{"name": "fake", "user": {}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "current-context": "fake",
        }
        path.write_text(json.dumps(config), encoding="utf-8")
        return path

    def get(self, path: str) -> tuple[int, Object]:
        """Answer a GET."""
        if path == "/version":
            return 200, {"gitVersion": self.version}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "groups": [_group(one) for one in KINDS if "/" in one]}
        if (version := path.removeprefix("/apis/").removeprefix("/api/")) in KINDS:
            listed = [_listed(kind) for kind in KINDS[version] if kind not in self.lacks]
            return 200, {"kind": "APIResourceList", "groupVersion": version, "resources": listed}
        found = self.objects.get(path)
        if isinstance(found, list):
            return 200, {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": found}
        if found is not None:
            return 200, found
        words = {"kind": "Status", "status": "Failure", "message": f"{path}: not found", "reason": "NotFound"}
        if path.count("/") in {5, 6} and path.endswith("s"):
            return 200, {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}
        return 404, {**words, "code": 404}

    def review(self, body: Object) -> Object:
        """Answer a SelfSubjectAccessReview."""
        asked = body["spec"]["resourceAttributes"]
        part = f"/{asked['subresource']}" if asked.get("subresource") else ""
        what = f"{asked['verb']} {asked['resource']}{part}"
        where = f"{what} in {asked['namespace']}" if asked.get("namespace") else what
        self.reviewed.append(where)
        refused = what in self.refuses or where in self.refuses
        status = {"allowed": False, "reason": "no rule says so"} if refused else {"allowed": True}
        return {**body, "status": status}


def _group(api_version: str) -> Object:
    group, version = api_version.split("/")
    entry = {"groupVersion": api_version, "version": version}
    return {"name": group, "versions": [entry], "preferredVersion": entry}


def _listed(kind: str) -> Object:
    plural = f"{kind.lower()}s"
    verbs = ["create", "delete", "get", "list", "patch", "watch"]
    return {"name": plural, "singularName": "", "namespaced": kind not in CLUSTER_SCOPED, "kind": kind, "verbs": verbs}
