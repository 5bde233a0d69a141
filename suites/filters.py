"""Generated filters and events, and how a filter is written in another way. Nothing here knows which event passes.

Values are few and alike, so that a drawn event often passes a drawn filter: one begins with another, ends with another,
differs by case, or has a character that means something in a pattern.
"""

from typing import Any, NamedTuple

from hypothesis import strategies as st

Filter = dict[str, Any]
Attributes = dict[str, str]
PLAIN = ("a", "ab", "ba", "Ab")
ANY = ("a", "ab", "Ab", "a%b", "a_b", "a'b", "\u00e9a")
VALUES = {"type": PLAIN, "source": PLAIN, "subject": ANY, "tenant": ANY}
OPTIONAL = ("subject", "tenant")
FILTERS, EVENTS, LEAVES = 6, 20, 4
"""The most filters and events of a group, and the most named dialects in a filter."""


class Group(NamedTuple):
    """Filters that are compared with each other, and the events that are sent to all of them.

    Attributes:
        filters: Expressions as they stand in a Trigger's `filters`.
        events: The attributes of each event.
    """

    filters: list[Filter]
    events: list[Attributes]


def _values(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(VALUES[name])


def _named(names: tuple[str, ...]) -> st.SearchStrategy[Attributes]:
    """Return one attribute with a value, or two of them."""
    one = st.sampled_from(names).flatmap(lambda name: st.fixed_dictionaries({name: _values(name)}))
    return st.one_of(one, one, st.builds(lambda first, second: first | second, one, one))


def _nested(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda parts: {"any": parts}, several),
        st.builds(lambda parts: {"all": parts}, several),
        st.builds(negated, inner),
    )


def leaves() -> st.SearchStrategy[Filter]:
    """Return filters of the dialects that compare values: exact, prefix and suffix."""
    dialects = st.sampled_from(["prefix", "suffix", "exact"])
    return st.builds(lambda dialect, named: {dialect: named}, dialects, _named(tuple(VALUES)))


def filters() -> st.SearchStrategy[Filter]:
    """Return filters of all dialects but `cesql`: those that compare values, in all, any and not."""
    return st.recursive(leaves(), _nested, max_leaves=LEAVES)


def _texts(name: str) -> st.SearchStrategy[str]:
    return _values(name).map(quoted)


def _comparisons() -> st.SearchStrategy[str]:
    names = st.sampled_from(list(VALUES))
    return names.flatmap(
        lambda name: st.one_of(
            st.builds(lambda value: f"{name} = {value}", _texts(name)),
            st.builds(lambda value: f"{name} != {value}", _texts(name)),
            st.builds(lambda value: f"{name} LIKE {quoted(pattern(value) + '%')}", _values(name)),
            st.builds(lambda one, other: f"{name} IN ({one}, {other})", _texts(name), _texts(name)),
        )
    )


def expressions() -> st.SearchStrategy[Filter]:
    """Return filters of the dialect `cesql`; they evaluate no attribute that a whole event lacks."""

    def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        operators = st.sampled_from(["OR", "AND", "XOR"])
        return st.one_of(
            st.builds(lambda one, op, other: f"({one}) {op} ({other})", inner, operators, inner),
            st.builds(lambda one: f"NOT ({one})", inner),
        )

    return st.recursive(_comparisons(), joined, max_leaves=LEAVES).map(lambda text: {"cesql": text})


def events(*, whole: bool = True) -> st.SearchStrategy[Attributes]:
    """Return the attributes of events; with `whole` none lacks one."""
    lacking = () if whole else OPTIONAL
    always = {name: _values(name) for name in VALUES if name not in lacking}
    return st.fixed_dictionaries(always, optional={name: _values(name) for name in lacking})


def groups(drawn: st.SearchStrategy[Filter], sent: st.SearchStrategy[Attributes]) -> st.SearchStrategy[Group]:
    """Return groups of a few different filters and some events."""
    return st.builds(
        Group,
        st.lists(drawn, min_size=1, max_size=FILTERS, unique_by=repr),
        st.lists(sent, min_size=1, max_size=EVENTS, unique_by=repr),
    )


def negated(expression: Filter) -> Filter:
    """Return the negation of an expression."""
    return {"not": expression}


def quoted(text: str) -> str:
    """Return a text, or a pattern of LIKE, as a literal of CESQL: a backslash in it stands for itself."""
    return "'" + text.replace("'", "\\'") + "'"


def pattern(text: str) -> str:
    """Return a pattern of LIKE that stands for this text alone."""
    return text.replace("%", "\\%").replace("_", "\\_")


def in_cesql(expression: Filter) -> str:
    """Return the same expression in CESQL, for events that lack none of its attributes."""
    ((dialect, argument),) = expression.items()
    if dialect == "not":
        return f"NOT ({in_cesql(argument)})"
    if dialect in {"all", "any"}:
        return f" {'AND' if dialect == 'all' else 'OR'} ".join(f"({in_cesql(part)})" for part in argument)
    return " AND ".join(f"{name} {_compared(dialect, value)}" for name, value in argument.items())


def _compared(dialect: str, value: str) -> str:
    if dialect == "exact":
        return f"= {quoted(value)}"
    like = pattern(value) + "%" if dialect == "prefix" else "%" + pattern(value)
    return f"LIKE {quoted(like)}"
