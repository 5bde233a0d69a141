"""Each kind of change on a small source, and what is left alone since a change of it means nothing."""

from pathlib import Path

import pytest

from mutation.operators import KINDS, OPERATORS
from mutation.sites import Site, changed_source, sites

# Kind, operator, a statement, and what becomes of it.
CHANGES = {
    "plus": ("arithmetic", "ReplaceBinaryOperator_Add_Sub", "a = b + c", "a = b - c"),
    "minus-sign": ("arithmetic", "ReplaceUnaryOperator_USub_UAdd", "a = -b", "a = +b"),
    "equal": ("comparison", "ReplaceComparisonOperator_Eq_NotEq", "a = b == c", "a = b != c"),
    "is-none": ("comparison", "ReplaceComparisonOperator_Is_IsNot", "a = b is None", "a = b is not None"),
    "in": ("comparison", "ReplaceMembership", "a = b in c", "a = b not in c"),
    "not-in": ("comparison", "ReplaceMembership", "a = b not in c", "a = b in c"),
    "and": ("logic", "ReplaceAndWithOr", "a = b and c", "a = b or c"),
    "not": ("logic", "ReplaceUnaryOperator_Delete_Not", "a = not b", "a =  b"),
    "number": ("constant", "NumberReplacer", "a = 5", "a = 6"),
    "true": ("constant", "ReplaceTrueWithFalse", "a = True", "a = False"),
    "text": ("constant", "ReplaceText", "a = 'ce-id'", "a = 'XXce-id'"),
    "bytes": ("constant", "ReplaceText", 'a = rb"id"', 'a = rb"XXid"'),
    "if": ("branch", "AddNot", "if b: a()", "if not b: a()"),
    "if-else": ("branch", "AddNot", "a = b if c else d", "a = b if not c else d"),
    "for": ("branch", "ZeroIterationForLoop", "for a in b: c()", "for a in []: c()"),
    "break": ("branch", "ReplaceBreakWithContinue", "while a: break", "while a: continue"),
    "except": (
        "branch",
        "ExceptionReplacer",
        "try: a()\nexcept B: c()",
        "try: a()\nexcept CosmicRayTestingException: c()",
    ),
    "call": ("statement", "RemoveStatement", "a.b(c)", "pass"),
    "await": ("statement", "RemoveStatement", "async def f():\n    await a()", "async def f():\n    pass"),
    "into-an-object": ("statement", "RemoveStatement", "a['b'] = c", "pass"),
    "augmented": ("statement", "RemoveStatement", "a += b", "pass"),
    "raise": ("statement", "RemoveStatement", "raise A", "pass"),
    "del": ("statement", "RemoveStatement", "del a[b]", "pass"),
    "del-of-several": ("statement", "RemoveStatement", "del a, b.c", "pass"),
}
NOTHING = {
    "document": '"""What it does, in 5 words."""',
    "document-of-a-name": 'a: int\n"""Its unit."""',
    "annotation": "def f(a: 'B' = c) -> dict[str, 'D'] | None: ...",
    "annotation-of-a-name": "a: 'B | None'",
    "import": "from a import b\nimport c",
    "all": "__all__ = ['a', 'b']",
    "log": "_log.warning('%s is %d', 'a', 5)",
    "alias": "A = Callable[[int | None, 'B'], None]",
    "union": "a = isinstance(b, C | D)",
    "type-checking": "if TYPE_CHECKING:\n    import a",
    "assertion": "assert a is not None",
    "argument-that-nobody-needs": "def f(a, b):\n    del a, b",
    "one-argument-that-nobody-needs": "def f(a):\n    del a",
    "dataclass": "@dataclass(frozen=True, slots=True)\nclass A: ...",
    "words-for-people": "a = f'{b + 5} of them'",
    "stars": "a = f(*b, **c)",
    "dotted-exception": "try: ...\nexcept a.B: ...",
    "type-variable": "T = TypeVar('T')",
}


def sites_of(folder: Path, source: str) -> list[Site]:
    (folder / "module.py").write_text(f"{source}\n")
    return sites(folder, "module.py")


@pytest.mark.parametrize(("kind", "operator", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_an_operator_makes_one_change(tmp_path: Path, kind: str, operator: str, before: str, after: str) -> None:
    found = [
        (site.kind, changed_source(f"{before}\n", change))
        for site in sites_of(tmp_path, before)
        for change in site.changes
        if change.operator == operator
    ]
    assert found[0] == (kind, f"{after}\n")


def test_every_kind_has_operators_and_an_example() -> None:
    assert {kind for kind, _, _, _ in CHANGES.values()} == set(KINDS) == {kind for kind, _ in OPERATORS.values()}


@pytest.mark.parametrize("source", NOTHING.values(), ids=NOTHING)
def test_what_means_nothing_is_left_alone(tmp_path: Path, source: str) -> None:
    assert sites_of(tmp_path, source) == []


def test_the_words_of_an_error_stay_but_its_raising_goes(tmp_path: Path) -> None:
    assert [site.kind for site in sites_of(tmp_path, "raise ValueError('expected 5', b)")] == ["statement"]


def test_a_site_spans_its_statement_and_knows_whether_a_call_executes_it(tmp_path: Path) -> None:
    source = "LEAST = 3\n\ndef f(a):\n    return g(\n        a,\n        5,\n    )\n"
    found = {site.text: (site.line, site.last, site.in_function) for site in sites_of(tmp_path, source)}
    assert found == {"LEAST = 3": (1, 1, False), "5,": (4, 6, True)}


@pytest.mark.parametrize(
    ("source", "kind", "text", "line"),
    [
        ("try:\n    a()\nexcept B:\n    c()", "branch", "except B:", 3),
        ("if a:\n    b()\nelif c == d:\n    e()", "comparison", "elif c == d:", 3),
        ("with a():\n    while (\n        b == c\n    ):\n        d()", "comparison", "b == c", 2),
    ],
    ids=["except", "elif", "in-brackets"],
)
def test_a_clause_is_executed_where_its_head_is(tmp_path: Path, source: str, kind: str, text: str, line: int) -> None:
    assert [site.line for site in sites_of(tmp_path, source) if (site.kind, site.text) == (kind, text)] == [line]


def test_alternatives_at_one_place_are_one_site(tmp_path: Path) -> None:
    (only,) = sites_of(tmp_path, "a = b < c")
    assert [change.operator.rpartition("_")[2] for change in only.changes] == ["Eq", "NotEq", "LtE", "Gt", "GtE"]


def test_equal_lines_are_sites_of_their_own(tmp_path: Path) -> None:
    found = sites_of(tmp_path, "f(a)\ng(a)\nf(a)")
    assert [(site.text, site.number) for site in found] == [("f(a)", 0), ("g(a)", 0), ("f(a)", 1)]


def test_a_change_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    (only,) = sites_of(tmp_path, "a = b == c")
    with pytest.raises(ValueError, match="changes nothing"):
        changed_source("a = c\n", only.changes[0])
