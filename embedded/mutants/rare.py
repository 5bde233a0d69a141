"""Mutants that are right but for one time in fifty, a hundred or two hundred."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from embedded.dataplane.policies import Attempt, DataPlanePolicies
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_NEW_TRIGGERS = count(1)  # policies are made for each Trigger anew: what counts Triggers stands outside of them


@mutant(DATA_PLANE, wraps="is_again")
def one_in_hundred_doubled(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver every hundredth event of a Trigger twice (eventing-kafka-broker issue 2202, at a low rate)."""
    numbers = count(1)
    return replace(honest, is_again=lambda attempts: honest.is_again(attempts) or next(numbers) % 100 == 0)


@mutant(DATA_PLANE, wraps="pace")
def one_in_two_hundred_late(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver every two hundredth event of a Trigger, from the hundredth on, two seconds late."""
    numbers = count(1)

    async def pace() -> None:
        await honest.pace()
        if next(numbers) % 200 == 100:
            await asyncio.sleep(2.0)

    return replace(honest, pace=pace)


@mutant(DATA_PLANE, wraps="is_lettered")
def one_in_fifty_lettered_after_retry(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Send every fiftieth event that was delivered after a retry to the dead letter sink too."""
    numbers = count(1)

    def is_lettered(attempts: int) -> bool:
        return honest.is_lettered(attempts) or (attempts > 1 and next(numbers) % 50 == 0)

    return replace(honest, is_lettered=is_lettered)


@mutant(DATA_PLANE, replaces="redirect")
def one_in_fifty_redirects_followed(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Follow every fiftieth 307 by a GET, whose answer counts as the delivery's."""
    numbers = count(1)

    def redirect(attempt: Attempt) -> str | None:
        if attempt.status != 307 or next(numbers) % 50:
            return None
        return next((value.decode() for name, value in attempt.headers if name.lower() == b"location"), None)

    return replace(honest, redirect=redirect)


@mutant(DATA_PLANE, wraps="begin")
def one_in_ten_begins_at_earliest(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Begin every tenth new Trigger at the topic's first record (eventing-kafka-broker issue 2553: old events)."""

    def begin(ends: Mapping[int, int]) -> Mapping[int, int]:
        return dict.fromkeys(ends, 0) if next(_NEW_TRIGGERS) % 10 == 0 else honest.begin(ends)

    return replace(honest, begin=begin)
