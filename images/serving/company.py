"""The requests that are at a node at one time, as those of them see it that ask how many there are."""

import asyncio
import contextlib

LONGEST_SECONDS = 3.0
"""How long a request waits for others."""
STAY_SECONDS = 0.2
"""How long it stays then, so that there is time for one too many."""


class _Guest:
    """A request that is here.

    Attributes:
        most: The most requests that have been here at one time since it came.
    """

    most = 0


class Company:
    """Those requests at a node that ask how many there are."""

    def __init__(self) -> None:
        self._here: list[_Guest] = []
        self._arrival = asyncio.Condition()

    async def kept(self, least: int, most: int) -> str:
        """Wait for so many requests, and a little longer; return `as wished`, or `fewer` or `more`.

        Args:
            least: The number of requests that should have been here at one time, this one included.
            most: The number of which there should not have been more.
        """
        guest = _Guest()
        self._here.append(guest)
        for each in self._here:
            each.most = max(each.most, len(self._here))
        try:
            async with self._arrival:
                self._arrival.notify_all()
                with contextlib.suppress(TimeoutError):
                    waiting = self._arrival.wait_for(lambda: guest.most >= least)
                    await asyncio.wait_for(waiting, LONGEST_SECONDS)
            await asyncio.sleep(STAY_SECONDS)
        finally:
            self._here.remove(guest)
        if guest.most < least:
            return "fewer"
        return "more" if guest.most > most else "as wished"
