"""The offsets that may be committed: only past records of known outcome, so that a crash repeats but never loses."""


class Progress:
    """The unfinished records of one topic. Records of a partition begin in offset order and end in any order."""

    def __init__(self) -> None:
        self._open: dict[int, dict[int, None]] = {}
        self._next: dict[int, int] = {}
        self._taken: dict[int, int] = {}

    @property
    def following(self) -> dict[int, int]:
        """The offset behind the last record that has begun, by partition."""
        return dict(self._next)

    def begin(self, partition: int, offset: int) -> None:
        """Note that a record has begun."""
        self._open.setdefault(partition, {})[offset] = None
        self._next[partition] = offset + 1
        # Earlier offsets than the first record's were committed by an earlier consumer.
        self._taken.setdefault(partition, offset)

    def end(self, partition: int, offset: int) -> None:
        """Note that a record's outcome is known."""
        del self._open[partition][offset]

    def take(self) -> dict[int, int]:
        """Return the offsets to commit for the partitions that moved since the last call."""
        moved = {}
        for partition, following in self._next.items():
            offset = next(iter(self._open[partition]), following)
            if offset != self._taken[partition]:
                moved[partition] = self._taken[partition] = offset
        return moved

    def untake(self, partition: int) -> None:
        """Note that an offset from `take` was not committed: the next call returns it, or a later one."""
        self._taken[partition] = -1
