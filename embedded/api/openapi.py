"""OpenAPI as far as kubectl reads it: the kinds' schemas, and which paths and parameters exist for them.

`kubectl explain` reads the schemas; `kubectl apply` looks in the paths whether a kind takes `fieldValidation` and
`dryRun`. Version 2 is only asked for by clients that fall back from version 3; it carries no schemas.
"""

import hashlib
from functools import cache, lru_cache
from typing import Any

import orjson

from embedded.api import discovery, schemas
from embedded.api.kinds import Kinds
from embedded.api.resources import Resource

Object = dict[str, Any]

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


@lru_cache(maxsize=4)
def index(kinds: Kinds) -> bytes:
    """`/openapi/v3`: where the document of each group and version is."""
    paths = {}
    for group, version in discovery.group_versions(kinds):
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        digest = hashlib.sha256(document(kinds, group, version) or b"").hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return orjson.dumps({"paths": paths})


@lru_cache(maxsize=256)
def document(kinds: Kinds, group: str, version: str) -> bytes | None:
    """`/openapi/v3/apis/<group>/<version>`; None if there is no such group and version."""
    if (group, version) not in discovery.group_versions(kinds):
        return None
    paths: Object = {}
    components: Object = {}
    for resource in kinds.all:
        if (resource.group, resource.version) == (group, version):
            components[_component(resource)] = _schema(resource)
            paths |= _paths(resource)
    info = {"title": "Touchstone", "version": version}
    return orjson.dumps({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": components}})


@cache
def v2(*, protobuf: bool) -> bytes:
    """`/openapi/v2`: an empty document, as JSON or as the protobuf message that kubectl asks for."""
    if protobuf:
        return b"\x0a\x032.0"
    info = {"title": "Touchstone", "version": discovery.VERSION["gitVersion"]}
    return orjson.dumps({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})


def _component(resource: Resource) -> str:
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind]).lstrip(".")


def _schema(resource: Resource) -> Object:
    own = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    properties = schemas.HEAD | resource.schema.get("properties", {})
    return resource.schema | {"properties": properties, "x-kubernetes-group-version-kind": [own]}


def _paths(resource: Resource) -> Object:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = f"{root}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    names = ("dryRun", "fieldManager", "fieldValidation")
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_component(resource)}"}}}
    operation: Object = {
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": content}},
        "x-kubernetes-group-version-kind": kind,
    }
    read = {"get": operation | {"x-kubernetes-action": "list"}, "post": operation | {"x-kubernetes-action": "post"}}
    one = {verb: operation | {"x-kubernetes-action": verb} for verb in ("get", "put", "patch", "delete")}
    return {place: read, f"{place}/{{name}}": one}
