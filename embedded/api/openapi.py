"""OpenAPI as far as kubectl reads it: the schemas of the kinds, and their paths and parameters.

`kubectl explain` reads the schemas; `kubectl apply` looks up in the paths whether a kind takes `fieldValidation` and
`dryRun`. Only clients that fall back from version 3 ask for version 2; it carries no schemas.
"""

import hashlib
from functools import cache, lru_cache

import orjson

from embedded.api import discovery, schemas
from embedded.api.kinds import Kinds
from embedded.api.resources import Resource
from embedded.types import Object

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


@lru_cache(maxsize=4)
def index(kinds: Kinds) -> bytes:
    """Return the index at `/openapi/v3`: the URL of the document of each group and version."""
    paths = {}
    for group, version in discovery.group_versions(kinds):
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        digest = hashlib.sha256(document(kinds, group, version) or b"").hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return orjson.dumps({"paths": paths})


@lru_cache(maxsize=256)
def document(kinds: Kinds, group: str, version: str) -> bytes | None:
    """Return the document at `/openapi/v3/apis/<group>/<version>`, or None."""
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
    """Return the empty document at `/openapi/v2`, as JSON or as the protobuf message that kubectl asks for."""
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
    collection = (
        f"{root}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    )
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
    single = {verb: operation | {"x-kubernetes-action": verb} for verb in ("get", "put", "patch", "delete")}
    return {collection: read, f"{collection}/{{name}}": single}
