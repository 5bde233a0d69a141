"""The divergence `cesql-as-sdk-java` evaluates as the Kafka Broker 1.22.3 and the SDK under it were seen to."""

import pytest

from embedded.mutants import find_personality
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import composition

EVENT = {"specversion": "1.0", "id": "i", "source": "/shop", "type": "order.created", "hop": "05"}

# The Kafka Broker 1.22.3: does a Trigger deliver an event that has neither `subject` nor `missing`?
BROKER = {
    "NOT (subject = 'x')": True,
    "subject != 'x'": False,
    "1 = 1 OR missing = 'a'": True,
    "TRUE OR missing": True,
    "1 / 0 = 0": True,
    "LENGTH(id)": True,
    "LENGTH(id) > 0": True,
    "'true'": True,
    "id": False,
    "missing = ''": False,
    "EXISTS missing": False,
    "NOT EXISTS missing": True,
    "INT('x') = 0": True,
    "TRUE": True,
    "FALSE": False,
    "'TRUE' = TRUE": True,
    "TRUE = 'true'": True,
    "missing": False,
    "NOT missing": False,
    "UNKNOWN(1)": False,
}
# cloudevents-sql 4.0.1, called as `CeSqlFilter` of the Kafka Broker 1.22.3 calls it.
SDK = {
    "FALSE AND TRUE OR TRUE": False,
    "TRUE XOR TRUE OR TRUE": False,
    "TRUE OR FALSE AND FALSE": True,
    "TRUE OR TRUE XOR TRUE": True,
    "TRUE AND TRUE OR FALSE": True,
    "FALSE AND FALSE OR TRUE": False,
    "FALSE AND TRUE XOR TRUE": False,
    "TRUE OR FALSE XOR TRUE": True,
    "TRIM('\u2003a\u00a0') = 'a'": False,
    "TRIM('\ta ') = 'a'": True,
    "NOT 1": False,
    "NOT 0": True,
    "-1": True,
    "'false'": False,
    "'TRUE'": True,
    "absent LIKE '%'": True,
    "absent LIKE ''": False,
    "absent NOT LIKE 'x'": True,
    "absent IN ('x')": True,
    "absent IN (1)": False,
    "absent NOT IN ('x')": False,
    "'' NOT IN (absent)": True,
    "absent OR TRUE": True,
    "absent XOR TRUE": True,
    "TRUE AND absent": False,
    "absent > -1": False,
    "absent + 1 = 1": False,
    "LENGTH(absent)": True,
    "LENGTH(absent) = 0": False,
    "CONCAT('a', absent) = 'a'": False,
    "INT(absent) = 0": True,
    "NOT UNKNOWN(1)": True,
    "1 / 0 = 0 OR TRUE": True,
    "'x' != 1": True,
    "SUBSTRING('abc', 4) = ''": True,
    "LEFT('abc', -1) = 'abc'": True,
    "NOT LENGTH()": True,
}


@pytest.mark.parametrize(("expression", "passes"), [*BROKER.items(), *SDK.items()])
def test_an_expression_lets_an_event_pass_as_it_was_seen_to(expression: str, *, passes: bool) -> None:
    matcher = composition(DATA_PLANE, ["cesql-as-sdk-java"]).compose().matcher
    assert matcher.dialects["cesql"](matcher, expression, "filters[0].cesql")(EVENT) is passes


def test_a_long_chain_is_evaluated_in_bounded_depth() -> None:
    matcher = composition(DATA_PLANE, find_personality("eventing-kafka-broker-1.22.3").divergences).compose().matcher
    chain = " XOR ".join(["TRUE"] * 1501)
    assert matcher.dialects["cesql"](matcher, chain, "filters[0].cesql")(EVENT)
