"""Mutants of the ingress as an HTTP server: methods, paths, bodies, size and load."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.cloudevents.http import RawHeaders
from embedded.dataplane.codings import UnknownCodingError
from embedded.dataplane.policies import DataPlanePolicies, IngressAnswer
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_CARRIER = "contentencoding"
_LOAD = 256 * 1024
# Seconds for which data counts as waiting: a Kafka as quick as the mock would never let it add up.
_DRAIN = 0.05


@mutant(DATA_PLANE, replaces="allows")
def any_method_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Accept PUT, DELETE and other methods for posting an event (data-plane, "HTTP Verbs")."""
    return replace(honest, allows=lambda _: True)


@mutant(DATA_PLANE, replaces="unknown_broker")
def unknown_broker_accepted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop events for an unknown Broker (the data-plane's table asks for 404)."""
    return replace(honest, unknown_broker=IngressAnswer(202))


@mutant(DATA_PLANE, replaces="too_large")
def too_large_is_503(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Answer 503 to an event that is too large, not 413 (Kafka Broker 1.22.3, seen)."""
    return replace(honest, too_large=503)


@mutant(DATA_PLANE, replaces="too_large")
def too_large_acknowledged(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop an event that is too large (knative-extensions/eventing-kafka issue 279)."""
    return replace(honest, too_large=202)


@mutant(DATA_PLANE, wraps="store")
def large_load_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Acknowledge and drop events while 256 KiB of data wait for Kafka.

    Eventing-kafka-broker issue 4627: a receiver that ends under load.
    """
    waiting = 0

    async def store(send: Callable[[], Awaitable[None]], event: CloudEvent) -> None:
        nonlocal waiting
        size = len(event.data or b"")
        if size + waiting > _LOAD:
            return
        waiting += size
        try:
            await honest.store(send, event)
        finally:
            asyncio.get_running_loop().call_later(_DRAIN, release, size)

    def release(size: int) -> None:
        nonlocal waiting
        waiting -= size

    return replace(honest, store=store)


@mutant(DATA_PLANE, replaces="allow")
def allow_not_told(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Answer 405 without `Allow`, OPTIONS too (Kafka Broker 1.22.3, seen)."""
    return replace(honest, allow="")


@mutant(DATA_PLANE, wraps="locate")
def path_by_prefix(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take any path that begins with a Broker's for the Broker's own."""

    def locate(target: str) -> tuple[str, str]:
        return honest.locate("/".join(target.partition("?")[0].split("/")[:3]))

    return replace(honest, locate=locate)


@mutant(DATA_PLANE, wraps="locate")
def path_to_the_letter(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Know no Broker whose path has a slash at its end or a query behind it."""

    def locate(target: str) -> tuple[str, str]:
        return ("", "") if target.endswith("/") or "?" in target else honest.locate(target)

    return replace(honest, locate=locate)


@mutant(DATA_PLANE, replaces="origin_form")
def absolute_target_unknown(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Know no Broker by a request line that names the whole URL, as for a proxy (honojs/node-server issue 228)."""
    return replace(honest, origin_form=lambda target: target)


@mutant(DATA_PLANE, replaces="needs_length")
def chunked_refused(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Refuse a body in chunks, whose length is not announced, with 411."""
    return replace(honest, needs_length=True)


@mutant(DATA_PLANE, wraps="locate")
def dotted_broker_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take the name of a Broker up to its first dot: the event goes to another Broker, or to none."""

    def locate(target: str) -> tuple[str, str]:
        namespace, name = honest.locate(target)
        return namespace, name.partition(".")[0]

    return replace(honest, locate=locate)


@mutant(DATA_PLANE, replaces="unpacked")
def content_coding_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a body as it came, and say nothing of its content coding (Kafka Broker 1.22.3, by reading)."""
    return replace(honest, unpacked=lambda _codings, body, _most: body)


@mutant(DATA_PLANE, wraps="unpacked")
def unknown_content_coding_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take a body in a content coding that is not known as it came (aiohttp does so)."""

    def unpacked(codings: str, body: bytes, most: int) -> bytes | None:
        try:
            return honest.unpacked(codings, body, most)
        except UnknownCodingError:
            return body

    return replace(honest, unpacked=unpacked)


@mutant(DATA_PLANE, wraps=("accept.fields", "write_request"))
def content_coding_kept(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Deliver a body without its content coding, and with the Content-Encoding of the request (RFC 9110, 8.4)."""

    def fields(headers: RawHeaders) -> list[tuple[str, bytes]]:
        # An attribute brings it through the record.
        renamed = {"content-encoding": f"ce-{_CARRIER}"}
        return [(renamed.get(name, name), value) for name, value in honest.accept.fields(headers)]

    def write_request(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        attributes = dict(event.attributes)
        coding = attributes.pop(_CARRIER, None)
        headers, body = honest.write_request(replace(event, attributes=attributes), spec)
        return [*headers, *([("Content-Encoding", coding)] if coding else [])], body

    return replace(honest, accept=replace(honest.accept, fields=fields), write_request=write_request)
