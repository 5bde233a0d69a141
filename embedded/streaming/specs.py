"""A stream server as the controllers hand it over."""

from dataclasses import dataclass, field

from embedded.streaming.policies import StreamPolicies
from embedded.types import Composition, Endpoint


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One predictor of a SeldonDeployment with `serverType: kafka`."""

    namespace: str
    deployment: str
    predictor: str
    input_topic: str
    output_topic: str
    protocol: str
    transport: str
    model: str
    endpoint: Endpoint
    workers: int = 4
    policies: Composition[StreamPolicies] = field(kw_only=True, repr=False)
