"""An agent as the controllers hand it over."""

from dataclasses import dataclass, field

from embedded.agents.policies import AgentPolicies
from embedded.types import Composition

MODES = ("all", "request", "response")
"""What a logger logs."""


@dataclass(frozen=True, slots=True)
class BatcherSpec:
    """A component's `batcher`; the values where it gives none are KServe's.

    Attributes:
        most: The number of instances that make a batch full (`maxBatchSize`).
        latency: The longest time that a batch waits to get full, in seconds (`maxLatency`, in milliseconds there).
    """

    most: int = 32
    latency: float = 5.0


@dataclass(frozen=True, slots=True)
class LoggerSpec:
    """A component's `logger`.

    Attributes:
        url: The URL that the events are posted to.
        mode: What is logged, of `MODES`.
        headers: The names of the request headers that the events tell (`metadataHeaders`).
    """

    url: str
    mode: str = MODES[0]
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """The agent of one pod.

    Attributes:
        namespace: The namespace of the InferenceService.
        service: The name of the InferenceService.
        component: The component: predictor, transformer or explainer.
        pod: The name of the pod.
        host: The address of the pod.
        batcher: What is joined; None: nothing.
        logger: What is logged, and where; None: nothing.
        port: The port of the component.
        policies: The parts of its policies.
    """

    namespace: str
    service: str
    component: str
    pod: str
    host: str
    batcher: BatcherSpec | None
    logger: LoggerSpec | None
    port: int = field(kw_only=True)
    policies: Composition[AgentPolicies] = field(kw_only=True, repr=False)
