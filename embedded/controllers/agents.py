"""The agents before the pods of InferenceServices: one for each pod of a component with a batcher or a logger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from embedded.agents import AgentPolicies, AgentSpec, BatcherSpec, LoggerSpec
from embedded.api.resources import POD
from embedded.api.store import Store
from embedded.controllers.controller import RetryError
from embedded.types import Composition, Key

_Settings: TypeAlias = tuple[BatcherSpec | None, LoggerSpec | None]
"""The batcher and the logger of a component."""


class Agent(Protocol):
    """A running agent."""

    async def start(self) -> None:
        """Begin to listen."""

    async def stop(self) -> None:
        """End."""


@dataclass(frozen=True, slots=True)
class _Running:
    spec: AgentSpec
    agent: Agent


class Agents:
    """All agents of a platform.

    Args:
        store: The store with the pods.
        make: The function from a spec to an agent.
        policies: The function from a namespace to the parts of its agents' policies.
    """

    def __init__(
        self,
        store: Store,
        make: Callable[[AgentSpec], Agent],
        policies: Callable[[str], Composition[AgentPolicies]],
    ) -> None:
        self._store, self._make, self._policies = store, make, policies
        self._running: dict[Key, dict[str, _Running]] = {}
        self._first: dict[Key, _Settings] = {}

    def first(
        self, service: Mapping[str, Any], component: str, batcher: BatcherSpec | None, logger: LoggerSpec | None
    ) -> _Settings:
        """Return the batcher and the logger that a component was first asked about with."""
        metadata = service["metadata"]
        return self._first.setdefault((metadata["namespace"], f"{metadata['name']}-{component}"), (batcher, logger))

    async def stand_before(
        self,
        service: Mapping[str, Any],
        component: str,
        batcher: BatcherSpec | None,
        logger: LoggerSpec | None,
        *,
        port: int,
    ) -> None:
        """Make the agents of a component's pods run as specified; those of pods that are gone end.

        Args:
            service: The InferenceService.
            component: The component.
            batcher: What is joined; None: nothing.
            logger: What is logged, and where; None: nothing.
            port: The port of the component.

        Raises:
            RetryError: An agent cannot listen.
        """
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        wanted: dict[str, AgentSpec] = {}
        if batcher is not None or logger is not None:
            labels = {"serving.kserve.io/inferenceservice": name, "component": component}
            for pod in self._store.list(POD, namespace, labels):
                host = (pod.get("status") or {}).get("podIP")
                if host and "deletionTimestamp" not in pod["metadata"]:
                    pod_name = pod["metadata"]["name"]
                    policies = self._policies(namespace)
                    wanted[pod_name] = AgentSpec(
                        namespace, name, component, pod_name, host, batcher, logger, port=port, policies=policies
                    )
        await self._run((namespace, f"{name}-{component}"), wanted)

    async def _run(self, key: Key, wanted: Mapping[str, AgentSpec]) -> None:
        running = self._running.setdefault(key, {})
        for pod in [pod for pod, agent in running.items() if agent.spec != wanted.get(pod)]:
            await running.pop(pod).agent.stop()
        for pod, spec in wanted.items():
            if pod in running:
                continue
            agent = self._make(spec)
            try:
                await agent.start()
            except OSError as error:
                await agent.stop()
                raise RetryError(f"the agent of pod {pod} cannot listen: {error}") from error
            running[pod] = _Running(spec, agent)

    async def remove(self, namespace: str, full: str) -> None:
        """End the agents of a component, by the name that is common to its objects."""
        self._first.pop((namespace, full), None)
        for running in self._running.pop((namespace, full), {}).values():
            await running.agent.stop()

    async def stop(self) -> None:
        """End all agents."""
        for namespace, full in list(self._running):
            await self.remove(namespace, full)
