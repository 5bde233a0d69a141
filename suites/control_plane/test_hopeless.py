"""Triggers that nobody can serve stop nobody else. They have a file of their own: they would stop what comes later."""

import pytest

from evidence.expectations import condition, delivered, field, gone
from fixtures import Broker, Kube, Sinks, expect
from suites.manifests import trigger_manifest

WANTED = {"attributes": {"type": "wanted"}}
HOPELESS = ("http://[::1", "http://x:99999/", "ftp://touchstone-nowhere/")


@pytest.mark.requirement("CTL-TRG-024")
def test_a_trigger_that_nobody_can_serve_stops_no_other(broker: Broker, sinks: Sinks, kube: Kube) -> None:
    after = sinks()
    standing, leaving = broker.several({"filter": WANTED}, {"filter": WANTED})
    control = standing.object
    specs = [{"subscriber": {"uri": uri}} for uri in HOPELESS]
    # Whether they are refused, not Ready, or fail at each event is not asked here.
    _ = [kube.apply(trigger_manifest(broker.namespace, broker.name, **spec)) for spec in specs]
    late = broker.trigger(filter=WANTED, wait=False)
    kube.patch(control, {"spec": {"subscriber": {"uri": after.url}}}, check=True)
    kube.delete(leaving.object, check=True)
    expect(
        condition(late.object, "Ready", "True", control=control),
        field(control, "status.subscriberUri", after.url),
        gone(leaving.object),
    )
    late.wait()
    expect(delivered(broker.send(type="wanted"), to=late))
