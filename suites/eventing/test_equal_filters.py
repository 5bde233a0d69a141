"""Filters that say the same in other words get the same, over generated filters and events.

As for all laws, no expected value comes from an evaluator: Triggers of one Broker that got the same are compared.
"""

import pytest

from evidence.expectations import Expectation, selection
from fixtures import Broker, Generated
from suites.filters import Group, events, expressions, filters, groups, in_cesql, leaves, negated
from suites.laws import Claims, alike, triggers

WHOLE = groups(filters(), events())
COMPARING = groups(leaves(), events())
IN_CESQL = groups(expressions(), events())


@pytest.mark.requirement("EVT-LAW-005")
def test_a_double_negation_changes_nothing(broker: Broker, generated: Generated) -> None:
    generated(WHOLE, lambda group: alike(broker, group, [negated(negated(each)) for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-006")
def test_a_negation_of_several_is_that_of_each(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
        each = [negated(expression) for expression in group.filters]
        (none, not_one), (not_all, one_not) = triggers(
            broker,
            [negated({"any": group.filters}), {"all": each}],
            [negated({"all": group.filters}), {"any": each}],
        )

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            return [selection(sent, to=none, any_of=[not_one]), selection(sent, to=not_all, any_of=[one_not])]

        return claims

    generated(WHOLE, law)


@pytest.mark.requirement("EVT-LAW-007")
def test_the_order_of_expressions_does_not_matter(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
        turned = group.filters[::-1]
        one_way, other_way = triggers(
            broker, [{"any": group.filters}, {"all": group.filters}], [{"any": turned}, {"all": turned}]
        )

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            return [selection(sent, to=one, any_of=[other]) for one, other in zip(one_way, other_way, strict=True)]

        return claims

    generated(WHOLE, law)


@pytest.mark.requirement("EVT-LAW-010")
@pytest.mark.usefixtures("cesql")
def test_exact_prefix_and_suffix_get_what_cesql_gets(broker: Broker, generated: Generated) -> None:
    generated(COMPARING, lambda group: alike(broker, group, [{"cesql": in_cesql(each)} for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-011")
@pytest.mark.usefixtures("cesql")
def test_not_of_cesql_parts_the_events_and_twice_changes_nothing(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
        texts = [each["cesql"] for each in group.filters]
        plain, inverse, twice = triggers(
            broker,
            group.filters,
            [{"cesql": f"NOT ({text})"} for text in texts],
            [{"cesql": f"NOT (NOT ({text}))"} for text in texts],
        )

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            return [
                *(selection(sent, to=other, none_of=[one]) for one, other in zip(plain, inverse, strict=True)),
                *(selection(sent, to=other, any_of=[one]) for one, other in zip(plain, twice, strict=True)),
            ]

        return claims

    generated(IN_CESQL, law)


@pytest.mark.requirement("EVT-LAW-012")
@pytest.mark.usefixtures("cesql")
def test_and_or_and_not_of_cesql_agree_with_each_other(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
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

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            return [
                selection(sent, to=every, all_of=plain),
                selection(sent, to=some, any_of=plain),
                selection(sent, to=not_every, none_of=[every]),
                selection(sent, to=not_some, none_of=plain),
            ]

        return claims

    generated(IN_CESQL, law)


@pytest.mark.requirement("EVT-LAW-013")
@pytest.mark.usefixtures("cesql")
def test_all_any_and_not_get_what_cesql_gets(broker: Broker, generated: Generated) -> None:
    generated(WHOLE, lambda group: alike(broker, group, [{"cesql": in_cesql(each)} for each in group.filters]))
