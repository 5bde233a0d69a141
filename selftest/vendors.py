"""A vendor's catalogue with tests, and a distribution with entry points, as selftests of several rooms need them."""

from pathlib import Path

ABOUT = """
name = "acme"
tests = "../tests"

[[profile]]
name = "acme-routing"
builds_on = "broker-core"
"""
REQUIREMENT = """
[[requirement]]
id = "ACME-RTE-001"
level = "MUST"
profile = "acme-routing"
cases = 1
text = "It routes as acme promises."
source = "the manual of acme"
mutants = ["broken"]
"""


def write_catalogue(folder: Path, about: str = ABOUT, routing: str = REQUIREMENT) -> Path:
    """Write a vendor's catalogue, of one area; returns its folder."""
    catalogue = folder / "catalogue"
    catalogue.mkdir(parents=True)
    (catalogue / "catalogue.toml").write_text(about, encoding="utf-8")
    (catalogue / "routing.toml").write_text(routing, encoding="utf-8")
    return catalogue


def write_distribution(folder: Path, group: str, points: dict[str, str], name: str = "acme-lab") -> Path:
    """Write what an installed distribution has beside its code, so that its entry points work; returns the folder."""
    about = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n", encoding="utf-8")
    lines = "".join(f"{point} = {value}\n" for point, value in points.items())
    (about / "entry_points.txt").write_text(f"[{group}]\n{lines}", encoding="utf-8")
    return folder
