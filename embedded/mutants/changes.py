"""Mutants of changes: what is taken out of an object, what changes in a row, and objects of the same name."""

import asyncio
import time
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant

_HASTE = 5.0
"""Seconds after a change in which another one is passed over."""
_CHANGED: dict[tuple[str, str], float] = {}
"""When a Trigger was changed, by namespace and name: policies are made for each question anew."""


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def removed_filter_stays(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with a filter that was taken out of a Trigger, as a merge with what was there would."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        if changed.filter or changed.filters:
            return changed
        return replace(changed, filter=before.filter, filters=before.filters)

    return replace(honest, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def removed_dead_letter_sink_stays(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with a dead letter sink that was taken out of a Trigger."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        return replace(changed, dead_letter=changed.dead_letter or before.dead_letter)

    return replace(honest, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def hasty_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Pass over a change of a Trigger that comes within seconds of the one before, as a limit of the rate would."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        if changed == before:
            return before
        key, now = (changed.namespace, changed.name), time.monotonic()
        if now - _CHANGED.get(key, now - _HASTE) < _HASTE:
            return before
        _CHANGED[key] = now
        return changed

    return replace(honest, changed_trigger=changed_trigger)


_TABLE: WeakKeyDictionary[DataPlaneApi, dict[tuple[str, str], BrokerSpec]] = WeakKeyDictionary()
_LOCKED = 0.3
"""Seconds in which the table of Brokers is written."""


@mutant(CONTROL_PLANE, wraps=("serve_broker", "forget_broker"))
def table_locked_while_changing(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Know no Broker of a namespace while another one is added (eventing-kafka-broker PRs 3852 and 3875)."""

    async def serve_broker(plane: DataPlaneApi, spec: BrokerSpec) -> None:
        table = _TABLE.setdefault(plane, {})
        others = [other for key, other in table.items() if key[0] == spec.namespace]
        for other in others:
            await plane.remove_broker(other.namespace, other.name)
        await asyncio.sleep(_LOCKED)
        for other in others:
            if (other.namespace, other.name) in table:
                await plane.add_broker(other)
        table[spec.namespace, spec.name] = spec
        await honest.serve_broker(plane, spec)

    async def forget_broker(plane: DataPlaneApi, namespace: str, name: str) -> None:
        _TABLE.setdefault(plane, {}).pop((namespace, name), None)
        await honest.forget_broker(plane, namespace, name)

    return replace(honest, serve_broker=serve_broker, forget_broker=forget_broker)


_NAMED: WeakKeyDictionary[DataPlaneApi, dict[str, TriggerSpec]] = WeakKeyDictionary()


@mutant(CONTROL_PLANE, wraps="serve_trigger")
def same_names_taken_for_one(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger the subscriber of a newer one that has its name, in another namespace."""

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        named = _NAMED.setdefault(plane, {})
        older = named.get(spec.name)
        named[spec.name] = spec
        if older is not None and older.namespace != spec.namespace:
            await plane.add_trigger(replace(older, subscriber=spec.subscriber))
        await honest.serve_trigger(plane, spec)

    return replace(honest, serve_trigger=serve_trigger)


@mutant(CONTROL_PLANE, replaces="told_conditions")
def failures_unexplained(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave reason and message out of conditions that are False."""

    def told_conditions(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            condition
            if condition["status"] != "False"
            else {name: value for name, value in condition.items() if name not in {"reason", "message"}}
            for condition in conditions
        ]

    return replace(honest, told_conditions=told_conditions)
