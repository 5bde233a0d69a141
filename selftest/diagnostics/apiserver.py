"""A Kubernetes API over HTTP that lists nothing, and may fall silent; and the kubeconfig to reach it."""

import http.server
import json
import threading
from pathlib import Path
from typing import Self


class ApiServer:
    """Serves on loopback until the `with` block ends.

    Args:
        silent_on: Parts of paths that get no answer.
    """

    def __init__(self, *silent_on: str) -> None:
        self.asked: list[str] = []
        self.enough = threading.Event()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                if any(part in self.path for part in silent_on):
                    server.enough.wait(60)
                    return
                body = json.dumps({"items": []}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig that leads here."""
        return kubeconfig(folder, self._server.server_port)


def kubeconfig(folder: Path, port: int) -> Path:
    """Write a kubeconfig that leads to a port of loopback."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
