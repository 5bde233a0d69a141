"""The choice of mutants: some for the whole platform, others for a namespace whose label names them."""

from collections.abc import Iterable
from typing import Any

from embedded.agents import AgentPolicies
from embedded.api.errors import denied
from embedded.api.resources import NAMESPACE, Resource
from embedded.api.store import Operation, Store
from embedded.controllers.policies import ControlPlanePolicies
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants import registry
from embedded.mutants.hosts import AGENTS, CONTROL_PLANE, DATA_PLANE, STREAMS
from embedded.streaming.policies import StreamPolicies
from embedded.types import Composition

LABEL = "touchstone.dev/mutant"
"""The label of a namespace that names its mutants: `a`, or `a.b` for several."""
SEPARATOR = "."
WEBHOOK = "mutants.touchstone.dev"


class Selection:
    """The policies of every namespace of one platform.

    The mutants of the whole platform come first, those of the namespace's label on top of them, in the order in which
    they are named; a later mutant wraps an earlier one.
    """

    def __init__(self, store: Store, everywhere: Iterable[str] = ()) -> None:
        """Take the store that has the namespaces, and the mutants of the whole platform.

        Raises:
            MutantError: The mutants of the whole platform cannot be combined.
        """
        self._store = store
        self._everywhere = registry.combined(everywhere)

    def control_plane(self, namespace: str) -> ControlPlanePolicies:
        """Return the policies of controllers and admission in a namespace."""
        return registry.composition(CONTROL_PLANE, self._names(namespace)).compose()

    def data_plane(self, namespace: str) -> Composition[DataPlanePolicies]:
        """Return the composition of the policies of a namespace's Brokers and Triggers."""
        return registry.composition(DATA_PLANE, self._names(namespace))

    def streams(self, namespace: str) -> Composition[StreamPolicies]:
        """Return the composition of the policies of a namespace's stream servers."""
        return registry.composition(STREAMS, self._names(namespace))

    def agents(self, namespace: str) -> Composition[AgentPolicies]:
        """Return the composition of the policies of a namespace's agents."""
        return registry.composition(AGENTS, self._names(namespace))

    def unclaimed(self) -> DataPlanePolicies:
        """Return the policies of the ingress on paths of namespaces without a Broker."""
        return registry.composition(DATA_PLANE, self._everywhere).compose()

    def admit(
        self, _operation: Operation, resource: Resource, new: dict[str, Any] | None, _old: dict[str, Any] | None
    ) -> None:
        """Refuse a namespace whose label names mutants that cannot be combined; a hook of the store's admission."""
        if new is None or resource is not NAMESPACE:
            return
        try:
            registry.combined((*self._everywhere, *_labelled(new)))
        except registry.MutantError as error:
            raise denied(WEBHOOK, f"label {LABEL}: {error}") from error

    def _names(self, namespace: str) -> tuple[str, ...]:
        labelled = self._store.find(NAMESPACE, None, namespace)
        return (*self._everywhere, *(_labelled(labelled) if labelled else ()))


def _labelled(namespace: dict[str, Any]) -> list[str]:
    value = (namespace["metadata"].get("labels") or {}).get(LABEL)
    return value.split(SEPARATOR) if value else []
