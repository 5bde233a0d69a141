"""What a client asks first: which groups, versions and kinds there are, in both forms that clients speak.

Aggregated discovery (`apidiscovery.k8s.io/v2`) for kubectl, the older lists for the Python client. All is constant.
"""

from functools import cache
from typing import Any

from embedded.api.resources import RESOURCES, Resource

Object = dict[str, Any]

VERSION: Object = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0-touchstone",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
REVIEWS = ("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews")

_SUBRESOURCES = {
    "status": ("", ["get", "patch", "update"]),
    "log": ("", ["get"]),
    "proxy": ("ServiceProxyOptions", ["create", "delete", "get", "patch", "update"]),
}


def answer(parts: tuple[str, ...]) -> Object | None:
    """The unaggregated document at a path like `("apis", "apps", "v1")`; None if there is none."""
    match parts:
        case ("version",):
            return VERSION
        case ("api",):
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ("apis",):
            groups = [_group(group) for group, _ in group_versions() if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ("apis", group) if group in dict(group_versions()):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ("api", "v1"):
            return _resource_list("", "v1")
        case ("apis", group, version) if (group, version) in group_versions():
            return _resource_list(group, version)
    return None


@cache
def aggregated(root: str) -> Object:
    """The APIGroupDiscoveryList of `api` (the core group) or `apis` (all others)."""
    items = []
    for group, version in group_versions():
        if bool(group) == (root == "apis"):
            name: Object = {"name": group} if group else {}
            resources = [_discovered(resource) for resource in _of(group, version)]
            if group == REVIEWS[0]:
                kind = {"group": "", "version": "", "kind": REVIEWS[2]}
                review = {"resource": REVIEWS[3], "responseKind": kind, "scope": "Cluster", "verbs": ["create"]}
                resources.append(review | {"singularResource": REVIEWS[2].lower()})
            versions = [{"version": version, "resources": resources, "freshness": "Current"}]
            items.append({"metadata": name, "versions": versions})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


@cache
def group_versions() -> tuple[tuple[str, str], ...]:
    """All (group, version) pairs, the core group first."""
    return tuple(dict.fromkeys([("", "v1"), REVIEWS[:2], *((r.group, r.version) for r in RESOURCES)]))


def _of(group: str, version: str) -> list[Resource]:
    return [resource for resource in RESOURCES if (resource.group, resource.version) == (group, version)]


def _subresources(resource: Resource) -> list[str]:
    return [*(["status"] if resource.status else []), *resource.subresources]


def _group(group: str) -> Object:
    version = dict(group_versions())[group]
    preferred = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [preferred], "preferredVersion": preferred}


def _resource_list(group: str, version: str) -> Object:
    listed: list[Object] = []
    for resource in _of(group, version):
        common = {"namespaced": resource.namespaced, "kind": resource.kind}
        entry: Object = {"name": resource.plural, "singularName": resource.singular, **common, "verbs": resource.verbs}
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        listed.append(entry)
        for sub in _subresources(resource):
            kind, verbs = _SUBRESOURCES[sub]
            part = {"name": f"{resource.plural}/{sub}", "singularName": "", **common, "verbs": verbs}
            listed.append(part | {"kind": kind or resource.kind})
    if group == REVIEWS[0]:
        review = {"name": REVIEWS[3], "singularName": REVIEWS[2].lower(), "namespaced": False, "kind": REVIEWS[2]}
        listed.append(review | {"verbs": ["create"]})
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _discovered(resource: Resource) -> Object:
    own = {"group": "", "version": "", "kind": resource.kind}
    if resource.custom:
        own |= {"group": resource.group, "version": resource.version}
    entry: Object = {
        "resource": resource.plural,
        "responseKind": own,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = []
    for sub in _subresources(resource):
        kind, verbs = _SUBRESOURCES[sub]
        subresources.append({"subresource": sub, "responseKind": own | {"kind": kind or resource.kind}, "verbs": verbs})
    return entry | ({"subresources": subresources} if subresources else {})
