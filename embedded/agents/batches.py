"""The batcher: it joins the instances of concurrent predictions into one request, and gives each caller its own share.

A batch goes to the model once it has `maxBatchSize` instances, or `maxLatency` after its first one. What calls another
path, which is another model's, is another batch. Where the model refuses a batch of several callers, each of them is
asked again by itself, so that a caller is told of its own instances only.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedded.agents.policies import JSON, AgentPolicies, Answer, RefusedError
from embedded.agents.specs import BatcherSpec

Ask = Callable[[str, bytes], Awaitable[Answer]]
"""The model: a function from a path and a body to its answer."""
BAD_REQUEST, NOT_ALLOWED, INTERNAL_ERROR, BAD_GATEWAY = 400, 405, 500, 502


@dataclass(slots=True)
class _Call:
    instances: list[Any]
    answer: "asyncio.Future[Answer]"


@dataclass(slots=True)
class _Batch:
    name: str
    path: str
    calls: list[_Call] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None

    @property
    def size(self) -> int:
        return sum(len(call.instances) for call in self.calls)


class Batcher:
    """The batches of one pod."""

    def __init__(self, spec: BatcherSpec, policies: AgentPolicies, ask: Ask) -> None:
        self._spec, self._policies, self._ask = spec, policies, ask
        self._filling: dict[str, _Batch] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def predict(self, path: str, body: bytes) -> Answer:
        """Answer one prediction request, as a part of a batch."""
        try:
            instances = self._policies.instances(self._policies.loads(body))
        except RefusedError as error:
            return refusal(BAD_REQUEST, str(error))
        call = _Call(instances, asyncio.get_running_loop().create_future())
        name = self._policies.batch_of(path)
        batch = self._filling.setdefault(name, _Batch(name, path))
        batch.path = path
        batch.calls.append(call)
        if self._policies.is_full(batch.size, self._spec.most):
            self._go(batch)
        elif batch.timer is None:
            seconds = self._policies.window(self._spec.latency)
            batch.timer = asyncio.get_running_loop().call_later(seconds, self._end_wait, batch)
        try:
            return await call.answer
        except asyncio.CancelledError:
            if not self._policies.keeps_batch:
                self._drop(batch)
            raise

    async def stop(self) -> None:
        """End what is under way; callers who still wait are told."""
        for batch in self._filling.values():
            if batch.timer is not None:
                batch.timer.cancel()
            _tell(batch.calls, refusal(BAD_GATEWAY, "the batcher ends"))
        self._filling.clear()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _drop(self, batch: _Batch) -> None:
        """Send a batch nowhere; its callers are told."""
        if self._filling.get(batch.name) is batch:
            del self._filling[batch.name]
        if batch.timer is not None:
            batch.timer.cancel()
        _tell(batch.calls, refusal(INTERNAL_ERROR, "a caller of the batch left"))

    def _end_wait(self, batch: _Batch) -> None:
        """End the wait for more calls."""
        if self._policies.sends_unfilled:
            self._go(batch)
        else:
            del self._filling[batch.name]
            _tell(batch.calls, refusal(INTERNAL_ERROR, "the batch did not get full"))

    def _go(self, batch: _Batch) -> None:
        """Send a batch to the model; the next call begins another one."""
        if batch.timer is not None:
            batch.timer.cancel()
        del self._filling[batch.name]
        task = asyncio.create_task(self._answer(batch.path, batch.calls))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answer(self, path: str, calls: Sequence[_Call]) -> None:
        """Answer calls together; when they cannot be, each by itself."""
        try:
            await self._together(path, calls)
        finally:
            _tell(calls, refusal(BAD_GATEWAY, "the batcher ended"))

    async def _together(self, path: str, calls: Sequence[_Call]) -> None:
        answer, predictions = await self._asked(path, [each for call in calls for each in call.instances])
        if predictions is not None:
            batch = str(uuid.uuid4())
            shares = self._policies.shares(predictions, [len(call.instances) for call in calls])
            for call, share in zip(calls, shares, strict=True):
                _tell([call], self._success(batch, share))
        elif len(calls) > 1 and self._policies.asks_alone:
            await asyncio.gather(*(self._together(path, [call]) for call in calls))
        else:
            _tell(calls, self._policies.failure(answer))

    async def _asked(self, path: str, instances: list[Any]) -> tuple[Answer, list[Any] | None]:
        """Return the model's answer, and the predictions in it; None: the answer tells of a failure."""
        try:
            body = json.dumps({"instances": instances}, allow_nan=False).encode()
        except ValueError as error:
            return refusal(BAD_REQUEST, f"an instance is no JSON: {error}"), None
        answer = await self._ask(path, body)
        if answer.status != 200:
            return answer, None
        try:
            value = self._policies.loads(answer.body)
        except RefusedError as error:
            return refusal(BAD_GATEWAY, f"the model's answer: {error}"), None
        predictions = value.get("predictions") if isinstance(value, dict) else None
        if not isinstance(predictions, list) or not self._policies.is_whole(len(predictions), len(instances)):
            got = f"{len(predictions)} predictions" if isinstance(predictions, list) else "no list of predictions"
            return refusal(BAD_GATEWAY, f"the model answered {got} to {len(instances)} instances"), None
        return answer, predictions

    def _success(self, batch: str, predictions: list[Any]) -> Answer:
        body = {"message": "", "batchId": batch, "predictions": predictions}
        return Answer(200, {"Content-Type": self._policies.media_type_of_batches}, json.dumps(body).encode())


def refusal(status: int, message: str) -> Answer:
    """Return an answer that tells of an error."""
    return Answer(status, {"Content-Type": JSON}, json.dumps({"error": message}).encode())


def _tell(calls: Sequence[_Call], answer: Answer) -> None:
    """Answer those calls that have no answer yet."""
    for call in calls:
        if not call.answer.done():
            call.answer.set_result(answer)
