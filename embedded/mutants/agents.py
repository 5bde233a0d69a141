"""Faulty agents of KServe: batchers that mix callers up, and loggers that lose, alter or interfere."""

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from multidict import CIMultiDict

from embedded.agents import BatcherSpec
from embedded.agents.policies import AgentPolicies, Answer, RefusedError
from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import AGENTS, CONTROL_PLANE
from embedded.mutants.registry import mutant
from embedded.runtime.gateway import entry_component

_SNIFFED = "text/plain; charset=utf-8"
"""The media type that Go's HTTP server finds for JSON whose handler names none."""
_OF_THE_MESSAGE = ("accept", "ce-", "content-", "host", "inference-header-")
"""How the names begin of headers without which a message is not read, or not as what it is."""
_SHORT = 1 << 16
"""The most bytes of a payload that is logged whole, by what logs short ones."""


@mutant(AGENTS, wraps="shares")
def batch_answers_rotated(honest: AgentPolicies) -> AgentPolicies:
    """Give each caller of a batch the predictions of the next one."""

    def shares(predictions: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
        first, *others = honest.shares(predictions, sizes)
        return [*others, first]

    return replace(honest, shares=shares)


@mutant(AGENTS, wraps="shares")
def batch_first_takes_all(honest: AgentPolicies) -> AgentPolicies:
    """Give all predictions of a batch to its first caller, and none to the others (MLServer issue 1306)."""

    def shares(predictions: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
        return honest.shares(predictions, [sum(sizes), *(0 for _ in sizes[1:])])

    return replace(honest, shares=shares)


@mutant(AGENTS, replaces="is_full")
def batcher_idle(honest: AgentPolicies) -> AgentPolicies:
    """Send each call to the model by itself, as if there were no batcher."""
    return replace(honest, is_full=lambda _count, _most: True)


@mutant(AGENTS, wraps="is_full", replaces="window")
def batch_settings_ignored(honest: AgentPolicies) -> AgentPolicies:
    """Use KServe's usual settings, whatever the batcher says (KServe issue 1666)."""
    usual = BatcherSpec()
    return replace(
        honest, is_full=lambda count, _most: honest.is_full(count, usual.most), window=lambda _latency: usual.latency
    )


@mutant(AGENTS, wraps="window")
def batch_window_short(honest: AgentPolicies) -> AgentPolicies:
    """End the wait for more calls after a twentieth of its time (MLServer issue 1936: the window closes early)."""
    return replace(honest, window=lambda latency: honest.window(latency) / 20)


@mutant(AGENTS, replaces="batch_of")
def batch_across_models(honest: AgentPolicies) -> AgentPolicies:
    """Join calls of two paths, and ask that of the last one (KServe v0.20.0 pkg/batcher/handler.go batch, read)."""
    return replace(honest, batch_of=lambda _path: "")


@mutant(AGENTS, wraps="is_batched")
def batch_refuses_v2(honest: AgentPolicies) -> AgentPolicies:
    """Take a V2 request for a batch, and refuse it as it has no instances (KServe issue 2275)."""
    return replace(honest, is_batched=lambda path: honest.is_batched(path) or path.endswith("/infer"))


@mutant(AGENTS, replaces="is_whole")
def batch_count_unchecked(honest: AgentPolicies) -> AgentPolicies:
    """Hand out as many predictions as there are; the last callers go without (MLServer issue 903, Triton 4133)."""
    return replace(honest, is_whole=lambda _predictions, _instances: True)


@mutant(AGENTS, replaces="sends_unfilled")
def batch_unfilled_dropped(honest: AgentPolicies) -> AgentPolicies:
    """Drop a batch that is not full when its time is over: its callers are told 500."""
    return replace(honest, sends_unfilled=False)


@mutant(AGENTS, replaces="keeps_batch")
def batch_ends_with_caller(honest: AgentPolicies) -> AgentPolicies:
    """Fail all callers of a batch when one of them leaves (MLServer issue 707)."""
    return replace(honest, keeps_batch=False)


@mutant(AGENTS, wraps="failure")
def batch_failure_as_200(honest: AgentPolicies) -> AgentPolicies:
    """Answer 200 with a message where the model refused (KServe v0.20.0 pkg/batcher/handler.go, seen)."""

    def failure(answer: Answer) -> Answer:
        told = {"message": honest.failure(answer).body.decode(errors="replace"), "batchId": "", "predictions": None}
        return Answer(200, {"Content-Type": honest.media_type_of_batches}, json.dumps(told).encode())

    return replace(honest, failure=failure)


@mutant(AGENTS, replaces="asks_alone")
def batch_failure_shared(honest: AgentPolicies) -> AgentPolicies:
    """Fail all callers of a batch for the instances of one (KServe v0.20.0 pkg/batcher/handler.go, seen)."""
    return replace(honest, asks_alone=False)


@mutant(AGENTS, wraps="instances")
def batch_takes_anything(honest: AgentPolicies) -> AgentPolicies:
    """Take what has no instances for one instance."""

    def instances(value: Any) -> list[Any]:
        try:
            return honest.instances(value)
        except RefusedError:
            return [[0]]

    return replace(honest, instances=instances)


@mutant(AGENTS, replaces="loads")
def batch_numbers_as_doubles(honest: AgentPolicies) -> AgentPolicies:
    """Read every number of a batch as a double (Go's encoding/json; KServe v0.20.0 pkg/batcher/handler.go, seen)."""

    def loads(body: bytes) -> Any:
        try:
            return json.loads(body, parse_int=_as_go_prints)
        except (ValueError, RecursionError) as error:
            raise RefusedError(f"the body is no JSON: {error}") from error

    return replace(honest, loads=loads)


@mutant(AGENTS, replaces="media_type_of_batches")
def batch_media_type_plain(honest: AgentPolicies) -> AgentPolicies:
    """Answer a batch's callers JSON as plain text (KServe v0.20.0 pkg/batcher/handler.go names no type, seen)."""
    return replace(honest, media_type_of_batches=_SNIFFED)


@mutant(AGENTS, replaces="logs_batched")
def log_without_batched(honest: AgentPolicies) -> AgentPolicies:
    """Log no response of a batched call (KServe v0.20.0: the batcher writes no status, the logger reads 0; seen)."""
    return replace(honest, logs_batched=False)


@mutant(AGENTS, wraps="takes")
def agent_takes_posts_only(honest: AgentPolicies) -> AgentPolicies:
    """Take calls by POST, as predictions are, and by no other method."""
    return replace(honest, takes=lambda method: method == "POST" and honest.takes(method))


@mutant(AGENTS, wraps="headers")
def agent_drops_own_headers(honest: AgentPolicies) -> AgentPolicies:
    """Hand on none of a caller's own headers, nor its credentials (KServe issues 2284 and 2289)."""

    def headers(given: CIMultiDict[str]) -> CIMultiDict[str]:
        told = honest.headers(given).items()
        return CIMultiDict((name, value) for name, value in told if name.lower().startswith(_OF_THE_MESSAGE))

    return replace(honest, headers=headers)


@mutant(AGENTS, wraps="headers")
def agent_first_of_same_headers(honest: AgentPolicies) -> AgentPolicies:
    """Hand on the first of several headers of one name only, as a map with one value each does (KServe issue 4248)."""

    def headers(given: CIMultiDict[str]) -> CIMultiDict[str]:
        told = honest.headers(given)
        return CIMultiDict({name.lower(): told[name] for name in told})

    return replace(honest, headers=headers)


@mutant(AGENTS, wraps=("failure", "passed"))
def agent_tells_503_as_500(honest: AgentPolicies) -> AgentPolicies:
    """Tell a model that takes no more at the moment as one that has failed (KServe issue 4247)."""

    def masked(answer: Answer) -> Answer:
        return replace(answer, status=500) if answer.status == 503 else answer

    return replace(
        honest,
        failure=lambda answer: masked(honest.failure(answer)),
        passed=lambda answer: masked(honest.passed(answer)),
    )


@mutant(AGENTS, wraps="passed")
def agent_drops_headers_of_answers(honest: AgentPolicies) -> AgentPolicies:
    """Hand back none of a model's own headers, as what writes down an answer and tells it anew may."""

    def passed(answer: Answer) -> Answer:
        told = honest.passed(answer)
        headers = [(name, value) for name, value in told.headers.items() if name.lower().startswith(_OF_THE_MESSAGE)]
        return replace(told, headers=CIMultiDict(headers))

    return replace(honest, passed=passed)


@mutant(AGENTS, wraps="passed")
def log_errors_as_200(honest: AgentPolicies) -> AgentPolicies:
    """Answer 200 where the component answers an error (KServe issue 1530: the status is lost when logging)."""
    return replace(honest, passed=lambda answer: replace(honest.passed(answer), status=200))


@mutant(AGENTS, wraps="passed")
def log_answer_unpacked(honest: AgentPolicies) -> AgentPolicies:
    """Hand a compressed answer on as the logger has unpacked it (Triton issue 5185, KServe issue 2672)."""

    def passed(answer: Answer) -> Answer:
        told = honest.passed(answer)
        if CIMultiDict(told.headers).get("Content-Encoding") != "gzip":
            return told
        headers = {name: value for name, value in told.headers.items() if name.lower() != "content-encoding"}
        return replace(told, headers=headers, body=gzip.decompress(told.body))

    return replace(honest, passed=passed)


@mutant(AGENTS, replaces="logs_failed")
def log_only_success_requests(honest: AgentPolicies) -> AgentPolicies:
    """Log the request of a call only once that is answered 200 (KServe issue 2722)."""
    return replace(honest, logs_failed=False)


@mutant(AGENTS, wraps="event_id")
def log_pair_broken(honest: AgentPolicies) -> AgentPolicies:
    """Log a response under another id than its request."""

    def event_id(given: str, made: str, kind: str) -> str:
        return honest.event_id(given, made, kind) + ("-r" if kind == "response" else "")

    return replace(honest, event_id=event_id)


@mutant(AGENTS, replaces="event_id")
def log_ids_made_apart(honest: AgentPolicies) -> AgentPolicies:
    """Make an id for each event of a call without one (KServe issue 5591: who makes the id, and when)."""
    return replace(honest, event_id=lambda given, made, kind: given or f"{made}-{kind}")


@mutant(AGENTS, replaces="event_id")
def log_id_made_once(honest: AgentPolicies) -> AgentPolicies:
    """Give all calls without an id the same one."""
    return replace(honest, event_id=lambda given, _made, _kind: given or "none")


@mutant(AGENTS, wraps="post")
def log_posts_twice(honest: AgentPolicies) -> AgentPolicies:
    """Post each event twice, as one whose answer got lost (KServe issue 3747)."""

    async def post(send: Callable[[], Awaitable[bool]]) -> bool:
        await honest.post(send)
        return await honest.post(send)

    return replace(honest, post=post)


@mutant(AGENTS, replaces="waits_when_full")
def log_queue_blocks(honest: AgentPolicies) -> AgentPolicies:
    """Let calls wait while the queue of what is to be logged is full (KServe issue 6167, its remedy by a bound)."""
    return replace(honest, waits_when_full=True)


@mutant(AGENTS, wraps="ask")
def agent_asks_twice(honest: AgentPolicies) -> AgentPolicies:
    """Ask the component twice for each call (KServe issue 3747)."""

    async def ask(send: Callable[[], Awaitable[Answer]]) -> Answer:
        await honest.ask(send)
        return await honest.ask(send)

    return replace(honest, ask=ask)


@mutant(AGENTS, replaces="most_bytes")
def agent_refuses_1_mib(honest: AgentPolicies) -> AgentPolicies:
    """Refuse a request of more than 1 MiB (KServe issue 1148)."""
    return replace(honest, most_bytes=1 << 20)


@mutant(AGENTS, replaces="is_full")
def batch_beyond_full_waits(honest: AgentPolicies) -> AgentPolicies:
    """Send a batch when it has exactly `maxBatchSize` instances, not when it has more (KServe issue 3071)."""
    return replace(honest, is_full=lambda count, most: count == most)


@mutant(AGENTS, wraps="data")
def log_data_printed_again(honest: AgentPolicies) -> AgentPolicies:
    """Log payloads as a JSON parser and printer leave them."""

    def data(payload: bytes) -> bytes:
        try:
            return json.dumps(json.loads(honest.data(payload)), indent=1).encode()
        except ValueError:
            return honest.data(payload)

    return replace(honest, data=data)


@mutant(AGENTS, wraps="data")
def log_data_as_text(honest: AgentPolicies) -> AgentPolicies:
    """Log payloads as text, and replace what is no UTF-8 in them (KServe issues 3643 and 3731 took BYTES for text)."""
    return replace(honest, data=lambda payload: honest.data(payload).decode(errors="replace").encode())


@mutant(AGENTS, wraps="data")
def log_data_cut(honest: AgentPolicies) -> AgentPolicies:
    """Log the first 64 KiB of a payload (what logs of containers and some collectors keep of a line)."""
    return replace(honest, data=lambda payload: honest.data(payload)[:_SHORT])


@mutant(AGENTS, replaces="time")
def log_time_never_set(honest: AgentPolicies) -> AgentPolicies:
    """State the time that a time is which nobody has set."""
    return replace(honest, time=lambda _now: "0001-01-01T00:00:00Z")


@mutant(AGENTS, wraps="extensions")
def log_names_lost(honest: AgentPolicies) -> AgentPolicies:
    """Log calls without saying whose they were (KServe issue 1530 lost the status alike)."""

    def extensions(namespace: str, service: str, component: str) -> Mapping[str, str]:
        return dict.fromkeys(honest.extensions(namespace, service, component), "default")

    return replace(honest, extensions=extensions)


@mutant(AGENTS, wraps="metadata")
def log_metadata_first_only(honest: AgentPolicies) -> AgentPolicies:
    """Tell the first of several request headers only (KServe issue 4248)."""

    def metadata(headers: Mapping[str, Sequence[str]], kind: str) -> Mapping[str, Sequence[str]]:
        return dict(list(honest.metadata(headers, kind).items())[:1])

    return replace(honest, metadata=metadata)


@mutant(AGENTS, wraps="metadata")
def log_metadata_request_only(honest: AgentPolicies) -> AgentPolicies:
    """Tell request headers in the events of requests only (KServe issues 4401 and 4778)."""
    return replace(honest, metadata=lambda headers, kind: honest.metadata(headers, kind) if kind == "request" else {})


@mutant(AGENTS, replaces="is_logged")
def log_mode_ignored(honest: AgentPolicies) -> AgentPolicies:
    """Log requests and responses, whatever the mode."""
    return replace(honest, is_logged=lambda _mode, _kind: True)


@mutant(AGENTS, replaces="waits_for_log")
def log_failure_fails_call(honest: AgentPolicies) -> AgentPolicies:
    """Answer a call only when it is logged, and fail it where the log is away (KServe issue 3637)."""
    return replace(honest, waits_for_log=True)


@mutant(AGENTS, replaces="media_type")
def log_media_type_of_request(honest: AgentPolicies) -> AgentPolicies:
    """Give the data of a response the media type of its request (KServe v0.20.0 pkg/logger/handler.go, seen)."""
    return replace(honest, media_type=lambda asked, _own: asked)


@mutant(AGENTS, wraps="source")
def log_source_shared(honest: AgentPolicies) -> AgentPolicies:
    """Give both events of a call one id and one source (KServe v0.20.0 pkg/logger/handler.go, seen)."""
    return replace(honest, source=lambda pod, _kind: honest.source(pod, "call"))


@mutant(CONTROL_PLANE, replaces="explaining_component")
def explain_goes_to_predictor(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Route `:explain` to where predictions go (KServe v0.20.0 does so behind a Kubernetes Ingress, read)."""
    return replace(honest, explaining_component=entry_component)


def _as_go_prints(digits: str) -> int | float:
    """Return an integer as Go prints the double that it reads: a whole number below 1e21, by its digits."""
    number = float(digits)
    return int(f"{number:.17g}".partition("e")[0]) if number.is_integer() and abs(number) < 1e16 else number
