"""What the server has imported before it forks: what pytest and our commands stand on, each as it is imported there."""

import contextlib
import importlib
import io
import sys

import pytest

import conftest
from fixtures.reading.files import ROOT
from selftest.warm.becoming import FORKED

COMMANDS = ("fixtures.platform", "reports", *FORKED)
LATE = ("httpx", "kubernetes.client", "kubernetes.dynamic")


def _preload() -> None:
    # By pytest itself, which rewrites the asserts of its plug-ins as it imports them.
    plugins = [word for name in (*conftest.PLUGINS, "hypothesis.core") for word in ("-p", name)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main(["-c", "/dev/null", "--rootdir", str(ROOT), "-p", "no:pytest-kind", *plugins, "--help"])
    for name in COMMANDS:
        main = importlib.import_module(f"{name}.__main__")
        # `python -m` runs it anew, and complains where it was imported before.
        del sys.modules[main.__name__]
    for name in LATE:
        importlib.import_module(name)


_preload()
