"""The nodes of an inference graph."""

from collections.abc import Mapping
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


def endpoints(node: Node) -> Mapping[str, Endpoint]:
    """Return the endpoints of a graph by the names of its nodes."""
    return {node.name: node.endpoint} | {
        name: each for child in node.children for name, each in endpoints(child).items()
    }
