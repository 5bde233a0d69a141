"""Mutants of Seldon's Kafka server: who answers a request, in which order, by which graph, and with which headers."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from embedded.dataplane.cloudevents import Record
from embedded.dataplane.producer import NotStoredError
from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence, mutant
from embedded.mutants.stream_losses import InWork, Losses
from embedded.streaming.metadata import CONTENT_TYPE, JSON, PUID, Pairs
from embedded.streaming.nodes import Node
from embedded.streaming.policies import Predict, StreamPolicies, Write
from embedded.streaming.requests import ServerDiesError

_OVERSIZE = 1_000_000
_LATE_REQUEST = 3.0
_WITHOUT_QUEUE = 1000  # so many workers that no record waits for one
_OTHERS = 0.3  # seconds in which each other replica has answered a record too


@mutant(STREAMS, replaces="lane")
def stream_key_order_lost(honest: StreamPolicies) -> StreamPolicies:
    """Work on records of one key at once (seldon-executor 1.17.1 with four workers, seen: 5 inversions in 60)."""
    return replace(honest, lane=lambda _record: None)


@mutant(STREAMS, replaces="width")
def stream_one_worker(honest: StreamPolicies) -> StreamPolicies:
    """Work on one record at a time, however many workers there are (one lock around the work of all)."""
    return replace(honest, width=lambda _workers: 1)


@mutant(STREAMS, replaces="width")
def stream_workers_ignored(honest: StreamPolicies) -> StreamPolicies:
    """Work on four records at once, as without `KAFKA_WORKERS`, whatever it says."""
    return replace(honest, width=lambda _workers: 4)


@mutant(STREAMS, replaces="width")
def stream_workers_unbounded(honest: StreamPolicies) -> StreamPolicies:
    """Work on each record as soon as it is read (MLServer 1.7.1, seen: 305 at once of 300 that waited)."""
    return replace(honest, width=lambda workers: 100 * workers)


@mutant(STREAMS, replaces="is_in_share")
def canary_answers_all(honest: StreamPolicies) -> StreamPolicies:
    """Let every predictor answer every record, whatever `traffic` says (seldon-executor 1.17.1, seen)."""
    return replace(honest, is_in_share=lambda _record, _share: True)


@mutant(STREAMS, replaces="is_told")
def stream_shadow_answers(honest: StreamPolicies) -> StreamPolicies:
    """Write the answers of a shadow, too (seldon-executor 1.17.1, read: it does not know that it is one)."""
    return replace(honest, is_told=lambda _shadow: True)


@mutant(STREAMS, replaces="is_read", wraps="store")
def replicas_read_all(honest: StreamPolicies) -> StreamPolicies:
    """Let every replica read every partition (MLServer 1.7.1, seen: 20 requests, 40 answers).

    No replica commits before the others have answered too, or the quickest would prove an answer to be the only one.
    """

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        await honest.store(record, write, finish)
        await asyncio.sleep(_OTHERS)

    return replace(honest, is_read=lambda _partition, _replica, _replicas: True, store=store)


@mutant(STREAMS, replaces="resumes")
def restart_at_earliest(honest: StreamPolicies) -> StreamPolicies:
    """Begin at the earliest record after each restart, whatever is committed (offsets that are never looked up)."""
    return replace(honest, resumes=False)


@mutant(STREAMS, replaces=("drain", "abandon"))
def stop_loses_work(honest: StreamPolicies) -> StreamPolicies:
    """Commit what is in work at a stop, and drop it (seldon-core issue 4097)."""

    def abandon(finishes: Sequence[Callable[[], None]]) -> None:
        for finish in finishes:
            finish()

    return replace(honest, drain=0.0, abandon=abandon)


@mutant(STREAMS, wraps=("store", "ask"))
def oversize_answer_kills(honest: StreamPolicies) -> StreamPolicies:
    """Lose the next records after an answer that Kafka does not take (an unchecked error of Produce; worker.go:72)."""
    losses, in_work = Losses(), InWork()

    async def store(record: Record, write: Write, finish: Callable[[], None]) -> None:
        try:
            await honest.store(record, write, finish)
        except NotStoredError:
            losses.begin(record)
            raise
        finally:
            in_work.end(record)

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        in_work.begin(record)
        is_large = False
        try:
            content = await honest.ask(record, request, predict)
            is_large = len(content) >= _OVERSIZE
            if not is_large:
                # Those behind a large answer are in work beside it: let it be refused first, and count them in order.
                await in_work.earlier(record)
                losses.check(record)
        finally:
            if not is_large:
                in_work.end(record)
        return content

    return replace(honest, store=store, ask=ask)


@mutant(STREAMS, replaces="children")
def chain_stops_at_first(honest: StreamPolicies) -> StreamPolicies:
    """Visit no node behind a model: a chain ends with its first model (a graph that is not walked to its end)."""

    def children(of_a_node: Sequence[Node]) -> Sequence[Node]:
        return [replace(node, children=()) if node.kind == "MODEL" else node for node in of_a_node]

    return replace(honest, children=children)


@mutant(STREAMS, replaces="combined")
def combiner_gets_first_answer(honest: StreamPolicies) -> StreamPolicies:
    """Give a combiner the answer of the first child alone (executor predictor_process.go:285, without a combiner)."""
    return replace(honest, combined=lambda answers: answers[:1])


@mutant(STREAMS, replaces="route")
def router_is_not_asked(honest: StreamPolicies) -> StreamPolicies:
    """Take the first child whatever a router says (a default route in place of the answer)."""
    return replace(honest, route=lambda _chosen: 0)


@divergence(STREAMS, wraps=("route", "read_route", "read_message_route"))
def executor_dies_on_bad_route(honest: StreamPolicies) -> StreamPolicies:
    """End the process at a route that no child has, and at none (seldon-executor 1.17.1, seen: 7, and no number)."""

    def route(chosen: int) -> int:
        if chosen > 2:  # more than the children of any graph here
            raise ServerDiesError(f"index out of range: {chosen}")
        return honest.route(chosen)

    def read_route(answer: bytes) -> int:
        if b"[]" in answer:
            raise ServerDiesError("index out of range: no number")
        return honest.read_route(answer)

    def read_message_route(answer: bytes) -> int:
        try:
            return honest.read_message_route(answer)
        except ValueError as error:
            raise ServerDiesError(str(error)) from error

    return replace(honest, route=route, read_route=read_route, read_message_route=read_message_route)


@mutant(STREAMS, wraps=("http_headers", "grpc_metadata"))
def headers_not_passed_on(honest: StreamPolicies) -> StreamPolicies:
    """Give the model no header but the content type and the puid (headers that end in the server)."""
    own = {CONTENT_TYPE.lower(), PUID.lower()}

    def only_own(pairs: Pairs) -> Pairs:
        return tuple((name, value) for name, value in pairs if name.lower() in own)

    return replace(
        honest,
        http_headers=lambda record, puid: only_own(honest.http_headers(record, puid)),
        grpc_metadata=lambda record, puid: only_own(honest.grpc_metadata(record, puid)),
    )


@mutant(STREAMS, wraps=("http_headers", "grpc_metadata"))
def puid_made_anew(honest: StreamPolicies) -> StreamPolicies:
    """Give the model another puid than the record has (an id for each call in place of one for the request)."""
    return replace(
        honest,
        http_headers=lambda record, _puid: honest.http_headers(record, str(uuid.uuid4())),
        grpc_metadata=lambda record, _puid: honest.grpc_metadata(record, str(uuid.uuid4())),
    )


@mutant(STREAMS, wraps="http_headers")
def content_type_always_json(honest: StreamPolicies) -> StreamPolicies:
    """Say JSON to the model, whatever the record's Content-Type is."""

    def http_headers(record: Record, puid: str) -> Pairs:
        pairs = honest.http_headers(record, puid)
        return ((CONTENT_TYPE, JSON), *(pair for pair in pairs if pair[0] != CONTENT_TYPE))

    return replace(honest, http_headers=http_headers)


@mutant(STREAMS, replaces="headers")
def stream_answer_without_headers(honest: StreamPolicies) -> StreamPolicies:
    """Write answers without headers (seldon-executor 1.17.1, seen; seldon-core issue 4447)."""
    return replace(honest, headers=lambda _puid, _type: ())


@mutant(STREAMS, replaces="tells_kafka")
def available_without_kafka(honest: StreamPolicies) -> StreamPolicies:
    """Call a SeldonDeployment Available that reaches no Kafka (seldon-executor 1.17.1, seen: /ready stays 200)."""
    return replace(honest, tells_kafka=False)


@mutant(STREAMS, replaces="outlives_kafka")
def stream_ends_without_kafka(honest: StreamPolicies) -> StreamPolicies:
    """Read no record more once Kafka went away (seldon-executor 1.17.1, seen: its poll loop ends for good)."""
    return replace(honest, outlives_kafka=False)


@mutant(STREAMS, wraps="read_rest")
def infer_integers_through_double(honest: StreamPolicies) -> StreamPolicies:
    """Print the integers of an inference request anew, through 64 bit floats (Go's `interface{}`; seen in chains)."""

    def rounded(value: object) -> object:
        if isinstance(value, list):
            return [rounded(item) for item in value]
        if isinstance(value, dict):
            return {name: rounded(item) for name, item in value.items()}
        return int(float(value)) if isinstance(value, int) and abs(value) > 2**53 else value

    def read_rest(record: Record) -> bytes:
        value = orjson.loads(honest.read_rest(record))
        for tensor in value.get("inputs", ()) if isinstance(value.get("inputs"), list) else ():
            if isinstance(tensor, dict):
                tensor["data"] = rounded(tensor.get("data"))
        return orjson.dumps(value)

    return replace(honest, read_rest=read_rest)


@mutant(STREAMS, wraps="read_rest")
def infer_id_dropped(honest: StreamPolicies) -> StreamPolicies:
    """Drop the id of an inference request, so that its answer has none."""

    def read_rest(record: Record) -> bytes:
        request = honest.read_rest(record)
        value = orjson.loads(request)
        return request if value.pop("id", None) is None else orjson.dumps(value)

    return replace(honest, read_rest=read_rest)


@mutant(STREAMS, wraps="ask", replaces="width")
def slow_stream(honest: StreamPolicies) -> StreamPolicies:
    """Ask the model late, without holding others up (modelled: a consumer that pauses before each record)."""

    async def ask(record: Record, request: bytes, predict: Predict) -> bytes:
        await asyncio.sleep(_LATE_REQUEST)
        return await honest.ask(record, request, predict)

    return replace(honest, ask=ask, width=lambda _workers: _WITHOUT_QUEUE)
