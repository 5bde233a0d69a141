"""The nodes of an inference graph."""

from collections.abc import Iterator
from dataclasses import dataclass

from embedded.types import Endpoint

KINDS = ("MODEL", "TRANSFORMER", "OUTPUT_TRANSFORMER", "ROUTER", "COMBINER")

PREDICT, TRANSFORM_INPUT, TRANSFORM_OUTPUT = "predict", "transform-input", "transform-output"
ROUTE, AGGREGATE = "route", "aggregate"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of an inference graph.

    Attributes:
        name: The name of the node, and of its container.
        kind: One of `KINDS`.
        endpoint: The endpoint of its container.
        children: The nodes behind it.
    """

    name: str
    kind: str
    endpoint: Endpoint
    children: tuple["Node", ...] = ()


def nodes_of(root: Node) -> Iterator[Node]:
    """Yield a node, and all behind it."""
    yield root
    for child in root.children:
        yield from nodes_of(child)
