"""The rights of a ServiceAccount as its roles grant them: what a request with its token may do, and what a review says.

Only Roles and ClusterRoles are read, not their bindings: all that a file has is granted to its one holder.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from embedded.api.errors import ApiError
from embedded.api.requests import APPLY, Call
from embedded.api.resources import ACCESSREVIEW, RULESREVIEW

USER = "system:serviceaccount:touchstone:touchstone"
"""The name that refusals tell."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ALWAYS = (ACCESSREVIEW, RULESREVIEW)
"""The kinds that every user may create, as `system:basic-user` lets them."""


class RoleError(Exception):
    """A file that holds no roles; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody wants to do.

    Attributes:
        verb: The verb, as roles name it.
        group: The API group; empty for the core one.
        resource: The plural name, with a subresource as in `pods/log`.
        namespace: The namespace; None: all of them, or the kind has none.
        name: The name of the object; None: any.
    """

    verb: str
    group: str
    resource: str
    namespace: str | None
    name: str | None

    @property
    def refusal(self) -> ApiError:
        """The error of a server that does not let the user do it."""
        plural = f"{self.resource.partition('/')[0]}.{self.group}" if self.group else self.resource.partition("/")[0]
        where = f' in the namespace "{self.namespace}"' if self.namespace else " at the cluster scope"
        why = f'cannot {self.verb} resource "{self.resource}" in API group "{self.group}"{where}'
        named = f' "{self.name}"' if self.name else ""
        return ApiError(403, "Forbidden", f'{plural}{named} is forbidden: User "{USER}" {why}')


@dataclass(frozen=True, slots=True)
class _Rule:
    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    names: frozenset[str]
    namespace: str | None

    def grants(self, action: Action) -> bool:
        return (
            _has(self.groups, action.group)
            and _has(self.resources, action.resource)
            and _has(self.verbs, action.verb)
            and (not self.names or action.name in self.names)
            and self.namespace in (None, action.namespace)
        )


class Rights:
    """What the roles of one ServiceAccount grant.

    Args:
        documents: The documents of a file; those that are no role are passed over.

    Raises:
        RoleError: There is no role among them.
    """

    def __init__(self, documents: Iterable[Any]) -> None:
        roles = [each for each in documents if isinstance(each, dict) and each.get("kind") in ("Role", "ClusterRole")]
        if not roles:
            raise RoleError("expected at least one Role or ClusterRole, got none")
        self._rules = [_rule(role, rule) for role in roles for rule in role.get("rules") or ()]

    def grant(self, action: Action) -> bool:
        """Tell whether a role grants it."""
        return any(rule.grants(action) for rule in self._rules)

    def check(self, call: Call, method: str, media_type: str, *, exists: bool) -> None:
        """Check a request.

        Args:
            call: The call.
            method: The HTTP method.
            media_type: The type of its body.
            exists: Whether the object is there; to apply one that is not is to create it.

        Raises:
            ApiError: No role grants it (403).
        """
        if call.resource in _ALWAYS:
            return
        actions = [_action(call, _verb(call, method))]
        if method == "PATCH" and media_type == APPLY and not exists:
            actions.append(_action(call, "create"))
        for action in actions:
            if not self.grant(action):
                raise action.refusal

    def review(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the status of a SelfSubjectAccessReview."""
        asked = spec.get("resourceAttributes") or {}
        resource = "/".join(filter(None, (asked.get("resource", ""), asked.get("subresource", ""))))
        namespace, name = asked.get("namespace") or None, asked.get("name") or None
        return {"allowed": self.grant(Action(asked.get("verb", ""), asked.get("group", ""), resource, namespace, name))}


def _has(granted: frozenset[str], word: str) -> bool:
    return word in granted or "*" in granted


def _rule(role: Mapping[str, Any], rule: Mapping[str, Any]) -> _Rule:
    groups, resources, verbs, names = (
        frozenset(map(str, rule.get(field) or ())) for field in ("apiGroups", "resources", "verbs", "resourceNames")
    )
    namespace = role["metadata"].get("namespace") if role["kind"] == "Role" else None
    return _Rule(groups, resources, verbs, names, namespace)


def _verb(call: Call, method: str) -> str:
    if method in ("GET", "HEAD"):
        if call.name:
            return "get"
        return "watch" if call.query.get("watch") in ("true", "1") else "list"
    if method == "DELETE" and not call.name:
        return "deletecollection"
    return _VERBS.get(method, method.lower())


def _action(call: Call, verb: str) -> Action:
    resource = f"{call.resource.plural}/{call.subresource}" if call.subresource else call.resource.plural
    return Action(verb, call.resource.group, resource, call.namespace, None if verb == "create" else call.name)
