"""Child processes that live as long as their stdin is open; their logs go to files."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.kafka.kafka import log_tail


class Child:
    """One child in a session of its own: Ctrl-C on the terminal reaches the platform, which then stops the child.

    The child ends when its stdin is closed, which also happens when the platform dies in any way.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log
        self._stopping = asyncio.Event()

    @classmethod
    async def start(
        cls, arguments: Sequence[str], *, cwd: Path, log: Path, environment: Mapping[str, str], answers: bool = False
    ) -> "Child":
        """Start a child; stderr (and stdout, unless `answers` are read from it) is appended to `log`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                cwd=cwd,
                env=dict(environment),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE if answers else file,
                stderr=file,
                start_new_session=True,
            )
        return cls(process, log)

    async def died(self, name: str) -> str:
        """Return a sentence about the death of `name` once the child ended unasked; wait for ever if it never does."""
        code = await self.process.wait()
        if self._stopping.is_set():
            await asyncio.Event().wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{name} died ({how}), process {self.process.pid}; its log ends:\n{log_tail(self.log)}"

    async def stop(self, grace: float) -> None:
        """Close the child's stdin; terminate it after `grace` seconds, and kill it after as many again."""
        self._stopping.set()
        if self.process.stdin is not None:
            self.process.stdin.close()
        for end in (self.process.terminate, self.process.kill, None):
            try:
                await asyncio.wait_for(self.process.wait(), grace)
            except TimeoutError:
                if end is None:
                    raise
                end()
            else:
                return


def project_environment() -> dict[str, str]:
    """Return an environment in which `python -m embedded...` finds this project from any folder."""
    root = str(Path(__file__).resolve().parents[2])
    path = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
