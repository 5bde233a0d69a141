"""A run that is stopped at the moment at which its process ends by itself."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from embedded.runtime.logs import RunLog
from embedded.runtime.process import Run

pytestmark = pytest.mark.anyio
CODE = 127


class Ended:
    """A process that has ended, of which the event loop may not know yet; what it wrote is still to be read."""

    def __init__(self, returncode: int | None) -> None:
        self.pid, self.returncode, self.stdout = 1, returncode, asyncio.StreamReader()

    def send_signal(self, _number: int) -> None:
        """Find no such process."""
        raise ProcessLookupError

    def terminate(self) -> None:
        """Find no such process."""
        raise ProcessLookupError

    async def wait(self) -> int:
        """Tell how it ended."""
        return CODE


@pytest.mark.parametrize("returncode", [None, CODE], ids=["unknown to the loop", "known to the loop"])
async def test_its_end_is_told_and_all_that_it_wrote_is_kept(tmp_path: Path, returncode: int | None) -> None:
    process, log = Ended(returncode), RunLog(tmp_path / "log")
    run = Run(cast("Any", process), log)
    stopping = asyncio.create_task(run.stop(10))
    await asyncio.sleep(0)
    process.stdout.feed_data(b"cannot start")
    process.stdout.feed_eof()
    assert await stopping == CODE
    assert log.tail(10) == b"cannot start"
