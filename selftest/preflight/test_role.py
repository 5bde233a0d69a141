"""The printed role is the reviewed table: no right more, no right less."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from evidence.catalogue import load
from fixtures.kube.client import KubeClient
from fixtures.kube.products import PRODUCTS
from fixtures.pipelines.description import read_all
from fixtures.preflight.checking import check
from fixtures.preflight.needs import RUN, needs_of
from fixtures.preflight.rights import MAKE_NAMESPACES, RIGHTS
from fixtures.preflight.role import manifest
from fixtures.reading.files import ROOT
from selftest.preflight.api import FakeApi

PIPELINES = tuple(read_all(ROOT / "manifests" / "pipelines").values())
REQUIREMENTS = load(ROOT / "suites" / "catalogue").requirements
# What reads or steers more than its own: no run needs it.
TOO_MUCH = {("secrets", "list"), ("secrets", "watch"), ("namespaces", "patch"), ("*", "*")}


def granted(namespace: str | None, *, kill_pods: bool = False) -> dict[str | None, set[str]]:
    """Return what the printed manifests grant, by namespace, as the fake API writes reviews."""
    found: dict[str | None, set[str]] = defaultdict(set)
    for document in yaml.safe_load_all(manifest(namespace, kill_pods=kill_pods)):
        if document["kind"] in {"Role", "ClusterRole"}:
            for rule in document["rules"]:
                place = document["metadata"].get("namespace")
                found[place] |= {f"{verb} {one}" for verb in rule["verbs"] for one in rule["resources"]}
    return found


@pytest.mark.parametrize("namespace", [None, "team"])
def test_what_is_printed_is_what_is_reviewed(tmp_path: Path, namespace: str | None) -> None:
    with FakeApi() as api:
        check(KubeClient(api.kubeconfig(tmp_path)), namespace, REQUIREMENTS, PIPELINES)
        reviewed: dict[str | None, set[str]] = defaultdict(set)
        for asked in api.reviewed:
            what, _, place = asked.partition(" in ")
            reviewed[place or None].add(what)
    assert granted(namespace) == reviewed


def test_pods_of_the_platform_may_be_deleted_only_where_that_was_asked_for() -> None:
    assert all("delete pods" not in rights for rights in granted(None).values())
    asked = granted(None, kill_pods=True)
    assert {place for place, rights in asked.items() if "delete pods" in rights} == {"knative-eventing"}


@pytest.mark.parametrize("namespace", [None, "team"])
def test_every_role_is_bound(namespace: str | None) -> None:
    documents = list(yaml.safe_load_all(manifest(namespace)))
    roles = {(one["kind"], one["metadata"].get("namespace")) for one in documents if one["kind"].endswith("Role")}
    bound = {
        (one["roleRef"]["kind"], one["metadata"].get("namespace"))
        for one in documents
        if one["kind"].endswith("Binding")
    }
    assert roles == bound
    assert all(one["subjects"][0]["name"] == "touchstone" for one in documents if "subjects" in one)


def test_confined_to_a_namespace_nothing_is_granted_beyond_it_but_reading() -> None:
    for place, rights in granted("team").items():
        if place != "team":
            assert {right.split()[0] for right in rights} <= {"get", "list"}, place


def test_no_right_is_asked_for_that_goes_too_far() -> None:
    asked = {(right.resource, verb) for right in (MAKE_NAMESPACES, *RIGHTS) for verb in right.verbs}
    assert not asked & TOO_MUCH


def test_every_right_says_why_and_what_stands_on_it() -> None:
    for right in (MAKE_NAMESPACES, *RIGHTS):
        assert right.why
        assert right.need in {"", RUN, *PRODUCTS}


def used_by_suites() -> dict[str, set[str]]:
    """Fixtures by requirement, as the tests of suites/ ask for them."""
    import ast

    def texts(node: ast.AST) -> set[str]:
        return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}

    found: dict[str, set[str]] = defaultdict(set)
    for file in (ROOT / "suites").rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named: Any = texts(tree)
        for function in (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")):
            fixtures = {argument.arg for argument in function.args.args}
            decorated = set().union(*(texts(one) for one in function.decorator_list))
            # Where ids stand in a table beside the test, all of the module's ids are meant.
            ids = {one for one in decorated if one.count("-") == 2} or {one for one in named if one.count("-") == 2}
            for name in ids:
                found[name] |= fixtures
    return found


def test_requirements_stand_on_what_their_tests_use() -> None:
    used = used_by_suites()
    products = {"broker": "broker", "brokers": "broker", "async_mnist": "kserve"}
    products |= {"cifar10": "seldon", "cifar10_grpc": "seldon"}
    for one in REQUIREMENTS:
        stands_on = {products[name] for name in used[one.id] if name in products}
        assert stands_on <= set(needs_of(one, PIPELINES)), one.id
