"""The registry of mutants: one decorator for every host.

A mutant is a function that takes the policies of its host and returns others. Its name, with hyphens for underscores,
is the mutant's name in `suites/catalogue/mutants`. The decorator says which policies it changes, and how:

* `replaces`: the policy beneath is not asked any more. Nothing of an earlier mutant of that policy would be left, so
  that is a conflict.
* `wraps`: the policy beneath is asked, and its answer changed. Any number of mutants may wrap one policy.

A *divergence* is declared alike and combines alike. It does what a real product was seen to do and no requirement
forbids, or what ends the pipeline under it for good; so no proof asks for it, and the catalogue does not list it.

What is declared is compared with what the function does to the honest policies when the module is imported.
"""

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Generic, TypeVar

from embedded.mutants.hosts import Host
from embedded.types import Composition

P = TypeVar("P")

Paths = str | tuple[str, ...]
"""Policies as dotted names of fields: `waits`, `matcher.dialects.exact`."""


class MutantError(ValueError):
    """Mutants that are unknown, or that exclude each other."""


class DeclarationError(TypeError):
    """A mutant with a wrong declaration; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Mutant(Generic[P]):
    """A declared mutant.

    Attributes:
        name: The name, in words with hyphens.
        host: The part of the platform that has the policies.
        replaces: The policies whose place it takes.
        wraps: The policies that it builds upon.
        change: The function that turns policies into faulty ones.
        about: The first line of the function's docstring.
        module: The module that declares it.
        is_divergence: True for what a real product does and no proof asks for.
    """

    name: str
    host: Host[P]
    replaces: tuple[str, ...]
    wraps: tuple[str, ...]
    change: Callable[[P], P]
    about: str
    module: str
    is_divergence: bool = False


_REGISTRY: dict[str, Mutant[Any]] = {}


def mutant(host: Host[P], *, replaces: Paths = (), wraps: Paths = ()) -> Callable[[Callable[[P], P]], Callable[[P], P]]:
    """Declare a mutant of a host.

    Args:
        host: The part of the platform that has the policies.
        replaces: The policies whose place the mutant takes.
        wraps: The policies that the mutant builds upon.

    Raises:
        DeclarationError: The name is taken, or the function changes other policies than it declares.
    """
    return _registering(host, replaces, wraps, is_divergence=False)


def divergence(
    host: Host[P], *, replaces: Paths = (), wraps: Paths = ()
) -> Callable[[Callable[[P], P]], Callable[[P], P]]:
    """Declare a divergence of a host; the arguments are those of `mutant`.

    Raises:
        DeclarationError: The name is taken, or the function changes other policies than it declares.
    """
    return _registering(host, replaces, wraps, is_divergence=True)


def _registering(
    host: Host[P], replaces: Paths, wraps: Paths, *, is_divergence: bool
) -> Callable[[Callable[[P], P]], Callable[[P], P]]:
    def register(change: Callable[[P], P]) -> Callable[[P], P]:
        name = change.__name__.replace("_", "-")
        about = (change.__doc__ or "").partition("\n")[0]
        declared = Mutant(name, host, _tuple(replaces), _tuple(wraps), change, about, change.__module__, is_divergence)
        _check(declared)
        _REGISTRY[name] = declared
        return change

    return register


def by_host() -> dict[str, list[Mutant[Any]]]:
    """Return all mutants of the platform, sorted, by the name of their host."""
    listed: dict[str, list[Mutant[Any]]] = {}
    for declared in sorted(_REGISTRY.values(), key=lambda declared: (declared.host.name, declared.name)):
        listed.setdefault(declared.host.name, []).append(declared)
    return listed


def names(host: Host[Any] | None = None, *, divergences: bool = True) -> list[str]:
    """Return the names of the mutants of a host, or of all, sorted; on demand without the divergences."""
    return sorted(
        name
        for name, declared in _REGISTRY.items()
        if host in {None, declared.host} and (divergences or not declared.is_divergence)
    )


def find(name: str) -> Mutant[Any]:
    """Return a mutant.

    Raises:
        MutantError: No mutant has this name; the message gives similar ones.
    """
    if name in _REGISTRY:
        return _REGISTRY[name]
    near = difflib.get_close_matches(name, _REGISTRY, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {len(_REGISTRY)}, such as {min(_REGISTRY)}"
    advice = "a new one is a function under @mutant in embedded/mutants/, named with _ for -"
    raise MutantError(f"no mutant of the platform is named {name!r}; {hint}; {advice}")


def combined(chosen: Iterable[str]) -> tuple[str, ...]:
    """Return mutants that go together, each once, in the order in which they are applied: the one given.

    Raises:
        MutantError: A mutant is unknown, or replaces what an earlier one has changed.
    """
    known = [find(name) for name in dict.fromkeys(chosen)]
    for earlier, later in combinations(known, 2):
        lost = _lost(earlier, later)
        if lost is not None:
            help_ = "name it first" if _lost(later, earlier) is None else "choose one of the two"
            raise MutantError(
                f"mutants {earlier.name!r} and {later.name!r} exclude each other in this order: the second replaces "
                f"policy {lost!r} of the {later.host.name}, so nothing of the first would be left; {help_}"
            )
    return tuple(declared.name for declared in known)


def composition(host: Host[P], chosen: Iterable[str]) -> Composition[P]:
    """Return what mutants make of a host's policies, the first one innermost; those of other hosts change nothing.

    Raises:
        MutantError: The mutants cannot be combined.
    """
    known = [find(name) for name in combined(chosen)]
    return Composition(host.honest, tuple(declared.change for declared in known if declared.host is host))


def _lost(earlier: Mutant[Any], later: Mutant[Any]) -> str | None:
    """Return the policy in which a later mutant would undo an earlier one, or None."""
    if earlier.host is not later.host:
        return None
    changed = (*earlier.replaces, *earlier.wraps)
    return next(
        (path for path in later.replaces for other in changed if _covers(path, other) or _covers(other, path)), None
    )


def _check(declared: Mutant[Any]) -> None:
    where = f"mutant {declared.name!r} ({declared.module})"
    if declared.name in _REGISTRY:
        raise DeclarationError(f"{where} stands already in {_REGISTRY[declared.name].module}: give it another name")
    if not declared.about:
        raise DeclarationError(f"{where} has no docstring: say in one line what it does wrong")
    honest = declared.host.honest
    changed = list(_changed(honest, declared.change(honest)))
    paths = (*declared.replaces, *declared.wraps)
    idle = [path for path in paths if not any(_covers(path, other) for other in changed)]
    silent = [other for other in changed if not any(_covers(path, other) for path in paths)]
    if idle or silent or not changed:
        raise DeclarationError(
            f"{where} declares {', '.join(paths) or 'no policy'} and changes {', '.join(changed) or 'none'} of the "
            f"{declared.host.name}: name in `replaces` or `wraps` exactly the policies that it changes"
        )


def _changed(honest: Any, faulty: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted names of all policies that differ."""
    if honest is faulty:
        return
    parts, others = _parts(honest), _parts(faulty)
    if type(honest) is not type(faulty) or parts is None or others is None:
        if honest != faulty:
            yield path
        return
    for name in dict.fromkeys((*parts, *others)):
        yield from _changed(parts.get(name), others.get(name), f"{path}.{name}" if path else name)


def _parts(policies: Any) -> Mapping[str, Any] | None:
    if dataclasses.is_dataclass(policies):
        return {field.name: getattr(policies, field.name) for field in dataclasses.fields(policies)}
    return policies if isinstance(policies, Mapping) else None


def _covers(path: str, other: str) -> bool:
    return other == path or other.startswith(f"{path}.")


def _tuple(paths: Paths) -> tuple[str, ...]:
    return (paths,) if isinstance(paths, str) else paths
