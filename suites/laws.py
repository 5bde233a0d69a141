"""What laws of filters need: Triggers of many expressions at once, and claims that compare what these got.

A law makes the Triggers of a group, and returns what sends the group's events and claims about them.
"""

from collections.abc import Callable, Sequence

from evidence.expectations import Expectation, selection
from fixtures import Broker, Trigger
from suites.filters import Filter, Group

Expressions = Sequence[Filter]
Claims = Callable[[], Sequence[Expectation]]


def triggers(broker: Broker, *each: Expressions) -> list[list[Trigger]]:
    """Make a Trigger for each expression, all at once; returns them as they were given."""
    made = iter(broker.triggers(*([expression] for expressions_ in each for expression in expressions_)))
    return [[next(made) for _ in expressions_] for expressions_ in each]


def parted(broker: Broker, group: Group, negations: Expressions) -> Claims:
    """Claim that each negation gets the events that its expression does not get."""
    plain, inverse = triggers(broker, group.filters, negations)

    def claims() -> list[Expectation]:
        sent = broker.send_many(group.events)
        return [selection(sent, to=other, none_of=[one]) for one, other in zip(plain, inverse, strict=True)]

    return claims


def alike(broker: Broker, group: Group, others: Expressions) -> Claims:
    """Claim that each expression gets the events that its other form gets."""
    plain, same = triggers(broker, group.filters, others)

    def claims() -> list[Expectation]:
        sent = broker.send_many(group.events)
        return [selection(sent, to=other, any_of=[one]) for one, other in zip(plain, same, strict=True)]

    return claims
