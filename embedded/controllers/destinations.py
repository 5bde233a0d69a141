"""Destinations: from `ref`, `uri`, or both, to a URL (control plane specification, Destination Resolution)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from embedded.api.resources import SERVICE, Resource
from embedded.api.store import Store


class UnresolvedDestinationError(Exception):
    """A destination that leads nowhere.

    Attributes:
        reason: The reason for the condition.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def resolve_destination(store: Store, destination: Mapping[str, Any], namespace: str) -> str:
    """Return the URL of a destination; a reference without namespace is in `namespace`.

    Raises:
        UnresolvedDestinationError: The object does not exist or has no address, or the URI is not absolute.
    """
    uri, reference = destination.get("uri"), destination.get("ref")
    if reference is None:
        if not uri or not _is_absolute(uri):
            raise UnresolvedDestinationError(
                "InvalidURI", f"URI {uri!r} is not absolute (both scheme and host are needed)"
            )
        return str(uri)
    # As in knative.dev/pkg: a Service to whose authorities there are certificates speaks TLS.
    base = _address(store, reference, namespace, "https" if destination.get("CACerts") else "http")
    return urljoin(base if urlsplit(base).path else f"{base}/", uri) if uri else base


def refers(destination: Mapping[str, Any] | None, namespace: str, resource: Resource, obj: Mapping[str, Any]) -> bool:
    """Return whether a destination refers to an object; a reference without namespace is in `namespace`."""
    reference = (destination or {}).get("ref") or {}
    named = (reference.get("kind"), reference.get("name"), reference.get("namespace") or namespace)
    return named == (resource.kind, obj["metadata"]["name"], obj["metadata"]["namespace"])


def _is_absolute(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # raises where it is no number of a port
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def authorities_of(destination: Mapping[str, Any]) -> str:
    """Return the `CACerts` of a destination, in PEM; empty where it has none."""
    return str(destination.get("CACerts") or "")


def _address(store: Store, reference: Mapping[str, Any], namespace: str, scheme: str) -> str:
    api_version, kind, name = reference.get("apiVersion") or "", reference.get("kind") or "", reference["name"]
    target_namespace = reference.get("namespace") or namespace
    alike = [resource for resource in store.kinds.all if resource.kind == kind]
    # As in Knative, a reference may leave the version out; the group and kind tell what is meant.
    group = reference.get("group") or api_version.partition("/")[0]
    resource = next((r for r in alike if r.api_version == api_version), None)
    resource = resource or next((r for r in alike if r.group == group), None)
    if resource is None:
        raise UnresolvedDestinationError("NotFound", f"this platform has no kind {api_version} {kind}")
    target = store.find(resource, target_namespace, name)
    if target is None:
        qualified = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        raise UnresolvedDestinationError(
            "NotFound", f'failed to get object {target_namespace}/{name}: {qualified} "{name}" not found'
        )
    if resource is SERVICE:
        return f"{scheme}://{name}.{target_namespace}.svc.cluster.local"
    url = ((target.get("status") or {}).get("address") or {}).get("url")
    if not url:
        raise UnresolvedDestinationError("NoAddress", f"address not set for {kind} {target_namespace}/{name}")
    return str(url)
