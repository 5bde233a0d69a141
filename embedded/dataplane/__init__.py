"""The Knative Kafka Broker's data plane, by the specification: ingress, records, filters, delivery, replies.

Where the specification and the real Broker differ, this follows the specification.
It does not know Kubernetes: controllers tell it what to serve.
"""

from embedded.dataplane.feed import NoTopicError
from embedded.dataplane.plane import DataPlane
from embedded.dataplane.policies import HONEST, DataPlanePolicies

__all__ = ["HONEST", "DataPlane", "DataPlanePolicies", "NoTopicError"]
