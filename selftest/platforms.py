"""An embedded platform of a test module's own, for what needs a Kubernetes API behind it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fixtures.errors import TargetError
from fixtures.processes import Child, python_module

# The platform itself is up in a second; a busy machine takes longer.
UP_WITHIN = 60.0


@contextlib.contextmanager
def platform(folder: Path) -> Iterator[dict[str, Any]]:
    """Bring a platform up, with a mock Kafka; images are built when a pod asks for one.

    Yields:
        what it says of itself: `kubeconfig`, `kafka`, `resolver` and so on.
    """
    info, state = folder / "info.json", folder / "state"
    state.mkdir()
    argv = ["up", "--info", str(info), "--state", str(state), "--until-eof", "--lazy-images"]
    command = python_module("embedded", *argv)
    child = Child("the platform", command, log=folder / "platform.log", info=info, failure=TargetError)
    try:
        child.start()
        yield child.wait_for_info(UP_WITHIN)
    finally:
        child.stop()
