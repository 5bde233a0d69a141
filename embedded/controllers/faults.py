"""Faults that tests order of the platform: how an order is written, and what each kind of object obeys.

An order is the value of an annotation, such as `kafka-away/1`: a fault, and a text that makes the order a new one. The
fault is made once for each new value. The object's status has the same annotation with the same value when it is made.

A Broker obeys `kafka-away` and `kafka-back`; with `consumers` these change hands twice. Its dispatcher and its ingress
end with their pods (`parts`). An InferenceService obeys the first two for the topic that a container's KAFKA_TOPIC
names. A SeldonDeployment obeys them too; with `anew` its servers are made anew, and with a stage, as in `predicted/1`,
the first one dies at its next record that comes to it: the status has `ready:predicted/1` until that is over.

While Kafka is away nobody can write or read the topics.
"""

from collections.abc import Mapping
from typing import Any

FAULT = "touchstone.dev/fault"
"""The name of the annotation."""
KAFKA_AWAY, KAFKA_BACK = "kafka-away", "kafka-back"


def ordered(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Return the order of an object's annotation, and the fault that it names; both empty where there is none."""
    order = str((obj["metadata"].get("annotations") or {}).get(FAULT, ""))
    return order, order.partition("/")[0]
