"""How long the control plane takes: no time, as far as it can, or as long as it was observed on a real cluster.

A real control plane takes seconds until an object is as it was asked for. What relies on less is not seen on loopback.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from embedded.api.resources import BROKER, DEPLOYMENT, INFERENCESERVICE, SELDONDEPLOYMENT, TRIGGER, Resource
from embedded.runtime.containers import Backoff


@dataclass(frozen=True, slots=True)
class Readiness:
    """The times that the control plane takes.

    Attributes:
        made: The seconds, least and most, until a new or changed object is looked at, by its kind.
        deleted: The seconds until a deleted object is cleaned up after, by its kind.
        call: The seconds before each answer of the Kubernetes API.
        backoff: The pauses before a crashed container starts again.
    """

    made: Mapping[Resource, tuple[float, float]] = field(default_factory=dict)
    deleted: Mapping[Resource, float] = field(default_factory=dict)
    call: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)

    def delay(self, resource: Resource, name: str) -> float:
        """Return the seconds for an object: the same for the same name, and spread over the range of its kind."""
        least, most = self.made.get(resource, (0.0, 0.0))
        return least + (most - least) * (zlib.crc32(name.encode()) % 1000) / 1000


AT_ONCE = Readiness()
OBSERVED = Readiness(
    made={
        BROKER: (5.0, 10.0),
        TRIGGER: (2.0, 5.0),
        INFERENCESERVICE: (30.0, 60.0),
        SELDONDEPLOYMENT: (30.0, 30.0),
        DEPLOYMENT: (2.0, 4.0),
    },
    deleted={BROKER: 1.0, TRIGGER: 0.5},
    call=0.005,
    backoff=Backoff(first=10.0, most=300.0),
)
"""The times of a kind cluster of one node (docs/clusters.md); the pauses of restarts are the kubelet's own."""

READINESS: Mapping[str, Readiness] = {"at-once": AT_ONCE, "observed": OBSERVED}
