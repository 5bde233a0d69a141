"""The figures of benchmarks, with their peers', and the table of them."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        what: The description of the quantity, with its unit.
        value: The measured number.
        peer: The name of the peer in the same run; empty without one.
        peer_value: The number of the peer, in the same unit.
        before: What it once was, in the same unit, and when; empty where nobody measured.
    """

    what: str
    value: float
    peer: str = ""
    peer_value: float | None = None
    before: str = ""

    @property
    def ratio(self) -> str:
        """The value in units of the peer's; empty without a peer."""
        return f"{self.value / self.peer_value:.2f}" if self.peer_value else ""


def machine() -> str:
    """Name this machine: processor, cores, memory, Python."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{models[0] if models else platform.processor() or 'unknown processor'}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def render_table(figures: Sequence[Figure]) -> str:
    """Render figures as a Markdown table."""
    rows = ["| what | measured | before | peer in the same run | peer | ratio |", "|---|---:|---|---|---:|---:|"]
    for figure in figures:
        peer = f"{figure.peer_value:,.3g}" if figure.peer_value is not None else ""
        cells = (figure.what, _render_number(figure.value), figure.before, figure.peer, peer, figure.ratio)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _render_number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
