"""What the API refuses, as the `Status` object that a Kubernetes client expects.

One exception, `ApiError`, and one constructor for each reason that we give. Texts are the real API server's
(recorded in version 1.36), because people and clients match on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded.api.resources import Resource


@dataclass(frozen=True, slots=True)
class Cause:
    """One field of an object that is wrong: `reason` and `message` as in StatusCause, `field` a dotted path."""

    field: str
    reason: str
    message: str


class ApiError(Exception):
    """A refusal, with everything that goes into the answer.

    `code` is the HTTP status, `reason` the machine-readable word (empty where the real API gives none),
    `message` the sentence that kubectl prints, `details` the `Status.details` object or None.
    """

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details) if details else None

    def status(self) -> dict[str, Any]:
        """The `Status` object (v1) of this refusal."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        status["message"] = self.message
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status


def qualified(resource: Resource) -> str:
    """`triggers.eventing.knative.dev`, or `pods` for a core kind."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def details(resource: Resource, name: str, **more: Any) -> dict[str, Any]:
    """`Status.details` for an object of this resource."""
    found: dict[str, Any] = {"name": name}
    if resource.group:
        found["group"] = resource.group
    return found | {"kind": resource.plural} | more


def not_found(resource: Resource, name: str) -> ApiError:
    """404: there is no such object."""
    return ApiError(404, "NotFound", f'{qualified(resource)} "{name}" not found', details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """409: there is such an object already."""
    return ApiError(409, "AlreadyExists", f'{qualified(resource)} "{name}" already exists', details(resource, name))


def conflict(resource: Resource, name: str, why: str | None = None) -> ApiError:
    """A stale resourceVersion, or another precondition that does not hold (`why`)."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}'
    return ApiError(409, "Conflict", message, details(resource, name))


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with every wrong field. `causes` is not empty."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return _invalid(f'{kind} "{name}"', details(resource, name) | {"kind": resource.kind}, causes)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """403, for a reason of the kind itself."""
    message = f'{qualified(resource)} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, details(resource, name))


def bad_request(message: str) -> ApiError:
    """400: the request cannot be understood."""
    return ApiError(400, "BadRequest", message)


def undecodable(resource: Resource, why: str) -> ApiError:
    """A body that does not fit the kind at all, e.g. an unknown field under `fieldValidation=Strict`."""
    kind, version = resource.kind, resource.version
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def denied(webhook: str, why: str, code: int = 400) -> ApiError:
    """A refusal in the words of an admission webhook, as Knative's and KServe's are (400 or 403)."""
    reason = {400: "BadRequest", 403: "Forbidden"}.get(code, "")
    return ApiError(code, reason, f'admission webhook "{webhook}" denied the request: {why}')


def expired(asked: int, oldest: int) -> ApiError:
    """A watch from a resourceVersion that is no longer remembered."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def no_such_path() -> ApiError:
    """404 for a path that leads nowhere."""
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, {})


def method_not_allowed() -> ApiError:
    """405: the path exists, but not for this method."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def too_large(limit: int) -> ApiError:
    """413: a body over the limit, in bytes."""
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unsupported_media_type(supported: Sequence[str]) -> ApiError:
    """A body in a format that this request does not take."""
    listed = ", ".join(supported)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message, {})


def unavailable(message: str) -> ApiError:
    """503: what the request leads to does not answer."""
    return ApiError(503, "ServiceUnavailable", message)


def invalid_patch(text: str, why: str) -> ApiError:
    """422 for a patch whose result has unknown fields, in the real API's odd form (no kind, no name)."""
    cause = Cause("patch", "FieldValueInvalid", f'Invalid value: "{text}": {why}')
    return _invalid(' ""', {}, [cause])


def invalid_options(causes: Sequence[Cause]) -> ApiError:
    """422 for wrong query parameters."""
    return _invalid('PatchOptions.meta.k8s.io ""', {"group": "meta.k8s.io", "kind": "PatchOptions"}, causes)


def _invalid(what: str, about: Mapping[str, Any], causes: Sequence[Cause]) -> ApiError:
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    joined = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    found = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return ApiError(422, "Invalid", f"{what} is invalid: {joined}", {**about, "causes": found})
