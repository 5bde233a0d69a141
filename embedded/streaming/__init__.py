"""Seldon's Kafka server (`serverType: kafka`), by its documentation: requests from one topic, answers to another."""

from embedded.streaming.policies import HONEST, StreamPolicies
from embedded.streaming.server import StreamServer

__all__ = ["HONEST", "StreamPolicies", "StreamServer"]
