"""Changes of what a Trigger filters by, whatever the dialect: what was let through before is not, and the other way."""

from collections.abc import Mapping
from typing import Any

import pytest

from evidence.expectations import delivered, not_delivered
from fixtures import Broker, Kube, Trigger, expect

OLD, NEW = "old.one", "new.one"
FILTER = {"attributes": {"type": OLD}}
IS_OLD, IS_NEW = {"exact": {"type": OLD}}, {"exact": {"type": NEW}}
OTHER = {"exact": {"type": "other"}}
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "exact-prefix": ({"filters": [IS_OLD]}, {"filters": [{"prefix": {"type": "new."}}]}),
    "prefix-not": ({"filters": [{"prefix": {"type": "old"}}]}, {"filters": [{"not": {"prefix": {"type": "old"}}}]}),
    "not-suffix": ({"filters": [{"not": IS_NEW}]}, {"filters": [{"suffix": {"type": "w.one"}}]}),
    "in-a-list": ({"filters": [{"any": [OTHER, IS_OLD]}]}, {"filters": [{"any": [OTHER, IS_NEW]}]}),
    "deep-in-lists": (
        {"filters": [{"all": [{"any": [OTHER, {"not": IS_NEW}]}]}]},
        {"filters": [{"all": [{"any": [OTHER, {"not": IS_OLD}]}]}]},
    ),
    "filter-filters": ({"filter": FILTER}, {"filter": None, "filters": [IS_NEW]}),
    "filters-beside-filter": ({"filter": FILTER}, {"filters": [IS_NEW]}),
    "filters-filter": ({"filters": [IS_OLD]}, {"filters": None, "filter": {"attributes": {"type": NEW}}}),
}
"""By name: what lets the old type through, and what lets the new one through in its place."""
IN_CESQL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "not-cesql": ({"not": IS_NEW}, {"cesql": f"type = '{NEW}'"}),
    "cesql-cesql": ({"cesql": f"type = '{OLD}'"}, {"cesql": f"type LIKE '{NEW[:4]}%'"}),
    "cesql-exact": ({"cesql": f"type = '{OLD}'"}, IS_NEW),
}
TAKEN_OUT: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]] | None]] = {
    "all": ([IS_OLD], None),
    "one": ([{"prefix": {"type": "n"}}, IS_OLD], [{"prefix": {"type": "n"}}]),
    "one-in-a-list": ([{"all": [{"suffix": {"type": "one"}}, IS_OLD]}], [{"all": [{"suffix": {"type": "one"}}]}]),
    "one-attribute": ([{"exact": {"type": NEW, "source": "/nowhere"}}], [IS_NEW]),
}
"""By name: what lets the new type not through, and what is left of it."""


def change_to(trigger: Trigger, kube: Kube, after: Mapping[str, Any]) -> None:
    """Change fields of a Trigger's spec, None taking one out, in one step, and wait until the change is in force."""
    kube.patch(trigger.object, {"spec": after}, check=True)
    trigger.wait()


@pytest.mark.requirement("CTL-TRG-019")
@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_filter_of_any_dialect_takes_effect(broker: Broker, kube: Kube, change: str) -> None:
    before, after = CHANGED[change]
    trigger = broker.trigger(**before)
    change_to(trigger, kube, after)
    hit, miss = broker.send(type=NEW), broker.send(type=OLD)
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("CTL-TRG-019")
@pytest.mark.usefixtures("cesql")
@pytest.mark.parametrize("change", IN_CESQL)
def test_an_expression_may_take_the_place_of_a_filter(broker: Broker, kube: Kube, change: str) -> None:
    before, after = IN_CESQL[change]
    trigger = broker.trigger(filters=[before])
    change_to(trigger, kube, {"filters": [after]})
    hit, miss = broker.send(type=NEW), broker.send(type=OLD)
    expect(delivered(hit, to=trigger))
    expect(not_delivered(miss, to=trigger))


@pytest.mark.requirement("CTL-TRG-020")
@pytest.mark.parametrize("what", TAKEN_OUT)
def test_what_is_taken_out_of_filters_keeps_no_event_back(broker: Broker, kube: Kube, what: str) -> None:
    before, after = TAKEN_OUT[what]
    trigger = broker.trigger(filters=before)
    change_to(trigger, kube, {"filters": after})
    expect(delivered(broker.send(type=NEW), to=trigger))
