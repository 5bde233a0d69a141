"""An embedded platform of a test module's own, for what needs a Kubernetes API behind it."""

import base64
import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from fixtures.errors import TargetError
from fixtures.processes.children import python_module
from selftest.warm.running import WarmChild

# The platform itself is up in a second; a busy machine takes longer.
UP_WITHIN = 60.0


def api_client(info: dict[str, Any], **options: Any) -> httpx.Client:
    """Return an HTTP client of a platform's Kubernetes API, with what its kubeconfig holds."""
    config = yaml.safe_load(Path(info["kubeconfig"]).read_text())
    cluster = config["clusters"][0]["cluster"]
    trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    return httpx.Client(base_url=cluster["server"], verify=trust, headers=headers, **options)


@contextlib.contextmanager
def platform(folder: Path) -> Iterator[dict[str, Any]]:
    """Bring a platform up, with a mock Kafka; images are built when a pod asks for one.

    Yields:
        What it says of itself: `kubeconfig`, `kafka`, `resolver` and so on.
    """
    info, state = folder / "info.json", folder / "state"
    state.mkdir()
    argv = ["up", "--info", str(info), "--state", str(state), "--until-eof", "--lazy-images"]
    command = python_module("embedded", *argv)
    child = WarmChild("the platform", command, log=folder / "platform.log", info=info, failure=TargetError)
    try:
        child.start()
        yield child.wait_for_info(UP_WITHIN)
    finally:
        child.stop()
