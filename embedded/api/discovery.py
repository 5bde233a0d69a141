"""API discovery: the groups, versions and kinds, in both forms that clients ask for.

kubectl reads aggregated discovery (`apidiscovery.k8s.io/v2`), the Python client reads the older lists.
"""

from functools import lru_cache

from embedded.api.kinds import Kinds
from embedded.api.resources import Resource
from embedded.types import Object

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

_SUBRESOURCES = {
    "status": ("", ["get", "patch", "update"]),
    "exec": ("PodExecOptions", ["create", "get"]),
    "log": ("", ["get"]),
    "proxy": ("ServiceProxyOptions", ["create", "delete", "get", "patch", "update"]),
}


def answer(kinds: Kinds, parts: tuple[str, ...]) -> Object | None:
    """Return the unaggregated document at a path like `("apis", "apps", "v1")`, or None."""
    known = group_versions(kinds)
    match parts:
        case ("version",):
            return VERSION
        case ("api",):
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ("apis",):
            groups = [_group(kinds, group) for group in dict(known) if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ("apis", group) if group in dict(known):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(kinds, group)}
        case ("api", "v1"):
            return _resource_list(kinds, "", "v1")
        case ("apis", group, version) if (group, version) in known:
            return _resource_list(kinds, group, version)
    return None


@lru_cache(maxsize=4)
def aggregated(kinds: Kinds, root: str) -> Object:
    """Return the APIGroupDiscoveryList of `api` (the core group) or `apis` (all others)."""
    items = []
    for group in dict(group_versions(kinds)):
        if bool(group) == (root == "apis"):
            name: Object = {"name": group} if group else {}
            versions = [
                {
                    "version": version,
                    "resources": [_discovered(resource) for resource in _resources_of(kinds, group, version)],
                    "freshness": "Current",
                }
                for version in _versions(kinds, group)
            ]
            items.append({"metadata": name, "versions": versions})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def group_versions(kinds: Kinds) -> list[tuple[str, str]]:
    """Return all (group, version) pairs, the core group first."""
    return list(dict.fromkeys([("", "v1"), *((r.group, r.version) for r in kinds.all)]))


def _versions(kinds: Kinds, group: str) -> list[str]:
    return [version for known, version in group_versions(kinds) if known == group]


def _resources_of(kinds: Kinds, group: str, version: str) -> list[Resource]:
    return [resource for resource in kinds.all if (resource.group, resource.version) == (group, version)]


def _subresources(resource: Resource) -> list[str]:
    return [*(["status"] if resource.status else []), *resource.subresources]


def _group(kinds: Kinds, group: str) -> Object:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in _versions(kinds, group)]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(kinds: Kinds, group: str, version: str) -> Object:
    listed: list[Object] = []
    for resource in _resources_of(kinds, group, version):
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
