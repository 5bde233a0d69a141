"""What the Kubernetes API must say of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.arguments import Expectation, Object, Status, Topic, expectation, ref_of, status_of, topic_of
from evidence.refs import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def gone(obj: Object, *, after: Object | None = None) -> Expectation:
    """Expect that an object that was deleted goes; a finalizer that holds it is told.

    `after`: the call by which what it was made for was changed or deleted, where nobody deletes the object itself.
    """
    more = {} if after is None else {"after": ref_of(after, ObjectRef)}
    return expectation("gone", obj=ref_of(obj, ObjectRef), **more)


def topic_gone(on: Topic, *, owner: Object) -> Expectation:
    """Expect that a topic, of which a record was read, goes once the object that it was made for is deleted."""
    return expectation("topic_gone", topic=topic_of(on), obj=ref_of(owner, ObjectRef))


def topic_kept(on: Topic, *, owner: Object) -> Expectation:
    """Expect that a topic is there when an object that used it, and did not make it, has been deleted and is gone."""
    return expectation("topic_kept", topic=topic_of(on), obj=ref_of(owner, ObjectRef))


def condition(
    obj: Object,
    type: str,  # noqa: A002 - the name of the field in Kubernetes
    status: str | Collection[str],
    reason: str | None = None,
    *,
    control: Object | None = None,
    explained: bool = False,
) -> Expectation:
    """Expect that the object has a condition of this type with this status (or one of these), and reason.

    `explained`: whether it must have a reason or a message, whatever they say.

    `control`: an object of the same kind, in the same namespace, that has become Ready. Its controller is at work then,
    so an object that has no such condition at the deadline is a failure.
    """
    wanted = [status] if isinstance(status, str) else sorted(status)
    more: dict[str, Any] = {} if control is None else {"control": ref_of(control, ObjectRef)}
    more |= {"explained": True} if explained else {}
    return expectation("condition", obj=ref_of(obj, ObjectRef), type=type, status=wanted, reason=reason, **more)


def settled(obj: Object, *, control: Object) -> Expectation:
    """Expect that the API refused the object, or that its condition Ready is True, or False with a reason or a message.

    `control`: as for `condition`.
    """
    refs = {"obj": ref_of(obj, ObjectRef), "control": ref_of(control, ObjectRef)}
    return expectation("settled", type="Ready", status=["True", "False"], reason=None, **refs)


def untouched(obj: Object, *, control: Object) -> Expectation:
    """Expect that no controller says anything of the object, or finalizes it, while it makes `control` Ready."""
    return expectation("untouched", obj=ref_of(obj, ObjectRef), control=ref_of(control, ObjectRef))


def api_accepted(obj: Object) -> Expectation:
    """Expect that the API accepted the call (`obj.seq`, else the last change)."""
    return expectation("api_accepted", obj=ref_of(obj, ObjectRef))


def api_refused(obj: Object, status: Status = range(400, 500), message: str | None = None) -> Expectation:
    """Expect that the API refused the call (`obj.seq`, else the last change); `message` is a part of its words."""
    return expectation("api_refused", obj=ref_of(obj, ObjectRef), status=status_of(status), message=message)


def located(obj: Object, path: str, *, name: str, namespace: str) -> Expectation:
    """Expect that the URL in this field of the object has a host that begins with this name and this namespace.

    As in `name-namespace.example.com` or `name.namespace.svc.cluster.local`: what follows is the installation's own.
    """
    return expectation("located", obj=ref_of(obj, ObjectRef), path=path.split("."), name=name, namespace=namespace)


def revision_unnamed(obj: Object, component: str) -> Expectation:
    """Expect that the newest revision of a component of an InferenceService, which is not ready, is not told as ready.

    Neither as `latestReadyRevision` nor in `traffic`. Where there are no revisions, none is told.
    """
    return expectation("revision_unnamed", obj=ref_of(obj, ObjectRef), component=component)


def field(obj: Object, path: str | Sequence[str], *equals: Any) -> Expectation:
    """Expect that the object has this field, with one of these values if any is given. None: it is not there, or empty.

    `path`: names, or text with dots (`status.address.url`), or a JSON pointer (`/status/annotations/default.topic`).
    """
    names: Sequence[str] = path if not isinstance(path, str) else path.split(".")
    if isinstance(path, str) and path.startswith("/"):
        names = [name.replace("~1", "/").replace("~0", "~") for name in path[1:].split("/")]
    return expectation("field", obj=ref_of(obj, ObjectRef), path=list(names), equals=list(equals))
