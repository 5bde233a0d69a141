"""Where mutants register: a function's name, with hyphens, is the mutant's name."""

from collections.abc import Callable

from embedded.dataplane.policies import Policies
from embedded.streaming.policies import StreamPolicies

DataPlaneMutant = Callable[[Policies], Policies]
StreamMutant = Callable[[StreamPolicies], StreamPolicies]

DATA_PLANE: dict[str, DataPlaneMutant] = {}
STREAMING: dict[str, StreamMutant] = {}


def data_plane_mutant(mutant: DataPlaneMutant) -> DataPlaneMutant:
    """Register a mutant of Brokers and Triggers."""
    DATA_PLANE[_name(mutant)] = mutant
    return mutant


def stream_mutant(mutant: StreamMutant) -> StreamMutant:
    """Register a mutant of the Kafka server of SeldonDeployments."""
    STREAMING[_name(mutant)] = mutant
    return mutant


def _name(mutant: Callable[..., object]) -> str:
    return mutant.__name__.replace("_", "-")
