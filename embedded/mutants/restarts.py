"""Mutants that show when a part of the data plane is killed: what was acknowledged too early, and where it goes on."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent, Record
from embedded.dataplane.policies import Attempt, Candidate, DataPlanePolicies, StandstillError
from embedded.dataplane.producer import NotStoredError
from embedded.dataplane.progress import Progress
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

Offsets = Mapping[int, int]

_BITS = 64
_BOTH = 2
_DISCARDED = 100
_GIVEN_UP = 30
_ONE_RECORD = 0.02  # seconds that the one who stores takes for each event


@mutant(DATA_PLANE, wraps="store")
def answers_before_stored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge events at once, and store them one after the other behind that."""
    turn = asyncio.Lock()
    under_way: set[asyncio.Task[None]] = set()

    async def later(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        async with turn:
            await asyncio.sleep(_ONE_RECORD)
            with suppress(NotStoredError):
                await honest.store(send, event)

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        task = asyncio.create_task(later(send, event))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    return replace(honest, store=store)


@mutant(DATA_PLANE, replaces="resumed")
def restart_skips_in_flight(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on behind all that was taken up before the restart, delivered or not."""

    def resumed(committed: Offsets, taken: Offsets, _ends: Offsets) -> Offsets:
        return {**committed, **taken}

    return replace(honest, resumed=resumed)


@mutant(DATA_PLANE, replaces="resumed")
def restart_begins_at_end(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take offset 0 for none: a partition of which nothing was done yet goes on at its end."""

    def resumed(committed: Offsets, _taken: Offsets, ends: Offsets) -> Offsets:
        return {part: committed.get(part, 0) or end for part, end in ends.items()}

    return replace(honest, resumed=resumed)


@mutant(DATA_PLANE, replaces="resumed")
def restart_begins_at_earliest(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin again at the topic's first record after a restart."""
    return replace(honest, resumed=lambda _committed, _taken, ends: dict.fromkeys(ends, 0))


@mutant(DATA_PLANE, replaces="resumed")
def restart_goes_back(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on three records before what was committed."""

    def resumed(committed: Offsets, _taken: Offsets, _ends: Offsets) -> Offsets:
        return {part: max(0, offset - 3) for part, offset in committed.items()}

    return replace(honest, resumed=resumed)


@mutant(DATA_PLANE, wraps="restored")
def restart_forgets_filter(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin again with Triggers that have no filter: what was read of them comes later, and then nobody looks."""
    return replace(honest, restored=lambda spec: replace(honest.restored(spec), filter=None, filters=None))


@mutant(DATA_PLANE, wraps="restored")
def restart_forgets_delivery(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin again with Triggers that have no delivery options."""
    return replace(honest, restored=lambda spec: replace(honest.restored(spec), delivery={}, dead_letter=None))


@mutant(DATA_PLANE, replaces="fatal")
def dispatcher_dies_now_and_then(honest: DataPlanePolicies) -> DataPlanePolicies:
    """End the dispatcher's process after each twentieth delivery; its node starts it again, and nothing is lost."""
    count = itertools.count(1)
    return replace(honest, fatal=lambda part, _event: part == "dispatcher" and next(count) % 20 == 0)


@mutant(DATA_PLANE, replaces="fatal")
def ingress_dies_of_large_event(honest: DataPlanePolicies) -> DataPlanePolicies:
    """End the ingress's process when it has answered an event of 60 kB or more; its node starts it again."""

    def fatal(part: str, event: CloudEvent) -> bool:
        return part == "ingress" and len(event.data or b"") >= 60_000

    return replace(honest, fatal=fatal)


@mutant(DATA_PLANE, wraps=("resumed", "from_record", "letter"))
def restart_skips_dead_letters(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Go on behind the events whose dead letters were on their way before the restart, whether they came or not."""
    current: ContextVar[tuple[int, int]] = ContextVar("current", default=(0, -1))
    under_way: set[tuple[int, int]] = set()

    def from_record(record: Record) -> CloudEvent:
        current.set((record.partition or 0, record.offset))
        return honest.from_record(record)

    async def letter(send: Callable[[], Awaitable[None]]) -> None:
        place = current.get()
        under_way.add(place)
        await honest.letter(send)
        under_way.discard(place)

    def resumed(committed: Offsets, taken: Offsets, ends: Offsets) -> Offsets:
        kept = honest.resumed(committed, taken, ends)
        behind = {
            part: next(n for n in itertools.count(offset) if (part, n) not in under_way)
            for part, offset in kept.items()
        }
        under_way.clear()
        return behind

    return replace(honest, resumed=resumed, from_record=from_record, letter=letter)


@mutant(DATA_PLANE, replaces="drains")
def dispatcher_ends_at_once(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Cut off what is in flight when the dispatcher's pod is asked to end."""
    return replace(honest, drains=False)


@mutant(DATA_PLANE, replaces="hands_on")
def handover_drops_what_is_retried(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take for done what waits for another attempt when its partition is given up (modelled: a sender that closes)."""
    return replace(honest, hands_on=False)


@mutant(DATA_PLANE, replaces="stores_to_the_end")
def ingress_closing_forgets(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge what is in flight when the ingress's pod is asked to end, and store none of it."""
    return replace(honest, stores_to_the_end=False)


@mutant(DATA_PLANE, replaces="waits_for_predecessor")
def rebalance_overlaps(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin to consume what was committed while the consumer before is still delivering."""
    return replace(honest, waits_for_predecessor=False)


@mutant(DATA_PLANE, wraps=("resumed", "from_record"))
def rebalance_drops_a_partition(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never read the first partition again once the consumers have changed hands (eventing-kafka-broker issue 4460)."""
    begun = 0

    def resumed(committed: Offsets, taken: Offsets, ends: Offsets) -> Offsets:
        nonlocal begun
        begun += 1
        return honest.resumed(committed, taken, ends)

    def from_record(record: Record) -> CloudEvent:
        # Another replica joins and leaves: that is two changes, where a dispatcher that is killed begins once.
        if begun >= _BOTH and not record.partition:
            raise StandstillError("nobody has the partition")
        return honest.from_record(record)

    return replace(honest, resumed=resumed, from_record=from_record)


class _Ending(Progress):
    """Progress of a partition that ends with the last of 64 bits, counted from its first record."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[int, int] = {}

    def begin(self, partition: int, offset: int) -> None:
        """Note the first record too."""
        self._first.setdefault(partition, offset)
        super().begin(partition, offset)

    def take(self) -> dict[int, int]:
        """Leave out what is beyond."""
        return {part: offset for part, offset in super().take().items() if offset <= self._first[part] + _BITS}


@mutant(DATA_PLANE, replaces="progress")
def commits_stop_after_64(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Commit no offset beyond the 64th record of a partition (eventing-kafka-broker issues 380, 597, 813, 3023)."""
    return replace(honest, progress=_Ending)


@mutant(DATA_PLANE, wraps=("from_record", "takes"), replaces="progress")
def discarded_holds_commits(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never commit past the hundredth record that a Trigger does not match (eventing-kafka-broker issue 4348)."""
    discarded: ContextVar[bool] = ContextVar("discarded", default=False)
    numbers = itertools.count(1)

    class Holding(Progress):
        """Progress that waits for records which nobody delivers."""

        def end(self, partition: int, offset: int) -> None:
            """Leave open what was discarded, from the hundredth record on."""
            if not discarded.get() or next(numbers) < _DISCARDED:
                super().end(partition, offset)

    def from_record(record: Record) -> CloudEvent:
        discarded.set(True)
        return honest.from_record(record)

    def takes(candidate: Candidate, event: CloudEvent, earlier: Iterable[Candidate]) -> bool:
        discarded.set(False)
        return honest.takes(candidate, event, earlier)

    return replace(honest, from_record=from_record, takes=takes, progress=Holding)


@mutant(DATA_PLANE, wraps=("from_record", "dead_letter"), replaces="progress")
def failures_hold_commits(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never commit past the thirtieth event that is given up (eventing-kafka-broker issues 3767, 3079)."""
    failed: ContextVar[bool] = ContextVar("failed", default=False)

    class Holding(Progress):
        """Progress that waits for what was given up."""

        def __init__(self) -> None:
            super().__init__()
            self._numbers = itertools.count(1)

        def end(self, partition: int, offset: int) -> None:
            """Leave open what was given up, from the thirtieth record of the Trigger on."""
            if not failed.get() or next(self._numbers) < _GIVEN_UP:
                super().end(partition, offset)

    def from_record(record: Record) -> CloudEvent:
        failed.set(False)
        return honest.from_record(record)

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        failed.set(True)
        return honest.dead_letter(event, subscriber, attempt)

    return replace(honest, from_record=from_record, dead_letter=dead_letter, progress=Holding)


@mutant(DATA_PLANE, wraps="store")
def outage_acknowledged(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge also what Kafka did not take, unless it is too large."""

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        try:
            await honest.store(send, event)
        except NotStoredError as error:
            if error.too_large:
                raise

    return replace(honest, store=store)


@mutant(DATA_PLANE, wraps="store")
def outage_ends_ingress(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take nothing more once Kafka did not take an event, until somebody starts the ingress again."""
    broken = False

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        nonlocal broken
        if broken:
            raise NotStoredError("the producer was closed after a fatal error")
        try:
            await honest.store(send, event)
        except NotStoredError as error:
            broken = not error.too_large
            raise

    return replace(honest, store=store)


@mutant(DATA_PLANE, replaces="not_stored")
def outage_is_400(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Blame the sender when Kafka is away."""
    return replace(honest, not_stored=400)
