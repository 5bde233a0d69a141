"""Loopback addresses for pods: 127.R.x.y, with R claimed for one platform, so that ports stay as the manifests say.

Linux routes the whole of 127.0.0.0/8 to the loopback interface, so nothing has to be configured and nothing beyond this
machine can reach a pod.
"""

import os
import socket
from types import TracebackType
from typing import Self

LOCK_PORT = 61250
"""The port on 127.R.0.1 whose listener claims range R: above the ports that Linux assigns, and of no known service."""

FIRST_RANGE, LAST_RANGE = 16, 250
HOSTS = 256 * 256 - 2


class NoAddressError(RuntimeError):
    """No range, or no address in the range, is free."""


class Addresses:
    """One claimed range and the addresses given out of it. As a context manager it gives the range up at the end."""

    def __init__(self) -> None:
        """Claim a range.

        Raises:
            NoAddressError: Every range is taken.
        """
        self._lock, self.range = _claim()
        self._taken: dict[str, str] = {}
        self._owner_last_at: dict[str, str] = {}
        self._next = 1

    def allocate(self, owner: str) -> str:
        """Return an address for `owner`: its last one while that is free, so that a replaced pod keeps its address."""
        address = self._owner_last_at.get(owner)
        if address is None or address in self._taken:
            address = self._unused()
        self._taken[address] = owner
        self._owner_last_at[owner] = address
        return address

    def release(self, address: str) -> None:
        """Take an address back; an unknown one is ignored."""
        self._taken.pop(address, None)

    def close(self) -> None:
        """Give the range up. Addresses must not be used any more."""
        self._lock.close()

    def _unused(self) -> str:
        for _ in range(HOSTS):
            # No address is reused before all others: a late packet for an old pod must not reach a new one.
            self._next = self._next % HOSTS + 1
            address = f"127.{self.range}.{self._next >> 8}.{self._next & 255}"
            if address not in self._taken:
                return address
        raise NoAddressError(f"all {HOSTS} addresses of 127.{self.range}.0.0/16 are in use")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _claim() -> tuple[socket.socket, int]:
    size = LAST_RANGE - FIRST_RANGE + 1
    # Platforms that start at the same time begin at different places; the socket alone decides who has a range.
    for step in range(size):
        chosen = FIRST_RANGE + (os.getpid() + step) % size
        lock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            lock.bind((f"127.{chosen}.0.1", LOCK_PORT))
            lock.listen(1)
        except OSError:
            lock.close()
        else:
            return lock, chosen
    raise NoAddressError(
        f"no range of loopback addresses is free: something listens on port {LOCK_PORT} of every address "
        f"127.{FIRST_RANGE}.0.1 to 127.{LAST_RANGE}.0.1"
    )
