"""A row of the tables of stream mutants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selftest.embedded_dataplane.stream_observations import Observe


@dataclass(frozen=True)
class Row:
    """An observation, and what it is under the honest server and under the mutant."""

    observe: Observe
    honest: Any
    faulty: Any
    transport: str = "rest"
    terms: Mapping[str, Any] = field(default_factory=dict)
    """The fields of the stream's specification that are not those of a tensorflow model."""


GRAPH, GRAPH_NODE = object(), object()
"""In a row's terms: the graph of `graph_of`, and a graph of one node."""
NODE: dict[str, Any] = {"protocol": "seldon", "graph": GRAPH_NODE}
WHOLE: dict[str, Any] = {"protocol": "seldon", "graph": GRAPH}
