"""The delivery of one event to one subscriber: attempts, retries, reply, dead letter."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from embedded.dataplane.backoff import DeliveryPlan
from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError
from embedded.dataplane.outbound import Outbound
from embedded.dataplane.policies import Attempt, DataPlanePolicies, NoTimerError
from embedded.dataplane.producer import NotStoredError
from embedded.dataplane.specs import TriggerSpec
from embedded.dataplane.tracing import Trace

_log = logging.getLogger(__name__)

StoreReply = Callable[[TriggerSpec, DataPlanePolicies, CloudEvent, Trace | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outlet:
    """The outputs of deliveries.

    Attributes:
        http: The HTTP client.
        store_reply: The function that stores a reply in the Broker's topic; it raises NotStoredError.
    """

    http: Outbound
    store_reply: StoreReply


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of events for one Trigger."""

    spec: TriggerSpec
    policies: DataPlanePolicies
    plan: DeliveryPlan
    outlet: Outlet

    async def run(self, event: CloudEvent, trace: Trace | None) -> None:
        """Deliver an event, and send it to the dead letter sink when that fails; return once the outcome is known."""
        subscriber = (self.spec.subscriber, self.spec.subscriber_authorities)

        async def settle(attempt: Attempt) -> None:
            reply = self.policies.reply(attempt)
            if reply is not None:
                for _ in range(self.policies.reply_copies):
                    await self.outlet.store_reply(self.spec, self.policies, reply, self.policies.trace_reply(trace))
                if self.policies.answers_back:
                    await self._send(subscriber, reply, trace, None)

        await self.policies.pace()
        async with self.policies.room(self.spec):
            failure, attempts = await self._send(subscriber, event, trace, settle)
            if failure is None:
                if self.policies.is_again(attempts):
                    await self._send(subscriber, event, trace, settle)
                if not self.policies.is_lettered(attempts):
                    return
                failure = Attempt(None)
            await self.policies.letter(partial(self._dead_letter, event, trace, failure))

    async def _dead_letter(self, event: CloudEvent, trace: Trace | None, failure: Attempt) -> None:
        """Send an event that was not delivered to the dead letter sink, if there is one."""
        name, why = f"{self.spec.namespace}/{self.spec.name}", failure.error or f"answer {failure.status}"
        letter = self.policies.dead_letter(event, self.spec.subscriber, failure)
        if self.spec.dead_letter is None or letter is None:
            _log.warning("Trigger %s drops event %s: %s", name, event.attributes["id"], why)
            return
        # The answer of a dead letter sink is never a reply: 2xx is enough.
        sink = (self.spec.dead_letter, self.policies.letter_authorities(self.spec))
        lost, _ = await self._send(sink, letter, trace, None)
        if lost is not None:
            why = lost.error or f"answer {lost.status}"
            _log.warning("Trigger %s drops event %s: dead letter sink: %s", name, event.attributes["id"], why)

    async def _send(
        self,
        to: tuple[str, str],
        event: CloudEvent,
        trace: Trace | None,
        settle: Callable[[Attempt], Awaitable[None]] | None,
    ) -> tuple[Attempt | None, int]:
        """Send to one destination until the event is accepted, or the failure is not worth another attempt.

        Args:
            to: The URL, and the authorities that count for it.
            event: The event.
            trace: The trace of its record.
            settle: The function that handles a successful answer; None for a dead letter, whose answer means nothing.

        Returns:
            The last failure (None for success) and the number of attempts.
        """
        url, authorities = to
        plan = self.plan if settle is not None else self.policies.letter_plan(self.plan)
        waits, timeout, attempts = self.policies.waits(plan), self.policies.timeout(plan), 0
        body_timeout = self.policies.body_timeout(plan)
        while True:
            attempts += 1
            # Each attempt is a span of its own.
            parent = self.policies.trace_delivery(trace, self.spec)
            headers, body = self.policies.write_request(event, self.spec)
            fields = [*headers, *(parent.headers() if parent else ())]
            address, secured = self.policies.address(url), partial(self.policies.trust, authorities)
            attempt = await self.outlet.http.post(address, fields, body, timeout, secured, body_timeout=body_timeout)
            if (location := self.policies.redirect(attempt)) is not None:
                attempt = await self.outlet.http.get(location, fields, timeout)
            attempt = self.policies.outcome(attempt)
            if attempt.is_success:
                try:
                    if settle is not None:
                        await settle(attempt)
                except NotAnEventError as error:
                    # Asking again would make the subscriber do its work twice for the same answer.
                    return replace(attempt, error=f"malformed reply: {error}"), attempts
                except NotStoredError as error:
                    # "The delivery of the original event MUST be considered failed" and is tried again.
                    attempt = self.policies.unstored_reply(attempt, str(error))
                if attempt.is_success:
                    return None, attempts
            if not self.policies.is_retryable(attempt):
                return attempt, attempts
            try:
                wait = next(waits, None)
            except NoTimerError as error:
                return Attempt(None, error=str(error)), attempts
            if wait is None:
                return attempt, attempts
            await asyncio.sleep(self.policies.pause(plan, attempt, wait))
