"""Divergences of Seldon's executor 1.17.1: what it was seen to do, and no requirement asks."""

from dataclasses import replace

from embedded.mutants.hosts import STREAMS
from embedded.mutants.registry import divergence
from embedded.streaming.policies import StreamPolicies


@divergence(STREAMS, replaces="drain")
def sigterm_drops_work(honest: StreamPolicies) -> StreamPolicies:
    """End at once where the server is stopped, and drop what is in work (seldon-executor 1.17.1, seen: 0.01 s)."""
    return replace(honest, drain=0.0)
