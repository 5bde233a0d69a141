"""Laws of filters over generated filters and events: what one Trigger got says what another one must have got.

No expected value comes from an evaluator of filters: each law compares Triggers of one Broker that got the same events.
"""

from collections.abc import Sequence

import pytest

from evidence.expectations import Expectation, selection
from fixtures import Broker, Brokers, Generated, Trigger
from suites.filters import Attributes, Filter, Group, events, expressions, filters, groups, in_cesql, leaves, negated

Expressions = Sequence[Filter]
WHOLE = groups(filters(), events())
COMPARING = groups(leaves(), events())
SPARSE = groups(filters(), events(whole=False))
IN_CESQL = groups(expressions(), events())
UNRELATED: Attributes = {f"unrelated{number}": "a" for number in range(8)}
CROWD = 20  # Triggers beside the one that is compared, all without a filter


def triggers(broker: Broker, *each: Expressions) -> list[list[Trigger]]:
    """Make a Trigger for each expression, all at once; returns them as they were given."""
    made = iter(broker.triggers(*([expression] for expressions_ in each for expression in expressions_)))
    return [[next(made) for _ in expressions_] for expressions_ in each]


def parted(broker: Broker, group: Group, negations: Expressions) -> list[Expectation]:
    """Claim that each negation gets the events that its expression does not get."""
    plain, inverse = triggers(broker, group.filters, negations)
    sent = broker.send_many(group.events)
    return [selection(sent, to=other, none_of=[one]) for one, other in zip(plain, inverse, strict=True)]


def alike(broker: Broker, group: Group, others: Expressions) -> list[Expectation]:
    """Claim that each expression gets the events that its other form gets."""
    plain, same = triggers(broker, group.filters, others)
    sent = broker.send_many(group.events)
    return [selection(sent, to=other, any_of=[one]) for one, other in zip(plain, same, strict=True)]


@pytest.mark.requirement("EVT-LAW-001")
def test_an_expression_and_its_negation_part_the_events(broker: Broker, generated: Generated) -> None:
    generated(WHOLE, lambda group: parted(broker, group, [negated(each) for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-002")
def test_they_part_also_events_that_lack_attributes(broker: Broker, generated: Generated) -> None:
    generated(SPARSE, lambda group: parted(broker, group, [negated(each) for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-003")
def test_all_gets_what_each_of_its_expressions_gets(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        plain, single, (whole,) = triggers(
            broker, group.filters, [{"all": [each]} for each in group.filters], [{"all": group.filters}]
        )
        sent = broker.send_many(group.events)
        alone = [selection(sent, to=other, all_of=[one]) for one, other in zip(plain, single, strict=True)]
        return [*alone, selection(sent, to=whole, all_of=plain)]

    generated(WHOLE, claims)


@pytest.mark.requirement("EVT-LAW-004")
def test_any_gets_what_one_of_its_expressions_gets(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        plain, single, (whole,) = triggers(
            broker, group.filters, [{"any": [each]} for each in group.filters], [{"any": group.filters}]
        )
        sent = broker.send_many(group.events)
        alone = [selection(sent, to=other, any_of=[one]) for one, other in zip(plain, single, strict=True)]
        return [*alone, selection(sent, to=whole, any_of=plain)]

    generated(WHOLE, claims)


@pytest.mark.requirement("EVT-LAW-005")
def test_a_double_negation_changes_nothing(broker: Broker, generated: Generated) -> None:
    generated(WHOLE, lambda group: alike(broker, group, [negated(negated(each)) for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-006")
def test_a_negation_of_several_is_that_of_each(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        each = [negated(expression) for expression in group.filters]
        (none, not_one), (not_all, one_not) = triggers(
            broker,
            [negated({"any": group.filters}), {"all": each}],
            [negated({"all": group.filters}), {"any": each}],
        )
        sent = broker.send_many(group.events)
        return [selection(sent, to=none, any_of=[not_one]), selection(sent, to=not_all, any_of=[one_not])]

    generated(WHOLE, claims)


@pytest.mark.requirement("EVT-LAW-007")
def test_the_order_of_expressions_does_not_matter(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        turned = group.filters[::-1]
        one_way, other_way = triggers(
            broker, [{"any": group.filters}, {"all": group.filters}], [{"any": turned}, {"all": turned}]
        )
        sent = broker.send_many(group.events)
        return [selection(sent, to=one, any_of=[other]) for one, other in zip(one_way, other_way, strict=True)]

    generated(WHOLE, claims)


@pytest.mark.requirement("EVT-LAW-008")
def test_unrelated_attributes_change_nothing(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        (made,) = triggers(broker, group.filters)
        sent = broker.send_many(group.events)
        twins = broker.send_many([UNRELATED | event for event in group.events])
        return [selection(sent, to=trigger, any_of=[trigger], twins=twins) for trigger in made]

    generated(WHOLE, claims)


@pytest.mark.requirement("EVT-LAW-009")
def test_a_trigger_gets_in_a_crowd_what_it_gets_alone(brokers: Brokers, generated: Generated) -> None:
    quiet, busy = brokers(), brokers()

    def claims(group: Group) -> list[Expectation]:
        alone = [quiet.trigger(filters=group.filters)]
        *crowd, own = busy.several(*({} for _ in range(CROWD)), {"filters": group.filters})
        sent, twins = busy.send_many(group.events), quiet.send_many(group.events)
        return [
            selection(sent, to=own, any_of=alone, twins=twins),
            *(selection(sent, to=trigger, none_of=[]) for trigger in crowd),
        ]

    generated(WHOLE, claims, examples=2)


@pytest.mark.requirement("EVT-LAW-010")
@pytest.mark.usefixtures("cesql")
def test_exact_prefix_and_suffix_get_what_cesql_gets(broker: Broker, generated: Generated) -> None:
    generated(COMPARING, lambda group: alike(broker, group, [{"cesql": in_cesql(each)} for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-011")
@pytest.mark.usefixtures("cesql")
def test_not_of_cesql_parts_the_events_and_twice_changes_nothing(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        texts = [each["cesql"] for each in group.filters]
        plain, inverse, twice = triggers(
            broker,
            group.filters,
            [{"cesql": f"NOT ({text})"} for text in texts],
            [{"cesql": f"NOT (NOT ({text}))"} for text in texts],
        )
        sent = broker.send_many(group.events)
        return [
            *(selection(sent, to=other, none_of=[one]) for one, other in zip(plain, inverse, strict=True)),
            *(selection(sent, to=other, any_of=[one]) for one, other in zip(plain, twice, strict=True)),
        ]

    generated(IN_CESQL, claims)


@pytest.mark.requirement("EVT-LAW-012")
@pytest.mark.usefixtures("cesql")
def test_and_or_and_not_of_cesql_agree_with_each_other(broker: Broker, generated: Generated) -> None:
    def claims(group: Group) -> list[Expectation]:
        texts = [f"({each['cesql']})" for each in group.filters]
        plain, (every, some, not_every, not_some) = triggers(
            broker,
            group.filters,
            [
                {"cesql": " AND ".join(texts)},
                {"cesql": " OR ".join(texts)},
                {"cesql": " OR ".join(f"NOT {text}" for text in texts)},
                {"cesql": " AND ".join(f"NOT {text}" for text in texts)},
            ],
        )
        sent = broker.send_many(group.events)
        return [
            selection(sent, to=every, all_of=plain),
            selection(sent, to=some, any_of=plain),
            selection(sent, to=not_every, none_of=[every]),
            selection(sent, to=not_some, none_of=plain),
        ]

    generated(IN_CESQL, claims)


@pytest.mark.requirement("EVT-LAW-013")
@pytest.mark.usefixtures("cesql")
def test_all_any_and_not_get_what_cesql_gets(broker: Broker, generated: Generated) -> None:
    generated(WHOLE, lambda group: alike(broker, group, [{"cesql": in_cesql(each)} for each in group.filters]))
