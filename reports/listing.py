"""The catalogue as a table for the terminal, as JSON, and as the Markdown of docs/catalogue.md."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from evidence.catalogue import OURS, Catalogue, Requirement

_HEAD = """\
# What the suite asks

This page is written by `python -m reports list --markdown > docs/catalogue.md`; a test says when it is stale.

A level is that of RFC 2119. A mutant is a faulty system that the requirement's tests must fail: `tox -e prove` shows
that they do. Further down stands what each mutant does.
"""


def as_json(requirements: Sequence[Requirement]) -> str:
    """Return the requirements as one JSON document, which ends with a line break."""
    return json.dumps([_entry(requirement) for requirement in requirements], indent=2, ensure_ascii=False) + "\n"


def as_table(catalogue: Catalogue, requirements: Sequence[Requirement]) -> Table:
    """Return the requirements as a table for the terminal.

    Args:
        catalogue: The whole catalogue. A column tells the origins apart where it has several.
        requirements: The requirements to list.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    # Where all are ours, there is nothing to tell apart.
    several = catalogue.origins != (OURS,)
    for name in ("id", *(["origin"] if several else []), "level", "profile", "requirement"):
        table.add_column(name, no_wrap=name != "requirement", overflow="fold")
    for requirement in requirements:
        origin = [requirement.origin] if several else []
        table.add_row(
            Text(requirement.id, style="bold"), *origin, requirement.level, requirement.profile, requirement.text
        )
    return table


def as_markdown(catalogue: Catalogue, requirements: Sequence[Requirement]) -> str:
    """Return the requirements by area, with their sources and mutants, and what these mutants do.

    Args:
        catalogue: The whole catalogue.
        requirements: The requirements to list.
    """
    return "\n".join(
        [_HEAD, *_summary(requirements), *_areas(catalogue, requirements), *_mutants(catalogue, requirements)]
    )


def _entry(requirement: Requirement) -> dict[str, Any]:
    return {
        "id": requirement.id,
        "origin": requirement.origin,
        "level": str(requirement.level),
        "profile": str(requirement.profile),
        "area": str(requirement.area),
        "text": requirement.text,
        "source": requirement.source,
        "url": requirement.url,
        "mutants": list(requirement.mutants),
        "cases": requirement.cases,
    }


def _summary(requirements: Sequence[Requirement]) -> Iterator[str]:
    """Yield how many requirements and test cases each area has in each profile."""
    yield "| area | profile | requirements | of them MUST and MUST NOT | test cases |"
    yield "|---|---|---:|---:|---:|"
    places = dict.fromkeys((requirement.area, requirement.profile) for requirement in requirements)
    for area, profile in places:
        there = [
            requirement for requirement in requirements if (requirement.area, requirement.profile) == (area, profile)
        ]
        binding, cases = sum(requirement.binding for requirement in there), sum(each.cases for each in there)
        yield f"| [{area}](#{area}) | {profile} | {len(there)} | {binding} | {cases} |"
    binding, cases = sum(requirement.binding for requirement in requirements), sum(each.cases for each in requirements)
    yield f"| all | | {len(requirements)} | {binding} | {cases} |"
    yield ""


def _areas(catalogue: Catalogue, requirements: Sequence[Requirement]) -> Iterator[str]:
    for area in dict.fromkeys(requirement.area for requirement in requirements):
        yield f"## {area}\n"
        groups = dict.fromkeys(requirement.group for requirement in requirements if requirement.area == area)
        if told := [f"`{group}` {catalogue.groups[group]}" for group in groups if group in catalogue.groups]:
            yield f"{'; '.join(told)}.\n"
        yield "| id | level | profile | requirement | source | mutants |"
        yield "|---|---|---|---|---|---|"
        for requirement in requirements:
            if requirement.area == area:
                yield _row(requirement)
        yield ""


def _row(requirement: Requirement) -> str:
    source = _cell(requirement.source)
    if requirement.url:
        label = source.replace("[", "\\[").replace("]", "\\]")
        source = f"[{label}]({requirement.url})"
    mutants = ", ".join(f"[{name}](#mutant-{name})" for name in requirement.mutants)
    cells = (f"`{requirement.id}`", requirement.level, requirement.profile, _cell(requirement.text), source, mutants)
    return f"| {' | '.join(cells)} |"


def _mutants(catalogue: Catalogue, requirements: Sequence[Requirement]) -> Iterator[str]:
    named = {name for requirement in requirements for name in requirement.mutants}
    if not named:
        return
    yield "## The mutants\n"
    yield "| mutant | host | what it does | the real fault behind it | must fail |"
    yield "|---|---|---|---|---|"
    for mutant in catalogue.mutants:
        if mutant.name in named:
            caught = ", ".join(f"`{name}`" for name in sorted(catalogue.kill_sets[mutant.name]))
            name = f'<a id="mutant-{mutant.name}"></a>`{mutant.name}`'
            yield f"| {name} | {mutant.host} | {_cell(mutant.about)} | {_cell(mutant.source)} | {caught} |"
    yield ""


def _cell(text: str) -> str:
    """Return a text as it may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
