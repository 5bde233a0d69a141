"""Refusals of the API as the `Status` objects that Kubernetes clients expect.

There is one exception, `ApiError`, and one constructor for each reason. The texts are those of the real API server
(recorded from version 1.36), because people and clients match on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded.api.resources import Resource


@dataclass(frozen=True, slots=True)
class Cause:
    """One wrong field of an object, as in `StatusCause`.

    Attributes:
        field: The dotted path of the field.
        reason: The machine-readable reason.
        message: The sentence for people.
    """

    field: str
    reason: str
    message: str


class ApiError(Exception):
    """A refusal, with everything that goes into the answer.

    Attributes:
        code: The HTTP status.
        reason: The machine-readable word; empty where the real API gives none.
        message: The sentence that kubectl prints.
        details: The `Status.details` object, or None.
    """

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details) if details else None

    def status(self) -> dict[str, Any]:
        """Return the `Status` object (v1) of this refusal."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        status["message"] = self.message
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status


def qualified(resource: Resource) -> str:
    """Return the resource's qualified name: `triggers.eventing.knative.dev`, or `pods` for a core kind."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def details(resource: Resource, name: str, **more: Any) -> dict[str, Any]:
    """Return the `Status.details` of an object of this resource."""
    fields: dict[str, Any] = {"name": name}
    if resource.group:
        fields["group"] = resource.group
    return fields | {"kind": resource.plural} | more


def not_found(resource: Resource, name: str) -> ApiError:
    """Return a 404 for an object that does not exist."""
    return ApiError(404, "NotFound", f'{qualified(resource)} "{name}" not found', details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """Return a 409 for an object that exists already."""
    return ApiError(409, "AlreadyExists", f'{qualified(resource)} "{name}" already exists', details(resource, name))


def conflict(resource: Resource, name: str, why: str | None = None) -> ApiError:
    """Return a 409 for a stale resourceVersion, or for another precondition that does not hold (`why`)."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}'
    return ApiError(409, "Conflict", message, details(resource, name))


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """Return a 422 with every wrong field; `causes` is not empty."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return _invalid(f'{kind} "{name}"', details(resource, name) | {"kind": resource.kind}, causes)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """Return a 403 for a reason of the kind itself."""
    message = f'{qualified(resource)} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, details(resource, name))


def bad_request(message: str) -> ApiError:
    """Return a 400 for a request that cannot be understood."""
    return ApiError(400, "BadRequest", message)


def undecodable(resource: Resource, why: str) -> ApiError:
    """Return a 400 for a body that does not fit the kind, such as an unknown field under `fieldValidation=Strict`."""
    kind, version = resource.kind, resource.version
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def denied(webhook: str, why: str, code: int = 400) -> ApiError:
    """Return a refusal in the words of an admission webhook of Knative or KServe (400 or 403)."""
    reason = {400: "BadRequest", 403: "Forbidden"}.get(code, "")
    return ApiError(code, reason, f'admission webhook "{webhook}" denied the request: {why}')


def expired(asked: int, oldest: int) -> ApiError:
    """Return a 410 for a watch from a resourceVersion that is no longer remembered."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def no_such_path() -> ApiError:
    """Return a 404 for a path that leads nowhere."""
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, {})


def method_not_allowed() -> ApiError:
    """Return a 405 for a path that does not support this method."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def too_large(limit: int) -> ApiError:
    """Return a 413 for a body that is larger than `limit` bytes."""
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unsupported_media_type(supported: Sequence[str]) -> ApiError:
    """Return a 415 for a body in a format that this request does not take."""
    listed = ", ".join(supported)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message, {})


def unavailable(message: str) -> ApiError:
    """Return a 503 for a backend that does not answer."""
    return ApiError(503, "ServiceUnavailable", message)


def invalid_patch(text: str, why: str) -> ApiError:
    """Return a 422 for a patch whose result has unknown fields, in the real API's form (no kind, no name)."""
    cause = Cause("patch", "FieldValueInvalid", f'Invalid value: "{text}": {why}')
    return _invalid(' ""', {}, [cause])


def invalid_options(causes: Sequence[Cause]) -> ApiError:
    """Return a 422 for wrong query parameters."""
    return _invalid('PatchOptions.meta.k8s.io ""', {"group": "meta.k8s.io", "kind": "PatchOptions"}, causes)


def _invalid(what: str, about: Mapping[str, Any], causes: Sequence[Cause]) -> ApiError:
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    joined = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    entries = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return ApiError(422, "Invalid", f"{what} is invalid: {joined}", {**about, "causes": entries})
