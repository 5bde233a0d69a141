"""What the controllers make of CACerts, and their mutants."""

from typing import Any

import pytest
import trustme

from embedded.api.resources import SERVICE, TRIGGER
from selftest.embedded_platform.doubles import Cluster, is_true
from selftest.embedded_platform.test_change_mutants import changed

pytestmark = pytest.mark.anyio
FIRST, SECOND = (trustme.CA().cert_pem.bytes().decode() for _ in range(2))
AT = "https://sink.example.com/"


async def made(cluster: Cluster, mutant: str | None, **spec: Any) -> tuple[str, dict[str, Any]]:
    """Make a Trigger; return its namespace, and its status once it is Ready."""
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.broker(namespace, delivery={"deadLetterSink": {"uri": AT, "CACerts": SECOND}})
    cluster.trigger(namespace=namespace, **spec)
    return namespace, await cluster.until(TRIGGER, "trigger", is_true(), namespace)


@pytest.mark.parametrize(
    ("mutant", "told", "letters"),
    [
        (None, (FIRST, SECOND), SECOND),
        ("ca-certs-not-told", (None, None), SECOND),
        ("ca-certs-of-broker-lost", (FIRST, None), ""),
    ],
)
async def test_authorities_are_served_and_told(
    cluster: Cluster, mutant: str | None, told: tuple[str | None, str | None], letters: str
) -> None:
    namespace, status = await made(cluster, mutant, subscriber={"uri": AT, "CACerts": FIRST})
    assert (status.get("subscriberCACerts"), status.get("deadLetterSinkCACerts")) == told
    served = cluster.plane.triggers[namespace, "trigger"]
    assert (served.subscriber_authorities, served.dead_letter_authorities) == (FIRST, letters)


@pytest.mark.parametrize(
    ("mutant", "served"),
    [(None, [SECOND, ""]), ("ca-certs-stay", [FIRST, FIRST]), ("removals-ignored", [SECOND, SECOND])],
)
async def test_mutants_of_changed_authorities(cluster: Cluster, mutant: str | None, served: list[str]) -> None:
    namespace, _ = await made(cluster, mutant, subscriber={"uri": AT, "CACerts": FIRST})
    seen = []
    for subscriber in ({"uri": AT, "CACerts": SECOND}, {"uri": AT}):
        await changed(cluster, namespace, subscriber=subscriber)
        seen.append(cluster.plane.triggers[namespace, "trigger"].subscriber_authorities)
    assert seen == served


@pytest.mark.parametrize(("mutant", "scheme"), [(None, "https"), ("secured-service-over-http", "http")])
async def test_mutant_secured_service_over_http(cluster: Cluster, mutant: str | None, scheme: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.create(SERVICE, "service", namespace, spec={"ports": [{"port": 80}]})
    cluster.broker(namespace)
    reference = {"apiVersion": "v1", "kind": "Service", "name": "service"}
    cluster.trigger(namespace=namespace, subscriber={"ref": reference, "CACerts": FIRST})
    status = await cluster.until(TRIGGER, "trigger", is_true(), namespace)
    assert status["subscriberUri"] == f"{scheme}://service.{namespace}.svc.cluster.local"
