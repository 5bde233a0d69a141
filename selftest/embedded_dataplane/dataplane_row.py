"""A row of the tables of data plane mutants."""

from dataclasses import dataclass
from typing import Any

from selftest.embedded_dataplane.observing import Observe


@dataclass(frozen=True)
class Row:
    """An observation, and what it is under the honest platform and under the mutant."""

    observe: Observe
    honest: Any
    faulty: Any
