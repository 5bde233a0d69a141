"""Mutants are declared rightly or refused, they combine where they can, and each namespace gets its own."""

import inspect
import re
from dataclasses import replace
from typing import Any

import pytest

from embedded.api.errors import ApiError
from embedded.api.resources import NAMESPACE
from embedded.api.store import Store
from embedded.controllers.policies import HONEST as HONEST_CONTROL_PLANE
from embedded.dataplane import HONEST, DataPlanePolicies
from embedded.mutants import MutantError, registry
from embedded.mutants.hosts import CONTROL_PLANE, DATA_PLANE, STREAMS
from embedded.mutants.selection import LABEL, Selection
from fixtures.kube import run_objects

MUTANTS = [declared for listed in registry.by_host().values() for declared in listed]


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the registry afterwards."""
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))


@pytest.mark.parametrize("declared", MUTANTS, ids=lambda declared: declared.name)
def test_a_mutant_asks_what_it_wraps_and_not_what_it_replaces(declared: registry.Mutant[Any]) -> None:
    code = inspect.getsource(declared.change)
    # What several mutants of a module have in common is a function that they give the honest policies to.
    for shared in re.findall(r"\b(_\w+)\(honest\b", code):
        code += inspect.getsource(getattr(inspect.getmodule(declared.change), shared))
    code = code.replace("dialect_of(honest)", "honest.matcher.dialects.cesql")
    # A part of a table is asked for by its key.
    code = re.sub(r'\["(\w+)"\]', r".\1", code)
    assert [path for path in declared.wraps if f"honest.{path}" not in code] == []
    assert [path for path in declared.replaces if f"honest.{path}(" in code] == []


def test_one_mutant_is_declared_once(scratch: None) -> None:
    def reply_on_202(honest: DataPlanePolicies) -> DataPlanePolicies:
        """Another one."""
        return replace(honest, pace=_no_pace)

    with pytest.raises(registry.DeclarationError, match=r"'reply-on-202' \(.*\) stands already in .*mutants\.replies"):
        registry.mutant(DATA_PLANE, replaces="pace")(reply_on_202)


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        pytest.param({}, "declares no policy and changes pace of the data plane", id="nothing-declared"),
        pytest.param({"replaces": "waits"}, "declares waits and changes pace", id="another"),
        pytest.param({"wraps": ("pace", "reply")}, "declares pace, reply and changes pace", id="too-much"),
        pytest.param({"replaces": "pase"}, "declares pase and changes pace", id="misspelt"),
    ],
)
def test_a_mutant_changes_what_it_declares(scratch: None, declaration: dict[str, Any], message: str) -> None:
    def impatient(honest: DataPlanePolicies) -> DataPlanePolicies:
        """Do not wait."""
        return replace(honest, pace=_no_pace)

    with pytest.raises(registry.DeclarationError, match=message):
        registry.mutant(DATA_PLANE, **declaration)(impatient)
    assert "impatient" not in registry.names()


def test_a_mutant_changes_something_and_says_what(scratch: None) -> None:
    def idle(honest: DataPlanePolicies) -> DataPlanePolicies:
        """Stay honest."""
        return honest

    def silent(honest: DataPlanePolicies) -> DataPlanePolicies:
        return replace(honest, pace=_no_pace)

    with pytest.raises(registry.DeclarationError, match="declares pace and changes none"):
        registry.mutant(DATA_PLANE, wraps="pace")(idle)
    with pytest.raises(registry.DeclarationError, match="has no docstring"):
        registry.mutant(DATA_PLANE, replaces="pace")(silent)


async def _no_pace() -> None:
    pass


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        pytest.param(["reply-droped"], "'reply-droped'; did you mean reply-dropped", id="near"),
        pytest.param(["xyzzy"], r"'xyzzy'; there are \d+, such as absent-attribute-matches", id="far"),
        pytest.param([""], r"named ''; there are", id="empty"),
        pytest.param(
            ["dead-letter-skipped", "dead-letter-bare"],
            "'dead-letter-skipped' and 'dead-letter-bare' exclude each other in this order: the second replaces policy "
            "'dead_letter' of the data plane, so nothing of the first would be left; name it first",
            id="order",
        ),
        pytest.param(
            ["missing-id-invented", "slow-ingress", "any-specversion-accepted"],
            "'missing-id-invented' and 'any-specversion-accepted' .* 'accept.check' .*; choose one of the two",
            id="both-replace",
        ),
        pytest.param(
            ["prefix-as-contains", "absent-attribute-raises"],
            "the second replaces policy 'matcher.dialects.prefix' .*; choose one of the two",
            id="one-of-several",
        ),
    ],
)
def test_mutants_that_cannot_be_had_are_refused(chosen: list[str], message: str) -> None:
    with pytest.raises(MutantError, match=message):
        registry.combined(chosen)


def test_mutants_combine_in_the_order_in_which_they_are_named() -> None:
    assert registry.combined(["slow-ingress", "dead-letter-bare", "dead-letter-skipped", "slow-ingress"]) == (
        "slow-ingress",
        "dead-letter-bare",
        "dead-letter-skipped",
    )


def test_compositions_are_equal_when_their_mutants_are_and_each_has_policies_of_its_own() -> None:
    chosen = ["foreign-record-eats-next", "stream-answers-twice", "no-backoff"]
    composition = registry.composition(DATA_PLANE, chosen)
    assert composition == registry.composition(DATA_PLANE, chosen)
    assert composition != registry.composition(DATA_PLANE, reversed(chosen))
    assert composition != registry.composition(DATA_PLANE, chosen[:1])
    assert composition.compose().from_record is not composition.compose().from_record
    assert registry.composition(STREAMS, chosen).compose().copies == 2
    assert registry.composition(CONTROL_PLANE, chosen).compose() is HONEST_CONTROL_PLANE


def labelled(store: Store, name: str, label: str) -> None:
    store.create(NAMESPACE, {"metadata": {"name": name, "labels": {LABEL: label}}})


def test_a_namespace_has_the_mutants_of_the_platform_and_those_of_its_label() -> None:
    store = Store()
    selection = Selection(store, ["unknown-broker-accepted", "stream-answers-twice"])
    labelled(store, "faulty", "address-missing.any-method-accepted")
    store.create(NAMESPACE, {"metadata": {"name": "plain"}})
    assert selection.control_plane("faulty").address_of_broker("http://x") == {}
    assert selection.control_plane("plain").address_of_broker("http://x") != {}
    assert [selection.data_plane(name).compose().allows("PUT") for name in ("faulty", "plain", "none")] == [
        True,
        False,
        False,
    ]
    assert [selection.data_plane(name).compose().unknown_broker.status for name in ("faulty", "plain")] == [202, 202]
    assert selection.unclaimed().unknown_broker.status == 202
    assert [selection.streams(name).compose().copies for name in ("faulty", "plain", "none")] == [2, 2, 2]


def test_without_mutants_everything_is_honest() -> None:
    selection = Selection(Store())
    assert selection.unclaimed() is selection.data_plane("default").compose() is HONEST
    assert selection.control_plane("default") is HONEST_CONTROL_PLANE


@pytest.mark.parametrize(
    ("label", "message"),
    [
        pytest.param("adress-missing", "did you mean address-missing", id="unknown"),
        pytest.param(
            "not-written-yet", "a new one is a function under @mutant in embedded/mutants/", id="without-code"
        ),
        pytest.param("no-backoff..slow-dispatch", "no mutant of the platform is named ''", id="empty-part"),
        pytest.param("is-not.no-backoff", "'is-not'", id="one-of-two"),
        pytest.param("retries-only-5xx", "'retries-everything' and 'retries-only-5xx'", id="platform-and-label"),
    ],
)
def test_a_label_that_cannot_be_honoured_is_refused(label: str, message: str) -> None:
    store = Store()
    store.admission.append(Selection(store, ["retries-everything"]).admit)
    with pytest.raises(ApiError, match=message) as caught:
        labelled(store, "faulty", label)
    assert LABEL in caught.value.message
    labelled(store, "good", "no-backoff.slow-dispatch")


def test_the_suite_labels_namespaces_by_the_platforms_name() -> None:
    assert run_objects.MUTANT == LABEL
