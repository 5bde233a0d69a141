"""A tox plug-in: a runner for environments that share one folder, and tox's process id for the commands.

tox rebuilds a shared folder (`env_dir`) whenever another name asks for it, which would install the same pins anew for
e2e, prove and selftest. Here the folder, not the name, is what counts. A command learns tox's process id, so that it
can end with tox (`fixtures/processes/parent.py`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tox.plugin import impl
from tox.tox_env.api import ToxEnv
from tox.tox_env.info import Info
from tox.tox_env.python.virtual_env.runner import VirtualEnvRunner
from tox.tox_env.register import ToxEnvRegister


class FolderInfo(Info):
    """The record that tox keeps of an environment, under its folder's name."""

    @contextmanager
    def compare(self, value: Any, section: str, sub_section: str | None = None) -> Iterator[tuple[bool, Any]]:
        """Compare as tox does, with the folder's name in the place of the environment's."""
        if isinstance(value, dict) and "name" in value:
            value = {**value, "name": self._path.parent.name}
        with super().compare(value, section, sub_section) as answer:
            yield answer


class SharedRunner(VirtualEnvRunner):
    """A virtual environment that belongs to its folder."""

    @staticmethod
    def id() -> str:
        """Name the runner, as tox.ini does."""
        return "shared"

    @property
    def cache(self) -> Info:
        """The record of the folder's last set-up."""
        return FolderInfo(self.env_dir)


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """Register the runner as `runner = shared`."""
    register.add_run_env(SharedRunner)


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Tell the commands the process id of their tox."""
    tox_env.conf["set_env"].update({"TOUCHSTONE_PARENT": str(os.getpid())})
