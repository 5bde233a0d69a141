"""The list of the catalogue: its page in docs, and texts that could break a table."""

import dataclasses
from pathlib import Path

import pytest

from evidence import catalogue as catalogues
from evidence.catalogue import Catalogue
from reports import listing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogues.load(ROOT / "suites" / "catalogue")


def test_the_page_is_not_stale(catalogue: Catalogue) -> None:
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert page == listing.as_markdown(catalogue, catalogue.requirements), (
        "run python -m reports list --markdown > docs/catalogue.md"
    )


def test_the_page_counts_what_it_lists(catalogue: Catalogue) -> None:
    chosen = [requirement for requirement in catalogue.requirements if requirement.area == "latency"]
    page = listing.as_markdown(catalogue, chosen)
    assert "| [latency](#latency) | latency | 11 | 0 | 11 |" in page
    assert "| all | | 11 | 0 | 11 |" in page
    assert "`slow-model`" in page
    assert "`delivers-twice`" not in page


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("one | two", "one \\| two"),
        ("two\nlines", "two lines"),
        ("a <script> of 1 < 2", "a &lt;script> of 1 &lt; 2"),
    ],
    ids=["bar", "line-break", "markup"],
)
def test_a_text_stays_in_its_cell(catalogue: Catalogue, text: str, cell: str) -> None:
    requirement = dataclasses.replace(catalogue.requirements[0], text=text, source=f"[{text}]")
    page = listing.as_markdown(catalogue, [requirement])
    assert f" | {cell} | [\\[{cell}\\]](" in page


def test_a_catalogue_without_mutants_has_no_table_of_them(catalogue: Catalogue) -> None:
    requirement = dataclasses.replace(catalogue.requirements[0], mutants=())
    assert "## The mutants" not in listing.as_markdown(catalogue, [requirement])
