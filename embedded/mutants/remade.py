"""Mutants of what comes back: objects that are deleted and made again, and what stood on them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from embedded.api.store import Store
from embedded.controllers.destinations import UnresolvedDestinationError
from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, replaces="takes_orphans_back")
def orphan_stays_orphan(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Never look again at a Trigger that has lost its Broker (knative/eventing issue 1705)."""
    return replace(honest, takes_orphans_back=False)


_RESOLVED: WeakKeyDictionary[Store, dict[str, str]] = WeakKeyDictionary()


@mutant(CONTROL_PLANE, wraps="resolve")
def resolved_stays_resolved(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the URL of what a reference has once led to (knative/eventing issue 2144)."""

    def resolve(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
        resolved, key = _RESOLVED.setdefault(store, {}), f"{namespace} {sorted(destination.items())}"
        try:
            resolved[key] = honest.resolve(store, destination, namespace)
        except UnresolvedDestinationError:
            if key not in resolved:
                raise
        return resolved[key]

    return replace(honest, resolve=resolve)


_FIRST: WeakKeyDictionary[DataPlaneApi, dict[tuple[str, str], TriggerSpec]] = WeakKeyDictionary()


@mutant(CONTROL_PLANE, wraps="serve_trigger")
def old_spec_of_the_name(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger the filter and the subscriber of an earlier one of its name (knative/eventing issue 1153)."""

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        first = _FIRST.setdefault(plane, {}).setdefault((spec.namespace, spec.name), spec)
        old = replace(spec, filter=first.filter, filters=first.filters, subscriber=first.subscriber)
        await honest.serve_trigger(plane, old)

    return replace(honest, serve_trigger=serve_trigger)


_GONE: WeakKeyDictionary[DataPlaneApi, dict[tuple[str, str], float]] = WeakKeyDictionary()
"""When each Trigger went, in seconds of the event loop's clock."""
_JUST_NOW = 20.0
_MANY = 8


@mutant(CONTROL_PLANE, wraps=("forget_trigger", "serve_trigger"))
def many_come_back_unserved(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Serve no Trigger that comes back while more than eight others have just gone (kyma-project/kyma issue 10480)."""

    async def forget_trigger(plane: DataPlaneApi, namespace: str, name: str) -> bool:
        _GONE.setdefault(plane, {})[namespace, name] = asyncio.get_running_loop().time()
        return await honest.forget_trigger(plane, namespace, name)

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        gone, now = _GONE.get(plane, {}), asyncio.get_running_loop().time()
        others = [key for key, at in gone.items() if key[0] == spec.namespace and now - at < _JUST_NOW]
        if (spec.namespace, spec.name) not in others or len(others) <= _MANY:
            await honest.serve_trigger(plane, spec)

    return replace(honest, forget_trigger=forget_trigger, serve_trigger=serve_trigger)
