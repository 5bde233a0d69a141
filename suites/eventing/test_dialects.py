"""Trigger.spec.filters: each dialect of the CloudEvents Subscriptions API once, and how they combine."""

from typing import Any

import pytest

from evidence.expectations import delivered, not_delivered
from fixtures import Broker, expect
from suites.wire import fresh

Event = dict[str, Any]

MANY = 50
"""Expressions in a list: more than anybody writes by hand, as who makes filters by a program does."""

# Values are chosen so that each mutant of one dialect shows in that dialect's rows only.
CASES: list[tuple[str, str, list[dict[str, Any]], Event, Event]] = [
    ("EVT-FLT-007", "exact", [{"exact": {"type": "order.created"}}], {"type": "order.created"}, {"type": "order"}),
    (
        "EVT-FLT-007",
        "exact-no-prefix",
        [{"exact": {"type": "order.created"}}],
        {"type": "order.created"},
        {"type": "order.created.v2"},
    ),
    (
        "EVT-FLT-007",
        "exact-all-keys",
        [{"exact": {"type": "a", "source": "/s"}}],
        {"type": "a", "source": "/s"},
        {"type": "a", "source": "/other"},
    ),
    (
        "EVT-FLT-007",
        "exact-first-key",
        [{"exact": {"source": "/s", "type": "a"}}],
        {"type": "a", "source": "/s"},
        {"type": "b", "source": "/s"},
    ),
    (
        "EVT-FLT-008",
        "prefix",
        [{"prefix": {"type": "order."}}],
        {"type": "order.created"},
        {"type": "new.order.created"},
    ),
    ("EVT-FLT-008", "prefix-whole", [{"prefix": {"type": "order"}}], {"type": "order"}, {"type": "xorder"}),
    (
        "EVT-FLT-008",
        "prefix-all-keys",
        [{"prefix": {"type": "order.", "source": "/shop"}}],
        {"type": "order.created", "source": "/shop/1"},
        {"type": "order.created", "source": "/depot"},
    ),
    (
        "EVT-FLT-008",
        "prefix-first-key",
        [{"prefix": {"source": "/shop", "type": "order."}}],
        {"type": "order.created", "source": "/shop/1"},
        {"type": "created", "source": "/shop/1"},
    ),
    (
        "EVT-FLT-009",
        "suffix",
        [{"suffix": {"type": ".created"}}],
        {"type": "order.created"},
        {"type": "order.created.v2"},
    ),
    ("EVT-FLT-009", "suffix-whole", [{"suffix": {"type": "order"}}], {"type": "order"}, {"type": "orders"}),
    (
        "EVT-FLT-009",
        "suffix-all-keys",
        [{"suffix": {"type": ".created", "source": "/shop"}}],
        {"type": "order.created", "source": "/a/shop"},
        {"type": "order.created", "source": "/a/depot"},
    ),
    (
        "EVT-FLT-009",
        "suffix-first-key",
        [{"suffix": {"source": "/shop", "type": ".created"}}],
        {"type": "order.created", "source": "/a/shop"},
        {"type": "order", "source": "/a/shop"},
    ),
    (
        "EVT-FLT-010",
        "all",
        [{"all": [{"exact": {"type": "a"}}, {"exact": {"source": "/s"}}]}],
        {"type": "a", "source": "/s"},
        {"type": "a", "source": "/other"},
    ),
    (
        "EVT-FLT-011",
        "any",
        [{"any": [{"exact": {"type": "a"}}, {"exact": {"source": "/s"}}]}],
        {"type": "b", "source": "/s"},
        {"type": "b", "source": "/other"},
    ),
    (
        "EVT-FLT-011",
        "any-beside-absent",
        [{"any": [{"prefix": {"subject": "x"}}, {"exact": {"type": "a"}}]}],
        {"type": "a"},
        {"type": "b"},
    ),
    ("EVT-FLT-012", "not", [{"not": {"exact": {"type": "a"}}}], {"type": "b"}, {"type": "a"}),
    (
        "EVT-FLT-012",
        "not-of-absent",
        [{"not": {"exact": {"subject": "x"}}}],
        {"type": "a"},
        {"type": "a", "subject": "x"},
    ),
    (
        "EVT-FLT-012",
        "not-prefix-of-absent",
        [{"not": {"prefix": {"subject": "x"}}}],
        {"type": "a"},
        {"type": "a", "subject": "xy"},
    ),
    (
        "EVT-FLT-013",
        "several",
        [{"exact": {"type": "a"}}, {"exact": {"source": "/s"}}],
        {"type": "a", "source": "/s"},
        {"type": "a", "source": "/other"},
    ),
]


# Times that whoever reads them as instants would write in another form.
TIMES = ["2025-07-02T08:20:00Z", "2025-07-02T08:20:12.5Z", "2025-07-02T08:20:12.100Z", "2025-07-02T08:20:12+02:00"]
# For each attribute that an event has besides id, type and source: one value, and another one.
VALUES = {
    "time": ("2025-07-02T08:20:12Z", "2025-07-02T08:20:13Z"),
    "subject": ("orders/17", "orders/18"),
    "dataschema": ("https://example.com/a", "https://example.com/b"),
    "datacontenttype": ("text/plain", "text/html"),
    "partitionkey": ("customer-17", "customer-18"),
}


@pytest.mark.requirement("EVT-FLT-015")
def test_any_attribute_can_be_filtered(broker: Broker) -> None:
    name, alike = fresh(), {attribute: hit for attribute, (hit, _) in VALUES.items()}
    named = {"id": name, **alike}
    exact = broker.several(*({"filters": [{"exact": {attribute: value}}]} for attribute, value in named.items()))
    plain = broker.several(*({"filter": {"attributes": {attribute: value}}} for attribute, value in named.items()))
    # Each of the others differs from the first in its id, as events do, and in the attribute of one Trigger.
    changes = [{}, *({attribute: miss} for attribute, (_, miss) in VALUES.items())]
    matching, *others = broker.send_many([named, *({**alike, **change} for change in changes)])
    expect(*(delivered(matching, to=trigger) for trigger in [*exact, *plain]))
    pairs = zip([*others, *others], [*exact, *plain], strict=True)
    expect(*(not_delivered(other, to=trigger) for other, trigger in pairs))


@pytest.mark.requirement("EVT-FLT-016")
def test_filters_see_a_time_as_it_was_sent(broker: Broker) -> None:
    triggers = broker.several(
        *({"filters": [{"exact": {"time": time}}]} for time in TIMES),
        *({"filter": {"attributes": {"time": time}}} for time in TIMES),
        *({"filters": [{"cesql": f"time = '{time}'"}]} for time in TIMES),
    )
    events = broker.send_many([{"time": time} for time in TIMES])
    expect(*(delivered(event, to=trigger) for event, trigger in zip(events * 3, triggers, strict=True)))


@pytest.mark.parametrize(
    ("filters", "hit", "miss"),
    [
        pytest.param(filters, hit, miss, id=name, marks=pytest.mark.requirement(requirement))
        for requirement, name, filters, hit, miss in CASES
    ],
)
def test_a_dialect_selects(broker: Broker, filters: list[dict[str, Any]], hit: Event, miss: Event) -> None:
    trigger = broker.trigger(filters=filters)
    matching, other = broker.send(**hit), broker.send(**miss)
    expect(delivered(matching, to=trigger))
    expect(not_delivered(other, to=trigger))


@pytest.mark.requirement("EVT-FLT-018")
def test_each_of_many_expressions_counts(broker: Broker) -> None:
    others, alike = (
        [{"exact": {"type": f"other.{number}"}} for number in range(MANY)],
        [{"prefix": {"type": "a"}}] * MANY,
    )
    named = {f"label{number}": "x" for number in range(20)}
    last = {"exact": {"type": "a"}}
    triggers = broker.several(
        {"filters": [{"any": [*others, last]}]},
        {"filters": [{"all": [*alike, last]}]},
        {"filters": [*alike, last]},
        {"filters": [{"exact": {**named, "type": "a"}}]},
        {"filter": {"attributes": {**named, "type": "a"}}},
    )
    matching, other = broker.send_many([{"type": "a", **named}, {"type": "ab", **named}])
    expect(*(delivered(matching, to=trigger) for trigger in triggers))
    expect(*(not_delivered(other, to=trigger) for trigger in triggers))


@pytest.mark.requirement("EVT-FLT-014")
def test_filter_decides_when_filters_has_no_expression(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "a"}}, filters=[])
    matching, other = broker.send(type="a"), broker.send(type="b")
    expect(delivered(matching, to=trigger))
    expect(not_delivered(other, to=trigger))


@pytest.mark.requirement("EVT-FLT-014")
def test_filters_decide_when_filter_is_set_too(broker: Broker) -> None:
    trigger = broker.trigger(filter={"attributes": {"type": "a"}}, filters=[{"exact": {"type": "b"}}])
    matching, other = broker.send(type="b"), broker.send(type="a")
    expect(delivered(matching, to=trigger))
    expect(not_delivered(other, to=trigger))
