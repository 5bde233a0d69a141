"""The parts of the platform that mutants change, each with its honest policies.

A workload is a host too, but not here: its mutants are modules in `images/<image>/mutants/`, registered by the entry
in `suites/catalogue/mutants` that names image and module.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from embedded.agents import policies as agents
from embedded.controllers import policies as control_plane
from embedded.dataplane import policies as data_plane
from embedded.streaming import policies as streaming

P = TypeVar("P")


@dataclass(frozen=True, slots=True, eq=False)
class Host(Generic[P]):
    """A part of the platform.

    Attributes:
        name: The name of the part, for people.
        honest: The policies of the part as they are meant to be.
    """

    name: str
    honest: P


CONTROL_PLANE = Host("control plane", control_plane.HONEST)
"""Controllers and admission. A mutant of it is composed anew for every decision, so it must remember nothing."""

DATA_PLANE = Host("data plane", data_plane.HONEST)
"""Brokers and Triggers. A mutant of it is composed once for each of them, so what it remembers is theirs alone."""

STREAMS = Host("streams", streaming.HONEST)
"""Seldon's Kafka servers. A mutant of it is composed once for each of them."""

AGENTS = Host("agents", agents.HONEST)
"""KServe's agents. A mutant of it is composed once for each pod."""
