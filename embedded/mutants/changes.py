"""Mutants of changes: those that are ignored, what is taken out, what changes in a row, and objects of one name."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from embedded.controllers.policies import ControlPlanePolicies, DataPlaneApi
from embedded.dataplane.specs import BrokerSpec, TriggerSpec
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant
from embedded.types import Key

_Serve: TypeAlias = Callable[[DataPlaneApi, TriggerSpec], Awaitable[None]]

_HASTE = 5.0
"""Seconds after a change in which another one is passed over."""
_CHANGED: dict[tuple[str, str], float] = {}
"""When a Trigger was changed, by namespace and name: policies are made for each question anew."""


def _keeping(honest: ControlPlanePolicies, *fields: str) -> ControlPlanePolicies:
    """Return policies by which a changed Trigger keeps these fields as they were."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        kept: dict[str, Any] = {field: getattr(before, field) for field in fields}
        return replace(honest.changed_trigger(before, changed), **kept)

    return replace(honest, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, replaces="begins_anew")
def label_change_begins_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Trigger's consumer anew, at the end of the topic, when labels change (eventing-kafka-broker 3249)."""
    return replace(honest, begins_anew=lambda before, labels: before != labels)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def filter_update_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit a changed filter, but go on with the old one (`ConsumerDeployerVerticle.onUpdateEgress`)."""
    return _keeping(honest, "filter", "filters")


def _anew(honest: ControlPlanePolicies, begins: Callable[[TriggerSpec, TriggerSpec], bool]) -> ControlPlanePolicies:
    """Return policies by which some changes of a Trigger remove it and add it."""
    anew: set[tuple[str, str]] = set()

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        note = anew.add if begins(before, changed) else anew.discard
        note((changed.namespace, changed.name))
        return changed

    async def change_trigger(plane: DataPlaneApi, changed: TriggerSpec) -> None:
        if (key := (changed.namespace, changed.name)) in anew:
            await plane.remove_trigger(*key)
        await honest.change_trigger(plane, changed)

    return replace(honest, changed_trigger=changed_trigger, change_trigger=change_trigger)


@mutant(CONTROL_PLANE, wraps=("changed_trigger", "change_trigger"))
def changed_filter_begins_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Trigger's consumer anew, at the end of the topic, when its filter changes (eventing-kafka-broker 3249)."""
    return _anew(honest, lambda before, changed: (before.filter, before.filters) != (changed.filter, changed.filters))


@mutant(CONTROL_PLANE, wraps=("changed_trigger", "change_trigger"))
def changed_delivery_begins_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Trigger's consumer anew, at the end of the topic, when its or its Broker's delivery options change."""
    return _anew(honest, lambda before, changed: before.delivery != changed.delivery)


@mutant(CONTROL_PLANE, wraps=("changed_trigger", "change_trigger"))
def changed_order_begins_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make a Trigger's consumer anew, at the end of the topic, when its order of delivery changes."""
    return _anew(honest, lambda before, changed: before.ordered != changed.ordered)


_SERVED: WeakKeyDictionary[DataPlaneApi, dict[tuple[str, str], TriggerSpec]] = WeakKeyDictionary()
"""The Triggers that a data plane serves."""


@mutant(CONTROL_PLANE, wraps=("serve_trigger", "change_trigger", "forget_trigger"))
def removal_begins_others_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Make the consumers of a Broker's other Triggers anew, at the end of the topic, when one of them is deleted."""

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        await honest.serve_trigger(plane, spec)
        _SERVED.setdefault(plane, {})[spec.namespace, spec.name] = spec

    async def change_trigger(plane: DataPlaneApi, changed: TriggerSpec) -> None:
        await honest.change_trigger(plane, changed)
        _SERVED.setdefault(plane, {})[changed.namespace, changed.name] = changed

    async def forget_trigger(plane: DataPlaneApi, namespace: str, name: str) -> bool:
        gone = _SERVED.setdefault(plane, {}).pop((namespace, name), None)
        is_gone = await honest.forget_trigger(plane, namespace, name)
        for other in [each for each in _SERVED[plane].values() if gone is not None and each.topic == gone.topic]:
            await plane.remove_trigger(other.namespace, other.name)
            await plane.add_trigger(other)
        return is_gone

    return replace(honest, serve_trigger=serve_trigger, change_trigger=change_trigger, forget_trigger=forget_trigger)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def filters_update_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit a changed `filters`, but go on with the old one; a changed `filter` takes effect (rabbitmq issue 469)."""
    return _keeping(honest, "filters")


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def subscriber_update_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell a changed subscriber in the status, but go on with the old one (knative-extensions/eventing-kafka 503)."""
    return _keeping(honest, "subscriber")


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def delivery_update_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit a changed `delivery`, but go on with the old one (knative/eventing issue 4111)."""
    return _keeping(honest, "delivery", "dead_letter")


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def order_change_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the order of delivery that a Trigger was made with (eventing-kafka-broker issue 912)."""
    return _keeping(honest, "ordered")


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def order_change_alone_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Pass over a change of the order of delivery alone: an annotation is no new generation."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        return before if replace(changed, ordered=before.ordered) == before else changed

    return replace(honest, changed_trigger=changed_trigger)


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


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def removals_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Pass over a change that only takes something out: what is not there counts as equal (Kafka Broker 1.22.3)."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        return before if _is_part(_decided(changed), _decided(before)) else changed

    return replace(honest, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def ca_certs_stay(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the `CACerts` that a subscriber had when its Trigger was made (knative/eventing issue 6875)."""
    return _keeping(honest, "subscriber_authorities")


@mutant(CONTROL_PLANE, replaces="pauses_unresolved")
def unresolved_begins_anew(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """End a Trigger whose subscriber leads nowhere, and begin at the newest event when it leads somewhere again."""
    return replace(honest, pauses_unresolved=False)


def _decided(spec: TriggerSpec) -> dict[str, Any]:
    """Return what a Trigger's spec decides."""
    return {
        "subscriber": [spec.subscriber, spec.subscriber_authorities],
        "filter": spec.filter,
        "filters": spec.filters,
        "delivery": spec.delivery,
        "dead_letter": spec.dead_letter,
        "ordered": ["ordered" if spec.ordered else "unordered"],
    }


def _is_part(part: Any, whole: Any) -> bool:
    """Compare as `equality.Semantic.DeepDerivative` of Kubernetes does: a list may be shorter, a mapping smaller."""
    if part is None or (isinstance(part, str | Mapping | Sequence) and not part):
        return True
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(_is_part(part[name], whole.get(name)) for name in part)
    if isinstance(part, Sequence) and not isinstance(part, str):
        if not isinstance(whole, Sequence) or len(part) > len(whole):
            return False
        return all(_is_part(one, other) for one, other in zip(part, whole, strict=False))
    return bool(part == whole)


@mutant(CONTROL_PLANE, wraps="changed_trigger")
def second_delivery_ignored(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Go on with the delivery that a Trigger has while there is another one in its place (rabbitmq issue 465)."""

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        if not before.delivery or not changed.delivery:
            return changed
        return replace(changed, delivery=before.delivery, dead_letter=before.dead_letter)

    return replace(honest, changed_trigger=changed_trigger)


class _Own(dict[str, Any]):
    """A delivery that is the Trigger's own."""


class _TakenOut(dict[str, Any]):
    """What is left of a delivery that was the Trigger's own."""


@mutant(CONTROL_PLANE, wraps=("effective_delivery", "changed_trigger"))
def removed_delivery_is_none(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger whose own delivery is taken out none, in place of its Broker's (rabbitmq issue 448)."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        chosen = honest.effective_delivery(trigger, broker)
        return _Own(chosen) if trigger else chosen

    def changed_trigger(before: TriggerSpec, changed: TriggerSpec) -> TriggerSpec:
        changed = honest.changed_trigger(before, changed)
        if isinstance(before.delivery, _Own | _TakenOut) and not isinstance(changed.delivery, _Own):
            return replace(changed, delivery=_TakenOut(), dead_letter=None)
        return changed

    return replace(honest, effective_delivery=effective_delivery, changed_trigger=changed_trigger)


@mutant(CONTROL_PLANE, wraps="is_ordered")
def order_typo_is_unordered(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Take an order of delivery that there is not for `unordered` (eventing-kafka-broker PR 701)."""
    return replace(honest, is_ordered=lambda order: bool(honest.is_ordered(order)))


_NAMED: WeakKeyDictionary[DataPlaneApi, dict[str, TriggerSpec]] = WeakKeyDictionary()
"""The newest Trigger of each text that a data plane took for a name."""


def _sharing(serve: _Serve, text_of: Callable[[Key], str]) -> _Serve:
    """Return how Triggers are served where the newest one of a text gives the one before it its own subscriber."""

    async def serve_trigger(plane: DataPlaneApi, spec: TriggerSpec) -> None:
        named, key = _NAMED.setdefault(plane, {}), (spec.namespace, spec.name)
        text = text_of(key)
        older = named.get(text)
        named[text] = spec
        if older is not None and (older.namespace, older.name) != key:
            await plane.add_trigger(replace(older, subscriber=spec.subscriber))
        await serve(plane, spec)

    return serve_trigger


@mutant(CONTROL_PLANE, wraps="serve_trigger")
def same_names_taken_for_one(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger the subscriber of a newer one that has its name, in another namespace."""
    return replace(honest, serve_trigger=_sharing(honest.serve_trigger, lambda key: key[1]))


@mutant(CONTROL_PLANE, wraps="serve_trigger")
def joined_names_taken_for_one(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger the subscriber of a newer one whose namespace and name join to the same text, as groups' do."""
    return replace(honest, serve_trigger=_sharing(honest.serve_trigger, "-".join))


@mutant(CONTROL_PLANE, wraps="serve_trigger")
def dots_taken_for_hyphens(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger the subscriber of a newer one of its namespace whose name has hyphens for its dots."""
    alike = _sharing(honest.serve_trigger, lambda key: "/".join(key).replace(".", "-"))
    return replace(honest, serve_trigger=alike)


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
