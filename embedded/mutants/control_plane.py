"""Mutants of the controllers and of admission: each replaces one policy of `embedded.controllers.policies`.

Which real fault stands behind each is told in `suites/catalogue/mutants.toml`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.controllers.conditions import TRUE, Verdict
from embedded.controllers.policies import HONEST, DataPlane, Policies
from embedded.types import TriggerSpec


def _no_address(_url: str) -> dict[str, Any]:
    return {}


def _wrong_topic(topic: str) -> str:
    return f"{topic}-other"


def _ready_anyway(_broker: str) -> Verdict:
    return TRUE


def _merged(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {**(broker or {}), **(trigger or {})}


def _filter_of_before(before: TriggerSpec, wanted: TriggerSpec) -> TriggerSpec:
    return replace(wanted, filter=before.filter, filters=before.filters)


async def _remember_trigger(_plane: DataPlane, _namespace: str, _name: str) -> bool:
    return False


def _nothing_kept(_fields: list[str]) -> list[str]:
    return []


def _never_too_many(_dialects: list[str]) -> bool:
    return False


CONTROL_PLANE: dict[str, Policies] = {
    "address-missing": replace(HONEST, address_of_broker=_no_address),
    "broker-mutable": replace(HONEST, kept_fields=_nothing_kept),
    "trigger-broker-mutable": replace(HONEST, kept_fields_of_trigger=_nothing_kept),
    "topic-annotation-wrong": replace(HONEST, annotated_topic=_wrong_topic),
    "trigger-ready-without-broker": replace(HONEST, without_broker=_ready_anyway),
    "two-dialects-accepted": replace(HONEST, too_many_dialects=_never_too_many),
    "filter-update-ignored": replace(HONEST, changed_trigger=_filter_of_before),
    "delivery-merged": replace(HONEST, effective_delivery=_merged),
    "trigger-outlives-deletion": replace(HONEST, forget_trigger=_remember_trigger),
}
