"""What each mutant of https destinations does, and what the honest data plane does instead."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache

import trustme
from aiohttp import web

from selftest.embedded_dataplane.dataplane_row import Row
from selftest.embedded_dataplane.observing import Observe, settled
from selftest.embedded_dataplane.world import World

HOST = "127.0.0.1"
PAST = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))


@cache
def authority(name: str) -> trustme.CA:
    return trustme.CA(organization_name=name)


def trusted(*names: str) -> str:
    """Return the certificates of these authorities."""
    return "".join(authority(name).cert_pem.bytes().decode() for name in names)


def shown(what: str) -> trustme.LeafCert:
    """Return a certificate of our own authority."""
    if what == "expired":
        return authority("own").issue_cert(HOST, not_before=PAST[0], not_after=PAST[1])
    return authority("own").issue_cert("another.invalid" if what == "misnamed" else HOST)


@asynccontextmanager
async def secured(what: str, status: int = 200) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a sink that shows such a certificate; yield its URL, and the ids of the events that it gets."""
    got: list[str] = []

    async def take(request: web.BaseRequest) -> web.Response:
        got.append(request.headers["ce-id"])
        return web.Response(status=status)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown(what).configure_cert(context)
    runner = web.ServerRunner(web.Server(take, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0, ssl_context=context).start()
        yield f"https://{HOST}:{runner.addresses[0][1]}/", got
    finally:
        await runner.cleanup()


def event(*authorities: str, certificate: str = "valid") -> Observe:
    """Observe whether a subscriber gets an event, and whether the dead letter sink does."""

    async def observe(world: World, mutant: str | None) -> tuple[int, int]:
        place, letters = await world.broker(mutant), world.sink()
        async with secured(certificate) as (url, got):
            trust = trusted(*authorities)
            trigger = await place.trigger(url, subscriber_authorities=trust, dead_letter=letters.url)
            await place.send()
            await settled(world, place, trigger.group, 1)
            return len(got), len(letters.received)

    return observe


def letter(subscriber: str, sink: str) -> Observe:
    """Observe whether a dead letter comes, where these authorities count for the subscriber and for its sink."""

    async def observe(world: World, mutant: str | None) -> tuple[int, int]:
        place = await world.broker(mutant)
        async with secured("valid", 400) as (url, got), secured("valid") as (letters, kept):
            trigger = await place.trigger(
                url,
                dead_letter=letters,
                subscriber_authorities=trusted(subscriber),
                dead_letter_authorities=trusted(sink),
            )
            await place.send()
            await settled(world, place, trigger.group, 1)
            return len(got), len(kept)

    return observe


SECURED_ROWS: dict[str, Row] = {
    "certificates-not-verified": Row(event("stranger"), (0, 1), (1, 0)),
    "host-names-not-verified": Row(event("own", certificate="misnamed"), (0, 1), (1, 0)),
    "expired-certificates-trusted": Row(event("own", certificate="expired"), (0, 1), (1, 0)),
    "ca-certs-ignored": Row(event("own"), (1, 0), (0, 1)),
    "first-ca-certificate-alone": Row(event("stranger", "own"), (1, 0), (0, 1)),
    "https-over-http": Row(event("own"), (1, 0), (0, 1)),
    "letters-trust-as-subscribers-do": Row(letter("own", "stranger"), (1, 0), (1, 1)),
}
