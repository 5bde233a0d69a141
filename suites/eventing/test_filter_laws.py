"""Laws of filters over generated filters and events: what one Trigger got says what another one must have got.

No expected value comes from an evaluator of filters: each law compares Triggers of one Broker that got the same events.
"""

import pytest

from evidence.expectations import Expectation, selection
from fixtures import Broker, Brokers, Generated
from suites.filters import Attributes, Group, events, filters, groups, negated
from suites.laws import Claims, parted, triggers

WHOLE = groups(filters(), events())
SPARSE = groups(filters(), events(whole=False))
UNRELATED: Attributes = {f"unrelated{number}": "a" for number in range(8)}
CROWD = 20  # Triggers beside the one that is compared, all without a filter


@pytest.mark.requirement("EVT-LAW-001")
def test_an_expression_and_its_negation_part_the_events(broker: Broker, generated: Generated) -> None:
    generated(WHOLE, lambda group: parted(broker, group, [negated(each) for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-002")
def test_they_part_also_events_that_lack_attributes(broker: Broker, generated: Generated) -> None:
    generated(SPARSE, lambda group: parted(broker, group, [negated(each) for each in group.filters]))


@pytest.mark.requirement("EVT-LAW-003")
def test_all_gets_what_each_of_its_expressions_gets(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
        plain, single, (whole,) = triggers(
            broker, group.filters, [{"all": [each]} for each in group.filters], [{"all": group.filters}]
        )

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            alone = [selection(sent, to=other, all_of=[one]) for one, other in zip(plain, single, strict=True)]
            return [*alone, selection(sent, to=whole, all_of=plain)]

        return claims

    generated(WHOLE, law)


@pytest.mark.requirement("EVT-LAW-004")
def test_any_gets_what_one_of_its_expressions_gets(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
        plain, single, (whole,) = triggers(
            broker, group.filters, [{"any": [each]} for each in group.filters], [{"any": group.filters}]
        )

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            alone = [selection(sent, to=other, any_of=[one]) for one, other in zip(plain, single, strict=True)]
            return [*alone, selection(sent, to=whole, any_of=plain)]

        return claims

    generated(WHOLE, law)


@pytest.mark.requirement("EVT-LAW-008")
def test_unrelated_attributes_change_nothing(broker: Broker, generated: Generated) -> None:
    def law(group: Group) -> Claims:
        (made,) = triggers(broker, group.filters)

        def claims() -> list[Expectation]:
            sent = broker.send_many(group.events)
            twins = broker.send_many([UNRELATED | event for event in group.events])
            return [selection(sent, to=trigger, any_of=[trigger], twins=twins) for trigger in made]

        return claims

    generated(WHOLE, law)


@pytest.mark.requirement("EVT-LAW-009")
def test_a_trigger_gets_in_a_crowd_what_it_gets_alone(brokers: Brokers, generated: Generated) -> None:
    quiet, busy = brokers(), brokers()

    def law(group: Group) -> Claims:
        alone = [quiet.trigger(filters=group.filters)]
        *crowd, own = busy.several(*({} for _ in range(CROWD)), {"filters": group.filters})

        def claims() -> list[Expectation]:
            sent, twins = busy.send_many(group.events), quiet.send_many(group.events)
            return [
                selection(sent, to=own, any_of=alone, twins=twins),
                *(selection(sent, to=trigger, none_of=[]) for trigger in crowd),
            ]

        return claims

    generated(WHOLE, law, examples=2)
