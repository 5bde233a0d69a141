"""Faults that tests order of the platform: how an order is written, and what each kind of object obeys.

An order is the value of an annotation, such as `kafka-away/1`: a fault, and a text that makes the order a new one. The
fault is made once for each new value. The object's status has the same annotation with the same value when it is made.

A Broker obeys `kafka-away` and `kafka-back`; with `consumers` these change hands twice. Its dispatcher and its ingress
end with their pods (`parts`). A SeldonDeployment obeys the first two as well; with `anew` its servers are made anew,
and with a stage, as in `predicted/1`, the first one dies at its next record that comes to it: the status has
`ready:predicted/1` until that is over. An InferenceService obeys `results-refused` and `results-taken`, for the topic
that a container's KAFKA_TOPIC names.

While Kafka is away nobody can write or read the topics. A real one goes whole; the mock's topics go one by one. A topic
of results that refuses is the only one that does, on each of them.
"""

from collections.abc import Mapping
from typing import Any

FAULT = "touchstone.dev/fault"
"""The name of the annotation."""
KAFKA_AWAY, KAFKA_BACK = "kafka-away", "kafka-back"
RESULTS_REFUSED, RESULTS_TAKEN = "results-refused", "results-taken"


def ordered(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Return the order of an object's annotation, and the fault that it names; both empty where there is none."""
    order = str((obj["metadata"].get("annotations") or {}).get(FAULT, ""))
    return order, order.partition("/")[0]
