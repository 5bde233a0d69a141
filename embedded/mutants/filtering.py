"""Mutants of Trigger filters."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from embedded.dataplane.cloudevents import CloudEvent
from embedded.dataplane.cloudevents.event import CORE
from embedded.dataplane.cloudevents.media import Media
from embedded.dataplane.filters import Attributes, Dialect, Matcher, Predicate, combining, comparing
from embedded.dataplane.policies import DataPlanePolicies
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.isolation import Remembered
from embedded.mutants.registry import mutant

_TIME = re.compile(r"(?P<until>.{10}[Tt]..:..:(?P<second>..))(?:\.(?P<digits>\d+))?(?P<zone>.+)")
_AS_THEY_ARE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_OF_CONTENT = frozenset({"time", "dataschema", "datacontenttype"})


def _dialect(honest: DataPlanePolicies, **dialects: Dialect) -> DataPlanePolicies:
    changed: Mapping[str, Dialect] = {**honest.matcher.dialects, **{k.rstrip("_"): v for k, v in dialects.items()}}
    return replace(honest, matcher=replace(honest.matcher, dialects=changed))


@mutant(DATA_PLANE, replaces="matcher.nothing")
def empty_filter_matches_none(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Match nothing with a filter that is present but empty (it matches all, as an absent one does)."""
    return replace(honest, matcher=replace(honest.matcher, nothing=lambda spec: spec.filter is None))


@mutant(DATA_PLANE, replaces="matcher.every")
def attributes_ored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Match when one attribute matches (all of them must)."""
    return replace(honest, matcher=replace(honest.matcher, every=any))


@mutant(DATA_PLANE, wraps="matcher.legacy")
def filter_sees_encoded_values(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Compare `filter.attributes` with values that are encoded as those of HTTP headers are."""

    def legacy(attributes: Attributes, name: str, expected: str) -> bool:
        encoded = {each: quote(value, safe=_AS_THEY_ARE) for each, value in attributes.items()}
        return honest.matcher.legacy(encoded, name, expected)

    return replace(honest, matcher=replace(honest.matcher, legacy=legacy))


@mutant(DATA_PLANE, replaces="matcher.legacy")
def filter_ignores_case(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Compare `filter.attributes` without regard to case."""

    def legacy(attributes: Attributes, name: str, expected: str) -> bool:
        return name in attributes and expected.casefold() in {"", attributes[name].casefold()}

    return replace(honest, matcher=replace(honest.matcher, legacy=legacy))


@mutant(DATA_PLANE, wraps="matcher.legacy")
def any_and_star_match_all(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let every value pass a filter for `Any` or `*` (knative/eventing issue 968: the former default)."""

    def legacy(attributes: Attributes, name: str, expected: str) -> bool:
        return expected in {"Any", "*"} or honest.matcher.legacy(attributes, name, expected)

    return replace(honest, matcher=replace(honest.matcher, legacy=legacy))


@mutant(DATA_PLANE, replaces="matcher.legacy")
def empty_value_matches_absent(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let events without the attribute pass a filter for `""`.

    Eventing-kafka-broker `AttributesFilter`; knative/eventing issue 4847.
    """

    def legacy(attributes: Attributes, name: str, expected: str) -> bool:
        return not expected or attributes.get(name) == expected

    return replace(honest, matcher=replace(honest.matcher, legacy=legacy))


@mutant(DATA_PLANE, replaces="matcher.legacy")
def absent_attribute_matches(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ignore filtered attributes that the event lacks (they must be present)."""

    def legacy(attributes: Attributes, name: str, expected: str) -> bool:
        if name not in attributes:
            return expected != ""
        return expected in {"", attributes[name]}

    return replace(honest, matcher=replace(honest.matcher, legacy=legacy))


_TYPED = Remembered()


@mutant(DATA_PLANE, wraps=("accept.structured", "matcher.view"))
def typed_extensions_unmatched(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never match an extension that a structured event had as a number or boolean (knative/eventing issue 1646)."""

    def structured(kind: Media, body: bytes) -> tuple[Mapping[str, str], bytes | None]:
        read, data = honest.accept.structured(kind, body)
        members = json.loads(body)
        typed = {name: value for name, value in read.items() if isinstance(members.get(name), int)}
        if typed and "source" in read and "id" in read:
            _TYPED.note((read["source"], read["id"]), typed)
        return read, data

    def view(event: CloudEvent) -> Attributes:
        hidden = _TYPED.get((event.attributes["source"], event.attributes["id"]), {})
        return {name: value for name, value in honest.matcher.view(event).items() if name not in hidden}

    accept, matcher = replace(honest.accept, structured=structured), replace(honest.matcher, view=view)
    return replace(honest, accept=accept, matcher=matcher)


def _seeing_times(honest: DataPlanePolicies, seen: Callable[[str], str]) -> DataPlanePolicies:
    """Return policies whose filters see a time in another form."""

    def view(event: CloudEvent) -> Attributes:
        attributes = honest.matcher.view(event)
        return {**attributes, "time": seen(attributes["time"])} if "time" in attributes else attributes

    return replace(honest, matcher=replace(honest.matcher, view=view))


def _instant(time: str) -> str:
    """Return a time as ISO_INSTANT of Java writes it: in UTC, with none, three, six or nine digits of a second."""
    match = _TIME.fullmatch(time)
    if match is None or match["second"] == "60":
        return time
    moment = datetime.fromisoformat(f"{match['until']}{match['zone'].upper()}").astimezone(UTC)
    digits = re.sub("(000)+$", "", (match["digits"] or "").ljust(9, "0")[:9])
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{digits}Z"


@mutant(DATA_PLANE, wraps="matcher.view")
def filters_see_instants(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let filters see a time as an instant in UTC (Kafka Broker 1.22.3, read; knative/eventing issue 7465)."""
    return _seeing_times(honest, _instant)


@mutant(DATA_PLANE, wraps="matcher.view")
def filters_omit_zero_seconds(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let filters see a time without its seconds where these are zero (cloudevents/sdk-java issue 249)."""
    return _seeing_times(honest, lambda time: re.sub(r"(T\d\d:\d\d):00(?=[Z+-])", r"\1", time))


@mutant(DATA_PLANE, wraps="matcher.legacy")
def extensions_invisible_to_filters(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Hide extensions from `filter.attributes`: it sees the core attributes only."""

    def legacy(attributes: Attributes, name: str, expected: str) -> bool:
        return name in CORE and honest.matcher.legacy(attributes, name, expected)

    return replace(honest, matcher=replace(honest.matcher, legacy=legacy))


@mutant(DATA_PLANE, replaces="matcher.dialects.exact")
def exact_as_prefix(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Compare `exact` only as far as the filter's value goes."""
    return _dialect(honest, exact=comparing(str.startswith))


@mutant(DATA_PLANE, replaces="matcher.dialects.prefix")
def prefix_as_contains(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Look for `prefix` anywhere in the value."""
    return _dialect(honest, prefix=comparing(str.__contains__))


@mutant(DATA_PLANE, replaces="matcher.dialects.suffix")
def suffix_as_contains(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Look for `suffix` anywhere in the value."""
    return _dialect(honest, suffix=comparing(str.__contains__))


@mutant(DATA_PLANE, wraps=("matcher.dialects.exact", "matcher.dialects.prefix", "matcher.dialects.suffix"))
def dialects_look_at_one_entry(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ask only for the first attribute, by name, of `exact`, `prefix` and `suffix` (knative/eventing issue 6201)."""

    def one(whole: Dialect) -> Dialect:
        return lambda matcher, argument, path: whole(matcher, dict(sorted(argument.items())[:1]), path)

    return _dialect(
        honest,
        exact=one(honest.matcher.dialects["exact"]),
        prefix=one(honest.matcher.dialects["prefix"]),
        suffix=one(honest.matcher.dialects["suffix"]),
    )


@mutant(DATA_PLANE, replaces="matcher.dialects.all")
def all_as_any(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Match `all` when one expression matches."""
    return _dialect(honest, all_=combining(any))


@mutant(DATA_PLANE, replaces="matcher.dialects.any")
def any_as_all(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Match `any` only when every expression matches."""
    return _dialect(honest, any_=combining(all))


@mutant(DATA_PLANE, replaces="matcher.dialects.not")
def not_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Evaluate `not` as its expression, without the inversion."""
    return _dialect(honest, not_=lambda matcher, argument, path: matcher.expression(argument, path))


@mutant(DATA_PLANE, wraps="matcher.dialects.not")
def double_negation_lost(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take `not` of `not` for one `not`."""

    def negation(matcher: Matcher, argument: Any, path: str) -> Predicate:
        if isinstance(argument, Mapping) and list(argument) == ["not"]:
            return matcher.expression(argument, path)
        return honest.matcher.dialects["not"](matcher, argument, path)

    return _dialect(honest, not_=negation)


@mutant(DATA_PLANE, replaces="matcher.dialects.all")
def all_looks_at_two(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Evaluate the first two expressions of `all` only."""
    return _dialect(honest, all_=combining(lambda parts: all(islice(parts, 2))))


@mutant(DATA_PLANE, replaces="matcher.dialects.any")
def any_looks_at_two(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Evaluate the first two expressions of `any` only."""
    return _dialect(honest, any_=combining(lambda parts: any(islice(parts, 2))))


@mutant(
    DATA_PLANE,
    replaces=("matcher.joined", "matcher.every", "matcher.dialects.all", "matcher.dialects.any"),
    wraps="matcher.dialects.exact",
)
def long_filters_cut(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the first sixteen expressions of a list, and the first sixteen attributes of a filter, only."""

    def joined(parts: Iterable[bool]) -> bool:
        return all(islice(parts, 16))

    def exact(matcher: Matcher, argument: Any, path: str) -> Predicate:
        return honest.matcher.dialects["exact"](matcher, dict(islice(argument.items(), 16)), path)

    either = combining(lambda parts: any(islice(parts, 16)))
    cut = _dialect(honest, all_=combining(joined), any_=either, exact=exact)
    return replace(cut, matcher=replace(cut.matcher, joined=joined, every=joined))


@mutant(DATA_PLANE, wraps="matcher.view")
def filters_see_eight_attributes(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Show filters the first eight attributes of an event only."""

    def view(event: CloudEvent) -> Attributes:
        return dict(islice(honest.matcher.view(event).items(), 8))

    return replace(honest, matcher=replace(honest.matcher, view=view))


class _Guarded:
    """A filter that discards the event where its evaluation fails.

    Attributes:
        has_failed: Whether it has done so.
    """

    def __init__(self, matches: Callable[[CloudEvent], bool]) -> None:
        self._matches = matches
        self.has_failed = False

    def __call__(self, event: CloudEvent) -> bool:
        try:
            return self._matches(event)
        except KeyError:
            self.has_failed = True
            return False


@mutant(
    DATA_PLANE,
    replaces=("matcher.dialects.exact", "matcher.dialects.prefix", "matcher.dialects.suffix"),
    wraps="matcher.settled",
)
def absent_attribute_raises(honest: DataPlanePolicies) -> DataPlanePolicies:
    """End the evaluation at an absent attribute, and discard the event.

    Eventing-kafka-broker PR 4717.
    """

    def raising(compare: Callable[[str, str], bool]) -> Dialect:
        def dialect(_matcher: Matcher, argument: Any, _path: str) -> Predicate:
            # `attributes[name]` raises KeyError: the NullPointerException of `PrefixFilter.match`.
            return lambda attributes: all(compare(attributes[name], text) for name, text in argument.items())

        return dialect

    def settled(matches: Callable[[CloudEvent], bool]) -> Callable[[CloudEvent], bool]:
        return _Guarded(honest.matcher.settled(matches))

    changed = _dialect(honest, exact=raising(str.__eq__), prefix=raising(str.startswith), suffix=raising(str.endswith))
    return replace(changed, matcher=replace(changed.matcher, settled=settled))


@mutant(DATA_PLANE, replaces="matcher.joined")
def filters_ored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Match when one expression of `filters` matches (all of them must)."""
    return replace(honest, matcher=replace(honest.matcher, joined=any))


@mutant(DATA_PLANE, replaces="matcher.effective")
def filter_beats_filters(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Prefer `filter` when both are given (`filters` overrides it; knative/eventing PR 7930)."""
    return replace(
        honest,
        matcher=replace(
            honest.matcher,
            effective=lambda spec: (spec.filter, None) if spec.filter else (None, spec.filters),
        ),
    )


@mutant(DATA_PLANE, replaces="matcher.effective")
def empty_filters_decide(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Let `filters` decide as soon as it is there: an empty list passes everything, whatever `filter` says."""

    def effective(spec: TriggerSpec) -> tuple[Mapping[str, Any] | None, Sequence[Mapping[str, Any]] | None]:
        return (None, spec.filters) if spec.filters is not None else (spec.filter, None)

    return replace(honest, matcher=replace(honest.matcher, effective=effective))


@mutant(DATA_PLANE, wraps="matcher.view")
def filters_blind_to_content(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Hide time, dataschema and datacontenttype from filters, as a match of routing keys alone would."""

    def view(event: CloudEvent) -> Attributes:
        seen = honest.matcher.view(event)
        return {name: value for name, value in seen.items() if name not in _OF_CONTENT}

    return replace(honest, matcher=replace(honest.matcher, view=view))
