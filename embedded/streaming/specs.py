"""A stream server as the controllers hand it over."""

from dataclasses import dataclass, field

from embedded.streaming.nodes import Node
from embedded.streaming.policies import StreamPolicies
from embedded.types import Composition


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One replica of a predictor of a SeldonDeployment with `serverType: kafka`.

    Attributes:
        share: The hundredths of the traffic that are this predictor's, from the first up to the second.
        shadow: Whether the predictor is a shadow: its answers are thrown away.
        replica: The number of this replica, from 0.
        replicas: The number of replicas that share the partitions.
    """

    namespace: str
    deployment: str
    predictor: str
    input_topic: str
    output_topic: str
    protocol: str
    transport: str
    graph: Node
    workers: int = 4
    share: tuple[int, int] = (0, 100)
    shadow: bool = False
    replica: int = 0
    replicas: int = 1
    policies: Composition[StreamPolicies] = field(kw_only=True, repr=False)
