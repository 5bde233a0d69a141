"""The parsing of requests: path, body and options (field manager, dry run, table)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from embedded.api import errors, protobuf
from embedded.api.errors import Cause
from embedded.api.fields import Manager
from embedded.api.kinds import Kinds
from embedded.api.resources import Resource
from embedded.api.yamlbody import DEEPEST, YamlError, read_yaml
from embedded.types import Object

_LONGEST_GRACE = 2**31 - 1

BODY_LIMIT = 3 * 1024 * 1024
"""The most bytes of a request's body, as in the real API server."""
JSON, YAML = "application/json", "application/yaml"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a kind.

    Attributes:
        namespace: The namespace in the path, or None.
        rest: The part of the path that follows the subresource.
    """

    resource: Resource
    namespace: str | None
    name: str | None
    subresource: str
    rest: str
    query: Mapping[str, str]
    accept: str = ""
    agent: str = ""

    @property
    def table(self) -> bool:
        """True if the client asks for a table."""
        return "as=Table" in self.accept.partition(",")[0]

    @property
    def dry_run(self) -> bool:
        """True if nothing may be stored."""
        return _is_dry(self.query.get("dryRun", ""))

    @property
    def manager(self) -> Manager:
        """The field manager: the one that the query names, else the program in User-Agent."""
        name = self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"
        if len(name) > 128 or not name.isprintable():
            raise _bad_option(
                "fieldManager", f'Invalid value: "{name[:128]}": should be at most 128 printable characters'
            )
        return Manager(name, self.subresource)

    @property
    def field_validation(self) -> str:
        """The treatment of unknown fields: Ignore, Warn or Strict."""
        word = self.query.get("fieldValidation") or "Warn"
        if word not in ("Ignore", "Warn", "Strict"):
            raise _bad_option(
                "fieldValidation", f'Unsupported value: "{word}": supported values: "Ignore", "Strict", "Warn"'
            )
        return word


def parse_path(kinds: Kinds, parts: list[str], query: Mapping[str, str], accept: str, agent: str) -> Call | None:
    """Return the call that a path like `["apis", "apps", "v1", "deployments"]` makes, or None."""
    match parts:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    namespace = None
    if len(rest) >= 3 and rest[0] == "namespaces" and kinds.at(group, version, rest[2]):
        namespace, rest = rest[1], rest[2:]
    resource = kinds.at(group, version, rest[0]) if rest else None
    if resource is None or (namespace is not None and not resource.namespaced):
        return None
    name = rest[1] if len(rest) > 1 else None
    subresource = rest[2] if len(rest) > 2 else ""
    if subresource and subresource not in (*resource.subresources, *(["status"] if resource.status else [])):
        return None
    if len(rest) > 3 and subresource != "proxy":
        return None
    return Call(resource, namespace, name, subresource, "/".join(rest[3:]), query, accept, agent)


def read_body(body: bytes, media_type: str, supported: tuple[str, ...]) -> Any:
    """Return the JSON value in a body.

    Raises:
        ApiError: The media type is not supported (415), or the body cannot be read (400).
    """
    if media_type not in supported:
        raise errors.unsupported_media_type(supported)
    try:
        if media_type == protobuf.MEDIA_TYPE:
            value: Any = protobuf.decode(body)
        else:
            value = _read_text(body, yaml_too=media_type in (APPLY, YAML))
    except (orjson.JSONDecodeError, YamlError) as error:
        raise errors.bad_request(f"error parsing the body: {error}") from error
    check_depth(value)
    return value


def _read_text(body: bytes, *, yaml_too: bool) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if not yaml_too:
            raise
        return read_yaml(body)


def check_depth(value: Any) -> None:
    """Refuse a value that is nested more deeply than everything here can walk.

    Raises:
        ApiError: The value has more than `DEEPEST` levels (400).
    """
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            below
            for part in level
            if isinstance(part, dict | list)
            for below in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return
    raise errors.bad_request(f"the object is nested too deeply: at most {DEEPEST} levels are taken")


def read_object(call: Call, value: Any) -> Object:
    """Return `value` as an object of the call's kind, with the namespace filled in.

    Raises:
        ApiError: The value is not an object of this kind, namespace and name (400).
    """
    resource = call.resource
    check_depth(value)  # again: a patch can nest values
    if not isinstance(value, dict) or not isinstance(value.setdefault("metadata", {}), dict):
        raise errors.bad_request("the body is no object with metadata")
    given, kind = value.setdefault("apiVersion", resource.api_version), value.setdefault("kind", resource.kind)
    if given != resource.api_version:
        why = f"the API version in the data ({given}) does not match the expected API version ({resource.api_version})"
        raise errors.bad_request(why)
    if kind != resource.kind:
        raise errors.undecodable(resource, f"the kind in the data is {kind}")
    metadata = value["metadata"]
    if call.namespace is not None:
        if metadata.get("namespace") not in (None, "", call.namespace):
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = call.namespace
    if call.name is not None and metadata.setdefault("name", call.name) != call.name:
        why = f"the name of the object ({metadata['name']}) does not match the name on the URL ({call.name})"
        raise errors.bad_request(why)
    return value


def read_delete_options(call: Call, value: Any) -> dict[str, Any]:
    """Return the keyword arguments of `Store.delete` that a DELETE's body and query ask for."""
    options = value if isinstance(value, dict) else {}
    preconditions, dry_run = options.get("preconditions") or {}, options.get("dryRun") or []
    if not isinstance(value or {}, dict) or not isinstance(preconditions, dict) or not isinstance(dry_run, list):
        raise errors.bad_request("the body is no DeleteOptions")
    policy = options.get("propagationPolicy") or call.query.get("propagationPolicy")
    dry = call.dry_run or any(_is_dry(word) for word in dry_run)
    orphan = policy == "Orphan" or options.get("orphanDependents") is True
    return {
        "orphan": orphan,
        "dry_run": dry,
        "uid": preconditions.get("uid"),
        "version": preconditions.get("resourceVersion"),
        "grace": _grace(options.get("gracePeriodSeconds") or call.query.get("gracePeriodSeconds") or 0),
    }


def _grace(value: Any) -> int:
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds <= _LONGEST_GRACE:
        shown = repr(value)[:64]
        raise _bad_option("gracePeriodSeconds", f"Invalid value: {shown}: must be 0 to {_LONGEST_GRACE} seconds")
    return seconds


def media_type(header: str) -> str:
    """Return a Content-Type without its parameters; JSON if it is empty."""
    return re.split(r"[;,]", header, maxsplit=1)[0].strip().lower() or JSON


def _is_dry(word: str) -> bool:
    if word not in ("", "All"):
        raise _bad_option("dryRun", f'Unsupported value: "{word}": supported values: "All"')
    return word == "All"


def _bad_option(option: str, message: str) -> errors.ApiError:
    return errors.invalid_options([Cause(option, "FieldValueInvalid", message)])
